// A modal dialog. The browser's own <dialog> keeps the focus inside, closes on Esc and gives the focus back.
import { html, useId, useLayoutEffect, useRef } from "../html.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

export function Dialog({ title, onClose, children, locked = false }) {
  const box = useRef(null);
  const titleId = useId();
  // Before anything is painted: whoever types on at once types into the dialog.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const dialog = box.current;
    dialog.showModal();
    (dialog.querySelector("[data-first]") ?? dialog.querySelector("input, button"))?.focus();
    return () => {
      dialog.close();
      if (opener?.isConnected) opener.focus();
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    if (!locked) onClose();
  };
  return html`
    <dialog ref=${box} class="dialog" aria-labelledby=${titleId} onCancel=${cancel}
      onMouseDown=${(event) => event.target === box.current && cancel(event)}>
      <div class="dialog-inner">
        <div class="dialog-head">
          <h2 id=${titleId}>${title}</h2>
          <button type="button" class="button quiet square" disabled=${locked} aria-label=${t("close")} onClick=${onClose}>
            <${Icon} name="close" />
          </button>
        </div>
        ${children}
      </div>
    </dialog>
  `;
}
