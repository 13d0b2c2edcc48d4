// A chart of the last five minutes: two lines, a scale that fits, and what they were at under the pointer.

import { figure, make, makeSvg, say, set } from './fields.js';
import { UNITS } from './words.js';

const WIDTH = 600;
const HEIGHT = 150;
const SPAN_NANOS = 300e9;
// Without an answer for so long, the line is broken: what was in between is not known.
const GAP_NANOS = 15e9;

/** The next number above that is easy to read, so that the scale does not change with each answer. */
function roundedUp(value, isBinary) {
  if (!(value > 0)) {
    return 1;
  }
  const base = isBinary ? 1024 ** Math.floor(Math.log(value) / Math.log(1024)) : 1;
  const decade = 10 ** Math.floor(Math.log10(value / base));
  return base * decade * [1, 2, 5, 10].find((step) => step * decade * base >= value * 0.9999);
}

export class Chart {
  /**
   * Draws into `element`, a figure.
   *
   * @param lines name of a figure and its label, of each of the two lines
   * @param unit what says its values
   */
  constructor(element, lines, unit) {
    this.unit = unit;
    this.top = make('span', { class: 'scale top', 'data-scale': true });
    this.reading = make('p', { class: 'reading', 'data-scale': true, hidden: true });
    this.cross = makeSvg('line', { class: 'cross', y1: 0, y2: HEIGHT, visibility: 'hidden' });
    this.lines = lines.map(([name, label], i) => ({
      name,
      label,
      path: makeSvg('path', { class: `line line${i}` }),
      area: makeSvg('path', { class: `area line${i}` }),
      value: make('output', {}),
    }));
    this.svg = makeSvg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
      makeSvg('path', { class: 'grid', d: this.#grid() }),
      ...this.lines.map((line) => line.area), ...this.lines.map((line) => line.path), this.cross);
    const legend = make('p', { class: 'legend' }, ...this.lines.map((line, i) =>
      make('span', {}, make('i', { class: `swatch line${i}` }), `${line.label} `, line.value)));
    element.append(legend, make('div', { class: 'plot' }, this.svg, this.top,
      make('span', { class: 'scale left', 'data-scale': true }, '5 min ago'), make('span', { class: 'scale right' }, 'now'),
      this.reading));
    this.svg.addEventListener('pointermove', (event) => this.#point(event));
    this.svg.addEventListener('pointerleave', () => this.#leave());
    this.drawn = [];
  }

  #grid() {
    const across = [0.25, 0.5, 0.75].map((part) => `M0 ${HEIGHT * part}H${WIDTH}`);
    const down = [1, 2, 3, 4].map((minute) => `M${WIDTH * minute / 5} 0V${HEIGHT}`);
    return [...across, ...down].join('');
  }

  /** Shows the figures of a volume, or of the whole server if none is named. */
  draw(history, volume) {
    const last = history.samples.at(-1);
    const owner = volume === undefined ? 'server' : `volumes/${volume}`;
    this.drawn = history.samples.map((sample) => ({
      x: WIDTH * (1 - Number(last.uptimeNanos - sample.uptimeNanos) / SPAN_NANOS),
      secondsAgo: Number(last.uptimeNanos - sample.uptimeNanos) / 1e9,
      isAfterGap: sample.nanos > GAP_NANOS,
      figures: (volume === undefined ? sample.server : sample.volumes.get(volume)) ?? {},
    }));
    const values = this.drawn.flatMap((point) => this.lines.map((line) => point.figures[line.name] ?? 0));
    const most = roundedUp(Math.max(0, ...values), this.unit === 'bytesPerSecond');
    say(this.top, most > 1 ? UNITS[this.unit](most) : '');
    for (const line of this.lines) {
      this.#drawLine(line, most);
      figure(line.value, `${owner}/${line.name}`, history.latest(volume)?.[line.name], this.unit);
    }
    set(this.svg, 'aria-label', this.lines.map((line) => `${line.label} ${line.value.textContent || 'none'}`).join(', '));
  }

  #drawLine(line, most) {
    let path = '';
    let area = '';
    let begin = null;
    let previous = null;
    const end = () => {
      area += begin === null ? '' : `L${previous} ${HEIGHT}L${begin} ${HEIGHT}Z`;
      begin = null;
    };
    for (const point of this.drawn) {
      const value = point.figures[line.name];
      if (value === null || value === undefined) {
        end();
        continue;
      }
      if (point.isAfterGap) {
        end();
      }
      const x = point.x.toFixed(1);
      const place = `${x} ${(HEIGHT * (1 - value / most)).toFixed(1)}`;
      // A point of its own is seen too: a line of no length has round ends.
      path += begin === null ? `M${place}h0` : `L${place}`;
      area += begin === null ? `M${x} ${HEIGHT}L${place}` : `L${place}`;
      begin ??= x;
      previous = x;
    }
    end();
    set(line.path, 'd', path);
    set(line.area, 'd', area);
  }

  #point(event) {
    const box = this.svg.getBoundingClientRect();
    const x = WIDTH * (event.clientX - box.left) / box.width;
    const nearest = this.drawn.reduce((best, point) =>
      (best && Math.abs(best.x - x) <= Math.abs(point.x - x) ? best : point), null);
    if (!nearest || Math.abs(nearest.x - x) > WIDTH / 20) {
      this.#leave();
      return;
    }
    const values = this.lines.map((line) => {
      const value = nearest.figures[line.name];
      return `${line.label} ${value === null || value === undefined ? 'none' : UNITS[this.unit](value)}`;
    });
    say(this.reading, `${Math.round(nearest.secondsAgo)} s ago: ${values.join(', ')}`);
    set(this.reading, 'hidden', null);
    set(this.cross, 'x1', nearest.x);
    set(this.cross, 'x2', nearest.x);
    set(this.cross, 'visibility', 'visible');
  }

  #leave() {
    set(this.reading, 'hidden', true);
    set(this.cross, 'visibility', 'hidden');
  }
}
