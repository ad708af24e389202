// Which language the page speaks, kept over visits. Imports no text, so that what formats for a text can ask for the language.
import { signal } from "./signal.js";
import { preferences } from "./storage.js";

const LANGUAGES = ["en", "es"];
const KEY = "almacen.language";

function firstLanguage() {
  const kept = preferences.get(KEY);
  if (LANGUAGES.includes(kept)) return kept;
  const spoken = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2).toLowerCase());
  return spoken.find((tag) => LANGUAGES.includes(tag)) ?? "en";
}

export const language = signal(firstLanguage());

language.subscribe((tag) => {
  preferences.set(KEY, tag);
  document.documentElement.lang = tag;
});
document.documentElement.lang = language.get();

/** The first few of the browser's regions fit the language better than the bare tag: `en-GB` writes dates its own way. */
export function locale() {
  const tag = language.get();
  return (navigator.languages ?? []).find((spoken) => spoken.toLowerCase().startsWith(tag)) ?? tag;
}
