// A pod's life on a real node, whose driver is killed in every call and asked again.
//
//   node pod.js SOCKET FOLDER SEED COMMAND ...
//
// COMMAND runs a driver with --mode all on SOCKET; below FOLDER volumes are staged and published. In each call, after a
// time that SEED decides, the driver gets SIGKILL; the next one is asked the same until it answers. Prints what was seen,
// and ends with 1 at the first thing that is not as it should be. Nothing is left of the volumes at the end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, connect, status } from './client.js';

const SIZE = 128 * 1024 * 1024;
const MAX_DELAY_MILLIS = 400;
const PATIENCE_MILLIS = 180_000;

const [socket, folder, seed, ...command] = process.argv.slice(2);
if (command.length === 0) {
  console.error('usage: node pod.js SOCKET FOLDER SEED COMMAND ...');
  process.exit(2);
}

let state = Number(seed) >>> 0;
/** The same numbers for the same seed. */
function random(bound) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

let driver;
let services;

function startDriver() {
  driver = spawn(command[0], command.slice(1), { stdio: 'inherit' });
  services = connect(socket);
}

async function killDriver() {
  const ended = new Promise((resolve) => driver.once('exit', resolve));
  driver.kill('SIGKILL');
  await ended;
  services.close();
}

/** Asks until there is an answer: there is none while the driver starts, or is still at it for somebody who is gone. */
async function insist(service, method, request) {
  const begin = Date.now();
  for (;;) {
    try {
      return await call(services[service], method, request);
    } catch (failure) {
      const passes = [status.UNAVAILABLE, status.ABORTED].includes(failure.code);
      if (!passes || Date.now() > begin + PATIENCE_MILLIS) throw failure;
      await sleep(100);
    }
  }
}

/** Makes a call in which the driver is killed, and again with the next driver; answers are to be the same. */
async function step(service, method, request) {
  await insist('identity', 'Probe');
  const delay = random(MAX_DELAY_MILLIS);
  const first = call(services[service], method, request).then((answer) => ({ answer }), (failure) => ({ failure }));
  await sleep(delay);
  await killDriver();
  const { answer, failure } = await first;
  // What a driver does is never refused because it had begun with it before.
  if (failure) assert.ok([status.UNAVAILABLE, status.CANCELLED].includes(failure.code), `${method}: ${failure.message}`);
  startDriver();
  const again = await insist(service, method, request);
  if (answer) assert.deepEqual(again, answer, `${method} answers differently after the kill`);
  console.log(`${method}: killed after ${delay} ms, ${answer ? 'when it had answered' : 'before it answered'}`);
  return again;
}

const volume_capability = { mount: { fs_type: 'ext4' }, access_mode: { mode: 'SINGLE_NODE_WRITER' } };
const sumOf = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const isMountPoint = (at) => fs.readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${at} `);

/** From its making to the pod that has it mounted; what is done with it is what its end needs. */
async function begin(name, bytes, volume_content_source) {
  const capacity_range = { required_bytes: bytes };
  const wish = { name, capacity_range, volume_capabilities: [volume_capability], volume_content_source };
  const { volume } = await step('controller', 'CreateVolume', wish);
  const { node_id } = await insist('node', 'NodeGetInfo');
  const { volume_id, volume_context } = volume;
  const { publish_context } = await step('controller', 'ControllerPublishVolume', { volume_id, node_id, volume_capability });
  const staging_target_path = path.join(folder, `${name}-staging`);
  const staged = { volume_id, volume_context, publish_context, staging_target_path, volume_capability };
  await step('node', 'NodeStageVolume', staged);
  const target_path = path.join(folder, `${name}-pod`);
  await step('node', 'NodePublishVolume', { ...staged, target_path });
  assert.ok(isMountPoint(target_path), `${target_path} is mounted`);
  return { volume_id, node_id, staging_target_path, target_path };
}

async function end({ volume_id, node_id, staging_target_path, target_path }) {
  await step('node', 'NodeUnpublishVolume', { volume_id, target_path });
  await step('node', 'NodeUnstageVolume', { volume_id, staging_target_path });
  assert.ok(!isMountPoint(target_path) && !isMountPoint(staging_target_path), `nothing of ${volume_id} is mounted`);
  await step('controller', 'ControllerUnpublishVolume', { volume_id, node_id });
  await step('controller', 'DeleteVolume', { volume_id });
}

async function grow({ volume_id, target_path }) {
  const capacity_range = { required_bytes: 2 * SIZE };
  await step('controller', 'ControllerExpandVolume', { volume_id, capacity_range });
  await step('node', 'NodeExpandVolume', { volume_id, volume_path: target_path, capacity_range });
  const { blocks, bsize } = fs.statfsSync(target_path);
  assert.ok(blocks * bsize > (SIZE * 3) / 2, 'the file system has grown');
}

async function lives() {
  const pod = await begin('pvc-node-js', SIZE);
  const file = path.join(pod.target_path, 'file');
  const descriptor = fs.openSync(file, 'w');
  fs.writeSync(descriptor, randomBytes(1_000_000));
  fs.fsyncSync(descriptor);
  await grow(pod);
  const { snapshot } = await step('controller', 'CreateSnapshot', { source_volume_id: pod.volume_id, name: 'friday' });

  const clone = await begin('pvc-clone', 2 * SIZE, { snapshot: { snapshot_id: snapshot.snapshot_id } });
  assert.equal(sumOf(path.join(clone.target_path, 'file')), sumOf(file), 'the clone has what the volume had');
  // It was open all the while, through every kill.
  fs.writeSync(descriptor, 'more');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
  await end(clone);
  await step('controller', 'DeleteSnapshot', { snapshot_id: snapshot.snapshot_id });
  await end(pod);
  assert.deepEqual((await insist('controller', 'ListVolumes')).entries, []);
}

startDriver();
try {
  await lives();
  console.log('done');
} catch (failure) {
  console.error(failure);
  process.exitCode = 1;
}
await killDriver();
