// Small parts that several places of an application's page use.

import { decay } from "./decay.js";
import { h } from "./dom.js";
import { actorName, isolated, percent, plain } from "./text.js";
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

/** The earliest symptom that is evidence for the root cause. */
export function firstSymptom(model, cause) {
  const told = model.root_cause.evidence.flatMap((sentence) => restsOn(model, sentence));
  return (
    told
      .filter((event) => event.role === "symptom" && event.event_key !== cause.event_key)
      .sort((a, b) => a.first_seen.localeCompare(b.first_seen))[0] ?? null
  );
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
      `${event.actor ? ` by ${actorName(event.actor)}` : ""}, ${event.last_seen} (${percent(cause.confidence)}).`,
    ...cause.evidence.map((one) => `- ${plain(one.text, 400)}`),
    `${location.origin}${location.pathname}#/app/${encodeURIComponent(model.application_id)}`,
  ].join("\n");
}

/** What ended, by a recovery or a person, has no relevance left to draw. */
export const strength = (model, event) =>
  model.resolved_by[event.event_key] || event.status === "resolved" ? "" : [decay(event), " "];
