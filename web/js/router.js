// Views live in the hash, so that each can be bookmarked and S3 need not know them: #/stores/Berlin?low=1
import { signal } from "./signal.js";

/** First part of the path → the view without and with an id. */
const VIEWS = new Map([
  [undefined, ["home", null]],
  ["shop", ["shop", null]],
  ["products", [null, "product"]],
  ["cart", ["cart", null]],
  ["sign-in", ["sign-in", null]],
  ["sign-up", ["sign-up", null]],
  ["catalogue", ["catalogue", "catalogue-product"]],
  ["stores", ["stores", "store"]],
  ["imports", ["imports", "import"]],
]);

function parse() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decode);
  const [name, id] = parts;
  const known = VIEWS.get(name)?.[id === undefined ? 0 : 1];
  return { view: parts.length > 2 || !known ? "unknown" : known, id, query: new URLSearchParams(query) };
}

function decode(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

export const route = signal(parse());
addEventListener("hashchange", () => route.set(parse()));

const withQuery = (path, query) => {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  return text ? `${path}?${text}` : path;
};

export const toHome = () => "#/";
export const toStores = () => "#/stores";
export const toStore = (store) => `#/stores/${encodeURIComponent(store)}`;
export const toImports = () => "#/imports";
export const toImport = (id) => `#/imports/${encodeURIComponent(id)}`;
export const toShop = (query = {}) => withQuery("#/shop", query);
export const toProduct = (id) => `#/products/${encodeURIComponent(id)}`;
export const toCart = () => "#/cart";
export const toCatalogue = (query = {}) => withQuery("#/catalogue", query);
export const NEW_PRODUCT = "new";
export const toCatalogueProduct = (id = NEW_PRODUCT) => `#/catalogue/${encodeURIComponent(id)}`;

/** Where signing in or up leads back to: where the reader is now, if that is not one of the two. */
const back = () => (/^#\/sign-(in|up)/.test(location.hash) ? route.get().query.get("back") : location.hash);
export const toSignIn = () => withQuery("#/sign-in", { back: back() });
export const toSignUp = () => withQuery("#/sign-up", { back: back() });

export function go(hash) {
  location.hash = hash;
}

/** Goes there without a step in the history. */
export function goInPlace(hash) {
  history.replaceState(history.state, "", hash);
  route.set(parse());
}

/** Keeps what a view shows in its address, without a new step in the history. */
export function keepInAddress(query) {
  history.replaceState(history.state, "", withQuery(location.hash.split("?")[0] || toStores(), query));
}
