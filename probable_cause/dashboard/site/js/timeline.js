// Three swimlanes over time: causes as marks with their decay, symptoms as density, what each layer showed, deferral.

import { h, s } from "./dom.js";
import { BRUSH, extent, lanes, mini } from "./draw.js";
import { count, plain } from "./text.js";
import { clock, now } from "./time.js";

const LEFT = 96; // px for the lanes' names; above the lanes on a phone
const SHORTEST = 10000; // ms across at most zoom

/** `onSelect(key)` is called when a mark is chosen. */
export function timeline(onSelect) {
  const main = s("svg", { class: "lanes", role: "img", "aria-label": "Timeline by layer" });
  const brush = s("svg", { class: "brush", height: BRUSH, "aria-hidden": "true" });
  const tip = h("p", { class: "tip soft", "aria-hidden": "true" }, " ");
  const button = (label, title, does) =>
    h("button", { type: "button", class: "small", "data-zoom": does, title, "aria-label": title }, label);
  const tools = h(
    "div",
    { class: "row tools" },
    button("−", "Zoom out", "out"),
    button("+", "Zoom in", "in"),
    button("Last hour", "Show the last hour", "hour"),
    button("All", "Show all", "all"),
    tip,
  );
  const box = h(
    "div",
    {
      class: "drawing",
      tabindex: "0",
      role: "group",
      "aria-label": "Timeline. Arrow keys move, plus and minus zoom, 0 shows all.",
    },
    main,
    brush,
  );
  const node = h("div", { class: "timeline" }, tools, box);
  let model = null;
  let view = null; // [from, to] in ms; null: all, and it follows the time
  let drag = null;

  const whole = () => extent(model);
  const shownSpan = () => view ?? whole();
  const width = () => Math.max(box.clientWidth, 280);
  const left = () => (width() < 620 ? 0 : LEFT);
  const scale =
    ([from, to]) =>
    (at) =>
      left() + ((at - from) / (to - from)) * (width() - left() - 8);
  const unscale = ([from, to], x) => from + ((x - left()) / (width() - left() - 8)) * (to - from);

  function draw() {
    if (!model || box.clientWidth === 0) return;
    const span = shownSpan();
    lanes(main, model, span, scale(span), left(), width());
    mini(brush, model, whole(), scale(whole()), span, left(), width());
  }
  function show(from, to) {
    const [first, last] = whole();
    const length = Math.min(Math.max(to - from, SHORTEST), last - first);
    const start = Math.min(Math.max(from, first), last - length);
    view = length >= last - first - 1 ? null : [start, start + length];
    draw();
    return true;
  }
  function zoom(factor, at) {
    const [from, to] = shownSpan();
    const around = at ?? (from + to) / 2;
    return show(around - (around - from) * factor, around + (to - around) * factor);
  }
  function pan(share) {
    const [from, to] = shownSpan();
    return show(from + (to - from) * share, to + (to - from) * share);
  }
  const does = {
    out: () => zoom(2),
    in: () => zoom(0.5),
    hour: () => show(now() - 3600000, now() + 60000),
    all: () => ((view = null), draw(), true),
  };

  tools.addEventListener("click", (event) => does[event.target.closest("[data-zoom]")?.dataset.zoom]?.());
  main.addEventListener("click", (event) => {
    const key = event.target.closest("[data-event]")?.dataset.event;
    if (key && !drag?.moved) onSelect(key);
  });
  main.addEventListener("mousemove", (event) => hint(event.target.closest("[data-event]")?.dataset.event));
  main.addEventListener("mouseleave", () => hint(null));
  main.addEventListener("dblclick", (event) => zoom(0.4, unscale(shownSpan(), event.offsetX)));
  box.addEventListener(
    "wheel",
    (event) => {
      // The page scrolls as ever; with ctrl (a pinch sends it) the timeline zooms, sideways it moves.
      if (event.ctrlKey || event.metaKey) zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, unscale(shownSpan(), event.offsetX));
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / width());
      else return;
      event.preventDefault();
    },
    { passive: false },
  );
  main.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.pointerType !== "touch")
      drag = { x: event.clientX, span: shownSpan(), moved: false };
  });
  brush.addEventListener("pointerdown", (event) => {
    brush.setPointerCapture(event.pointerId);
    drag = { brush: true, from: unscale(whole(), event.offsetX), x: event.clientX, moved: false };
  });
  const moved = (event) => {
    if (!drag) return;
    if (Math.abs(event.clientX - drag.x) > 3) drag.moved = true;
    if (!drag.moved) return;
    if (drag.brush) {
      const to = unscale(whole(), event.clientX - brush.getBoundingClientRect().left);
      show(Math.min(drag.from, to), Math.max(drag.from, to));
    } else {
      const shift = ((drag.x - event.clientX) / (width() - left())) * (drag.span[1] - drag.span[0]);
      show(drag.span[0] + shift, drag.span[1] + shift);
    }
  };
  const released = () => {
    if (!drag) return;
    if (drag.brush && !drag.moved) {
      const [from, to] = shownSpan();
      show(drag.from - (to - from) / 2, drag.from + (to - from) / 2);
    }
    const past = drag;
    setTimeout(() => drag === past && (drag = null)); // the click that ends a drag is no choice of a mark
  };
  window.addEventListener("pointermove", moved);
  window.addEventListener("pointerup", released);
  // In the next frame: drawing changes the height, and a change while sizes are reported is a fault.
  const watch = new ResizeObserver(() => requestAnimationFrame(draw));
  watch.observe(box);
  const clockwork = setInterval(() => view === null && !document.hidden && draw(), 5000);

  function hint(key) {
    const event = key && model?.by.get(key);
    const words = event
      ? `${plain(event.summary, 90)} · ×${count(event.count)} · ${clock(event.first_seen)} – ${clock(event.last_seen)}`
      : " ";
    if (tip.textContent !== words) tip.textContent = words;
  }

  return {
    node,
    update(next) {
      model = next;
      draw();
    },
    key(name) {
      const wanted = {
        ArrowLeft: () => pan(-0.2),
        ArrowRight: () => pan(0.2),
        "+": () => zoom(0.5),
        "=": () => zoom(0.5),
        "-": () => zoom(2),
        0: does.all,
      };
      const arrows = name.startsWith("Arrow") && !node.contains(document.activeElement);
      return !arrows && (wanted[name]?.() ?? false);
    },
    close() {
      watch.disconnect();
      clearInterval(clockwork);
      window.removeEventListener("pointermove", moved);
      window.removeEventListener("pointerup", released);
    },
  };
}
