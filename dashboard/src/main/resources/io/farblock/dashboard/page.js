// Asks the server again and again, and has what it says drawn.

import { Chart } from './chart.js';
import { drawDetails } from './details.js';
import { byId, say, set } from './fields.js';
import { drawClients, drawEvents, drawHealth, drawServer, drawSpace, drawWork } from './parts.js';
import { History } from './rates.js';
import { drawTree } from './tree.js';
import { clock, duration } from './words.js';

const PERIOD_MILLIS = 1000;
const HIDDEN_PERIOD_MILLIS = 10_000;
const LIMIT_MILLIS = 5000;

const charts = [
  new Chart(byId('chart-requests'), [['readsPerSecond', 'reads'], ['writesPerSecond', 'writes']], 'perSecond'),
  new Chart(byId('chart-bytes'), [['readBytesPerSecond', 'reads'], ['writeBytesPerSecond', 'writes']], 'bytesPerSecond'),
  new Chart(byId('chart-latency'), [['readMeanNanos', 'reads'], ['writeMeanNanos', 'writes']], 'nanos'),
];
const main = document.querySelector('main');

const history = new History();
let overview = null;
let answeredMillis = null;
let timer = null;

/** The key of what is chosen, a volume or VOLUME@SNAPSHOT; it is in the address too, to be passed on. */
function chosen() {
  try {
    return decodeURIComponent(location.hash.slice(1)) || null;
  } catch {
    return null;
  }
}

function choose(key) {
  location.hash = key === null || key === chosen() ? '' : encodeURIComponent(key);
}

function draw() {
  if (overview === null) {
    return;
  }
  const key = chosen();
  const name = key?.split('@')[0];
  const volume = overview.volumes.some((entry) => entry.volume.name === name) ? name : undefined;
  drawServer(overview);
  drawHealth(overview, choose);
  drawSpace(overview);
  say(byId('charts-of'), volume ?? 'all volumes');
  set(byId('charts-of'), 'data-name', volume !== undefined);
  set(byId('all-volumes'), 'hidden', volume === undefined);
  charts.forEach((chart) => chart.draw(history, volume));
  drawTree(overview, history, key, choose, draw);
  drawDetails(overview, key);
  drawClients(overview);
  drawWork(overview);
  drawEvents(overview);
}

/** Says how it stands; what is not live does not look live. */
function stand(state, words) {
  set(document.documentElement, 'data-state', state);
  say(byId('banner'), words);
  set(byId('banner'), 'hidden', state === 'live');
}

function take(answer) {
  const before = overview;
  answeredMillis = Date.now();
  stand('live', '');
  if (before?.uptimeNanos === answer.uptimeNanos) {
    // Who asks too soon hears the same again: it says nothing of how things grew.
    return;
  }
  overview = answer;
  set(main, 'data-previous-uptime-nanos', history.add(answer) ? before.uptimeNanos : null);
  set(main, 'data-unix-millis', answer.unixMillis);
  set(main, 'data-uptime-nanos', answer.uptimeNanos);
  document.title = `Farblock ${answer.server.dataAddress}`;
  draw();
}

function lost(why) {
  const since = answeredMillis === null ? '' : ` What is shown is of ${clock(answeredMillis)},`
    + ` ${duration(Date.now() - answeredMillis)} ago.`;
  stand('stale', `${why}.${since}`);
}

async function ask() {
  const response = await fetch('overview', { cache: 'no-store', signal: AbortSignal.timeout(LIMIT_MILLIS) });
  if (response.ok) {
    take(await response.json());
  } else if (response.status === 401 || response.status === 403) {
    stand('refused', `The server refuses: ${(await response.text()).trim()}`);
  } else {
    lost(`The server says: ${(await response.text()).trim()}`);
  }
}

async function tick() {
  clearTimeout(timer);
  timer = null;
  const begun = Date.now();
  try {
    await ask();
  } catch (failure) {
    if (failure instanceof TypeError || failure.name === 'TimeoutError' || failure.name === 'AbortError') {
      lost('The server does not answer');
    } else {
      lost('The page has a defect: see the console of the browser');
      console.error(failure);
    }
  }
  const period = document.hidden ? HIDDEN_PERIOD_MILLIS : PERIOD_MILLIS;
  timer = setTimeout(tick, Math.max(0, period - (Date.now() - begun)));
}

document.addEventListener('visibilitychange', () => {
  // Only between two questions: one is on its way otherwise.
  if (!document.hidden && timer !== null) {
    tick();
  }
});
window.addEventListener('hashchange', draw);
byId('all-volumes').addEventListener('click', () => choose(null));
byId('scheme').addEventListener('click', () => {
  const root = document.documentElement;
  const isDark = (root.dataset.scheme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  root.dataset.scheme = isDark ? 'light' : 'dark';
});
tick();
