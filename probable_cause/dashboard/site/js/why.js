// Why: evidence, rivals, gaps, the call that would undo it, the model's numbers, the ledger.

import { h } from "./dom.js";
import { restsOn, section } from "./parts.js";
import { byWhom, count, isolated, layerName, percent, plain, shown } from "./text.js";
import { clock, span, time } from "./time.js";

export function evidence(model) {
  return section(
    "Why",
    h(
      "ol",
      { class: "evidence" },
      model.root_cause.evidence.map((sentence, index) => {
        const lines = restsOn(model, sentence);
        return h(
          "li",
          { key: `${index}${sentence.event_ids[0] ?? ""}` },
          h("p", {}, isolated(sentence.text, 600)),
          lines.map((event) =>
            h(
              "details",
              { key: event.event_key, class: "line" },
              h(
                "summary",
                {},
                "Original line ",
                h(
                  "span",
                  { class: "soft" },
                  clock(event.last_seen),
                  event.count > 1 ? `, newest of ${count(event.count)}` : "",
                ),
              ),
              h("pre", { class: "log", tabindex: "0", "aria-label": "Original log line" }, ...shown(event.message)),
            ),
          ),
        );
      }),
    ),
  );
}

export function rivals(model) {
  const rows = model.root_cause.rivals;
  return section(
    "Considered, and ranked lower",
    rows.length === 0
      ? h("p", { class: "soft" }, "No other change was in reach of these symptoms.")
      : h(
          "ol",
          { class: "rivals" },
          rows.map((rival) => {
            const event = model.by.get(rival.event_key);
            return h(
              "li",
              { key: rival.event_key },
              h("span", { class: "share num" }, percent(rival.confidence)),
              h(
                "div",
                {},
                h(
                  "p",
                  {},
                  h(
                    "button",
                    { type: "button", class: "link", "data-select": rival.event_key },
                    isolated(event?.summary ?? rival.event_key),
                  ),
                  event
                    ? h(
                        "span",
                        { class: "soft" },
                        " · ",
                        layerName(event.event_type).toLowerCase(),
                        byWhom(event) ? [" · ", isolated(byWhom(event), 60)] : "",
                        " · ",
                        time(event.last_seen),
                      )
                    : "",
                ),
                h("p", { class: "soft" }, plain(rival.why_lower, 300)),
              ),
            );
          }),
        ),
  );
}

export function gaps(model) {
  const rows = model.root_cause.gaps;
  return section(
    "What is not known",
    rows.length
      ? h(
          "ul",
          { class: "gaps" },
          rows.map((gap) => h("li", {}, isolated(gap, 400))),
        )
      : h("p", { class: "soft" }, "No gap in the evidence was found."),
  );
}

export function inverse(model) {
  const proposed = model.root_cause.proposed_inverse;
  if (!proposed) return "";
  const call = proposed.call;
  const command = call && cli(call);
  return section(
    "To undo it",
    h("p", {}, isolated(proposed.text, 400)),
    call
      ? [
          h("pre", { class: "log", tabindex: "0", "aria-label": "AWS CLI command" }, ...shown(command)),
          h(
            "p",
            { class: "row" },
            h(
              "button",
              {
                type: "button",
                class: "small",
                key: "copy",
                "data-do": "copy",
                "data-text": command,
                "data-done": "Command copied: read it before you run it",
              },
              "Copy command",
            ),
            h("span", { class: "soft" }, "A proposal. Nothing here runs it."),
          ),
        ]
      : "",
  );
}

/** `aws ec2 authorize-security-group-ingress --cli-input-json '{...}'`. */
function cli(call) {
  const name = call.operation
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();
  const json = JSON.stringify(call.parameters, null, 2).replaceAll("'", "'\\''");
  return `aws ${call.service} ${name} --cli-input-json '${json}'`;
}

const FACTORS = {
  severity: "how much such a change matters, and how long ago",
  actor: "who made it",
  support: "how well it explains the symptoms",
  time: "it came before the symptom",
  kind: "such a change causes such a symptom",
  path: "it touched what the symptom met",
  realm: "the symptom is about the kind of thing that it touched",
  clue: "how clear the symptom is",
  fading: "how recent that incident is",
};

export function factors(model) {
  const cause = model.root_cause;
  const rows = Object.entries(cause.factors);
  return section(
    "How it was weighed",
    h(
      "table",
      { class: "factors" },
      h("caption", { class: "hidden" }, "Factors of the model, each from 0 to 1"),
      h(
        "tbody",
        {},
        rows.map(([name, value]) =>
          h(
            "tr",
            { key: name, class: ["severity", "actor", "support"].includes(name) ? "" : "inner" },
            h("th", { scope: "row" }, plain(name, 30)),
            h("td", { class: "soft" }, FACTORS[name] ?? ""),
            h("td", { class: "right num" }, value.toFixed(2)),
          ),
        ),
      ),
    ),
    h(
      "p",
      { class: "soft" },
      "severity × actor × support = strength ",
      h("b", { class: "num" }, cause.strength.toFixed(2)),
    ),
  );
}

const STEPS = [
  ["event", "It happened"],
  ["delivered", "AWS delivered the line"],
  ["arrived", "In Kinesis"],
  ["processed", "Read by the job"],
  ["written", "Verdict written"],
];

export function ledger(model) {
  const known = STEPS.filter(([name]) => model.root_cause.ledger[name]);
  let before = null;
  const rows = known.map(([name, label]) => {
    const at = model.root_cause.ledger[name];
    const step = before === null ? null : Date.parse(at) - Date.parse(before);
    before = at;
    return h(
      "tr",
      { key: name },
      h("th", { scope: "row" }, label),
      h("td", { class: "num" }, time(at)),
      h(
        "td",
        { class: "right num" },
        step === null
          ? ""
          : step < 0
            ? h("span", { title: "The clocks of the two steps differ" }, "–")
            : `+${span(step)}`,
      ),
    );
  });
  return section(
    "From log line to verdict",
    rows.length
      ? h(
          "table",
          { class: "ledger" },
          h("caption", { class: "hidden" }, "When each step happened"),
          h("tbody", {}, rows),
        )
      : h("p", { class: "soft" }, "The times of this event's steps were not kept."),
  );
}
