// Draws the swimlanes and the small strip under them. Given a model, a span and a scale, it always draws the same.

import { children, s } from "./dom.js";
import { pack } from "./lanes.js";
import { starts } from "./parts.js";
import { LAYER_NAMES, count, layerName, plain } from "./text.js";
import { both, clock, isUtc, now } from "./time.js";

const ROW = 22;
const STRIP = 7; // what the layer showed
const AXIS = 22;
export const BRUSH = 34; // px high
const STEPS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800].map(
  (one) => one * 1000,
);

/** From a little before the first event to now. */
export function extent(model) {
  const times = model.events.map((event) => Date.parse(event.first_seen));
  const last = Math.max(now(), ...model.events.map((event) => Date.parse(event.last_seen)));
  const first = Math.min(last - 600000, ...times);
  const pad = (last - first) * 0.04;
  return [first - pad, last + pad];
}

/** The lanes with their marks, on `svg`. `x` turns ms into px. */
export function lanes(svg, model, span, x, left, width) {
  const parts = [];
  const spots = new Map(); // event key -> {xs: where its bursts begin, y}, for the lines between
  let y = left ? 4 : 0;
  for (const name of LAYER_NAMES) {
    const top = y + (left ? 0 : 16);
    const packed = pack(
      model.events.filter((event) => event.event_type === name),
      span,
      x,
      width,
    );
    const height = packed.rows * ROW + STRIP + 10;
    parts.push(
      s("rect", { class: `lane ${name}`, x: left, y: top, width: width - left, height, key: `lane ${name}` }),
      s(
        "text",
        { class: `lane-name ${name}`, x: left ? 0 : 2, y: left ? top + 15 : top - 4, key: `name ${name}` },
        layerName(name),
      ),
      s("g", { key: `strip ${name}` }, strip(model, name, span, x, top + height - STRIP - 2, left, width)),
      s(
        "g",
        { key: `marks ${name}` },
        packed.items.map((item) => mark(item, model, top + 5 + item.row * ROW, x, width, spots)),
      ),
    );
    y = top + height + 4;
  }
  const height = y + AXIS;
  svg.setAttribute("height", height);
  svg.setAttribute("width", width);
  const at = x(now());
  children(svg, [
    s("g", { key: "axis" }, axis(span, x, y, left)),
    ...parts,
    s("g", { key: "deferral" }, deferrals(model, spots)),
    at > left && at < width
      ? s(
          "g",
          { class: "now", key: "now" },
          s("line", { x1: at, x2: at, y1: 0, y2: y }),
          s("text", { x: Math.min(at, width - 14), y: y + 15, "text-anchor": "middle" }, "now"),
        )
      : s("g", { key: "now" }),
  ]);
}

/** What the layer showed over time: its own cause, another layer's, a symptom only. */
function strip(model, name, span, x, y, left, width) {
  const kept = (at) => Math.min(Math.max(x(at), left), width);
  return model.past.records
    .filter((one) => one.event_type === name)
    .map((one) => {
      const from = kept(Date.parse(one.since));
      const to = kept(one.until ? Date.parse(one.until) : now());
      if (to <= from) return "";
      const deferred = one.deferred_from ? `, deferred to ${layerName(one.deferred_from).toLowerCase()}` : "";
      const words = `${layerName(name)} showed ${plain(one.summary ?? "", 90)}${deferred}, from ${both(one.since)}`;
      return s(
        "rect",
        {
          class: `shown ${one.state} ${one.deferred_from ?? name}`,
          x: from,
          y,
          width: Math.max(to - from, 2),
          height: STRIP,
          rx: 2,
          "data-event": one.event_key,
        },
        s("title", {}, words),
      );
    });
}

function mark(item, model, y, x, width, spots) {
  const { event, from, to } = item;
  const middle = y + ROW / 2 - 1;
  spots.set(event.event_key, { xs: starts(event).map(x), y: middle });
  const state =
    `${event.role} ${event.event_type} ${event.status}${model.selected === event.event_key ? " selected" : ""}` +
    `${model.root_cause?.event_key === event.event_key ? " root" : ""}${model.resolved_by[event.event_key] ? " ended" : ""}`;
  const words = `${plain(event.summary, 120)}, ${event.role}, ×${count(event.count)}, ${both(event.first_seen)}`;
  const shape = event.role === "symptom" ? density(item, y, x) : diamond(item, y, x, width);
  const lifecycle =
    event.status_at && event.status !== "open" ? handled(event, x(Date.parse(event.status_at)), middle) : "";
  const label = item.label ? s("text", { class: "label", x: item.labelAt, y: middle + 4 }, item.label) : "";
  return s(
    "g",
    { class: `item ${state}`, "data-event": event.event_key, key: event.event_key },
    s("title", {}, words),
    s("rect", { class: "hit", x: from - 6, y, width: Math.max(to - from, 2) + 12, height: ROW - 2 }),
    shape,
    lifecycle,
    label,
  );
}

/** Symptoms: the more a minute, the darker. Bursts, where known, are drawn one by one. */
function density({ event }, y, x) {
  const spans = event.bursts.length ? event.bursts : [[event.first_seen, event.last_seen]];
  const minutes = spans.reduce((sum, [a, b]) => sum + Math.max(Date.parse(b) - Date.parse(a), 1000), 0) / 60000;
  const dark = 0.35 + 0.5 * Math.min(Math.log10(1 + event.count / minutes) / 3, 1);
  return spans.map(([a, b]) => {
    const from = x(Date.parse(a));
    return s("rect", {
      class: "density",
      x: from,
      y: y + 3,
      width: Math.max(x(Date.parse(b)) - from, 4),
      height: ROW - 8,
      rx: 2,
      "fill-opacity": dark.toFixed(2),
    });
  });
}

/** A change: a diamond when it happened, a line as long as it repeated, and its relevance fading after it. */
function diamond({ event }, y, x, width) {
  const middle = y + ROW / 2 - 1;
  const at = x(Date.parse(event.first_seen));
  const end = x(Date.parse(event.last_seen));
  const parts = [];
  if (event.role === "cause" && event.status !== "resolved" && event.half_life_seconds) {
    const points = [];
    const last = Math.min(x(now()), width);
    for (let i = 0; i <= 8; i++) {
      const px = end + ((last - end) * i) / 8;
      const age = (px - end) / (x(Date.parse(event.last_seen) + 1000) - end || 1);
      const high = (event.relevance / 10) * 2 ** (-age / event.half_life_seconds) * (ROW - 8);
      points.push(`${px.toFixed(1)},${(middle + (ROW - 8) / 2 - high).toFixed(1)}`);
    }
    if (last > end)
      parts.push(
        s("polygon", {
          class: "fade",
          points: `${points.join(" ")} ${last},${middle + (ROW - 8) / 2} ${end},${middle + (ROW - 8) / 2}`,
        }),
      );
  }
  if (end - at > 2) parts.push(s("line", { class: "repeats", x1: at, x2: end, y1: middle, y2: middle }));
  const r = 6;
  parts.push(
    event.role === "recovery"
      ? s("path", {
          class: "shape",
          d: `M${at - r},${middle + r - 1} L${at},${middle - r} L${at + r},${middle + r - 1} Z`,
        })
      : s("path", {
          class: "shape",
          d: `M${at - r},${middle} L${at},${middle - r} L${at + r},${middle} L${at},${middle + r} Z`,
        }),
  );
  return parts;
}

function handled(event, at, y) {
  const tick = event.status === "resolved" ? `M${at - 4},${y - 4} h8 v8 h-8 Z` : `M${at - 5},${y} l4,4 l7,-8`;
  return s(
    "path",
    { class: `handled ${event.status}`, d: tick },
    s("title", {}, `${event.status} by ${plain(event.status_by ?? "?", 60)}, ${both(event.status_at)}`),
  );
}

/** From the cause that a layer defers to, to what it explains there. */
function deferrals(model, spots) {
  return LAYER_NAMES.map((name) => {
    const layer = model.layers[name];
    const source = spots.get(layer.event_key);
    const target = layer.symptoms.map((key) => spots.get(key)).find(Boolean);
    if (!layer.deferred_from || !source || !target) return "";
    const [x1, y1, y2] = [source.xs[0], source.y, target.y];
    const x2 = target.xs.find((start) => start >= x1) ?? target.xs.at(-1); // the burst that followed the cause
    return s(
      "path",
      { class: "deferral", d: `M${x1},${y1} C${x1},${(y1 + y2) / 2} ${x2},${(y1 + y2) / 2} ${x2},${y2}` },
      s("title", {}, `${layerName(name)} defers to ${layerName(layer.deferred_from).toLowerCase()}`),
    );
  });
}

function axis(span, x, y, left) {
  const length = span[1] - span[0];
  const most = Math.max((x(span[1]) - left) / 90, 2);
  const step = STEPS.find((one) => length / one <= most) ?? STEPS.at(-1) * Math.ceil(length / STEPS.at(-1) / most);
  // Days begin at the reader's midnight.
  const shift = isUtc() ? 0 : new Date(span[0]).getTimezoneOffset() * 60000;
  const ticks = [];
  for (let at = Math.ceil((span[0] - shift) / step) * step + shift; at <= span[1]; at += step) {
    if (Math.abs(x(at) - x(now())) < 44) continue; // "now" stands there
    ticks.push(
      s("line", { class: "grid", x1: x(at), x2: x(at), y1: 0, y2: y }),
      s("text", { class: "tick", x: x(at), y: y + 15, "text-anchor": "middle" }, clock(at, step < 60000)),
    );
  }
  return ticks;
}

/** All of the time in small, with the part that is shown. */
export function mini(svg, model, whole, x, view, left, width) {
  svg.setAttribute("width", width);
  const high = BRUSH - 8;
  const marks = model.events.map((event) => {
    const from = x(Date.parse(event.first_seen));
    const y = 4 + (LAYER_NAMES.indexOf(event.event_type) * high) / 3 + 2;
    return s("rect", {
      class: `mini ${event.event_type} ${event.role}`,
      x: from,
      y,
      width: Math.max(x(Date.parse(event.last_seen)) - from, 2.5),
      height: high / 3 - 3,
    });
  });
  children(svg, [
    s("rect", { class: "brush-ground", x: left, y: 3, width: width - left - 2, height: high + 2, rx: 3 }),
    ...marks,
    s("rect", {
      class: "brush-view",
      x: x(view[0]),
      y: 3,
      width: Math.max(x(view[1]) - x(view[0]), 4),
      height: high + 2,
      rx: 3,
    }),
  ]);
}
