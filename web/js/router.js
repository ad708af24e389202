// Views live in the hash, so that each can be bookmarked and S3 need not know them: #/stores/Berlin?low=1
import { signal } from "./signal.js";

function parse() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decode);
  const [name = "stores", id] = parts;
  const known = { stores: id ? "store" : "stores", imports: id ? "import" : "imports" }[name];
  return { view: parts.length > 2 || !known ? "unknown" : known, id, query: new URLSearchParams(query) };
}

function decode(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

export const route = signal(parse());
addEventListener("hashchange", () => route.set(parse()));

export const toStores = () => "#/stores";
export const toStore = (store) => `#/stores/${encodeURIComponent(store)}`;
export const toImports = () => "#/imports";
export const toImport = (id) => `#/imports/${encodeURIComponent(id)}`;

export function go(hash) {
  location.hash = hash;
}

/** Keeps what a view shows in its address, without a new step in the history. */
export function keepInAddress(query) {
  const kept = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(kept).toString();
  const path = location.hash.split("?")[0] || toStores();
  history.replaceState(history.state, "", text ? `${path}?${text}` : path);
}
