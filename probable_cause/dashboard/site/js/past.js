// What was believed when, and each layer's past records.

import { h } from "./dom.js";
import { section } from "./parts.js";
import { byWhom, count, isolated, layerName, percent, plain } from "./text.js";
import { both, range, time } from "./time.js";

export function before(model) {
  const { records, beliefs } = model.past;
  return h(
    "div",
    { class: "columns", key: "history" },
    section(
      "What was believed when",
      beliefs.length
        ? h(
            "ol",
            { class: "past" },
            beliefs
              .slice(0, 50)
              .map((one) =>
                h(
                  "li",
                  { key: one.since },
                  h("span", { class: "when num" }, time(one.since)),
                  h(
                    "div",
                    {},
                    h("span", { class: `health ${one.health}` }, one.health),
                    " ",
                    one.summary
                      ? [
                          isolated(one.summary, 160),
                          h(
                            "span",
                            { class: "soft" },
                            ` · ${percent(one.confidence)}`,
                            byWhom(one) ? [" · ", isolated(byWhom(one), 60)] : "",
                          ),
                        ]
                      : h("span", { class: "soft" }, plain(one.why_none ?? "no cause named", 200)),
                  ),
                ),
              ),
          )
        : h("p", { class: "soft" }, "Nothing was recorded yet."),
    ),
    section(
      "Records by layer",
      records.length
        ? h(
            "ol",
            { class: "past" },
            records
              .slice(0, 50)
              .map((one) =>
                h(
                  "li",
                  { key: `${one.event_type}${one.since}${one.event_key}` },
                  h(
                    "span",
                    { class: "when num", title: both(one.since) },
                    ...range(one.since, one.until ?? one.since),
                    one.until ? "" : h("span", { class: "soft" }, " now"),
                  ),
                  h(
                    "div",
                    {},
                    h("span", { class: `tag ${one.event_type}` }, layerName(one.event_type)),
                    " ",
                    isolated(one.summary ?? "", 160),
                    h(
                      "span",
                      { class: "soft" },
                      one.count > 1 ? ` · ×${count(one.count)}` : "",
                      one.deferred_from ? ` · deferred to ${layerName(one.deferred_from).toLowerCase()}` : "",
                      one.state === "symptom" ? " · symptom only" : "",
                      one.status && one.status !== "open" ? ` · ${one.status}` : "",
                    ),
                  ),
                ),
              ),
          )
        : h("p", { class: "soft" }, "No record of the past yet."),
    ),
  );
}
