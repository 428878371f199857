// The keyboard: the same few keys on every page.

import { h } from "./dom.js";

const HELP = [
  ["j  k", "next, previous application or event"],
  ["Enter", "open it"],
  ["a", "acknowledge: you are on it"],
  ["r", "resolve: it is over"],
  ["o", "reopen"],
  ["/", "search"],
  ["u", "up to all applications"],
  ["t", "local time or UTC"],
  ["← →  + −  0", "on the timeline: move, zoom, show all"],
  ["?", "this list"],
  ["Esc", "close, or leave the search"],
];

/** `current()` gives the open view; its `key(name)` answers true when it took the key. */
export function keys(current) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const field = event.target.closest?.("input, textarea, select");
    if (field) {
      if (event.key === "Escape") field.blur();
      return;
    }
    const taken = general(event.key) || current()?.key?.(event.key, event);
    if (taken) event.preventDefault();
  });
}

function general(key) {
  if (key === "?") showHelp();
  else if (key === "t") document.getElementById("zone").click();
  else if (key === "u") location.hash = "#/";
  else if (key === "/") {
    const field = document.getElementById("search");
    if (!field) location.hash = "#/";
    field?.focus();
  } else return false;
  return true;
}

export function showHelp() {
  const rows = HELP.map(([key, does]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)));
  const close = h("button", { type: "button", class: "primary" }, "Close");
  const box = h(
    "dialog",
    { class: "help", "aria-labelledby": "help-title" },
    h("h2", { id: "help-title" }, "Keys"),
    h("dl", {}, ...rows),
    h("p", { class: "row end" }, close),
  );
  close.addEventListener("click", () => box.close());
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}
