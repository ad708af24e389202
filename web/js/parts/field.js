// A labelled field of a form with everything that is wrong with it, one sentence each.
import { html, useId } from "../html.js";
import { t } from "../i18n.js";

/** `input(its)` draws the control; `its` ties it to its label, hint and problems. */
export function Field({ label, name, hint, optional = false, problems = [], input }) {
  const id = useId();
  const said = [hint && `${id}-hint`, problems.length && `${id}-problems`].filter(Boolean).join(" ");
  const its = { id, name, "aria-invalid": String(problems.length > 0), "aria-describedby": said || undefined };
  return html`
    <div class="field" data-field=${name}>
      <label for=${id}>${label}</label> ${optional && html`<span class="muted optional">${t("optional")}</span>`}
      ${input(its)}
      ${hint && html`<p id=${`${id}-hint`} class="fine">${hint}</p>`}
      ${problems.length > 0 && html`<ul id=${`${id}-problems`} class="problems" data-test="problems">${problems.map((problem) => html`<li key=${problem}>${problem}</li>`)}</ul>`}
    </div>
  `;
}

/** Puts the focus on the first field of `form` that something is wrong with. Called once the problems are drawn. */
export function focusProblem(form) {
  requestAnimationFrame(() => form?.querySelector('[aria-invalid="true"]')?.focus());
}
