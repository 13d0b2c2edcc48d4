// The volumes as a tree: a volume, its snapshots below it, and below a snapshot the volumes that were cloned from it.

import { byId, field, figure, keyed, make, say, set } from './fields.js';
import { STATES, state } from './words.js';

// With more snapshots than this a volume is closed until somebody opens it.
const OPEN_SNAPSHOTS = 4;
// Nobody reads more; a browser would be busy with nothing else.
const MOST_ROWS = 500;

const body = document.querySelector('#tree tbody');
const filter = byId('filter');

/** Whether somebody has opened or closed what has this key; absent if it is as it comes. */
const touched = new Map();
let focused = null;
let shown = [];
let chosen = null;
let choose = () => {};
let redraw = () => {};

/**
 * Each entry of the tree in the order in which it stands there, with its children.
 *
 * @returns a list of {key, level, volume, snapshot, children}; `snapshot` is absent for a volume
 */
export function grown(volumes) {
  const clones = new Map();
  const keys = new Set(volumes.flatMap(({ volume }) => volume.snapshots.map((snapshot) => `${volume.name}@${snapshot.name}`)));
  const roots = [];
  for (const entry of volumes) {
    const origin = entry.volume.clonedFrom;
    const below = keys.has(origin) ? clones.get(origin) ?? clones.set(origin, []).get(origin) : roots;
    below.push(entry);
  }
  const node = (entry, level) => ({
    key: entry.volume.name,
    level,
    volume: entry,
    children: entry.volume.snapshots.map((snapshot) => {
      const key = `${entry.volume.name}@${snapshot.name}`;
      return { key, level: level + 1, volume: entry, snapshot,
        children: (clones.get(key) ?? []).map((clone) => node(clone, level + 2)) };
    }),
  });
  return roots.map((entry) => node(entry, 1));
}

function matches(node, word) {
  const { volume } = node.volume;
  const texts = node.snapshot ? [node.key]
    : [volume.name, state(volume.state), ...volume.clients.map((client) => client.name)];
  return texts.some((text) => text.toLowerCase().includes(word)) || node.children.some((child) => matches(child, word));
}

function isOpen(node, word) {
  return word !== '' || (touched.get(node.key) ?? (node.snapshot !== undefined || node.children.length <= OPEN_SNAPSHOTS));
}

/** What is to be seen, from the top. */
function visible(nodes, word) {
  return nodes.filter((node) => word === '' || matches(node, word))
    .flatMap((node) => [node, ...(isOpen(node, word) ? visible(node.children, word) : [])]);
}

function row(node) {
  const names = ['name', 'state', 'size', 'taken', 'reads', 'writes', 'read', 'write', 'errors', 'clients'];
  const cells = Object.fromEntries(names.map((name, i) => [name, make(i === 0 ? 'th' : 'td',
    { role: i === 0 ? 'rowheader' : 'gridcell', class: [i > 1 && 'number', i > 5 && 'wide'].filter(Boolean).join(' ') || null })]));
  const knob = make('span', { class: 'knob', 'aria-hidden': true });
  const name = make('span', { class: 'name' });
  cells.name.append(knob, name);
  const result = make('tr', { role: 'row', tabindex: -1 }, ...Object.values(cells));
  result.farblock = { ...cells, knob, name, key: node.key };
  knob.addEventListener('click', (event) => {
    event.stopPropagation();
    toggle(find(node.key));
  });
  result.addEventListener('click', () => pick(node.key));
  result.addEventListener('focus', () => { focused = node.key; });
  return result;
}

function fill(element, node, history, word) {
  const cells = element.farblock;
  set(element, 'data-volume', node.snapshot ? null : node.key);
  set(element, 'data-snapshot', node.snapshot ? node.key : null);
  set(element, 'aria-level', node.level);
  set(element, 'class', `level${Math.min(node.level, 9)}`);
  set(element, 'aria-expanded', node.children.length === 0 ? null : String(isOpen(node, word)));
  set(element, 'aria-selected', String(node.key === chosen));
  set(element, 'tabindex', node.key === focused ? 0 : -1);
  say(cells.knob, node.children.length === 0 ? '' : isOpen(node, word) ? '▾' : '▸');
  const where = `volumes/${node.volume.volume.name}/`;
  if (node.snapshot) {
    const path = `${where}volume.snapshots/${node.snapshot.name}/`;
    field(cells.name, path, node.snapshot, 'name');
    say(cells.state, 'snapshot');
    field(cells.size, path, node.snapshot, 'sizeBytes', 'bytes');
    return;
  }
  const { volume } = node.volume;
  const now = history.latest(volume.name);
  field(cells.name, where, node.volume, 'volume.name');
  field(cells.state, where, node.volume, 'volume.state', 'state');
  set(cells.state, 'class', `state ${(STATES[volume.state] ?? [])[1] ?? 'poor'}`);
  field(cells.size, where, node.volume, 'volume.sizeBytes', 'bytes');
  field(cells.taken, where, node.volume, 'volume.allocatedBytes', 'bytes');
  figure(cells.reads, `${where}readsPerSecond`, now?.readsPerSecond, 'perSecond');
  figure(cells.writes, `${where}writesPerSecond`, now?.writesPerSecond, 'perSecond');
  figure(cells.read, `${where}readMeanNanos`, now?.readMeanNanos, 'nanos');
  figure(cells.write, `${where}writeMeanNanos`, now?.writeMeanNanos, 'nanos');
  field(cells.errors, where, node.volume, 'traffic.errors', 'count');
  set(cells.errors, 'data-bad', Number(node.volume.traffic?.errors ?? 0) > 0);
  figure(cells.clients, `${where}clients`, volume.clients.length, 'count');
}

function find(key) {
  return shown.find((node) => node.key === key);
}

function element(key) {
  return [...body.rows].find((candidate) => candidate.farblock.key === key);
}

function toggle(node, open = !isOpen(node, '')) {
  if (node && node.children.length > 0) {
    touched.set(node.key, open);
    redraw();
  }
}

function pick(key) {
  focus(key);
  choose(key);
}

function focus(key) {
  focused = key;
  redraw();
  element(key)?.focus();
}

function parent(node) {
  return shown.slice(0, shown.indexOf(node)).findLast((other) => other.level < node.level);
}

function key(event) {
  const node = find(focused);
  if (!node || event.altKey || event.ctrlKey || event.metaKey) {
    return;
  }
  const place = shown.indexOf(node);
  const open = node.children.length > 0 && isOpen(node, filter.value.trim());
  const moves = {
    ArrowDown: () => focus((shown[place + 1] ?? node).key),
    ArrowUp: () => focus((shown[place - 1] ?? node).key),
    Home: () => focus(shown[0].key),
    End: () => focus(shown.at(-1).key),
    ArrowRight: () => (open ? focus(node.children[0].key) : toggle(node, true)),
    ArrowLeft: () => (open ? toggle(node, false) : focus((parent(node) ?? node).key)),
    Enter: () => pick(node.key),
    ' ': () => pick(node.key),
  };
  if (moves[event.key]) {
    event.preventDefault();
    moves[event.key]();
  }
}

/**
 * Draws the tree.
 *
 * @param onChoice called with the key of what somebody chooses
 * @param again called to have everything drawn again
 */
export function drawTree(overview, history, chosenKey, onChoice, again) {
  chosen = chosenKey;
  choose = onChoice;
  redraw = again;
  const word = filter.value.trim().toLowerCase();
  const all = visible(grown(overview.volumes), word);
  shown = all.slice(0, MOST_ROWS);
  if (!find(focused)) {
    // Tab leads to one row at any time.
    focused = shown.length > 0 ? shown[0].key : null;
  }
  keyed(body, shown, (node) => node.key, row, (element, node) => fill(element, node, history, word));
  const more = byId('more-rows');
  set(more, 'hidden', all.length === shown.length);
  say(more, `and ${all.length - shown.length} more: filter them by a part of the name`);
  const none = byId('no-volumes');
  set(none, 'hidden', shown.length > 0);
  say(none, overview.volumes.length > 0 ? 'Nothing has this in its name, clients or state.'
    : 'There is no volume yet: farblock volume create NAME --size 10G');
}

body.addEventListener('keydown', key);
filter.addEventListener('input', () => redraw());
