import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import * as api from "../api.js";
import { when } from "../format.js";
import { t } from "../i18n.js";
import { AUTOMATIC_MAX, changesBetween, loadLines, SORTABLE, sortLines, withOwnEdits } from "../lines.js";
import { Icon } from "../parts/icons.js";
import { Announce, Empty, Failure, Skeleton } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { View } from "../parts/view.js";
import { usePoll } from "../poll.js";
import { keepInAddress, toStores } from "../router.js";
import { mayEdit } from "../session.js";
import { LineEditor } from "./line-editor.js";
import { LinesTable } from "./lines-table.js";

const EVERY_MS = 4000;
/** A store of many pages is read less often: at most this share of the time goes into reading. */
const READING_SHARE = 0.1;
const SLOWEST_MS = 60_000;
const AFTER_FAILURE_MS = 10_000;
const TYPING_MS = 250;
const HIGHLIGHT_MS = 3000;
/** Holds the place of a line of text that is still to come, so that nothing moves when it does. */
const NOT_YET = "\u00a0";

export function Store({ store, query }) {
  const [typed, setTyped] = useState(query.get("q") ?? "");
  const [q, setQ] = useState(typed.trim());
  const [low, setLow] = useState(query.get("low") === "1");
  const [sort, setSort] = useState(() => sortFrom(query));
  const [max, setMax] = useState(AUTOMATIC_MAX);
  const [editing, setEditing] = useState(null);

  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => {
    const sorted = sort.by !== "item" || sort.down;
    keepInAddress({ q, low: low && "1", sort: sorted && sort.by, dir: sorted && sort.down && "desc" });
  }, [q, low, sort]);

  const stock = useStock(store, q, low, max);
  const totals = useTotals(store);
  const shown = useMemo(() => sortLines(stock.lines ?? [], sort), [stock.lines, sort]);
  const filtered = Boolean(q || low);

  const back = html`<a class="back" href=${toStores()}><${Icon} name="back" />${t("stores")}</a>`;
  if (stock.failure?.status === 404) {
    return html`<${View} title=${store} back=${back}><${Empty} icon="stores" title=${t("noSuchStore")}><p>${t("noSuchStoreText")}</p><//><//>`;
  }
  return html`
    <${View} title=${store} back=${back} lead=${totals ? html`${t("linesCount", totals.lines)} · ${t("lowCount", totals.low)}` : NOT_YET}
      actions=${html`<${Freshness} at=${stock.readAt} failed=${Boolean(stock.failure)} />`}>
      <${Toolbar} typed=${typed} onTyped=${setTyped} low=${low} onLow=${setLow} sort=${sort} onSort=${setSort} />
      ${stock.failure && html`<${Failure} failure=${stock.failure} retry=${stock.refresh} />`}
      ${!stock.lines && !stock.failure && html`<${Skeleton} rows=${8} />`}
      ${stock.lines && html`<${Summary} shown=${shown.length} more=${stock.more} filtered=${filtered} sort=${sort} loading=${stock.loading} total=${totals?.lines} />`}
      ${stock.lines?.length === 0 && html`
        <${Empty} icon="search" title=${t(low && !q ? "nothingLow" : "nothingFound")}>
          ${filtered && html`<button type="button" class="button" onClick=${() => { setTyped(""); setLow(false); }}>${t("clearFilters")}</button>`}
        <//>`}
      ${shown.length > 0 && html`<${LinesTable} lines=${shown} changes=${stock.changes} sort=${sort} onSort=${setSort}
        busy=${stock.loading} onEdit=${mayEdit() ? setEditing : null} />`}
      ${stock.more && !stock.loading && html`
        <p class="more"><button type="button" class="button" onClick=${() => setMax(max + AUTOMATIC_MAX)}>${t("loadMore")}</button></p>`}
      ${editing && html`<${LineEditor} store=${store} line=${stock.lines?.find(({ item }) => item === editing.item) ?? editing}
        onClose=${() => setEditing(null)}
        onSaved=${(line) => { stock.keepEdit(line); setEditing(null); toast(t("saved", line.item)); }} />`}
      <${Announce} text=${stock.news} />
    <//>
  `;
}

function sortFrom(query) {
  const by = query.get("sort");
  return { by: SORTABLE.includes(by) ? by : "item", down: query.get("dir") === "desc" };
}

/** The lines of a store, kept fresh, with the cells that changed since the last reading. */
function useStock(store, q, low, max) {
  const [state, setState] = useState({ lines: null, more: false, loading: true, readAt: null, failure: null });
  const [changes, setChanges] = useState(new Map());
  const [news, setNews] = useState("");
  const held = useRef({ filter: null, lines: [], edits: new Map(), timer: 0 }).current;
  useEffect(() => () => clearTimeout(held.timer), []);

  function highlight(found) {
    if (!found.size) return;
    setChanges(found);
    setNews(t("linesChanged", found.size));
    clearTimeout(held.timer);
    held.timer = setTimeout(() => setChanges(new Map()), HIGHLIGHT_MS);
  }

  function take({ lines, more }, loading) {
    held.lines = withOwnEdits(lines, held.edits);
    setState({ lines: held.lines, more, loading, readAt: new Date(), failure: null });
  }

  const refresh = usePoll(async (signal) => {
    const filter = JSON.stringify([store, q, low, max]);
    const same = held.filter === filter;
    const began = performance.now();
    try {
      if (!same) setState((now) => ({ ...now, loading: true }));
      const before = held.lines;
      const loaded = await loadLines(store, { q, low }, max, signal, same ? null : (page) => take(page, page.more));
      take(loaded, false);
      if (same) highlight(changesBetween(before, held.lines));
      held.filter = filter;
      return Math.min(Math.max(EVERY_MS, (performance.now() - began) / READING_SHARE), SLOWEST_MS);
    } catch (cause) {
      if (cause.name === "AbortError") throw cause;
      setState((now) => ({ ...now, loading: false, failure: cause }));
      return AFTER_FAILURE_MS;
    }
  }, [store, q, low, max]);

  function keepEdit(line) {
    const before = held.lines;
    held.edits.set(line.item, line);
    held.lines = before.map((one) => (one.item === line.item ? line : one));
    setState((now) => ({ ...now, lines: held.lines }));
    highlight(changesBetween(before, held.lines));
  }

  return { ...state, changes, news, refresh, keepEdit };
}

/** How many lines the store has in all, and how many are low. Only an addition: a failure here shows nothing. */
function useTotals(store) {
  const [totals, setTotals] = useState(null);
  usePoll(async (signal) => {
    try {
      let next;
      do {
        const page = await api.stores(next, signal);
        const found = page.stores.find((one) => one.store === store);
        if (found) {
          setTotals(found);
          break;
        }
        next = page.next;
      } while (next);
      return EVERY_MS;
    } catch (cause) {
      if (cause.name === "AbortError") throw cause;
      return AFTER_FAILURE_MS;
    }
  }, [store]);
  return totals;
}

const Freshness = ({ at, failed }) => html`
  <p class=${failed ? "fresh fresh-stale" : "fresh"} title=${t("refreshesItself")}>
    <span class="dot" aria-hidden="true"></span>${at ? t("asOf", when(at.toISOString())) : t("loading")}
  </p>
`;

const Toolbar = ({ typed, onTyped, low, onLow, sort, onSort }) => html`
  <div class="toolbar" role="search">
    <label class="search"><${Icon} name="search" /><span class="visually-hidden">${t("searchItems")}</span>
      <input type="search" data-test="search" value=${typed} placeholder=${t("searchItems")} maxlength="200" onInput=${(event) => onTyped(event.target.value)} />
    </label>
    <label class="switch"><input type="checkbox" role="switch" data-test="only-low" checked=${low} onChange=${(event) => onLow(event.target.checked)} />
      <span class="switch-track" aria-hidden="true"></span>${t("onlyLow")}</label>
    <div class="sort-narrow">
      <label><span class="visually-hidden">${t("sortBy")}</span>
        <select value=${sort.by} onChange=${(event) => onSort({ ...sort, by: event.target.value })}>
          ${SORTABLE.map((by) => html`<option key=${by} value=${by} selected=${by === sort.by}>${t(`column.${by}`)}</option>`)}
        </select></label>
      <button type="button" class="button square" aria-label=${t(sort.down ? "sortedDown" : "sortedUp")} onClick=${() => onSort({ ...sort, down: !sort.down })}>
        <${Icon} name=${sort.down ? "down" : "up"} /></button>
    </div>
  </div>
`;

/** Says honestly what the list covers: search and the low filter cover the whole store, sorting only what is loaded. */
function Summary({ shown, more, filtered, sort, loading, total }) {
  const sortedApart = more && (sort.by !== "item" || sort.down);
  return html`<p class="summary" role="status">
    ${more ? (filtered || !total ? t("firstLines", shown) : t("linesOf", shown, Math.max(total, shown))) : t(filtered ? "matches" : "linesCount", shown)}
    ${loading && html` · ${t("loadingMore")}`}
    ${sortedApart && html` · <span>${t("sortedAmongLoaded")}</span>`}
  </p>`;
}
