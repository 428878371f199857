// Starts the page: who may see it, which view the address names, the header, the keys.

import { openAct } from "./act.js";
import { hasToken, onStatus, setToken, status } from "./api.js";
import { returned, signInWith, takeToken } from "./auth.js";
import { doing, h } from "./dom.js";
import * as decay from "./decay.js";
import { copyText, report } from "./errors.js";
import { keys, showHelp } from "./keys.js";
import { isUtc, onZone, span, tick, toggleZone, wallNow } from "./time.js";

const VIEWS = { "": "overview", app: "application", operations: "operations" };
const QUIET = 20000; // ms without a sign of the job until the page says so
const main = document.getElementById("main");
let view = null; // {route, close, key?, redraw?}
let opening = 0;

/** `#/app/shop?event=...` -> {name: "app", rest: "shop", query}. Names in the address are percent-encoded. */
function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name = "", ...rest] = path.split("/");
  return { name, rest: rest.map(decode).join("/"), query: new URLSearchParams(query) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function open() {
  if (takeToken()) status.state = "waiting";
  if (!hasToken() && !(await returned())) return signIn();
  const to = route();
  const file = VIEWS[to.name];
  if (view && view.name === to.name && view.rest === to.rest) return view.follow?.(to.query);
  view?.close();
  view = null;
  const mine = ++opening;
  for (const link of document.querySelectorAll("[data-nav]")) {
    const here = link.dataset.nav === file;
    here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
  if (!file) return main.replaceChildren(empty("There is no such page.", "Applications", "#/"));
  main.replaceChildren(h("p", { class: "loading" }, "Loading…"));
  const module = await import(`./${file}.js`);
  if (mine !== opening) return undefined;
  view = { name: to.name, rest: to.rest, ...module.open(main, to.rest, to.query) };
  window.scrollTo(0, 0);
  return undefined;
}

const empty = (text, label, href) =>
  h("div", { class: "empty" }, h("p", {}, text), h("p", {}, h("a", { href }, label)));

async function signIn(reason) {
  view?.close();
  view = null;
  const elsewhere = await signInWith();
  if (elsewhere) {
    const button = h("button", { type: "button", class: "primary" }, "Sign in");
    button.addEventListener("click", () => elsewhere().catch((error) => report(error, "signing in")));
    main.replaceChildren(
      h(
        "div",
        { class: "empty" },
        h("h1", {}, "Sign in"),
        h("p", {}, reason ?? "This page shows what your applications do: it needs to know you."),
        h("p", {}, button),
      ),
    );
    return;
  }
  const field = h("input", { id: "token", type: "password", autocomplete: "off", required: true, spellcheck: "false" });
  const form = h(
    "form",
    { class: "empty sign-in" },
    h("h1", {}, "Sign in"),
    h("p", {}, reason ?? "This page needs a token. Open the link that the program printed: it carries one."),
    h("label", { for: "token" }, "Or paste the token"),
    h("p", { class: "row" }, field, h("button", { type: "submit", class: "primary" }, "Open")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setToken(field.value.trim());
    open();
  });
  main.replaceChildren(form);
}

function header(state) {
  const live = document.getElementById("live");
  const text = document.getElementById("live-text");
  const banner = document.getElementById("banner");
  const jobAge = state.jobSeenAt ? wallNow() - Date.parse(state.jobSeenAt) : null;
  const words = {
    live: "Live",
    waiting: "Connecting…",
    paused: "Paused while hidden",
    failing: "No answer",
    "signed-out": "Signed out",
  };
  let mood = state.state;
  let label = words[mood];
  let notice = "";
  if (mood === "failing") {
    const known = state.lastOk ? ` What you see was true ${span(Date.now() - state.lastOk)} ago.` : "";
    notice = `${state.error}${known} Trying again by itself.`;
  } else if (mood === "live" && jobAge !== null && jobAge > QUIET) {
    mood = "stale";
    label = `Job silent for ${span(jobAge)}`;
    notice =
      "The job that reads the logs has not been heard of lately, so nothing new can appear here. See Operations.";
  }
  live.dataset.state = mood;
  if (text.textContent !== label) text.textContent = label;
  live.title = state.jobSeenAt ? `The job was last heard of ${span(jobAge)} ago` : "The job has not reported yet";
  if (banner.textContent !== notice) banner.textContent = notice;
  banner.hidden = notice === "";
  if (state.state === "signed-out" && view) signedOut();
}

function signedOut() {
  view.close();
  view = null;
  sessionStorage.removeItem("token");
  signIn("The token is no longer valid. Open the newest link, or sign in again.").catch((error) =>
    report(error, "signing in"),
  );
}

const THEMES = ["auto", "light", "dark"];
function theme(step = 0) {
  const known = THEMES.indexOf(localStorage.getItem("theme"));
  const next = THEMES[((known < 0 ? 0 : known) + step) % THEMES.length];
  localStorage.setItem("theme", next);
  document.documentElement.dataset.theme = next;
  document.getElementById("theme").textContent = `Theme: ${next}`;
}

const zone = () => (document.getElementById("zone").textContent = isUtc() ? "UTC" : "Local");

const COMMANDS = {
  theme: () => theme(1),
  zone: toggleZone,
  help: showHelp,
  skip: () => main.focus(),
  copy: (at) => copyText(at.dataset.text, at.dataset.done),
  act: (at) => openAct(JSON.parse(at.dataset.act)),
};

document.addEventListener("click", (event) => {
  const at = doing(event);
  if (!at || !COMMANDS[at.dataset.do]) return;
  event.preventDefault();
  COMMANDS[at.dataset.do](at);
});
keys(() => view);
onStatus(header);
onZone(() => {
  zone();
  view?.redraw?.();
});
window.addEventListener("hashchange", () => open().catch((error) => report(error, "opening a page")));
setInterval(() => {
  if (document.hidden) return;
  header(status);
  tick();
  decay.tick();
}, 1000);
theme();
zone();
open().catch((error) => report(error, "starting"));
