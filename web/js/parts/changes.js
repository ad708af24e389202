// What somebody else has changed of a product, field by field.
import { html } from "../html.js";
import { t } from "../i18n.js";

/** `all`: `[{field, was, is}]` */
export const Changes = ({ all }) => html`
  <dl class="conflict">${all.map(({ field, was, is }) => html`<div key=${field}><dt>${t(`field.${field}`)}</dt>
    <dd><del>${was || t("blank")}</del> <span aria-hidden="true">→</span> <ins>${is || t("blank")}</ins></dd></div>`)}</dl>
`;
