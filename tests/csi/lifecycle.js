// A volume's life as an orchestrator asks for it, from another implementation of gRPC than the driver's.
//
//   node lifecycle.js SOCKET FOLDER
//
// SOCKET is that of a driver with --mode all; below FOLDER the volume is staged and published. Each call is made ten times.
// Prints what was seen, and ends with 1 at the first thing that is not as it should be.
import assert from 'node:assert/strict';
import path from 'node:path';
import { call, connect, status } from './client.js';

const TIMES = 10;
const SIZE = 64 * 1024 * 1024;

const [socket, folder] = process.argv.slice(2);
if (!socket || !folder) {
  console.error('usage: node lifecycle.js SOCKET FOLDER');
  process.exit(2);
}

const driver = connect(socket);
const { identity, controller, node } = driver;

/** Makes a call again and again; every answer has to be the first one. */
async function repeat(client, method, request) {
  const first = await call(client, method, request);
  for (let i = 1; i < TIMES; i++) {
    assert.deepEqual(await call(client, method, request), first, `${method} answers differently the ${i + 1}th time`);
  }
  console.log(`${method}: ${TIMES} times`);
  return first;
}

async function refused(client, method, request, code) {
  await assert.rejects(call(client, method, request), (failure) => {
    assert.equal(failure.code, code, `${method}: ${failure.message}`);
    assert.notEqual(failure.details, '', `${method} is refused without a message`);
    return true;
  });
}

const capability = { mount: { fs_type: 'ext4' }, access_mode: { mode: 'SINGLE_NODE_MULTI_WRITER' } };
const wish = {
  name: 'from-node-js',
  capacity_range: { required_bytes: SIZE, limit_bytes: SIZE },
  volume_capabilities: [capability],
  secrets: { key: 'not to be seen' },
};

async function speaks() {
  const info = await repeat(identity, 'GetPluginInfo');
  assert.equal(info.name, 'csi.farblock.io');
  assert.notEqual(info.vendor_version, '');
  assert.equal((await call(identity, 'Probe')).ready.value, true);
}

async function refusesNonsense() {
  const { INVALID_ARGUMENT, NOT_FOUND, ABORTED } = status;
  await refused(controller, 'CreateVolume', { ...wish, name: '' }, INVALID_ARGUMENT);
  await refused(controller, 'CreateVolume', { ...wish, volume_capabilities: [] }, INVALID_ARGUMENT);
  await refused(controller, 'DeleteVolume', {}, INVALID_ARGUMENT);
  await refused(controller, 'ListVolumes', { starting_token: 'invented' }, ABORTED);
  await refused(controller, 'ControllerGetVolume', { volume_id: 'never-there' }, NOT_FOUND);
  await refused(node, 'NodeStageVolume', { volume_id: 'x', volume_capability: capability }, INVALID_ARGUMENT);
  await refused(node, 'NodeGetVolumeStats', { volume_id: 'x', volume_path: '/never/there' }, NOT_FOUND);
}

async function lives() {
  const { volume } = await repeat(controller, 'CreateVolume', wish);
  assert.equal(volume.capacity_bytes, SIZE);
  const larger = { required_bytes: 2 * SIZE, limit_bytes: 2 * SIZE };
  await refused(controller, 'CreateVolume', { ...wish, capacity_range: larger }, status.ALREADY_EXISTS);

  const { node_id } = await call(node, 'NodeGetInfo');
  const ids = { volume_id: volume.volume_id, node_id };
  const { publish_context } = await repeat(controller, 'ControllerPublishVolume', { ...ids, volume_capability: capability });
  const staging_target_path = path.join(folder, 'staging');
  const staged = {
    volume_id: volume.volume_id,
    volume_context: volume.volume_context,
    publish_context,
    staging_target_path,
    volume_capability: capability,
  };
  await repeat(node, 'NodeStageVolume', staged);
  const target_path = path.join(folder, 'pod');
  await repeat(node, 'NodePublishVolume', { ...staged, target_path });
  const { usage } = await call(node, 'NodeGetVolumeStats', { volume_id: volume.volume_id, volume_path: target_path });
  assert.deepEqual(usage.map((one) => one.unit), ['BYTES', 'INODES']);

  const snapshotWish = { source_volume_id: volume.volume_id, name: 'from-node-js' };
  const { snapshot } = await repeat(controller, 'CreateSnapshot', snapshotWish);
  assert.equal(snapshot.ready_to_use, true);
  const volume_content_source = { snapshot: { snapshot_id: snapshot.snapshot_id } };
  const copy = await repeat(controller, 'CreateVolume', { ...wish, name: 'copy', volume_content_source });
  const { entries } = await call(controller, 'ListVolumes');
  const found = entries.find((entry) => entry.volume.volume_id === volume.volume_id);
  assert.deepEqual(found.status.published_node_ids, [node_id]);

  await repeat(controller, 'DeleteVolume', { volume_id: copy.volume.volume_id });
  await repeat(controller, 'DeleteSnapshot', { snapshot_id: snapshot.snapshot_id });
  await repeat(node, 'NodeUnpublishVolume', { volume_id: volume.volume_id, target_path });
  await repeat(node, 'NodeUnstageVolume', { volume_id: volume.volume_id, staging_target_path });
  await repeat(controller, 'ControllerUnpublishVolume', ids);
  await repeat(controller, 'DeleteVolume', { volume_id: volume.volume_id });
  assert.equal((await call(controller, 'ListVolumes')).entries.length, entries.length - 2);
}

try {
  await speaks();
  await refusesNonsense();
  await lives();
  console.log('done');
} catch (failure) {
  console.error(failure);
  process.exitCode = 1;
}
driver.close();
