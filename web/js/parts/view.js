// The frame of every view: its heading, the page's title, and where the focus goes when the view changes.
import { html, useEffect, useLayoutEffect, useRef } from "../html.js";

let firstView = true;

/** For what takes away the control that has the focus: reading goes on from the view's heading. */
export const focusHeading = () => document.querySelector("h1")?.focus({ preventScroll: true });

export function View({ title, lead, back, actions, children }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${title} · Almacén`;
  }, [title]);
  // Before the first paint: later the reader may already be at another control.
  useLayoutEffect(() => {
    // After a navigation a screen reader starts at the heading; on the first load it starts at the top by itself.
    if (!firstView) heading.current?.focus({ preventScroll: true });
    firstView = false;
    scrollTo(0, 0);
  }, []);
  return html`
    <main id="main" class="view">
      <div class="view-head">
        <div class="view-titles">
          ${back}
          <h1 ref=${heading} tabindex="-1">${title}</h1>
          ${lead && html`<div class="lead">${lead}</div>`}
        </div>
        ${actions && html`<div class="view-actions">${actions}</div>`}
      </div>
      ${children}
    </main>
  `;
}
