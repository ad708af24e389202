// Who is signed in. Tokens stay in this tab alone and are renewed shortly before they end.
import { getConfig } from "./config.js";
import { ApiError, failureOf, networkFailure } from "./failure.js";
import { language } from "./language.js";
import { signal } from "./signal.js";
import { tabStorage } from "./storage.js";

const KEY = "almacen.session";
const RENEW_BEFORE_MS = 30_000;
const ROLES = ["cliente", "operador", "admin"];

function read() {
  try { return JSON.parse(tabStorage.get(KEY)); } catch { return null; }
}

export const session = signal(read());
/** True after a session ended by itself: the sign-in then says so. */
export const expired = signal(false);

session.subscribe((now) => (now ? tabStorage.set(KEY, JSON.stringify(now)) : tabStorage.remove(KEY)));

/** What the access token says; only to know what to show. The API checks the signature and decides. */
function claims(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  } catch {
    return {};
  }
}

function roleOf(token) {
  const groups = claims(token)["cognito:groups"] ?? [];
  return ROLES.findLast((role) => groups.includes(role)) ?? "cliente";
}

/** Warehouse and imports. */
export const mayEdit = () => ROLES.indexOf(session.get()?.role) >= 1;
/** The catalogue. */
export const mayManage = () => session.get()?.role === "admin";

async function askForToken(fields) {
  let answer;
  try {
    answer = await fetch(`${getConfig().apiUrl}/token`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", "Accept-Language": language.get() },
      body: new URLSearchParams(fields).toString(),
    });
  } catch {
    throw networkFailure();
  }
  if (!answer.ok) throw await failureOf(answer);
  return answer.json();
}

function keep(username, tokens, oldRefreshToken) {
  session.set({
    username,
    role: roleOf(tokens.access_token),
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? oldRefreshToken,
    expiresAt: Date.now() + (tokens.expires_in ?? 3600) * 1000,
  });
}

export async function signIn(username, password) {
  keep(username, await askForToken({ username, password }));
  expired.set(false);
}

export function signOut() {
  expired.set(false);
  session.set(null);
}

export function endSession() {
  expired.set(true);
  session.set(null);
}

let renewal = null;

/** Renews the token, once for all who ask at the same time. */
export function renew() {
  const now = session.get();
  if (renewal?.of !== now) renewal = { of: now, done: renewed(now) };
  return renewal.done;
}

/** Whoever has signed out or in again meanwhile keeps what they have: an answer counts for the session it was asked for. */
async function renewed(old) {
  try {
    if (!old?.refreshToken) throw new ApiError({ status: 401 });
    const tokens = await askForToken({ grant_type: "refresh_token", refresh_token: old.refreshToken });
    if (session.get() === old) keep(old.username, tokens, old.refreshToken);
  } catch (failure) {
    // Only a clear refusal ends the session; a network that is away for a moment does not.
    const refused = failure.status >= 400 && failure.status < 500 && failure.status !== 429;
    if (refused && session.get() === old) endSession();
    throw failure;
  } finally {
    if (renewal?.of === old) renewal = null;
  }
}

/** For whoever is signed in as it is asked for; nobody gets the token of somebody who signed in while it was renewed. */
export async function accessToken() {
  const user = session.get()?.username;
  if (!user) throw new ApiError({ status: 401 });
  if (session.get().expiresAt - Date.now() < RENEW_BEFORE_MS && session.get().refreshToken) await renew();
  if (session.get()?.username !== user) throw new ApiError({ status: 401 });
  return session.get().accessToken;
}
