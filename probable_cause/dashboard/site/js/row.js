// One application as a row of the overview.

import { decay } from "./decay.js";
import { h } from "./dom.js";
import { LAYER_NAMES, actorName, byWhom, count, isolated, layerName, percent, plain } from "./text.js";
import { range, time } from "./time.js";

const STATES = {
  probable_cause: "",
  deferred: "defers to ",
  symptom: "symptom only",
  last_record: "last record",
  healthy: "",
};

/** `app` as /api/applications gives it. */
export function line(app) {
  const href = `#/app/${encodeURIComponent(app.application_id)}`;
  return h(
    "li",
    { class: `app ${app.health}`, "data-app": app.application_id },
    h(
      "div",
      { class: "who" },
      h("a", { class: "name", href }, isolated(app.application_id, 80)),
      h(
        "span",
        { class: "meta" },
        h("span", { class: `health ${app.health}` }, app.health),
        " ",
        app.since ? time(app.since, "ago") : "",
      ),
    ),
    h("div", { class: "cause" }, ...cause(app)),
    ...LAYER_NAMES.map((name) =>
      h("div", { class: `layer ${app.layers[name].state}`, "data-layer": layerName(name) }, ...layer(app, name)),
    ),
  );
}

function cause(app) {
  const event = app.root_cause;
  if (!event)
    return [
      h(
        "span",
        { class: "soft why-none" },
        app.health === "healthy" ? "–" : plain(app.why_none ?? "No cause is named."),
      ),
    ];
  return [
    h("span", { class: "summary" }, isolated(event.summary, 160)),
    h(
      "span",
      { class: "meta" },
      h("b", { title: "Confidence" }, percent(event.confidence)),
      byWhom(event) ? [" · ", h("span", { class: "actor" }, isolated(byWhom(event), 60))] : "",
      " · ",
      time(event.last_seen, "ago"),
      event.status === "acknowledged"
        ? [
            " · ",
            h(
              "span",
              { class: "acked" },
              "acknowledged",
              event.status_by ? [" by ", isolated(actorName(event.status_by), 40)] : "",
            ),
          ]
        : "",
    ),
  ];
}

function layer(app, name) {
  const one = app.layers[name];
  const event = one.event;
  if (!event)
    return [
      h(
        "span",
        { class: "none" },
        h("span", { class: "hidden" }, `${layerName(name)}: healthy`),
        h("span", { "aria-hidden": "true" }, "–"),
      ),
    ];
  const word = one.state === "deferred" ? `defers to ${layerName(one.deferred_from).toLowerCase()}` : STATES[one.state];
  return [
    h(
      "span",
      { class: "summary" },
      h("span", { class: "hidden" }, `${layerName(name)}: `),
      isolated(event.summary, 120),
    ),
    h(
      "span",
      { class: "meta" },
      decay(event),
      event.count > 1 ? [" ", h("span", { class: "times" }, `×${count(event.count)}`)] : "",
      " ",
      h("span", { class: "range" }, ...range(event.first_seen, event.last_seen)),
      word ? h("span", { class: "state" }, ` ${word}`) : "",
    ),
  ];
}
