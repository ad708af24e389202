// Every call the page makes, by name. Nothing else in the page knows a path.
import { getConfig } from "./config.js";
import { ApiError, failureOf, networkFailure } from "./failure.js";
import { language } from "./language.js";
import { accessToken, endSession, renew, session } from "./session.js";

const PAGE = 100;

/** `open`: a call that everybody may make; it carries no token. */
async function call(method, path, { query, body, etag, signal, open = false, retried = false } = {}) {
  const user = session.get()?.username;
  const token = open ? null : await accessToken();
  const address = new URL(`${getConfig().apiUrl}${path}`);
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== "" && value !== false) address.searchParams.set(key, String(value));
  }
  const headers = { Accept: "application/json", "Accept-Language": language.get() };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  if (etag) headers["If-Match"] = etag;
  let answer;
  try {
    answer = await fetch(address, { method, headers, signal, cache: "no-store", body: body && JSON.stringify(body) });
  } catch (cause) {
    throw cause.name === "AbortError" ? cause : networkFailure();
  }
  // Whoever has signed in meanwhile does not ask in the place of somebody else, and is not signed out for them.
  const same = () => session.get()?.username === user;
  if (answer.status === 401 && !open && !retried && same()) {
    if (session.get().accessToken === token) await renew();
    if (same()) return call(method, path, { query, body, etag, signal, retried: true });
  }
  if (answer.status === 401 && !open && same()) endSession();
  if (!answer.ok) throw await failureOf(answer);
  return { data: answer.status === 204 ? null : await answer.json(), etag: answer.headers.get("ETag") };
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

export const announceImport = async (fileName, mode, dryRun, signal) =>
  (await call("POST", "/imports", { body: { fileName, mode, dryRun }, signal })).data;

// The shop. What it sells can be seen by everybody; a cart is its customer's own.

const productPath = (id) => `/productos/${part(id)}`;

/** `filter`: `{pagina, limite, categoria, orden, q, precioMin, precioMax}`, each as it is needed. */
export const products = async (filter, signal) => (await call("GET", "/productos", { query: filter, signal, open: true })).data;

/** `{data, etag}` */
export const product = (id, signal) => call("GET", productPath(id), { signal, open: true });

export const makeProduct = async (draft) => (await call("POST", "/productos", { body: draft })).data;

/** `{data, etag}` */
export const changeProduct = (id, draft, etag) => call("PUT", productPath(id), { body: draft, etag });

export const deleteProduct = (id, etag) => call("DELETE", productPath(id), { etag });

export const relatedProducts = async (id, signal) => (await call("GET", `${productPath(id)}/relacionados`, { signal, open: true })).data.datos;

export const reviews = async (id, page, signal) =>
  (await call("GET", `${productPath(id)}/resenas`, { query: { pagina: page }, signal, open: true })).data;

export const writeReview = async (id, rating, comment) =>
  (await call("POST", `${productPath(id)}/resenas`, { body: { calificacion: rating, comentario: comment } })).data;

export const categories = async (signal) => (await call("GET", "/categorias", { signal, open: true })).data.datos;

export const makeCategory = async (name) => (await call("POST", "/categorias", { body: { nombre: name } })).data;

const cartLine = (id) => `/carrito/items/${part(id)}`;

export const cart = async (signal) => (await call("GET", "/carrito", { signal })).data;

export const addToCart = async (id, quantity) => (await call("POST", "/carrito/items", { body: { productoId: id, cantidad: quantity } })).data;

export const setInCart = async (id, quantity) => (await call("PUT", cartLine(id), { body: { cantidad: quantity } })).data;

export const removeFromCart = async (id) => (await call("DELETE", cartLine(id))).data;

export const applyCoupon = async (code) => (await call("POST", "/carrito/cupon", { body: { codigo: code } })).data;

export const removeCoupon = async () => (await call("DELETE", "/carrito/cupon")).data;

export const signUp = async (user) => (await call("POST", "/users", { body: user, open: true })).data;

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
    // A signal that was given before is not heard of again.
    signal?.throwIfAborted();
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
