// relevance(t) = base * 2^(-(t - last seen) / half-life), 0 past the window: drawn here, so that the API need not be
// asked again while only time passes.

import { h, s } from "./dom.js";
import { now, span } from "./time.js";

const WIDTH = 44;
const HEIGHT = 14;

export function relevanceAt(event, at = now()) {
  if (!event || event.status === "resolved") return 0;
  if (!event.half_life_seconds) return event.relevance ?? 0;
  const age = (at - Date.parse(event.last_seen)) / 1000;
  if (event.window_seconds && age > event.window_seconds) return 0;
  return event.relevance * 2 ** (-Math.max(age, 0) / event.half_life_seconds);
}

/** The number now and its curve over the window, with a dot where we are on it. */
export function decay(event) {
  const value = relevanceAt(event);
  const number = h("b", { class: "num", "data-decay": "number" }, value.toFixed(1));
  if (!event.half_life_seconds || event.status === "resolved") return h("span", { class: "decay" }, number);
  const window = event.window_seconds ?? event.half_life_seconds * 4;
  const points = [];
  for (let i = 0; i <= 11; i++) {
    const y = event.relevance * 2 ** ((-i / 11) * (window / event.half_life_seconds));
    points.push(`${((i / 11) * WIDTH).toFixed(1)},${level(y)}`);
  }
  const dot = s("circle", { r: 2.2, class: "decay-dot", "data-decay": "dot", ...spot(event, window, value) });
  const title =
    `Relevance ${value.toFixed(1)} of 10 now; halves every ${span(event.half_life_seconds * 1000)}, ` +
    `gone ${span(window * 1000)} after it was last seen`;
  return h(
    "span",
    {
      class: "decay",
      title,
      "data-base": event.relevance,
      "data-half": event.half_life_seconds,
      "data-window": window,
      "data-last": event.last_seen,
    },
    number,
    s(
      "svg",
      { width: WIDTH, height: HEIGHT, viewBox: `-2 0 ${WIDTH + 4} ${HEIGHT}`, "aria-hidden": "true" },
      s("polyline", { class: "decay-line", points: points.join(" ") }),
      dot,
    ),
  );
}

const level = (y) => (HEIGHT - 2 - (Math.min(y, 10) / 10) * (HEIGHT - 4)).toFixed(1);

function spot(event, window, value) {
  const age = Math.min(Math.max((now() - Date.parse(event.last_seen)) / 1000, 0), window);
  return { cx: ((age / window) * WIDTH).toFixed(1), cy: level(value) };
}

/** Moves every drawn number and dot under `root` to now. */
export function tick(root = document) {
  for (const one of root.querySelectorAll(".decay[data-base]")) {
    const event = {
      relevance: +one.dataset.base,
      half_life_seconds: +one.dataset.half,
      window_seconds: +one.dataset.window,
      last_seen: one.dataset.last,
    };
    const value = relevanceAt(event);
    const number = one.firstElementChild;
    const words = value.toFixed(1);
    if (number.textContent !== words) number.textContent = words;
    const dot = one.querySelector("circle");
    for (const [name, at] of Object.entries(spot(event, event.window_seconds, value))) {
      if (dot.getAttribute(name) !== at) dot.setAttribute(name, at);
    }
  }
}
