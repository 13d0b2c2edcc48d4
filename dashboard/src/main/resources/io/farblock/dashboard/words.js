// How values are said. Each function takes what the API gives, a number or the decimal digits of one, and returns text.

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Three digits that say something: 1.23, 12.3, 123. */
function threeDigits(value) {
  const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(decimals);
}

export function bytes(raw) {
  let value = Number(raw);
  if (value < 1023.5) {
    return `${Math.round(value)} B`;
  }
  let unit = 0;
  while (value >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${threeDigits(value)} ${BYTE_UNITS[unit]}`;
}

/** Exactly, with the thousands apart. */
export function count(raw) {
  return BigInt(raw).toLocaleString('en-US');
}

export function perSecond(raw) {
  const value = Number(raw);
  return value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

export function bytesPerSecond(raw) {
  return `${bytes(raw)}/s`;
}

export function nanos(raw) {
  const value = Number(raw);
  if (value < 999.5) {
    return `${Math.round(value)} ns`;
  }
  if (value < 999.5e3) {
    return `${threeDigits(value / 1e3)} µs`;
  }
  return value < 999.5e6 ? `${threeDigits(value / 1e6)} ms` : `${threeDigits(value / 1e9)} s`;
}

/** A long time, in its two largest units, cut off and not rounded. */
export function duration(millis) {
  const seconds = Math.floor(Number(millis) / 1000);
  const parts = [[Math.floor(seconds / 86400), 'd'], [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'], [seconds % 60, 's']];
  const largest = parts.findIndex(([value]) => value > 0);
  const first = largest < 0 ? parts.length - 1 : largest;
  return parts.slice(first, first + 2).map(([value, unit]) => `${value} ${unit}`).join(' ');
}

export function uptime(raw) {
  return duration(BigInt(raw) / 1000000n);
}

/** The moment by the clock of whoever looks. */
export function moment(unixMillis) {
  const at = new Date(Number(unixMillis));
  const two = (value) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
    + ` ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** The time of day alone. */
export function clock(unixMillis) {
  return moment(unixMillis).slice(11);
}

/** The states of a volume, by their names in the API. */
export const STATES = {
  VOLUME_STATE_READY: ['ready', 'good'],
  VOLUME_STATE_NO_SPACE: ['no space', 'bad'],
  VOLUME_STATE_FAILED: ['failed', 'bad'],
  VOLUME_STATE_WAITING: ['waiting', 'poor'],
  VOLUME_STATE_IMPORTING: ['importing', 'poor'],
};

export function state(raw) {
  return (STATES[raw] ?? [raw])[0];
}

export function onNoSpace(raw) {
  return { ON_NO_SPACE_QUEUE: 'writes wait', ON_NO_SPACE_FAIL: 'writes fail' }[raw] ?? raw;
}

export function yesNo(raw) {
  return raw === true || raw === 'true' ? 'yes' : 'no';
}

export function text(raw) {
  return String(raw);
}

/** Each a name for a way to say a value; `data-unit` has it. */
export const UNITS = { bytes, count, perSecond, bytesPerSecond, nanos, uptime, millis: duration, moment, clock, state,
  onNoSpace, yesNo, text };
