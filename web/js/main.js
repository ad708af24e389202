// Reads where the API is, then draws the page.
import { html, render } from "./html.js";
import { App } from "./app.js";
import { loadConfig } from "./config.js";
import { t } from "./i18n.js";

const root = document.getElementById("app");
try {
  await loadConfig();
  render(html`<${App} />`, root);
} catch (cause) {
  console.error(cause);
  render(
    html`<main class="fatal"><h1>Almacén</h1><p role="alert">${t("noConfig")}</p>
      <button type="button" class="button primary" onClick=${() => location.reload()}>${t("retry")}</button></main>`,
    root,
  );
}
