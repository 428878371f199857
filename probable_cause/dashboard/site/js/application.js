// One application: what probably broke it, why, what else it could be, and what was believed before.

import { actOn, openAct } from "./act.js";
import { get, poll } from "./api.js";
import { h, patch } from "./dom.js";
import { report } from "./errors.js";
import { row } from "./events.js";
import { before } from "./past.js";
import { LAYER_NAMES, count, isolated, plain } from "./text.js";
import { time } from "./time.js";
import { timeline } from "./timeline.js";
import { card, verdict } from "./verdict.js";
import * as why from "./why.js";

export function open(root, id, query) {
  document.title = `${plain(id, 60)} · Probable Cause`;
  const address = `/api/applications/${encodeURIComponent(id)}`;
  let data = null;
  let past = { records: [], beliefs: [] };
  let selected = query.get("event");
  const head = { node: h("div", { class: "loading" }, "Loading…") };
  const rest = { node: h("div", {}) };
  const lanes = timeline((key) => select(key));
  const drawing = h("section", { class: "panel timeline-panel", hidden: true }, h("h2", {}, "Timeline"), lanes.node);
  root.replaceChildren(h("div", { class: "page" }, head.node, drawing, rest.node));

  function draw() {
    if (!data) return;
    const events = new Map(data.events.map((event) => [event.event_key, event]));
    const model = { ...data, by: events, past, selected };
    head.node = patch(head.node, top(model));
    drawing.hidden = false;
    lanes.update(model);
    rest.node = patch(rest.node, bottom(model));
    document.title = `${data.health === "healthy" ? "" : `${data.health}: `}${plain(id, 60)} · Probable Cause`;
  }
  function select(key, scroll = true) {
    selected = key;
    history.replaceState(null, "", `#/app/${encodeURIComponent(id)}${key ? `?event=${encodeURIComponent(key)}` : ""}`);
    draw();
    if (scroll && key) root.querySelector(".event[aria-current]")?.scrollIntoView({ block: "nearest" });
    return true;
  }
  function move(step) {
    const keys = data?.events.map((event) => event.event_key) ?? [];
    const at = keys.indexOf(selected);
    if (!keys.length) return false;
    select(keys[Math.min(Math.max(at + step, 0), keys.length - 1)]);
    root.querySelector(".event[aria-current] summary")?.focus({ preventScroll: true });
    return true;
  }
  function act(action) {
    const key = selected ?? data?.root_cause?.event_key;
    const event = data?.events.find((one) => one.event_key === key);
    if (event) openAct(JSON.parse(actOn(id, event, action)));
    return Boolean(event);
  }

  const onClick = (event) => {
    const at = event.target.closest?.("[data-select]");
    if (at) select(at.dataset.select);
  };
  root.addEventListener("click", onClick);
  const stop = poll(
    address,
    (content) => {
      data = content;
      draw();
      // History changes only when the verdict does, so it is asked for then, and the page does not wait for it.
      get(`${address}/history`)
        .then((found) => {
          past = found;
          draw();
        })
        .catch((error) => error.name === "ApiError" || error instanceof TypeError || report(error, "history"));
    },
    (error) => {
      head.node = patch(
        head.node,
        h(
          "div",
          { class: "empty" },
          h("p", {}, isolated(error.message)),
          h("p", {}, h("a", { href: "#/" }, "All applications")),
        ),
      );
    },
  );
  const does = {
    j: () => move(1),
    k: () => move(-1),
    a: () => act("acknowledge"),
    r: () => act("resolve"),
    o: () => act("reopen"),
    Escape: () => Boolean(selected) && select(null),
  };
  return {
    close: () => {
      stop();
      lanes.close();
      root.removeEventListener("click", onClick);
    },
    key: (name, event) => does[name]?.() || lanes.key(name, event),
    follow: (now) => select(now.get("event"), true),
    redraw: draw,
  };
}

function top(model) {
  return h(
    "div",
    { class: "top-part" },
    h("p", { class: "crumbs" }, h("a", { href: "#/" }, "← All applications")),
    h(
      "div",
      { class: "title" },
      h("h1", {}, isolated(model.application_id, 120)),
      h("span", { class: `health ${model.health}` }, model.health),
      model.since ? h("span", { class: "soft" }, "since ", time(model.since), " · ", time(model.since, "ago")) : "",
    ),
    verdict(model),
    h(
      "div",
      { class: "layers" },
      LAYER_NAMES.map((name) => card(model, name)),
    ),
  );
}

function bottom(model) {
  const cause = model.root_cause;
  return h(
    "div",
    { class: "bottom-part" },
    cause
      ? h(
          "div",
          { class: "columns", key: "columns" },
          h("div", { class: "column" }, why.evidence(model), why.rivals(model), why.factors(model)),
          h("div", { class: "column" }, why.gaps(model), why.inverse(model), why.ledger(model)),
        )
      : "",
    h(
      "section",
      { class: "panel", key: "events" },
      h(
        "h2",
        {},
        "Events of interest ",
        h("span", { class: "soft" }, count(model.events.length + model.events_left_out)),
      ),
      h(
        "ol",
        { class: "events" },
        model.events.map((event) => row(model, event)),
      ),
      model.events_left_out
        ? h("p", { class: "soft" }, `${count(model.events_left_out)} older ones are left out here.`)
        : "",
    ),
    before(model),
  );
}
