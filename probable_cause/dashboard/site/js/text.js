// Text that others wrote: log lines, names, summaries. Shown as text; what hides or reorders it is made visible.

import { h } from "./dom.js";

const ANSI = "\\u001b(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^\\u0007\\u001b]{0,200}(?:\\u0007|\\u001b\\\\)?)";
// Control characters but tab and newline; zero-width and direction-changing ones, which make a line read as another.
const HIDDEN =
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]";
const SPECIAL = new RegExp(`${ANSI}|${HIDDEN}`, "g");

function picture(text) {
  return [...text]
    .map((one) => {
      const code = one.codePointAt(0);
      if (code < 0x20) return String.fromCodePoint(0x2400 + code);
      if (code === 0x7f) return "\u2421";
      return new RegExp(HIDDEN).test(one) ? `U+${code.toString(16).toUpperCase().padStart(4, "0")}` : one;
    })
    .join("");
}

/** Children for `h`: the text, its special characters as marked pictures. */
export function shown(text, most = 20000) {
  const whole = String(text ?? "");
  const cut = whole.length > most ? whole.slice(0, most) : whole;
  const parts = [];
  let at = 0;
  for (const match of cut.matchAll(SPECIAL)) {
    if (match.index > at) parts.push(cut.slice(at, match.index));
    parts.push(h("span", { class: "ctl" }, picture(match[0])));
    at = match.index + match[0].length;
  }
  if (at < cut.length) parts.push(cut.slice(at));
  if (cut.length < whole.length) parts.push(h("span", { class: "ctl" }, `… ${whole.length - cut.length} more`));
  return parts;
}

// The role that IAM Identity Center makes for a permission set says less than the person behind the slash.
const SSO_ROLE = /AWSReservedSSO_[\w+=,.@-]+\/(?=[\w+=,.@-])/g;

/** The same for places that take a string only: titles, labels, the drawing. */
export function plain(text, most = 300) {
  const clean = String(text ?? "")
    .replace(SSO_ROLE, "")
    .replace(SPECIAL, picture)
    .replace(/\s+/g, " ")
    .trim();
  return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean;
}

/** Text in its own direction: Arabic in a summary can't reorder the words around it. */
export const isolated = (text, most = 300) => h("bdi", {}, ...shown(plain(text, most)));

/** `arn:aws:sts::1:assumed-role/deploy/run` as `deploy/run`; names as they are. */
export function actorName(actor) {
  const text = plain(actor, 120);
  const match = /^arn:[\w-]*:(?:iam|sts)::\d*:(?:assumed-role|user|role|federated-user)\/(.+)$/.exec(text);
  return match ? match[1] : text;
}

/** Who, for where the summary does not say so already: most rules' summaries begin with the actor. */
export function byWhom(event) {
  const name = actorName(event?.actor ?? "");
  return name && !plain(event.summary).includes(name) ? name : "";
}

export const count = (n) => (n ?? 0).toLocaleString("en");
export const percent = (share) => `${Math.round((share ?? 0) * 100)}\u00a0%`;

const LAYERS = { application: "Application", network: "Network", cloudsystem: "Cloud system" };
export const LAYER_NAMES = Object.keys(LAYERS);
export const layerName = (layer) => LAYERS[layer] ?? plain(layer, 40);
