// What goes wrong is said on the page, and can be copied into a report. Nothing is swallowed.

import { h } from "./dom.js";

const known = new Map(); // text -> its toast

function toasts() {
  return document.getElementById("toasts");
}

/** A short message that leaves by itself. */
export function say(text, kind = "info") {
  const toast = h("p", { class: `toast ${kind}` }, text);
  toasts().append(toast);
  setTimeout(() => toast.remove(), 6000);
}

/** An error of the page itself. It stays until dismissed; a repeat only raises its count. */
export function report(error, where = "") {
  console.error(where, error);
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const old = known.get(text);
  if (old) {
    old.times += 1;
    old.counter.textContent = ` (${old.times} times)`;
    return;
  }
  const details = `${text}\n${where}\n${error?.stack ?? ""}\n${navigator.userAgent}`;
  const counter = h("span", {});
  const toast = h(
    "div",
    { class: "toast error", role: "alert" },
    h("p", {}, h("strong", {}, "This page has a fault"), counter, ": ", h("code", {}, text.slice(0, 400))),
    h(
      "p",
      { class: "row" },
      h("button", { type: "button", class: "small" }, "Copy details"),
      h("button", { type: "button", class: "small" }, "Dismiss"),
    ),
  );
  const [copy, dismiss] = toast.querySelectorAll("button");
  copy.addEventListener("click", () => copyText(details, "Details copied"));
  dismiss.addEventListener("click", () => {
    toast.remove();
    known.delete(text);
  });
  known.set(text, { times: 1, counter });
  toasts().append(toast);
}

export async function copyText(text, done = "Copied") {
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    const area = h("textarea", { readonly: true, rows: 6, "aria-label": "Text to copy" });
    area.value = text;
    const box = h("div", { class: "toast" }, h("p", {}, "The browser does not let this page copy. Here it is:"), area);
    toasts().append(box);
    area.select();
    setTimeout(() => box.remove(), 30000);
  }
}

window.addEventListener("error", (event) => report(event.error ?? event.message, `${event.filename}:${event.lineno}`));
window.addEventListener("unhandledrejection", (event) => report(event.reason, "in a promise"));
