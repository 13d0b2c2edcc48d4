// The driver's services, as an orchestrator has them.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const DEADLINE_MILLIS = 120_000;
const here = path.dirname(fileURLToPath(import.meta.url));
const proto = path.join(here, '../../volume-plugin/src/main/protobuf/csi/csi.proto');
const definition = loader.loadSync(proto, { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true });
const { csi } = grpc.loadPackageDefinition(definition);

export const { status } = grpc;

export function connect(socket) {
  const to = (Service) => new Service(`unix:${socket}`, grpc.credentials.createInsecure());
  const services = { identity: to(csi.v1.Identity), controller: to(csi.v1.Controller), node: to(csi.v1.Node) };
  return { ...services, close: () => Object.values(services).forEach((client) => client.close()) };
}

export function call(client, method, request = {}) {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + DEADLINE_MILLIS;
    client[method](request, { deadline }, (failure, answer) => (failure ? reject(failure) : resolve(answer)));
  });
}
