// Every call the page makes, by name. Nothing else in the page knows a path.
import { getConfig } from "./config.js";
import { ApiError, failureOf, networkFailure } from "./failure.js";
import { language } from "./i18n.js";
import { accessToken, endSession, renew, session } from "./session.js";

const PAGE = 100;

async function call(method, path, { query, body, etag, signal, retried = false } = {}) {
  const token = await accessToken();
  const address = new URL(`${getConfig().apiUrl}${path}`);
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== "" && value !== false) address.searchParams.set(key, String(value));
  }
  const headers = { Authorization: `Bearer ${token}`, Accept: "application/json", "Accept-Language": language.get() };
  if (body) headers["Content-Type"] = "application/json";
  if (etag) headers["If-Match"] = etag;
  let answer;
  try {
    answer = await fetch(address, { method, headers, signal, cache: "no-store", body: body && JSON.stringify(body) });
  } catch (cause) {
    throw cause.name === "AbortError" ? cause : networkFailure();
  }
  if (answer.status === 401 && !retried && session.get()) {
    if (session.get().accessToken === token) await renew();
    return call(method, path, { query, body, etag, signal, retried: true });
  }
  if (answer.status === 401) endSession();
  if (!answer.ok) throw await failureOf(answer);
  return { data: await answer.json(), etag: answer.headers.get("ETag") };
}

const part = encodeURIComponent;
const linePath = (store, item) => `/items/${part(store)}/${part(item)}`;

export const stores = async (cursor, signal) => (await call("GET", "/stores", { query: { cursor }, signal })).data;

export const lines = async (store, { q, low, cursor }, signal) =>
  (await call("GET", `/items/${part(store)}`, { query: { q, low, cursor, limit: PAGE }, signal })).data;

/** `{data, etag}` */
export const line = (store, item) => call("GET", linePath(store, item));

/** `change` is `{count}`, `{adjust}` or `{threshold}`, with a `reason` if there is one. `{data, etag}` */
export const changeLine = (store, item, change, etag) => call("PATCH", linePath(store, item), { body: change, etag });

export const imports = async (cursor, signal) => (await call("GET", "/imports", { query: { cursor, limit: 20 }, signal })).data;

export const oneImport = async (id, signal) => (await call("GET", `/imports/${part(id)}`, { signal })).data;

export const announceImport = async (fileName, mode, dryRun) =>
  (await call("POST", "/imports", { body: { fileName, mode, dryRun } })).data;

/** The report behind an import's link. The link carries its own right to read; no token goes there. */
export async function report(url, signal) {
  let answer;
  try {
    answer = await fetch(url, { signal, referrerPolicy: "no-referrer" });
  } catch (cause) {
    throw cause.name === "AbortError" ? cause : networkFailure();
  }
  if (!answer.ok) throw new ApiError({ status: answer.status });
  return answer.json();
}

/** Sends `file` straight to S3 as `upload` says. XMLHttpRequest, because fetch tells nothing of the way up. */
export function sendFile(upload, file, { onProgress, signal }) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open(upload.method ?? "PUT", upload.url);
    let body = file;
    if (upload.fields) {
      body = new FormData();
      for (const [name, value] of Object.entries(upload.fields)) body.append(name, value);
      body.append("file", file);
    }
    for (const [name, value] of Object.entries(upload.headers ?? {})) {
      // The browser sets these two itself and refuses to be told.
      if (!/^(host|content-length)$/i.test(name)) request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? done() : fail(new ApiError({ status: request.status })));
    request.onerror = () => fail(networkFailure());
    request.onabort = () => fail(new DOMException("cancelled", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}
