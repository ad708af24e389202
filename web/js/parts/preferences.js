// The two switches every reader has: language and theme.
import { html } from "../html.js";
import { t } from "../i18n.js";
import { language } from "../language.js";
import { useSignal } from "../signal.js";
import { theme, toggleTheme } from "../theme.js";
import { Icon } from "./icons.js";

export function Preferences() {
  const other = useSignal(language) === "es" ? "en" : "es";
  const dark = useSignal(theme) === "dark";
  return html`
    <button type="button" class="button quiet square" data-test="language" lang=${other}
      aria-label=${other === "es" ? "ES, cambiar a español" : "EN, switch to English"} onClick=${() => language.set(other)}>
      <span aria-hidden="true">${other.toUpperCase()}</span>
    </button>
    <button type="button" class="button quiet square" data-test="theme" aria-label=${t(dark ? "toLight" : "toDark")}
      title=${t(dark ? "toLight" : "toDark")} onClick=${toggleTheme}>
      <${Icon} name=${dark ? "sun" : "moon"} />
    </button>
  `;
}
