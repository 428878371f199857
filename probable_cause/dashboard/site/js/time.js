// The page's clock is the server's: the demo moves its own, and a laptop's may be wrong. Times show in local or UTC.

import { h } from "./dom.js";

let offset = 0; // to the clock that verdicts are judged by, which the demo moves
let wallOffset = 0; // to the server machine's own clock, which the job's sign of life is told by
let utc = localStorage.getItem("zone") === "utc";
const changed = new Set();

/** Milliseconds since the epoch, by the server. */
export const now = () => Date.now() + offset;

export const wallNow = () => Date.now() + wallOffset;

/** `judged` is the header X-Now, `wall` the header Date (to the second). */
export function learn(judged, wall, askedAt, answeredAt) {
  const middle = (askedAt + answeredAt) / 2;
  if (!Number.isNaN(Date.parse(judged))) offset = Date.parse(judged) - middle;
  if (!Number.isNaN(Date.parse(wall))) wallOffset = Date.parse(wall) + 500 - middle;
}

export const isUtc = () => utc;
export const onZone = (listener) => changed.add(listener);
export function toggleZone() {
  utc = !utc;
  localStorage.setItem("zone", utc ? "utc" : "local");
  changed.forEach((listener) => listener());
}

const make = (options) => {
  const of = (zone) => new Intl.DateTimeFormat("en-GB", { ...options, hourCycle: "h23", ...zone });
  const both = [of({}), of({ timeZone: "UTC" })];
  return (at) => both[utc ? 1 : 0].format(at);
};
const clockSeconds = make({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const clockMinutes = make({ hour: "2-digit", minute: "2-digit" });
const dayOnly = make({ day: "numeric", month: "short" });
const sameZone = () => new Date().getTimezoneOffset() === 0;
const full = (zone) =>
  new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23", ...zone });
const fullLocal = full({});
const fullUtc = full({ timeZone: "UTC" });

const parse = (text) => (typeof text === "number" ? text : Date.parse(text));

/** `14:03:11`, with the day when that is not today. */
export function clock(text, seconds = true) {
  const at = parse(text);
  if (Number.isNaN(at)) return "?";
  const time = (seconds ? clockSeconds : clockMinutes)(at);
  return dayOnly(at) === dayOnly(now()) ? time : `${dayOnly(at)} ${time}`;
}

/** Local and UTC, whole. */
export function both(text) {
  const at = parse(text);
  if (Number.isNaN(at)) return "unknown time";
  const inUtc = `${fullUtc.format(at)} UTC`;
  return sameZone() ? inUtc : `${fullLocal.format(at)} local · ${inUtc}`;
}

/** `45 s`, `12 min`, `3.5 h`, `2.1 days`. */
export function span(ms) {
  const seconds = Math.max(ms, 0) / 1000;
  if (seconds < 1) return `${Math.round(Math.max(ms, 0))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86400).toFixed(1)} days`;
}

/** `12 min ago`; steps of seconds would make the page twitch, so under a minute it is coarse. */
export function ago(text, at = now()) {
  const age = at - parse(text);
  if (Number.isNaN(age)) return "";
  if (age < -2000) return `in ${span(-age)}`;
  if (age < 10000) return "just now";
  if (age < 60000) return `${Math.floor(age / 10000) * 10} s ago`;
  return `${span(age)} ago`;
}

const WORDS = { ago, clock, minute: (text) => clock(text, false), wall: (text) => ago(text, wallNow()) };

/** A `time` element. kind: `clock`, `minute`, `ago`, or `wall` for how long ago by the machine's clock. */
export function time(text, kind = "clock") {
  if (!text) return h("span", { class: "none" }, "–");
  const words = WORDS[kind](text);
  return h("time", { datetime: text, title: both(text), "data-kind": kind }, words);
}

/** `11:49–11:59`, or one time when they are the same minute. */
export function range(first, last) {
  if (!first || clock(first, false) === clock(last, false)) return [time(last, "minute")];
  return [time(first, "minute"), "–", time(last, "minute")];
}

/** Brings the relative times under `root` up to now. */
export function tick(root = document) {
  for (const one of root.querySelectorAll('time[data-kind="ago"], time[data-kind="wall"]')) {
    const words = WORDS[one.dataset.kind](one.dateTime);
    if (one.textContent !== words) one.textContent = words;
  }
}
