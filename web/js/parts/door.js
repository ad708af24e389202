// The frame around signing in and signing up.
import { html, useEffect, useLayoutEffect } from "../html.js";
import { t } from "../i18n.js";
import { toShop } from "../router.js";
import { Icon, Logo } from "./icons.js";
import { Preferences } from "./preferences.js";

export function Door({ title, foot, children }) {
  useEffect(() => {
    document.title = `${title} · Almacén`;
  }, [title]);
  useLayoutEffect(() => scrollTo(0, 0), []);
  return html`
    <div class="sign-in">
      <div class="sign-in-preferences"><${Preferences} /></div>
      <main class="sign-in-card">
        <a class="back" href=${toShop()}><${Icon} name="back" />${t("toShop")}</a>
        <${Logo} />
        <h1>${title}</h1>
        <p class="muted">${t("tagline")}</p>
        ${children}
        <p class="sign-in-foot">${foot}</p>
      </main>
    </div>
  `;
}
