// The page's texts, from i18n/en.js and i18n/es.js; a text with parameters is a function.
import { language } from "./language.js";
import en from "./i18n/en.js";
import es from "./i18n/es.js";

const TEXTS = { en, es };

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
