// Elements from data, and bringing what is on the page to what it should be: focus, scroll and open parts survive.

const SVG = "http://www.w3.org/2000/svg";
// State that belongs to the reader, not to the data.
const READERS = new Set(["open", "value", "checked"]);

function make(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "key") node.key = value;
    else if (name === "style") for (const [rule, set] of Object.entries(value)) node.style.setProperty(rule, set);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  add(node, children);
  return node;
}

function add(node, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) add(node, child);
    else node.append(child instanceof Node ? child : String(child));
  }
}

/** An HTML element. Strings among the children become text, never markup. `key` keeps its identity in lists. */
export const h = (name, props, ...children) => make(document.createElement(name), props, children);

/** An SVG element. */
export const s = (name, props, ...children) => make(document.createElementNS(SVG, name), props, children);

/** Brings `node` to look like `next`, touching only what differs; returns the node that is on the page then. */
export function patch(node, next) {
  if (node.nodeType !== next.nodeType || node.nodeName !== next.nodeName || node.key !== next.key) {
    node.replaceWith(next);
    return next;
  }
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.data !== next.data) node.data = next.data;
    return node;
  }
  attributes(node, next);
  children(node, [...next.childNodes]);
  return node;
}

function attributes(node, next) {
  for (const { name } of [...node.attributes]) {
    if (!next.hasAttribute(name) && !READERS.has(name)) node.removeAttribute(name);
  }
  for (const { name, value } of [...next.attributes]) {
    if (READERS.has(name) || node.getAttribute(name) === value) continue;
    // The policy forbids style attributes; the style object is allowed.
    if (name === "style") node.style.cssText = next.style.cssText;
    else node.setAttribute(name, value);
  }
}

/** Makes `wanted` the children of `node`. Keyed children are found wherever they are, others by place. */
export function children(node, wanted) {
  const keyed = new Map();
  const plain = [];
  for (const old of node.childNodes) old.key === undefined ? plain.push(old) : keyed.set(old.key, old);
  let place = node.firstChild;
  for (const next of wanted) {
    let old = next.key === undefined ? plain.shift() : keyed.get(next.key);
    if (next.key !== undefined) keyed.delete(next.key);
    if (old && old !== next) old = patch(old, next);
    const now = old ?? next;
    if (now === place) place = place.nextSibling;
    else if (place && place.parentNode !== node) place = now.nextSibling;
    else node.insertBefore(now, place);
  }
  for (const old of [...plain, ...keyed.values()]) if (old.parentNode === node) old.remove();
}

/** What a delegated event is about: the nearest element with `data-do`. */
export const doing = (event) => (event.target instanceof Element ? event.target.closest("[data-do]") : null);
