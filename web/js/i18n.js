// Which language the page speaks. Texts are in i18n/en.js and i18n/es.js; a text with parameters is a function.
import { signal } from "./signal.js";
import { preferences } from "./storage.js";
import en from "./i18n/en.js";
import es from "./i18n/es.js";

const TEXTS = { en, es };
const KEY = "almacen.language";

function firstLanguage() {
  const kept = preferences.get(KEY);
  if (kept in TEXTS) return kept;
  const spoken = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2).toLowerCase());
  return spoken.find((tag) => tag in TEXTS) ?? "en";
}

export const language = signal(firstLanguage());

language.subscribe((tag) => {
  preferences.set(KEY, tag);
  document.documentElement.lang = tag;
});
document.documentElement.lang = language.get();

/** The text called `key`, in the current language. */
export function t(key, ...parameters) {
  const text = TEXTS[language.get()][key];
  if (text === undefined) return key;
  return typeof text === "function" ? text(...parameters) : text;
}

/** Picks from `{es, en}` as the API writes it; a plain text stays as it is. */
export function inLanguage(texts) {
  if (texts === null || texts === undefined) return "";
  if (typeof texts !== "object") return String(texts);
  return String(texts[language.get()] ?? texts.en ?? texts.es ?? "");
}

/** The first few of the browser's regions fit the language better than the bare tag: `en-GB` writes dates its own way. */
export function locale() {
  const tag = language.get();
  return (navigator.languages ?? []).find((spoken) => spoken.toLowerCase().startsWith(tag)) ?? tag;
}
