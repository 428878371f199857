// The root cause in a sentence, and what each layer shows.

import { actButton, actionsFor } from "./act.js";
import { decay } from "./decay.js";
import { h } from "./dom.js";
import * as parts from "./parts.js";
import { actorName, byWhom, count, isolated, layerName, percent, plain } from "./text.js";
import { range, span, time } from "./time.js";

export function verdict(model) {
  const cause = model.root_cause;
  const event = cause && model.by.get(cause.event_key);
  if (!event)
    return h(
      "section",
      { class: "verdict none-named", key: "none" },
      h("p", { class: "sentence" }, plain(model.why_none ?? "No root cause is named.")),
    );
  const lag = parts.lagOfSymptoms(model, event);
  return h(
    "section",
    { class: `verdict ${event.status}`, "aria-label": "Probable root cause", key: "named" },
    h(
      "p",
      { class: "sentence" },
      `${parts.likelihood(cause.confidence)} `,
      h("strong", {}, isolated(event.summary)),
      byWhom(event) ? [" by ", h("span", { class: "actor" }, isolated(byWhom(event)))] : "",
      lag === null
        ? "."
        : lag >= 0
          ? `, ${span(lag)} before the first symptom.`
          : `, recorded ${span(-lag)} after the first symptom.`,
    ),
    h(
      "p",
      { class: "meta" },
      h(
        "span",
        { class: "confidence" },
        h(
          "span",
          { class: "meter", role: "img", "aria-label": `Confidence ${percent(cause.confidence)}` },
          h("span", { style: { width: `${Math.round(cause.confidence * 100)}%` } }),
        ),
        h("b", {}, percent(cause.confidence)),
        " confidence",
      ),
      " · ",
      layerName(event.event_type),
      " · ",
      time(event.last_seen),
      " ",
      h("span", { class: "soft" }, "(", time(event.last_seen, "ago"), ")"),
      event.count > 1 ? ` · ×${count(event.count)}` : "",
      " · relevance ",
      decay(event),
    ),
    parts.statusLine(event),
    taken(model),
    h(
      "p",
      { class: "row buttons" },
      actionsFor(event.status).map((action, index) =>
        actButton(model.application_id, event, action, index === 0 ? "primary" : ""),
      ),
      h(
        "button",
        { type: "button", key: "link", "data-do": "copy", "data-text": location.href, "data-done": "Link copied" },
        "Copy link",
      ),
      h(
        "button",
        {
          type: "button",
          key: "words",
          "data-do": "copy",
          "data-text": parts.forChat(model, event),
          "data-done": "Summary copied",
        },
        "Copy summary",
      ),
    ),
  );
}

/** Open causes rank first, so a stronger one that somebody is on already is named beside. */
function taken(model) {
  const stronger = model.root_cause.rivals.find(
    (rival) =>
      rival.confidence > model.root_cause.confidence && model.by.get(rival.event_key)?.status === "acknowledged",
  );
  const event = stronger && model.by.get(stronger.event_key);
  return event
    ? h(
        "p",
        { class: "status acknowledged" },
        h("button", { type: "button", class: "link", "data-select": event.event_key }, isolated(event.summary, 160)),
        ` explains more of it (${percent(stronger.confidence)}) and is acknowledged`,
        event.status_by ? [" by ", isolated(actorName(event.status_by), 80)] : "",
        event.status_reason ? [": ", isolated(event.status_reason, 300)] : "",
        ". This is the best of what is still open.",
      )
    : "";
}

export function card(model, name) {
  const layer = model.layers[name];
  const event = layer.event_key && model.by.get(layer.event_key);
  const word = {
    probable_cause: "probable cause",
    deferred: `defers to ${layerName(layer.deferred_from).toLowerCase()}`,
    symptom: "symptom only, no cause known",
    last_record: model.resolved_by[layer.event_key] ? "last record, ended" : "last record, no longer recent",
    healthy: "healthy",
  }[layer.state];
  return h(
    "section",
    { class: `card ${name} ${layer.state}`, key: name },
    h("h2", {}, layerName(name), " ", h("span", { class: "state" }, word)),
    event
      ? [
          h(
            "p",
            {},
            h(
              "button",
              { type: "button", class: "link summary", "data-select": event.event_key },
              isolated(event.summary, 160),
            ),
          ),
          h(
            "p",
            { class: "meta" },
            parts.strength(model, event),
            "×",
            count(event.count),
            " · ",
            ...range(event.first_seen, event.last_seen),
            byWhom(event) ? [" · ", h("span", { class: "actor" }, isolated(byWhom(event), 60))] : "",
            event.status === "open" ? "" : ` · ${event.status}`,
          ),
          layer.symptoms.length && layer.state !== "symptom"
            ? h(
                "p",
                { class: "meta soft" },
                `${layer.symptoms.length} ${layer.symptoms.length === 1 ? "symptom" : "symptoms"} here: `,
                isolated(model.by.get(layer.symptoms[0])?.summary ?? layer.symptoms[0], 90),
              )
            : "",
        ]
      : h("p", { class: "soft" }, "Nothing of interest."),
  );
}
