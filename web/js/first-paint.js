// Runs before the first paint, so that a chosen theme or language never flashes in late. Not a module: those run after.
try {
  const theme = localStorage.getItem("almacen.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const language = localStorage.getItem("almacen.language");
  document.documentElement.lang = language || (/^es\b/i.test(navigator.language) ? "es" : "en");
} catch {
  // Storage is blocked: the system's theme and the browser's language stand.
}
