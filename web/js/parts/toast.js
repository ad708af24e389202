// Short news at the bottom of the page, read out politely, gone by themselves.
import { html } from "../html.js";
import { signal, useSignal } from "../signal.js";
import { Icon } from "./icons.js";

const STAYS_MS = 6000;
const toasts = signal([]);
let count = 0;

export function toast(text, icon = "ok") {
  const id = ++count;
  toasts.set([...toasts.get(), { id, text, icon }].slice(-3));
  setTimeout(() => toasts.set(toasts.get().filter((one) => one.id !== id)), STAYS_MS);
}

export function Toasts() {
  return html`
    <div class="toasts" role="status" aria-live="polite">
      ${useSignal(toasts).map(({ id, text, icon }) => html`<p key=${id} class="toast"><${Icon} name=${icon} />${text}</p>`)}
    </div>
  `;
}
