// One application: what probably broke it, why, what else it could be, and what was believed before.

import { actButton, actOn, actionsFor, openAct } from "./act.js";
import { get, poll } from "./api.js";
import { decay, relevanceAt } from "./decay.js";
import { h, patch } from "./dom.js";
import { report } from "./errors.js";
import * as parts from "./parts.js";
import { LAYER_NAMES, actorName, count, isolated, layerName, percent, plain, shown } from "./text.js";
import { range, span, time } from "./time.js";
import { timeline } from "./timeline.js";

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
  const stop = poll(address, (content) => {
    data = content;
    draw();
    // History changes only when the verdict does, so it is asked for then, and the page does not wait for it.
    get(`${address}/history`).then((found) => {
      past = found;
      draw();
    }).catch((error) => error.name === "ApiError" || error instanceof TypeError || report(error, "history"));
  }, (error) => {
    head.node = patch(head.node, h("div", { class: "empty" }, h("p", {}, isolated(error.message)), h("p", {}, h("a", { href: "#/" }, "All applications"))));
  });
  const does = { j: () => move(1), k: () => move(-1), a: () => act("acknowledge"), r: () => act("resolve"), o: () => act("reopen"),
    Escape: () => Boolean(selected) && select(null) };
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
  return h("div", { class: "top-part" },
    h("p", { class: "crumbs" }, h("a", { href: "#/" }, "← All applications")),
    h("div", { class: "title" }, h("h1", {}, isolated(model.application_id, 120)), h("span", { class: `health ${model.health}` }, model.health),
      model.since ? h("span", { class: "soft" }, "since ", time(model.since), " · ", time(model.since, "ago")) : ""),
    verdict(model),
    h("div", { class: "layers" }, LAYER_NAMES.map((name) => card(model, name))));
}

function verdict(model) {
  const cause = model.root_cause;
  const event = cause && model.by.get(cause.event_key);
  if (!event) return h("section", { class: "verdict none-named", key: "none" }, h("p", { class: "sentence" }, plain(model.why_none ?? "No root cause is named.")));
  const first = parts.firstSymptom(model, event);
  const lag = first ? Date.parse(first.first_seen) - Date.parse(event.first_seen) : null;
  return h("section", { class: `verdict ${event.status}`, "aria-label": "Probable root cause", key: "named" },
    h("p", { class: "sentence" }, `${parts.likelihood(cause.confidence)} `, h("strong", {}, isolated(event.summary)),
      event.actor ? [" by ", h("span", { class: "actor" }, isolated(actorName(event.actor)))] : "",
      lag === null ? "." : lag >= 0 ? `, ${span(lag)} before the first symptom.` : `, recorded ${span(-lag)} after the first symptom.`),
    h("p", { class: "meta" },
      h("span", { class: "confidence" }, h("span", { class: "meter", role: "img", "aria-label": `Confidence ${percent(cause.confidence)}` },
        h("span", { style: { width: percent(cause.confidence).replace(" ", "") } })), h("b", {}, percent(cause.confidence)), " confidence"),
      " · ", layerName(event.event_type), " · ", time(event.last_seen), " ", h("span", { class: "soft" }, "(", time(event.last_seen, "ago"), ")"),
      event.count > 1 ? ` · ×${count(event.count)}` : "", " · relevance ", decay(event)),
    parts.statusLine(event),
    taken(model),
    h("p", { class: "row buttons" },
      actionsFor(event.status).map((action, index) => actButton(model.application_id, event, action, index === 0 ? "primary" : "")),
      h("button", { type: "button", key: "link", "data-do": "copy", "data-text": location.href, "data-done": "Link copied" }, "Copy link"),
      h("button", { type: "button", key: "words", "data-do": "copy", "data-text": parts.forChat(model, event), "data-done": "Summary copied" }, "Copy summary")));
}

/** Open causes rank first, so a stronger one that somebody is on already is named beside. */
function taken(model) {
  const stronger = model.root_cause.rivals.find((rival) => rival.confidence > model.root_cause.confidence && model.by.get(rival.event_key)?.status === "acknowledged");
  const event = stronger && model.by.get(stronger.event_key);
  return event ? h("p", { class: "status acknowledged" }, h("button", { type: "button", class: "link", "data-select": event.event_key }, isolated(event.summary, 160)),
    ` explains more of it (${percent(stronger.confidence)}) and is acknowledged`, event.status_by ? [" by ", isolated(actorName(event.status_by), 80)] : "",
    event.status_reason ? [": ", isolated(event.status_reason, 300)] : "", ". This is the best of what is still open.") : "";
}

function card(model, name) {
  const layer = model.layers[name];
  const event = layer.event_key && model.by.get(layer.event_key);
  const word = { probable_cause: "probable cause", deferred: `defers to ${layerName(layer.deferred_from).toLowerCase()}`, symptom: "symptom only, no cause known",
    last_record: model.resolved_by[layer.event_key] ? "last record, ended" : "last record, no longer recent", healthy: "healthy" }[layer.state];
  return h("section", { class: `card ${name} ${layer.state}`, key: name },
    h("h2", {}, layerName(name), " ", h("span", { class: "state" }, word)),
    event ? [
      h("p", {}, h("button", { type: "button", class: "link summary", "data-select": event.event_key }, isolated(event.summary, 160))),
      h("p", { class: "meta" }, strength(model, event), "×", count(event.count), " · ", ...range(event.first_seen, event.last_seen),
        event.actor ? [" · ", h("span", { class: "actor" }, isolated(actorName(event.actor), 60))] : "",
        event.status === "open" ? "" : ` · ${event.status}`),
      layer.symptoms.length && layer.state !== "symptom" ? h("p", { class: "meta soft" }, `${layer.symptoms.length} ${layer.symptoms.length === 1 ? "symptom" : "symptoms"} here: `,
        isolated(model.by.get(layer.symptoms[0])?.summary ?? layer.symptoms[0], 90)) : ""]
      : h("p", { class: "soft" }, "Nothing of interest."));
}

/** What ended, by a recovery or a person, has no relevance left to draw. */
const strength = (model, event) => (model.resolved_by[event.event_key] || event.status === "resolved" ? "" : [decay(event), " "]);

function bottom(model) {
  const cause = model.root_cause;
  return h("div", { class: "bottom-part" },
    cause ? h("div", { class: "columns", key: "columns" },
      h("div", { class: "column" }, parts.evidence(model), parts.rivals(model), parts.factors(model)),
      h("div", { class: "column" }, parts.gaps(model), parts.inverse(model), parts.ledger(model))) : "",
    h("section", { class: "panel", key: "events" },
      h("h2", {}, "Events of interest ", h("span", { class: "soft" }, count(model.events.length + model.events_left_out))),
      h("ol", { class: "events" }, model.events.map((event) => row(model, event))),
      model.events_left_out ? h("p", { class: "soft" }, `${count(model.events_left_out)} older ones are left out here.`) : ""),
    parts.history(model));
}

function row(model, event) {
  const chosen = event.event_key === model.selected;
  const over = event.status === "resolved" || model.resolved_by[event.event_key] || relevanceAt(event) < 1;
  return h("li", { class: `event ${event.event_type} ${event.role}${over ? " over" : ""}`, key: event.event_key, "aria-current": chosen ? "true" : null },
    h("details", {},
      h("summary", {}, h("span", { class: "mark", "aria-hidden": "true" }), h("span", { class: "summary" }, isolated(event.summary, 200)),
        h("span", { class: "meta" }, event.role === "cause" ? "" : `${event.role} · `, layerName(event.event_type).toLowerCase(), " · ", strength(model, event), "×", count(event.count), " · ",
          ...range(event.first_seen, event.last_seen), event.actor ? [" · ", h("span", { class: "actor" }, isolated(actorName(event.actor), 60))] : "",
          event.status === "open" ? "" : h("span", { class: "state" }, ` ${event.status}`),
          model.resolved_by[event.event_key] ? h("span", { class: "state" }, " ended") : "")),
      h("div", { class: "event-body" },
        parts.statusLine(event),
        model.resolved_by[event.event_key] ? h("p", {}, "Ended by ", isolated(model.by.get(model.resolved_by[event.event_key])?.summary ?? "a recovery")) : "",
        h("pre", { class: "log", tabindex: "0", "aria-label": "Newest original line" }, ...shown(event.message)),
        h("dl", { class: "facts" },
          parts.fact("First seen", time(event.first_seen)), parts.fact("Last seen", time(event.last_seen)),
          parts.fact("Rule", plain(event.rule_id)), parts.fact("Log family", event.family),
          event.resource_ids.length ? parts.fact("Resources", isolated(event.resource_ids.join(", "), 500)) : "",
          event.addresses.length ? parts.fact("Addresses", isolated(event.addresses.join(", "), 300)) : "",
          event.error_code ? parts.fact("Error", isolated(event.error_code)) : "", parts.fact("Episode", event.episode)),
        h("p", { class: "row" }, actionsFor(event.status).map((action) => actButton(model.application_id, event, action)),
          h("button", { type: "button", class: "small", key: "copy", "data-do": "copy", "data-text": event.message, "data-done": "Line copied" }, "Copy line")))));
}
