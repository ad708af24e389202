import { html, useEffect, useState } from "../html.js";
import * as api from "../api.js";
import { explain } from "../failure.js";
import { number, when } from "../format.js";
import { inLanguage, t } from "../i18n.js";
import { language } from "../language.js";
import { Icon } from "../parts/icons.js";
import { ImportProgress, isFinal, KindChips, refusedWhole, StatusChip, statusText } from "../parts/import-parts.js";
import { Announce, Empty, Failure, Skeleton } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { View } from "../parts/view.js";
import { refreshNow, usePoll } from "../poll.js";
import { go, toImport, toImports, toStore } from "../router.js";
import { saveText } from "../save.js";
import { sentFile, uploadFile } from "../upload.js";

const WHILE_RUNNING_MS = 1000;
/** The links in a finished import end after a while; this keeps them fresh. */
const KEEP_LINKS_MS = 240_000;
const AFTER_FAILURE_MS = 5000;
const COUNTERS = ["rows", "created", "changed", "unchanged", "rejected", "stale"];
const REJECTED_STEP = 50;

export function ImportDetail({ id }) {
  const [one, setOne] = useState(null);
  const [failure, setFailure] = useState(null);

  const refresh = usePoll(async (signal) => {
    try {
      const read = await api.oneImport(id, signal);
      setOne(read);
      setFailure(null);
      return isFinal(read) ? KEEP_LINKS_MS : WHILE_RUNNING_MS;
    } catch (cause) {
      if (cause.name === "AbortError") throw cause;
      setFailure(cause);
      return cause.status === 404 ? null : AFTER_FAILURE_MS;
    }
  }, [id, language.get()]);

  const back = html`<a class="back" href=${toImports()}><${Icon} name="back" />${t("imports")}</a>`;
  if (failure?.status === 404) return html`<${View} title=${t("import")} back=${back}><${Empty} icon="imports" title=${t("noSuchImport")} /><//>`;
  const done = one && isFinal(one);
  const lead = one && html`<${StatusChip} one=${one} /> <${KindChips} one=${one} /> <span>${t("startedAt", when(one.createdAt))}</span>`;
  return html`
    <${View} title=${one?.fileName ?? t("import")} back=${back} lead=${lead}>
      ${failure && html`<${Failure} failure=${failure} retry=${refresh} />`}
      ${!one && !failure && html`<${Skeleton} rows=${4} />`}
      ${one && html`
        <${Announce} text=${statusText(one)} />
        ${!done && html`<div class="card import-running"><p>${t(one.status === "pending" ? "waitingForFile" : "working")}</p><${ImportProgress} one=${one} /></div>`}
        ${one.status === "failed" && html`<div class="notice notice-bad" role="alert"><${Icon} name="alert" /><div class="notice-text">
          <p><b>${t(refusedWhole(one) ? "refusedWhole" : "brokeOff")}</b></p><p data-test="failure"><${Reason} one=${one} /></p></div></div>`}
        ${one.dryRun && done && one.status !== "failed" && html`<${DryRunNote} one=${one} />`}
        ${one.status !== "pending" && html`<${Counters} one=${one} />`}
        ${done && one.reportUrl && html`<${Report} id=${id} one=${one} />`}
      `}
    <//>
  `;
}

/** The import says its reason in Spanish alone; its report says it in both languages. */
function Reason({ one }) {
  const [reason, setReason] = useState(null);
  useEffect(() => {
    if (!one.reportUrl) return undefined;
    const stop = new AbortController();
    // Where the report cannot be had, what the import says has to do.
    api.report(one.reportUrl, stop.signal).then(({ failure }) => setReason(failure ?? null), () => {});
    return () => stop.abort();
  }, [one.importId]);
  return inLanguage(reason ?? one.failure);
}

const Counters = ({ one }) => html`
  <dl class="tiles" data-test="counters">
    ${COUNTERS.map((name) => html`<div key=${name} class=${`tile ${name === "rejected" && one.counters?.rejected ? "tile-bad" : ""}`}>
      <dt>${t(one.dryRun && ["created", "changed", "unchanged"].includes(name) ? `counter.dry.${name}` : `counter.${name}`)}</dt>
      <dd data-counter=${name}>${number(one.counters?.[name] ?? 0)}</dd></div>`)}
  </dl>
`;

/** After a dry run: the same file for real, as long as this tab still has it. */
function DryRunNote({ one }) {
  const [busy, setBusy] = useState(false);
  const kept = sentFile(one.importId);
  async function apply() {
    setBusy(true);
    try {
      const id = await uploadFile(kept.file, { mode: kept.mode, store: kept.store, dryRun: false }, { onProgress: () => {} });
      refreshNow();
      go(toImport(id));
    } catch (cause) {
      toast(explain(cause), "alert");
      setBusy(false);
    }
  }
  return html`<div class="notice notice-plain"><${Icon} name="ok" /><p class="notice-text">${t("dryRunDone")}</p>
    ${kept && html`<button type="button" class="button primary" disabled=${busy} onClick=${apply}>${t(busy ? "uploadingShort" : "applyNow")}</button>`}</div>`;
}

function Report({ id, one }) {
  const [report, setReport] = useState(null);
  const [failure, setFailure] = useState(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setFailure(null);
    api.report(one.reportUrl, stop.signal).then(setReport, (cause) => cause.name !== "AbortError" && setFailure(cause));
    return () => stop.abort();
  }, [id, attempt]);

  const stores = Array.isArray(report?.stores) ? report.stores : [];
  const rejected = Array.isArray(report?.rejected) ? report.rejected : [];
  return html`
    <section class="report" aria-label=${t("report")} data-test="report">
      <div class="report-links">
        ${one.rejectedUrl && html`<${Download} url=${one.rejectedUrl} text=${t("downloadRejected")} test="download-rejected" />`}
        <button type="button" class="button" data-test="download-report" disabled=${!report}
          onClick=${() => saveText(`${id}.json`, "application/json", JSON.stringify(report, null, 2))}>
          <${Icon} name="download" />${t("downloadReport")}</button>
        ${!one.dryRun && stores.slice(0, 8).map((store) => html`<a key=${store} class="button" href=${toStore(store)}><${Icon} name="stores" />${store}</a>`)}
      </div>
      ${failure && html`<${Failure} failure=${failure} retry=${() => setAttempt(attempt + 1)} />`}
      ${rejected.length > 0 && html`<${Rejected} rows=${rejected} total=${one.counters?.rejected ?? rejected.length} />`}
      ${report && rejected.length === 0 && one.status === "completed" && html`<p class="all-well"><${Icon} name="ok" />${t("everyRowTaken")}</p>`}
    </section>
  `;
}

/** The link names the file and says that it is to be saved; a tab of its own in case a browser shows it all the same. */
const Download = ({ url, text, test }) => html`
  <a class="button" href=${url} target="_blank" rel="noopener" data-test=${test}><${Icon} name="download" />${text}</a>
`;

function Rejected({ rows, total }) {
  const [shown, setShown] = useState(REJECTED_STEP);
  return html`
    <h2>${t("rejectedRows")}</h2>
    <p class="summary">${t("rejectedAdvice")} ${total > rows.length && t("rejectedKept", rows.length, total)}</p>
    <div class="table-frame">
      <table class="table rejected" role="table" data-test="rejected">
        <caption class="visually-hidden">${t("rejectedRows")}</caption>
        <thead role="rowgroup"><tr role="row">
          ${["line", "column", "value", "reason"].map((name) => html`<th key=${name} role="columnheader" scope="col" class=${name === "line" ? "num" : ""}>${t(`rejected.${name}`)}</th>`)}
        </tr></thead>
        <tbody role="rowgroup">${rows.slice(0, shown).map((row, index) => html`
          <tr role="row" key=${index} data-code=${row.code}>
            <td role="cell" class="num" data-label=${t("rejected.line")}>${number(row.line)}</td>
            <td role="cell" data-label=${t("rejected.column")}>${row.column ?? "–"}</td>
            <td role="cell" data-label=${t("rejected.value")}>${row.value ? html`<code>${row.value}</code>` : html`<span class="muted">${row.column ? t("blank") : "–"}</span>`}</td>
            <td role="cell" data-label=${t("rejected.reason")}>${inLanguage(row.reason) || row.code}</td>
          </tr>`)}</tbody>
      </table>
    </div>
    ${shown < rows.length && html`<p class="more"><button type="button" class="button" onClick=${() => setShown(shown + REJECTED_STEP)}>${t("showMore")}</button></p>`}
  `;
}
