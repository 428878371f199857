// The events of interest of an application, each with its newest original line.

import { actButton, actionsFor } from "./act.js";
import { relevanceAt } from "./decay.js";
import { h } from "./dom.js";
import { fact, statusLine, strength } from "./parts.js";
import { byWhom, count, isolated, layerName, plain, shown } from "./text.js";
import { range, time } from "./time.js";

export function row(model, event) {
  const chosen = event.event_key === model.selected;
  const over = event.status === "resolved" || model.resolved_by[event.event_key] || relevanceAt(event) < 1;
  return h(
    "li",
    {
      class: `event ${event.event_type} ${event.role}${over ? " over" : ""}`,
      key: event.event_key,
      "aria-current": chosen ? "true" : null,
    },
    h(
      "details",
      {},
      h(
        "summary",
        {},
        h("span", { class: "mark", "aria-hidden": "true" }),
        h("span", { class: "summary" }, isolated(event.summary, 200)),
        h(
          "span",
          { class: "meta" },
          event.role === "cause" ? "" : `${event.role} · `,
          layerName(event.event_type).toLowerCase(),
          " · ",
          strength(model, event),
          "×",
          count(event.count),
          " · ",
          ...range(event.first_seen, event.last_seen),
          byWhom(event) ? [" · ", h("span", { class: "actor" }, isolated(byWhom(event), 60))] : "",
          event.status === "open" ? "" : h("span", { class: "state" }, ` ${event.status}`),
          model.resolved_by[event.event_key] ? h("span", { class: "state" }, " ended") : "",
        ),
      ),
      h(
        "div",
        { class: "event-body" },
        statusLine(event),
        model.resolved_by[event.event_key]
          ? h("p", {}, "Ended by ", isolated(model.by.get(model.resolved_by[event.event_key])?.summary ?? "a recovery"))
          : "",
        h("pre", { class: "log", tabindex: "0", "aria-label": "Newest original line" }, ...shown(event.message)),
        h(
          "dl",
          { class: "facts" },
          fact("First seen", time(event.first_seen)),
          fact("Last seen", time(event.last_seen)),
          event.actor ? fact("Who", h("bdi", {}, ...shown(event.actor, 300))) : "",
          fact("Rule", plain(event.rule_id)),
          fact("Log family", event.family),
          event.resource_ids.length ? fact("Resources", isolated(event.resource_ids.join(", "), 500)) : "",
          event.addresses.length ? fact("Addresses", isolated(event.addresses.join(", "), 300)) : "",
          event.error_code ? fact("Error", isolated(event.error_code)) : "",
          fact("Episode", event.episode),
        ),
        h(
          "p",
          { class: "row" },
          actionsFor(event.status).map((action) => actButton(model.application_id, event, action)),
          h(
            "button",
            {
              type: "button",
              class: "small",
              key: "copy",
              "data-do": "copy",
              "data-text": event.message,
              "data-done": "Line copied",
            },
            "Copy line",
          ),
        ),
      ),
    ),
  );
}
