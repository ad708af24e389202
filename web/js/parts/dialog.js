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
  /** Esc pressed twice closes it whatever `cancel` says; and taking it away closes it too. */
  const closed = () => {
    if (!box.current) return;
    if (locked) box.current.showModal();
    else onClose();
  };
  return html`
    <dialog ref=${box} class="dialog" aria-labelledby=${titleId} onCancel=${cancel} onClose=${closed}
      onMouseDown=${(event) => event.target === box.current && isBeside(box.current, event) && cancel(event)}>
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

/** The dialog's own scrollbar and edge are no backdrop. */
function isBeside(dialog, { clientX, clientY }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
