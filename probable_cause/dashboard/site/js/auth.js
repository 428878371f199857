// How a person becomes known. Locally: the link's fragment carries a token. In AWS: the user pool's own page, by the
// authorization code flow with PKCE (RFC 7636), as `auth.json` beside index.html says:
//   {"authorize": <address>, "token": <address>, "client_id": <id>, "scope": "openid email"}
// The token lives in sessionStorage and leaves only in the Authorization header, so no other site can make use of it.

import { setToken } from "./api.js";

const here = () => location.origin + location.pathname;

/** Takes a token out of the address, so that a copied link does not carry it; returns whether there was one. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.replace(/^#\/?/, ""));
  const token = given.get("token");
  if (!token) return false;
  setToken(token);
  history.replaceState(null, "", `${location.pathname}#${given.get("to") ?? "/"}`);
  return true;
}

const configured = async () => {
  const response = await fetch("auth.json", { credentials: "omit", signal: AbortSignal.timeout(10000) }).catch(
    () => null,
  );
  return response?.ok ? response.json() : null;
};

/** A function that leads to the sign-in page, or null where only a token is known. */
export async function signInWith() {
  const conf = await configured();
  if (!conf) return null;
  return async () => {
    const verifier = text(crypto.getRandomValues(new Uint8Array(48)));
    const state = text(crypto.getRandomValues(new Uint8Array(18)));
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    sessionStorage.setItem("sign-in", JSON.stringify({ verifier, state, to: location.hash || "#/" }));
    const asked = new URLSearchParams({
      response_type: "code",
      client_id: conf.client_id,
      redirect_uri: here(),
      scope: conf.scope,
      state,
      code_challenge: text(new Uint8Array(digest)),
      code_challenge_method: "S256",
    });
    location.assign(`${conf.authorize}?${asked}`);
  };
}

/** Finishes a sign-in when the address carries its code; returns whether the person is known now. */
export async function returned() {
  const given = new URLSearchParams(location.search);
  const begun = JSON.parse(sessionStorage.getItem("sign-in") ?? "null");
  if (!given.has("code") || !begun) return false;
  sessionStorage.removeItem("sign-in");
  history.replaceState(null, "", location.pathname + begun.to);
  // A code that this page did not ask for is somebody else's.
  if (given.get("state") !== begun.state) return false;
  const conf = await configured();
  const response = await fetch(conf.token, {
    method: "POST",
    credentials: "omit",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: conf.client_id,
      redirect_uri: here(),
      code: given.get("code"),
      code_verifier: begun.verifier,
    }),
  });
  if (!response.ok) throw new Error(`the sign-in's last step was refused (${response.status})`);
  setToken((await response.json()).id_token);
  return true;
}

/** Bytes as base64url. */
const text = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
