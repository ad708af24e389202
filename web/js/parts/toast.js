// Short news at the bottom of the page, read out politely, gone by themselves.
import { html } from "../html.js";
import { signal, useSignal } from "../signal.js";
import { Icon } from "./icons.js";

const STAYS_MS = 6000;
const toasts = signal([]);
let count = 0;

/** `link`: `{text, to}`, a place where the reader may want to go next. */
export function toast(text, icon = "ok", link = null) {
  const id = ++count;
  toasts.set([...toasts.get(), { id, text, icon, link }].slice(-3));
  setTimeout(() => toasts.set(toasts.get().filter((one) => one.id !== id)), STAYS_MS);
}

// An offer to go somewhere is over once the reader has gone somewhere.
addEventListener("hashchange", () => toasts.set(toasts.get().filter(({ link }) => !link)));

export function Toasts() {
  return html`
    <div class="toasts" role="status" aria-live="polite">
      ${useSignal(toasts).map(({ id, text, icon, link }) => html`<p key=${id} class="toast"><${Icon} name=${icon} /><span>${text}</span>
        ${link && html`<a href=${link.to}>${link.text}</a>`}</p>`)}
    </div>
  `;
}
