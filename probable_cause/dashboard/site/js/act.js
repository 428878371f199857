// Acknowledge, resolve, reopen: one dialog. It sends what the person saw, so that nobody overwrites another blindly.

import { ApiError, post, status } from "./api.js";
import { h } from "./dom.js";
import { report, say } from "./errors.js";
import { actorName, isolated, plain } from "./text.js";
import { ago } from "./time.js";

const WORDS = {
  acknowledge: {
    title: "Acknowledge",
    button: "Acknowledge",
    done: "Acknowledged",
    means: "You are on it. It stays visible, ranked after open causes.",
  },
  resolve: {
    title: "Resolve",
    button: "Resolve",
    done: "Resolved",
    means: "It is over. It leaves the ranking and stays in the history; a repeat opens a new episode.",
  },
  reopen: { title: "Reopen", button: "Reopen", done: "Reopened", means: "It counts again as it did before." },
};

/** What an act button carries. `event` as the API gives it. */
export const actOn = (applicationId, event, action) =>
  JSON.stringify({
    applicationId,
    action,
    event_key: event.event_key,
    summary: plain(event.summary),
    status: event.status ?? "open",
    status_at: event.status_at ?? null,
    status_by: event.status_by ?? null,
  });

/** The actions that make sense for a status. */
export const actionsFor = (eventStatus) =>
  ({ open: ["acknowledge", "resolve"], acknowledged: ["resolve", "reopen"], resolved: ["reopen"] })[
    eventStatus ?? "open"
  ];

export function actButton(applicationId, event, action, kind = "small") {
  return h(
    "button",
    { type: "button", class: kind, key: action, "data-do": "act", "data-act": actOn(applicationId, event, action) },
    WORDS[action].button,
  );
}

/** Opens the dialog. `what` is the parsed content of `actOn`. */
export function openAct(what) {
  const words = WORDS[what.action];
  const reason = h("textarea", { id: "reason", rows: 2, maxlength: 500, placeholder: "For whoever looks next" });
  const failure = h("p", { class: "failure", role: "alert" });
  const submit = h("button", { type: "submit", class: "primary" }, words.button);
  const cancel = h("button", { type: "button" }, "Cancel");
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "act-title" }, `${words.title} `, isolated(what.summary)),
    h("p", { class: "soft" }, isolated(what.applicationId), ` · ${words.means}`),
    h("label", { for: "reason" }, "Reason ", h("span", { class: "soft" }, "(optional)")),
    reason,
    failure,
    h(
      "p",
      { class: "row end" },
      h("span", { class: "soft spring" }, status.actor ? "as " : "", isolated(status.actor)),
      cancel,
      submit,
    ),
  );
  const box = h("dialog", { class: "act", "aria-labelledby": "act-title" }, form);
  cancel.addEventListener("click", () => box.close());
  box.addEventListener("close", () => box.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    failure.replaceChildren();
    try {
      await send(what, reason.value);
      box.close();
      say(`${words.done}: ${plain(what.summary, 80)}`, "good");
    } catch (error) {
      failure.replaceChildren(...explained(error));
      // After a conflict there is nothing to send again: what the person saw is no longer so.
      if (error instanceof ApiError && error.code === 409) {
        submit.remove();
        cancel.textContent = "Close";
        cancel.focus();
      } else submit.disabled = false;
    }
  });
  document.body.append(box);
  box.showModal();
  reason.focus();
}

const send = (what, reason) =>
  post(`/api/applications/${encodeURIComponent(what.applicationId)}/act`, {
    event_key: what.event_key,
    action: what.action,
    reason,
    seen_status: what.status,
    seen_status_at: what.status_at,
  });

function explained(error) {
  if (!(error instanceof ApiError)) {
    if (!(error instanceof TypeError) && error.name !== "TimeoutError") report(error, "acting");
    return ["The API can't be reached, so nothing was sent. Try again in a moment."];
  }
  const event = error.content.event;
  if (error.code !== 409 || !event) return [error.message];
  const done = { open: "reopened", acknowledged: "acknowledged", resolved: "resolved" }[event.status];
  const parts = [
    h("strong", {}, isolated(actorName(event.status_by ?? "Somebody else")), ` ${done} this ${ago(event.status_at)}`),
  ];
  if (event.status_reason) parts.push(": “", isolated(event.status_reason), "”");
  return [...parts, ". Nothing was changed by you."];
}
