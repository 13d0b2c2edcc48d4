// The few things that are done with the document. Names and reasons come from strangers: they only ever become text.

import { UNITS } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';

export function byId(id) {
  return document.getElementById(id);
}

export function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function makeSvg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    set(node, name, value);
  }
  node.append(...children);
  return node;
}

/** Touches the document only if something changes. */
export function set(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) {
      node.removeAttribute(name);
    }
  } else {
    const wanted = value === true ? '' : String(value);
    if (node.getAttribute(name) !== wanted) {
      node.setAttribute(name, wanted);
    }
  }
}

export function say(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/** What a path such as `volume.sizeBytes` leads to; undefined if there is nothing. */
export function at(object, path) {
  return path.split('.').reduce((value, name) => value?.[name], object);
}

/** Lists and maps as one line. */
function flat(value) {
  if (Array.isArray(value)) {
    return value.join(', ');
  }
  if (value !== null && typeof value === 'object') {
    return Object.keys(value).sort().map((key) => `${key}=${value[key]}`).join(', ');
  }
  return value;
}

/** Shows what the API says: `where` leads to the object, `path` on from there. */
export function field(node, where, object, path, unit = 'text') {
  show(node, 'data-field', where + path, flat(at(object, path)), unit);
}

/** Shows what the page has worked out itself; undefined and null are nothing to show. */
export function figure(node, name, value, unit) {
  show(node, 'data-figure', name, value, unit);
}

function show(node, attribute, name, raw, unit) {
  const isThere = raw !== undefined && raw !== null && raw !== '';
  set(node, attribute, isThere ? name : null);
  set(node, 'data-unit', isThere ? unit : null);
  set(node, 'data-raw', isThere ? String(raw) : null);
  say(node, isThere ? UNITS[unit](raw) : '');
}

/**
 * Has `parent` hold one element for each item, in their order. Elements stay the same for the same key, so that focus and
 * selections stay where they are.
 */
export function keyed(parent, items, keyOf, create, update) {
  const before = parent.farblockChildren ?? new Map();
  const now = new Map();
  let place = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    const node = before.get(key) ?? create(item);
    before.delete(key);
    now.set(key, node);
    if (node === place) {
      place = place.nextSibling;
    } else {
      parent.insertBefore(node, place);
    }
    update(node, item);
  }
  before.forEach((node) => node.remove());
  parent.farblockChildren = now;
}
