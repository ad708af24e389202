import { html, useEffect } from "../html.js";
import * as api from "../api.js";
import { t } from "../i18n.js";
import { language } from "../language.js";
import { useLoad } from "../load.js";
import { Icon } from "../parts/icons.js";
import { Pager } from "../parts/pager.js";
import { ProductCard } from "../parts/product-parts.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { View } from "../parts/view.js";
import { priceText } from "../price.js";
import { go, goInPlace, toShop } from "../router.js";
import { useTyped } from "../typed.js";

const PER_PAGE = 20;
const ORDERS = ["recientes", "precio_asc", "precio_desc", "calificacion_desc"];

/** What the address asks for. The names are the page's own; the API's stand in `asked`. */
function filterFrom(query) {
  const order = query.get("order");
  return {
    q: query.get("q") ?? "",
    category: query.get("category") ?? "",
    min: query.get("min") ?? "",
    max: query.get("max") ?? "",
    order: ORDERS.includes(order) ? order : "",
    page: Math.max(Number.parseInt(query.get("page") ?? "1", 10) || 1, 1),
  };
}

const asked = ({ q, category, min, max, order, page }) => ({
  q, categoria: category, precioMin: min, precioMax: max, orden: order || ORDERS[0], pagina: page, limite: PER_PAGE,
});

const address = (filter) => toShop({ ...filter, page: filter.page > 1 && filter.page });

/** Where the reader last was in the shop, so that a product's page leads back there. */
let last = toShop();
export const backToShop = () => last;

export function Shop({ query }) {
  const filter = filterFrom(query);
  const found = useLoad((signal) => api.products(asked(filter), signal), [JSON.stringify(filter), language.get()]);
  const categories = useLoad((signal) => api.categories(signal), []);
  useEffect(() => {
    last = address(filter);
  });

  // Typing changes the address in place; a choice is a step that "back" undoes.
  const type = (part) => goInPlace(address({ ...filter, ...part, page: 1 }));
  const choose = (part) => go(address({ ...filter, ...part, page: 1 }));
  const [q, setQ] = useTyped(filter.q, (text) => type({ q: text }));
  const [min, setMin] = useTyped(filter.min, (text) => priceText(text) !== null && type({ min: priceText(text) }));
  const [max, setMax] = useTyped(filter.max, (text) => priceText(text) !== null && type({ max: priceText(text) }));
  const filtered = Boolean(filter.q || filter.category || filter.min || filter.max);
  const { total = 0, totalPaginas = 0 } = found.data?.paginacion ?? {};
  const failed = [found, categories].filter(({ failure }) => failure);
  const clear = () => {
    go(toShop({ order: filter.order }));
  };

  return html`
    <${View} title=${t("shop")} lead=${t("shopLead")}>
      <div class="filters" role="search" aria-label=${t("filters")}>
        <label class="search"><${Icon} name="search" /><span class="visually-hidden">${t("searchProducts")}</span>
          <input type="search" data-test="search" value=${q} placeholder=${t("searchProducts")} maxlength="100" onInput=${(event) => setQ(event.target.value)} />
        </label>
        <label class="filter"><span>${t("category")}</span>
          <select data-test="category" onChange=${(event) => choose({ category: event.target.value })}>
            <option value="" selected=${!filter.category}>${t("everyCategory")}</option>
            ${(categories.data ?? []).map(({ id, nombre }) => html`<option key=${id} value=${id} selected=${id === filter.category}>${nombre}</option>`)}
          </select></label>
        <fieldset class="filter price-range"><legend>${t("price")}</legend>
          ${[["min", min, setMin], ["max", max, setMax]].map(([name, value, set]) => html`
            <input key=${name} name=${name} inputmode="decimal" autocomplete="off" maxlength="12" value=${value} placeholder=${t(`price.${name}`)} aria-label=${t(`price.${name}.label`)}
              aria-invalid=${String(priceText(value) === null)} onInput=${(event) => set(event.target.value)} />`)}
        </fieldset>
        <label class="filter"><span>${t("order")}</span>
          <select data-test="order" onChange=${(event) => choose({ order: event.target.value === ORDERS[0] ? "" : event.target.value })}>
            ${ORDERS.map((order) => html`<option key=${order} value=${order} selected=${order === (filter.order || ORDERS[0])}>${t(`order.${order}`)}</option>`)}
          </select></label>
      </div>
      ${(priceText(min) === null || priceText(max) === null) && html`<p class="problem" role="alert">${t("noPrice")}</p>`}
      ${failed.length > 0 && html`<${Failure} failure=${failed[0].failure} retry=${() => failed.forEach(({ reload }) => reload())} />`}
      ${!found.data && !found.failure && html`<${Skeleton} kind="product" rows=${8} />`}
      ${found.data && html`<p class="summary" role="status" data-test="total">${t("productsFound", total)}${filtered && html` · <button type="button" class="link" onClick=${clear}>${t("everyProduct")}</button>`}</p>`}
      ${found.data?.datos.length === 0 && html`
        <${Empty} icon="search" title=${t(filtered ? "noProductFits" : filter.page > 1 && total ? "noSuchPageOfList" : "noProducts")}>
          ${(filtered || filter.page > 1) && html`<button type="button" class="button" onClick=${clear}>${t("everyProduct")}</button>`}
        <//>`}
      ${found.data && html`<ul class="products" aria-busy=${String(found.loading)}>${found.data.datos.map((product) => html`<${ProductCard} key=${product.id} product=${product} />`)}</ul>`}
      ${found.data && html`<${Pager} page=${filter.page} pages=${totalPaginas} to=${(page) => address({ ...filter, page })} />`}
    <//>
  `;
}
