// The states between "asked" and "here it is": loading, nothing, failed. Each says what to do next.
import { html, useEffect, useState } from "../html.js";
import { explain } from "../failure.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

export const Skeleton = ({ rows = 6, kind = "row" }) => html`
  <div class=${`skeletons skeletons-${kind}`} role="status">
    <span class="visually-hidden">${t("loading")}</span>
    ${Array.from({ length: rows }, (_, i) => html`<div key=${i} class="skeleton" aria-hidden="true"></div>`)}
  </div>
`;

export const Empty = ({ icon = "box", title, children }) => html`
  <div class="empty"><${Icon} name=${icon} /><p class="empty-title">${title}</p>${children}</div>
`;

export const Failure = ({ failure, retry }) => html`
  <div class="notice notice-bad" role="alert">
    <${Icon} name="alert" />
    <div class="notice-text">
      <p>${explain(failure)}</p>
      ${failure.requestId && html`<p class="fine">${t("reference")} <code>${failure.requestId}</code></p>`}
    </div>
    ${retry && html`<button type="button" class="button" onClick=${retry}>${t("retry")}</button>`}
  </div>
`;

/** A standing line for the reader of a screen: says `text` whenever it changes. */
export const Announce = ({ text }) => html`<p class="visually-hidden" role="status" aria-live="polite">${text}</p>`;

export function OfflineBar() {
  const [online, setOnline] = useState(navigator.onLine !== false);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine !== false);
    addEventListener("online", look);
    addEventListener("offline", look);
    return () => {
      removeEventListener("online", look);
      removeEventListener("offline", look);
    };
  }, []);
  return html`<div role="status">${!online && html`<p class="offline"><${Icon} name="offline" />${t("offlineBar")}</p>`}</div>`;
}
