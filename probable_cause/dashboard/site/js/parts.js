// Small parts that several places of an application's page use.

import { decay } from "./decay.js";
import { h } from "./dom.js";
import { actorName, byWhom, isolated, percent, plain } from "./text.js";
import { time } from "./time.js";

/** A titled box. */
export const section = (title, ...content) =>
  h("section", { class: "panel", key: title }, h("h2", {}, title), ...content);

export const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

export function likelihood(confidence) {
  if (confidence >= 0.8) return "Very likely:";
  if (confidence >= 0.5) return "Likely:";
  return confidence >= 0.3 ? "Possibly:" : "A guess:";
}

/** Event keys of what the root cause's sentences rest on, by the sentence's place. */
export const restsOn = (model, sentence) =>
  model.events.filter((event) => event.event_ids.some((id) => sentence.event_ids.includes(id)));

/** When an event began: its bursts, with silence between them, or once. In ms. */
export const starts = (event) =>
  (event.bursts.length ? event.bursts.map(([from]) => from) : [event.first_seen]).map((from) => Date.parse(from));

/** ms from the cause to the first symptom that it is held for; negative when all came before; null without any. */
export function lagOfSymptoms(model, cause) {
  const told = model.root_cause.evidence.flatMap((sentence) => restsOn(model, sentence));
  const at = Date.parse(cause.first_seen);
  const lags = told
    .filter((event) => event.role === "symptom")
    .flatMap((event) => starts(event).map((from) => from - at));
  const after = lags.filter((lag) => lag >= 0);
  if (after.length) return Math.min(...after);
  return lags.length ? Math.max(...lags) : null;
}

export function statusLine(event) {
  if (event.status === "open" && !event.status_by) return "";
  const word = { open: "Reopened", acknowledged: "Acknowledged", resolved: "Resolved" }[event.status];
  return h(
    "p",
    { class: `status ${event.status}` },
    h("strong", {}, word),
    event.status_by ? [" by ", isolated(actorName(event.status_by), 80)] : "",
    event.status_at ? [", ", time(event.status_at), " (", time(event.status_at, "ago"), ")"] : "",
    event.status_reason ? [": ", isolated(event.status_reason, 500)] : "",
  );
}

/** What a person would paste into a chat. */
export function forChat(model, event) {
  const cause = model.root_cause;
  return [
    `${plain(model.application_id)} is ${model.health}. ${likelihood(cause.confidence)} ${plain(event.summary)}` +
      `${byWhom(event) ? ` by ${byWhom(event)}` : ""}, ${event.last_seen} (${percent(cause.confidence)}).`,
    ...cause.evidence.map((one) => `- ${plain(one.text, 400)}`),
    `${location.origin}${location.pathname}#/app/${encodeURIComponent(model.application_id)}`,
  ].join("\n");
}

/** What ended, by a recovery or a person, has no relevance left to draw. */
export const strength = (model, event) =>
  model.resolved_by[event.event_key] || event.status === "resolved" ? "" : [decay(event), " "];
