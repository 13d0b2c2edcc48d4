// Everything but tree, details and charts: what one answer of the server says, in its place.

import { byId, field, figure, keyed, make, say, set } from './fields.js';
import { STATES } from './words.js';

export function drawServer(overview) {
  field(byId('data-address'), '', overview, 'server.dataAddress');
  field(byId('uptime'), '', overview, 'uptimeNanos', 'uptime');
  field(byId('connections'), '', overview, 'server.connections', 'count');
  field(byId('caller'), '', overview, 'caller');
  field(byId('version'), '', overview, 'server.version');
}

/** What is wrong with a volume, in a word or two; empty if nothing is. */
function complaint({ volume, traffic }) {
  const [words, kind] = STATES[volume.state] ?? [volume.state, 'poor'];
  if (kind !== 'good') {
    return words;
  }
  return BigInt(traffic?.damagedBlocks ?? 0) > 0n ? 'blocks were found damaged' : '';
}

export function drawHealth(overview, choose) {
  const bad = overview.volumes.map((entry) => ({ entry, name: entry.volume.name, why: complaint(entry) }))
    .filter(({ why }) => why !== '');
  const isFull = BigInt(overview.space.freeBytes) <= BigInt(overview.space.reserveBytes);
  const line = byId('health-line');
  if (line.childNodes.length === 0) {
    line.append(make('span'), make('b'), make('span'), make('b'), make('span'));
  }
  const [before, first, between, second, after] = line.children;
  const isWell = bad.length === 0;
  figure(first, isWell ? 'server/volumes' : 'server/volumesInNeed', isWell ? overview.volumes.length : bad.length, 'count');
  figure(second, 'server/volumes', isWell ? null : overview.volumes.length, 'count');
  say(before, isWell && overview.volumes.length > 1 ? 'All ' : '');
  const noun = overview.volumes.length === 1 ? 'volume' : 'volumes';
  say(between, isWell ? ` ${noun} ${overview.volumes.length === 1 ? 'is' : 'are'} well.` : ' of ');
  const need = isWell ? '' : ` ${noun} ${bad.length === 1 ? 'needs' : 'need'} attention.`;
  say(after, need + (isFull ? ' The disk is full.' : ''));
  set(byId('health'), 'class', isWell && !isFull ? 'good' : 'bad');
  keyed(byId('health-list'), bad, ({ name }) => name,
    ({ name }) => {
      const button = make('button', { type: 'button', 'data-field': `volumes/${name}/volume.name`, 'data-raw': name }, name);
      button.addEventListener('click', () => choose(name));
      return make('li', {}, button, make('span'), make('span'));
    },
    (item, { entry, name, why }) => {
      const [, words, reason] = item.children;
      say(words, entry.volume.stateReason ? `: ${why}: ` : `: ${why}`);
      field(reason, `volumes/${name}/`, entry, 'volume.stateReason');
    });
}

export function drawSpace(overview) {
  field(byId('space-taken'), '', overview, 'space.allocatedBytes', 'bytes');
  field(byId('space-free'), '', overview, 'space.freeBytes', 'bytes');
  field(byId('space-reserve'), '', overview, 'space.reserveBytes', 'bytes');
  field(byId('space-promised'), '', overview, 'space.provisionedBytes', 'bytes');
  const [taken, free, reserve] = ['allocatedBytes', 'freeBytes', 'reserveBytes'].map((name) => Number(overview.space[name]));
  const width = (part) => 1000 * Math.min(1, part / Math.max(1, taken + free));
  const kept = Math.min(free, reserve);
  set(document.querySelector('#space-bar .taken'), 'width', width(taken));
  set(document.querySelector('#space-bar .reserve'), 'width', width(kept));
  set(document.querySelector('#space-bar .reserve'), 'x', 1000 - width(kept));
}

function cellsOf(columns) {
  const cells = columns.map((name) => make('td', { class: name === 'queues' ? 'number' : null }));
  return [make('tr', {}, ...cells), cells];
}

function nothing(section, isEmpty) {
  set(section.querySelector('.nothing'), 'hidden', !isEmpty);
}

export function drawClients(overview) {
  const section = byId('clients');
  const entries = overview.volumes.flatMap(({ volume }) =>
    volume.clients.map((client, i) => ({ client, where: `volumes/${volume.name}/`, path: `volume.clients/${i}/`, volume })));
  keyed(section.querySelector('tbody'), entries, ({ where, path }) => where + path,
    () => {
      const [line, cells] = cellsOf(['client', 'volume', 'role', 'queues', 'address']);
      line.farblock = cells;
      return line;
    },
    (line, { client, where, path, volume }) => {
      const [name, of, role, queues, address] = line.farblock;
      field(name, where + path, client, 'name');
      field(of, where, { volume }, 'volume.name');
      say(role, !client.writer ? 'reads' : client.queues > 0 ? 'writes' : 'holds the lease, not connected');
      field(queues, where + path, client, 'queues', 'count');
      field(address, where + path, client, 'address');
    });
  set(section.querySelector('table'), 'hidden', entries.length === 0);
  nothing(section, entries.length === 0);
}

export function drawWork(overview) {
  const section = byId('work');
  const busy = overview.volumes.filter(({ volume }) => volume.merge || volume.state === 'VOLUME_STATE_IMPORTING');
  keyed(section.querySelector('ul'), busy, ({ volume }) => volume.name,
    () => {
      const parts = { name: make('b'), what: make('span'), layers: make('span'), after: make('span'),
        progress: make('progress', { max: 1 }), moved: make('span'), of: make('span'), total: make('span'), why: make('em') };
      const item = make('li', {}, parts.name, parts.what, parts.layers, parts.after, parts.progress, parts.moved, parts.of,
        parts.total, parts.why);
      item.farblock = parts;
      return item;
    },
    (item, { volume }) => {
      const parts = item.farblock;
      const where = `volumes/${volume.name}/`;
      const merge = volume.merge;
      field(parts.name, where, { volume }, 'volume.name');
      say(parts.what, merge ? ' merges ' : ' is being filled: ');
      field(parts.layers, where, { volume }, 'volume.merge.layers', 'count');
      say(parts.after, merge ? ' of deleted snapshots ' : '');
      set(parts.progress, 'hidden', !merge);
      set(parts.progress, 'value', merge && Number(merge.totalBytes) > 0
        ? Number(merge.movedBytes) / Number(merge.totalBytes) : 0);
      set(parts.progress, 'aria-label', `merge of ${volume.name}`);
      field(parts.moved, where, { volume }, 'volume.merge.movedBytes', 'bytes');
      say(parts.of, merge ? ' of ' : '');
      field(parts.total, where, { volume }, 'volume.merge.totalBytes', 'bytes');
      if (merge) {
        field(parts.why, where, { volume }, 'volume.merge.waitsFor');
      } else {
        field(parts.why, where, { volume }, 'volume.stateReason');
      }
    });
  nothing(section, busy.length === 0);
}

export function drawEvents(overview) {
  const section = byId('events');
  keyed(section.querySelector('ol'), overview.events.toReversed(), (event) => `${event.number} ${event.unixMillis}`,
    (event) => {
      const where = `events/${event.number}/`;
      const time = make('time', { datetime: new Date(Number(event.unixMillis)).toISOString() });
      const [who, what, volume] = [make('b'), make('span'), make('span')];
      field(time, where, event, 'unixMillis', 'moment');
      field(who, where, event, 'who');
      field(what, where, event, 'what');
      field(volume, where, event, 'volume');
      return make('li', { class: event.refused ? 'refused' : null },
        time, ' ', who, ' ', event.refused ? make('strong', {}, 'refused: ') : '', what, event.volume ? ': ' : '', volume);
    },
    () => {});
  nothing(section, overview.events.length === 0);
}
