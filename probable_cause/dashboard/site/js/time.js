// The clock of the page is the server's: the demo's runs ahead, and a laptop's may be wrong. Times show in local or UTC.

import { h } from "./dom.js";

let offset = 0;
let utc = localStorage.getItem("zone") === "utc";
const changed = new Set();

/** Milliseconds since the epoch, by the server. */
export const now = () => Date.now() + offset;

export function learn(serverText, askedAt, answeredAt) {
  const server = Date.parse(serverText);
  if (!Number.isNaN(server)) offset = server - (askedAt + answeredAt) / 2;
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
export function ago(text) {
  const age = now() - parse(text);
  if (Number.isNaN(age)) return "";
  if (age < -2000) return `in ${span(-age)}`;
  if (age < 10000) return "just now";
  if (age < 60000) return `${Math.floor(age / 10000) * 10} s ago`;
  return `${span(age)} ago`;
}

/** A `time` element. kind: `ago` (kept current by `tick`), `clock` or `minute`. */
export function time(text, kind = "clock") {
  if (!text) return h("span", { class: "none" }, "–");
  const words = kind === "ago" ? ago(text) : clock(text, kind === "clock");
  return h("time", { datetime: text, title: both(text), "data-kind": kind }, words);
}

/** `11:49–11:59`, or one time when they are the same minute. */
export function range(first, last) {
  if (!first || clock(first, false) === clock(last, false)) return [time(last, "minute")];
  return [time(first, "minute"), "–", time(last, "minute")];
}

/** Brings the relative times under `root` up to now. */
export function tick(root = document) {
  for (const one of root.querySelectorAll('time[data-kind="ago"]')) {
    const words = ago(one.dateTime);
    if (one.textContent !== words) one.textContent = words;
  }
}
