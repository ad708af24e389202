import { html, useState } from "../html.js";
import * as api from "../api.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { Icon } from "../parts/icons.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { View } from "../parts/view.js";
import { usePoll } from "../poll.js";
import { toStore } from "../router.js";
import { mayEdit } from "../session.js";
import { openUploader } from "./uploader.js";

const EVERY_MS = 5000;
const AFTER_FAILURE_MS = 10_000;
/** More stores than this and a field to search them helps. */
const SEARCH_FROM = 12;

export function Stores() {
  const [stores, setStores] = useState(null);
  const [failure, setFailure] = useState(null);
  const [search, setSearch] = useState("");

  const refresh = usePoll(async (signal) => {
    try {
      const all = [];
      let next;
      do {
        const page = await api.stores(next, signal);
        all.push(...page.stores);
        next = page.next;
      } while (next);
      setStores(all.sort((a, b) => a.store.localeCompare(b.store)));
      setFailure(null);
      return EVERY_MS;
    } catch (cause) {
      if (cause.name === "AbortError") throw cause;
      setFailure(cause);
      return AFTER_FAILURE_MS;
    }
  }, []);

  const lead = stores?.length > 0 && html`
    ${t("storesSum", stores.length)} · ${t("linesCount", sum(stores, "lines"))} · ${t("lowCount", sum(stores, "low"))}`;
  const shown = (stores ?? []).filter(({ store }) => store.toLocaleLowerCase().includes(search.trim().toLocaleLowerCase()));
  return html`
    <${View} title=${t("stores")} lead=${lead}>
      ${failure && html`<${Failure} failure=${failure} retry=${refresh} />`}
      ${!stores && !failure && html`<${Skeleton} kind="card" rows=${4} />`}
      ${stores?.length === 0 && html`<${NoStores} />`}
      ${stores?.length >= SEARCH_FROM && html`<div class="toolbar"><${StoreSearch} value=${search} onInput=${setSearch} /></div>`}
      ${stores?.length > 0 && shown.length === 0 && html`<${Empty} icon="search" title=${t("noStoreMatches", search)} />`}
      <ul class="cards">${shown.map((store) => html`<${StoreCard} key=${store.store} ...${store} />`)}</ul>
    <//>
  `;
}

const sum = (stores, field) => stores.reduce((total, store) => total + (store[field] ?? 0), 0);

const StoreSearch = ({ value, onInput }) => html`
  <label class="search"><${Icon} name="search" /><span class="visually-hidden">${t("searchStores")}</span>
    <input type="search" value=${value} placeholder=${t("searchStores")} onInput=${(event) => onInput(event.target.value)} />
  </label>
`;

const StoreCard = ({ store, lines, low }) => html`
  <li>
    <a class="card store-card" href=${toStore(store)} data-test="store" data-store=${store}>
      <span class="store-name">${store}</span>
      <span class="store-figures">
        <span><b>${number(lines)}</b> ${t("linesWord", lines)}</span>
        ${low > 0
          ? html`<span class="chip chip-low">${t("lowCount", low)}</span>`
          : html`<span class="chip chip-ok">${t("allStocked")}</span>`}
      </span>
      <meter class=${low > 0 ? "share share-low" : "share"} min="0" max=${Math.max(lines, 1)} value=${Math.max(lines - low, 0)} aria-hidden="true"></meter>
    </a>
  </li>
`;

const NoStores = () => html`
  <${Empty} icon="stores" title=${t("noStores")}>
    <p>${t(mayEdit() ? "noStoresOperator" : "noStoresReader")}</p>
    ${mayEdit() && html`<button type="button" class="button primary" onClick=${() => openUploader([])}>${t("uploadCsv")}</button>`}
  <//>
`;
