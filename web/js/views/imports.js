import { html, useRef, useState } from "../html.js";
import * as api from "../api.js";
import { when, whenInFull } from "../format.js";
import { inLanguage, t } from "../i18n.js";
import { language } from "../language.js";
import { ImportProgress, isFinal, KindChips, refusedWhole, StatusChip } from "../parts/import-parts.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { View } from "../parts/view.js";
import { usePoll } from "../poll.js";
import { toImport } from "../router.js";
import { openUploader } from "./uploader.js";

const EVERY_MS = 8000;
const WHILE_RUNNING_MS = 2000;
const AFTER_FAILURE_MS = 10_000;

export function Imports() {
  const [newest, setNewest] = useState(null);
  const [older, setOlder] = useState({ imports: [], next: null, loading: false });
  const [failure, setFailure] = useState(null);
  const paged = useRef(false);

  const refresh = usePoll(async (signal) => {
    try {
      const page = await api.imports(undefined, signal);
      setNewest(page.imports);
      // The first page moves on as imports come in; the pages behind it keep the cursor they were read with.
      if (!paged.current) setOlder({ imports: [], next: page.next ?? null, loading: false });
      setFailure(null);
      return page.imports.every(isFinal) ? EVERY_MS : WHILE_RUNNING_MS;
    } catch (cause) {
      if (cause.name === "AbortError") throw cause;
      setFailure(cause);
      return AFTER_FAILURE_MS;
    }
  }, [language.get()]);

  async function loadOlder() {
    // What slides off the first page from now on is kept here too, so that nothing drops out between the pages.
    const kept = paged.current ? older.imports : newest;
    paged.current = true;
    setOlder({ ...older, loading: true });
    try {
      const page = await api.imports(older.next);
      setOlder({ imports: [...kept, ...page.imports], next: page.next ?? null, loading: false });
    } catch (cause) {
      setFailure(cause);
      setOlder({ ...older, loading: false });
    }
  }

  const seen = new Set();
  const all = [...(newest ?? []), ...older.imports].filter(({ importId }) => !seen.has(importId) && seen.add(importId));
  return html`
    <${View} title=${t("imports")} lead=${t("importsLead")}>
      ${failure && html`<${Failure} failure=${failure} retry=${refresh} />`}
      ${!newest && !failure && html`<${Skeleton} rows=${6} />`}
      ${newest?.length === 0 && html`<${Empty} icon="imports" title=${t("noImports")}>
        <p>${t("noImportsText")}</p><button type="button" class="button primary" onClick=${() => openUploader([])}>${t("uploadCsv")}</button><//>`}
      ${all.length > 0 && html`<${History} imports=${all} />`}
      ${older.next && html`<p class="more"><button type="button" class="button" data-test="older" disabled=${older.loading} onClick=${loadOlder}>
        ${t(older.loading ? "loading" : "olderImports")}</button></p>`}
    <//>
  `;
}

const History = ({ imports }) => html`
  <div class="table-frame">
    <table class="table history" role="table" data-test="imports">
      <caption class="visually-hidden">${t("imports")}</caption>
      <thead role="rowgroup"><tr role="row">
        ${["file", "status", "result", "started"].map((column) => html`<th key=${column} role="columnheader" scope="col">${t(`history.${column}`)}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">${imports.map((one) => html`<${HistoryRow} key=${one.importId} one=${one} />`)}</tbody>
    </table>
  </div>
`;

const HistoryRow = ({ one }) => html`
  <tr role="row" data-import=${one.importId}>
    <th role="rowheader" scope="row" class="item"><a href=${toImport(one.importId)}>${one.fileName}</a><${KindChips} one=${one} /></th>
    <td role="cell" data-label=${t("history.status")}><${StatusChip} one=${one} /></td>
    <td role="cell" data-label=${t("history.result")}>${isFinal(one) ? html`<span>${resultOf(one)}</span>` : html`<${ImportProgress} one=${one} />`}</td>
    <td role="cell" data-label=${t("history.started")} class="muted"><time datetime=${one.createdAt} title=${whenInFull(one.createdAt)}>${when(one.createdAt)}</time></td>
  </tr>
`;

function resultOf(one) {
  // The list has the reason in Spanish alone; the import's own page has it in both languages.
  if (refusedWhole(one)) return (language.get() === "es" && inLanguage(one.failure)) || t("nothingChanged");
  const { rows = 0, created = 0, changed = 0, rejected = 0 } = one.counters ?? {};
  const parts = [t("rowsCount", rows)];
  if (created) parts.push(t("createdCount", created));
  if (changed) parts.push(t("changedCount", changed));
  if (rejected) parts.push(t("rejectedCount", rejected));
  if (!created && !changed && !rejected && one.status !== "failed") parts.push(t("nothingChanged"));
  return parts.join(" · ");
}
