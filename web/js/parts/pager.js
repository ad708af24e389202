// Pages of a list that says how many there are.
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";
import { focusHeading } from "./view.js";

/** Another page is read from its top. A click that opens it elsewhere leaves this one as it is. */
function fromTheTop(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  focusHeading();
  scrollTo(0, 0);
}

/** `to(page)` is where a page stands. */
export function Pager({ page, pages, to }) {
  if (pages <= 1) return null;
  const step = (target, icon, key) =>
    target < 1 || target > pages
      ? html`<span class="button" aria-disabled="true" data-test=${key}><${Icon} name=${icon} />${t(key)}</span>`
      : html`<a class="button" href=${to(target)} rel=${key === "previous" ? "prev" : "next"} data-test=${key} onClick=${fromTheTop}><${Icon} name=${icon} />${t(key)}</a>`;
  return html`<nav class="pager" aria-label=${t("pages")}>
    ${step(page - 1, "back", "previous")}<span aria-current="page">${t("pageOf", page, pages)}</span>${step(page + 1, "next", "next")}
  </nav>`;
}
