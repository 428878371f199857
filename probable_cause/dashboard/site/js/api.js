// The only module that talks to the API: token, ETags, polling, and whether what is shown is still true.

import { report } from "./errors.js";
import { learn } from "./time.js";

const EVERY = 1000; // ms between the end of one look and the next
const SLOWEST = 8000; // ms between tries while the API does not answer
const TIMEOUT = 10000; // ms; a look that takes longer has failed

const listeners = new Set();
/** failingSince: ms of the machine's clock, or null. actor, jobSeenAt: as the API last said. */
export const status = { state: "waiting", failingSince: null, lastOk: null, error: "", actor: "", jobSeenAt: null };
export const onStatus = (listener) => listeners.add(listener);
const tell = () => listeners.forEach((listener) => listener(status));

export const hasToken = () => sessionStorage.getItem("token") !== null;
export const setToken = (token) => sessionStorage.setItem("token", token);

export class ApiError extends Error {
  constructor(code, content) {
    super(content.error ?? `The API answered ${code}.`);
    this.name = "ApiError";
    this.code = code;
    this.content = content;
  }
}

async function ask(path, options = {}) {
  const asked = Date.now();
  const response = await fetch(path, {
    ...options,
    credentials: "omit",
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT),
    headers: { Authorization: `Bearer ${sessionStorage.getItem("token") ?? ""}`, ...options.headers },
  });
  const judged = response.headers.get("X-Now");
  if (judged) {
    learn(judged, response.headers.get("Date"), asked, Date.now());
    status.jobSeenAt = response.headers.get("X-Job-Seen-At");
  }
  const actor = response.headers.get("X-Actor");
  if (actor) status.actor = decodeURIComponent(actor);
  if (response.ok || response.status === 304) return response;
  throw new ApiError(response.status, await response.json().catch(() => ({})));
}

/** One look at `path`. */
export const get = async (path) => (await ask(path)).json();

/** An action. Throws ApiError; its `content.event` is the other person's state on a conflict (409). */
export async function post(path, content) {
  const response = await ask(path, {
    method: "POST",
    body: JSON.stringify(content),
    headers: { "Content-Type": "application/json" },
  });
  wake();
  return response.json();
}

const sleepers = new Set();
/** Makes every poll look now. */
export function wake() {
  for (const one of [...sleepers]) one();
}

function sleep(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      sleepers.delete(done);
      resolve();
    };
    // A hidden page costs nobody anything: it looks again when it is seen.
    const timer = document.hidden ? 0 : setTimeout(done, ms);
    sleepers.add(done);
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    status.state = "paused";
    tell();
  } else wake();
});
window.addEventListener("online", wake);

/** Calls `onData` with the content of `path`, at once and whenever it changes; `onMissing` when there is none. */
export function poll(path, onData, onMissing) {
  let running = true;
  let tag = null;
  let wait = EVERY;

  async function look() {
    let response;
    let content = null;
    try {
      response = await ask(path, { headers: tag ? { "If-None-Match": tag } : {} });
      if (response.status !== 304) content = await response.json();
    } catch (error) {
      if (running) failed(error);
      return;
    }
    if (!running) return;
    Object.assign(status, { state: "live", failingSince: null, lastOk: Date.now(), error: "" });
    wait = EVERY;
    if (content === null) return;
    try {
      onData(content);
    } catch (error) {
      report(error, `drawing ${path}`);
    }
    tag = response.headers.get("ETag");
  }

  function failed(error) {
    const refused = error instanceof ApiError;
    wait = Math.min(wait * 2, SLOWEST);
    if (refused && error.code === 401) status.state = "signed-out";
    else if (refused && error.code === 404 && onMissing) onMissing(error);
    else {
      status.state = "failing";
      status.failingSince ??= Date.now();
      status.error = refused ? error.message : "The API can't be reached.";
    }
  }

  (async () => {
    while (running) {
      await look();
      if (running) tell();
      await sleep(wait);
    }
  })();
  return () => {
    running = false;
  };
}
