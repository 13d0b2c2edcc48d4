// All that is known of the volume or the snapshot that somebody has chosen.

import { byId, field, figure, keyed, make, say, set } from './fields.js';

const VOLUME = [
  ['state', 'volume.state', 'state'],
  ['size', 'volume.sizeBytes', 'bytes'],
  ['block', 'volume.blockSizeBytes', 'bytes'],
  ['taken', 'volume.allocatedBytes', 'bytes'],
  ['its own', 'volume.exclusiveBytes', 'bytes'],
  ['shared with clones', 'volume.sharedBytes', 'bytes'],
  ['cloned from', 'volume.clonedFrom', 'text'],
  ['full disk', 'volume.onNoSpace', 'onNoSpace'],
  ['unchecked blocks', 'volume.withoutChecksums', 'yesNo'],
  ['several writers', 'volume.sharedWriters', 'yesNo'],
  ['lease', 'volume.leaseEpoch', 'count'],
  ['waits for the disk', 'volume.diskWaitMillis', 'millis'],
  ['requests at the disk', 'traffic.queued', 'count'],
  ['not yet durable', 'traffic.unsyncedBytes', 'bytes'],
  ['failed requests', 'traffic.errors', 'count'],
  ['damaged blocks', 'traffic.damagedBlocks', 'count'],
  ['reads a second', 'volume.limits.readsPerSecond', 'count'],
  ['writes a second', 'volume.limits.writesPerSecond', 'count'],
  ['reads', 'volume.limits.readBytesPerSecond', 'bytesPerSecond'],
  ['writes', 'volume.limits.writeBytesPerSecond', 'bytesPerSecond'],
  ['burst', 'volume.limits.burstMillis', 'millis'],
  ['labels', 'volume.labels', 'text'],
  ['owners', 'volume.owners', 'text'],
  ['readers', 'volume.readers', 'text'],
  ['uuid', 'volume.uuid', 'text'],
];

const SNAPSHOT = [
  ['size', 'sizeBytes', 'bytes'],
  ['taken at', 'createdUnixMillis', 'moment'],
  ['labels', 'labels', 'text'],
  ['content', 'content', 'text'],
  ['uuid', 'uuid', 'text'],
];

const KINDS = ['reads', 'writes', 'flushes', 'discards', 'zeroes'];

const list = byId('details-list');
const traffic = byId('details-traffic');
const reason = byId('details-reason');

function drawList(key, where, object, rows) {
  keyed(list, rows, ([, path]) => `${key} ${path}`,
    ([label]) => make('div', {}, make('dt', {}, label), make('dd')),
    (row, [, path, unit]) => {
      field(row.lastChild, where, object, path, unit);
      set(row, 'hidden', row.lastChild.textContent === '');
    });
}

function drawTraffic(entry) {
  const where = `volumes/${entry.volume.name}/`;
  keyed(traffic.tBodies[0], KINDS, (kind) => kind,
    (kind) => make('tr', {}, make('th', { scope: 'row' }, kind),
      ...[1, 2, 3].map(() => make('td', { class: 'number' }))),
    (row, kind) => {
      const [, requests, bytes, mean] = row.children;
      const answered = entry.traffic?.[kind];
      field(requests, where, entry, `traffic.${kind}.requests`, 'count');
      field(bytes, where, entry, `traffic.${kind}.bytes`, 'bytes');
      const made = Number(answered?.requests ?? 0);
      figure(mean, `${where}traffic.${kind}.meanNanos`, made > 0 ? Number(answered.nanos) / made : null, 'nanos');
    });
}

/** Draws what `key` names, a volume or VOLUME@SNAPSHOT; nothing if it is not there, or no more. */
export function drawDetails(overview, key) {
  const [name, snapshotName] = (key ?? '').split('@');
  const entry = overview.volumes.find(({ volume }) => volume.name === name);
  const snapshot = entry?.volume.snapshots.find((candidate) => candidate.name === snapshotName);
  const isVolume = entry !== undefined && snapshotName === undefined;
  say(byId('details-title'), isVolume || snapshot ? key : 'Details');
  set(byId('details-title'), 'data-name', isVolume || snapshot !== undefined);
  set(byId('no-details'), 'hidden', isVolume || snapshot !== undefined);
  set(traffic, 'hidden', !isVolume);
  set(reason, 'hidden', !isVolume || entry.volume.stateReason === '');
  if (isVolume) {
    drawList(key, `volumes/${name}/`, entry, VOLUME);
    drawTraffic(entry);
    field(reason, `volumes/${name}/`, entry, 'volume.stateReason');
  } else if (snapshot) {
    drawList(key, `volumes/${name}/volume.snapshots/${snapshotName}/`, snapshot, SNAPSHOT);
  } else {
    drawList('', '', {}, []);
  }
}
