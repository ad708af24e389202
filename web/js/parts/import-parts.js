// What the history and the page of one import both show.
import { html } from "../html.js";
import { percent } from "../format.js";
import { t } from "../i18n.js";

export const isFinal = ({ status }) => !["pending", "running"].includes(status);

/** Failed before its first row. Another import that failed broke off on its way, and what it had written stays. */
export const refusedWhole = ({ status, counters }) => status === "failed" && Object.values(counters ?? {}).every((n) => n === 0);

export const statusText = (one) => t(one.status === "failed" && !refusedWhole(one) ? "status.brokenOff" : `status.${one.status}`);

const LOOKS = { pending: "plain", running: "plain", completed: "ok", completed_with_errors: "low", failed: "out" };

export const StatusChip = ({ one }) => html`
  <span class=${`chip chip-${LOOKS[one.status] ?? "plain"}`} data-test="status" data-status=${one.status}>${statusText(one)}</span>
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
