// What the history and the page of one import both show.
import { html } from "../html.js";
import { percent } from "../format.js";
import { t } from "../i18n.js";

export const isFinal = ({ status }) => !["pending", "running"].includes(status);

const LOOKS = { pending: "plain", running: "plain", completed: "ok", completed_with_errors: "low", failed: "out" };

export const StatusChip = ({ one }) => html`
  <span class=${`chip chip-${LOOKS[one.status] ?? "plain"}`} data-test="status" data-status=${one.status}>${t(`status.${one.status}`)}</span>
`;

export const KindChips = ({ one }) => html`
  <span class="chips"><span class="chip chip-plain">${t(`mode.${one.mode}`)}</span>
  ${one.dryRun && html`<span class="chip chip-plain">${t("dryRunChip")}</span>`}</span>
`;

export const ImportProgress = ({ one }) => html`
  <div class="progress-row">
    <progress max="1" value=${one.status === "pending" ? undefined : one.progress ?? undefined} aria-label=${t("progressOf", one.fileName)}></progress>
    <span class="num">${one.status === "pending" ? "" : percent(one.progress ?? 0)}</span>
  </div>
`;
