// Light or dark: the system's choice until the reader makes one; choosing what the system has gives it back.
import { signal } from "./signal.js";
import { preferences } from "./storage.js";

const KEY = "almacen.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const ofSystem = () => (system.matches ? "dark" : "light");

export const theme = signal(document.documentElement.dataset.theme ?? ofSystem());

system.addEventListener("change", () => {
  if (!document.documentElement.dataset.theme) theme.set(ofSystem());
});

export function toggleTheme() {
  const next = theme.get() === "dark" ? "light" : "dark";
  if (next === ofSystem()) {
    preferences.remove(KEY);
    delete document.documentElement.dataset.theme;
  } else {
    preferences.set(KEY, next);
    document.documentElement.dataset.theme = next;
  }
  theme.set(next);
}
