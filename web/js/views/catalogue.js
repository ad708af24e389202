import { html, useEffect, useState } from "../html.js";
import * as api from "../api.js";
import { explain, problemsByField } from "../failure.js";
import { money, number } from "../format.js";
import { t } from "../i18n.js";
import { language } from "../language.js";
import { useLoad } from "../load.js";
import { Changes } from "../parts/changes.js";
import { Dialog } from "../parts/dialog.js";
import { Field } from "../parts/field.js";
import { Icon } from "../parts/icons.js";
import { Pager } from "../parts/pager.js";
import { Picture } from "../parts/picture.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { focusHeading, View } from "../parts/view.js";
import { differences, formOf, LISTED, SHARED, TRIES } from "../product-form.js";
import { goInPlace, toCatalogue, toCatalogueProduct } from "../router.js";
import { useTyped } from "../typed.js";

const PER_PAGE = 50;
/** The API's own bound. */
const CATEGORY_CHARS_MAX = 60;

export function Catalogue({ query }) {
  const q = query.get("q") ?? "";
  const page = Math.max(Number.parseInt(query.get("page") ?? "1", 10) || 1, 1);
  const found = useLoad((signal) => api.products({ q, pagina: page, limite: PER_PAGE }, signal), [q, page, language.get()]);
  const categories = useLoad((signal) => api.categories(signal), []);
  const [typed, setTyped] = useTyped(q, (text) => goInPlace(toCatalogue({ q: text })));
  const [deleting, setDeleting] = useState(null);
  const [sorting, setSorting] = useState(false);
  const toPage = (target) => toCatalogue({ q, page: target > 1 && target });
  const nameOf = (id) => categories.data?.find((one) => one.id === id)?.nombre ?? id;

  function deleted(product) {
    setDeleting(null);
    toast(t("deleted", product.nombre));
    // Once the dialog is gone: the button it was opened with goes too.
    requestAnimationFrame(focusHeading);
    // The list may lag behind for a moment: what was deleted here is gone here.
    const { datos, paginacion } = found.data;
    const left = paginacion.total - 1;
    found.set({ datos: datos.filter(({ id }) => id !== product.id), paginacion: { ...paginacion, total: left, totalPaginas: Math.ceil(left / paginacion.limite) } });
  }

  const { pagina, total = 0, totalPaginas = 0 } = found.data?.paginacion ?? {};
  // As after deleting the last product of the last page. What was read for another page says nothing about this one.
  const pastEnd = pagina === page && page > totalPaginas && total > 0;
  useEffect(() => {
    if (pastEnd) goInPlace(toPage(totalPaginas));
  }, [pastEnd]);

  return html`
    <${View} title=${t("catalogue")} lead=${found.data && t("productsFound", total)}
      actions=${html`<button type="button" class="button" data-test="categories" onClick=${() => setSorting(true)}><${Icon} name="tag" />${t("categories")}</button>
        <a class="button primary" href=${toCatalogueProduct()} data-test="new-product"><${Icon} name="plus" />${t("newProduct")}</a>`}>
      <div class="toolbar" role="search"><label class="search"><${Icon} name="search" /><span class="visually-hidden">${t("searchProducts")}</span>
        <input type="search" data-test="search" value=${typed} placeholder=${t("searchProducts")} maxlength="100" onInput=${(event) => setTyped(event.target.value)} /></label></div>
      ${found.failure && html`<${Failure} failure=${found.failure} retry=${found.reload} />`}
      ${!found.data && !found.failure && html`<${Skeleton} rows=${8} />`}
      ${found.data?.datos.length === 0 && !pastEnd && html`<${Empty} icon="tag" title=${t(total ? "noSuchPageOfList" : q ? "noProductFits" : "noProducts")} />`}
      ${found.data?.datos.length > 0 && html`
        <div class="table-frame"><table class="table catalogue" role="table" aria-busy=${String(found.loading)} data-test="catalogue">
          <caption class="visually-hidden">${t("catalogue")}</caption>
          <thead role="rowgroup"><tr role="row">
            <th role="columnheader" scope="col"><span class="visually-hidden">${t("image")}</span></th>
            ${["product", "category", "price", "stock"].map((name) => html`<th key=${name} role="columnheader" scope="col" class=${["price", "stock"].includes(name) ? "num" : ""}>${t(name)}</th>`)}
            <th role="columnheader" scope="col"><span class="visually-hidden">${t("actions")}</span></th>
          </tr></thead>
          <tbody role="rowgroup">${found.data.datos.map((product) => html`
            <tr role="row" key=${product.id} data-product=${product.id}>
              <td role="cell" class="catalogue-picture"><${Picture} url=${product.urlImagen} sizes="3rem" /></td>
              <th role="rowheader" scope="row" class="item"><a href=${toCatalogueProduct(product.id)}>${product.nombre}</a></th>
              <td role="cell" data-label=${t("category")}>${nameOf(product.categoria)}</td>
              <td role="cell" class="num" data-label=${t("price")}>${money(product.precio, product.moneda)}</td>
              <td role="cell" class="num" data-label=${t("stock")}>${number(product.stock)}</td>
              <td role="cell" class="row-action"><button type="button" class="button quiet square" aria-label=${t("deleteNamed", product.nombre)} title=${t("delete")} data-test="delete"
                onClick=${() => setDeleting(product)}><${Icon} name="trash" /></button></td>
            </tr>`)}</tbody>
        </table></div>`}
      ${found.data && html`<${Pager} page=${page} pages=${totalPaginas} to=${toPage} />`}
      ${deleting && html`<${DeleteDialog} product=${deleting} onClose=${() => setDeleting(null)} onDeleted=${deleted} />`}
      ${sorting && html`<${Categories} all=${categories.data ?? []} failure=${categories.failure} retry=${categories.reload} onAdded=${(one) => (categories.data ? categories.set([...categories.data, one]) : categories.reload())} onClose=${() => setSorting(false)} />`}
    <//>
  `;
}

/** `etag`: of `product` as the reader sees it; null where that is a row of the list, which has none. */
export function DeleteDialog({ product, etag = null, onClose, onDeleted }) {
  const [seen, setSeen] = useState({ form: formOf(product), fields: etag ? SHARED : LISTED, etag });
  const [theirs, setTheirs] = useState([]);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(null);
  async function press() {
    setBusy(true);
    setFailure(null);
    try {
      if (await remove()) onDeleted(product);
      else setBusy(false);
    } catch (cause) {
      // Somebody else was faster: it is gone, as was wanted.
      if (cause.status === 404) onDeleted(product);
      else {
        setFailure(cause);
        setBusy(false);
      }
    }
  }

  /** Only as it was seen. False where somebody else has changed it: then that is shown, and nothing is deleted. */
  async function remove() {
    let from = seen.etag;
    for (let tries = 1; ; tries += 1) {
      try {
        if (from) {
          await api.deleteProduct(product.id, from);
          return true;
        }
      } catch (cause) {
        if (cause.status !== 412 || tries >= TRIES) throw cause;
      }
      const now = await api.product(product.id);
      const changes = differences(seen.form, formOf(now.data), seen.fields);
      if (changes.length) {
        setTheirs(changes);
        setSeen({ form: formOf(now.data), fields: SHARED, etag: now.etag });
        return false;
      }
      from = now.etag;
    }
  }

  return html`
    <${Dialog} title=${t("deleteQuestion", product.nombre)} onClose=${onClose} locked=${busy}>
      <div class="dialog-body" data-test="delete-dialog">
        <p>${t("deleteText")}</p>
        ${theirs.length > 0 && html`<div class="notice notice-warn" role="alert" data-test="conflict"><${Icon} name="alert" /><div class="notice-text">
          <p><b>${t("productChangedMeanwhile")}</b></p><${Changes} all=${theirs} /></div></div>`}
        ${failure && html`<${Failure} failure=${failure} />`}
        <div class="dialog-actions">
          <button type="button" class="button" data-first disabled=${busy} onClick=${onClose}>${t("cancel")}</button>
          <button type="button" class="button danger" disabled=${busy} onClick=${press} data-test="confirm-delete"><${Icon} name="trash" />${t(busy ? "deleting" : theirs.length ? "deleteAnyway" : "delete")}</button>
        </div>
      </div>
    <//>
  `;
}

function Categories({ all, failure, retry, onAdded, onClose }) {
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState(null);
  const problems = refused ? problemsByField(refused).nombre ?? [explain(refused)] : [];
  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    try {
      onAdded(await api.makeCategory(name.trim()));
      setName("");
    } catch (cause) {
      setRefused(cause);
    }
    setBusy(false);
  }
  return html`
    <${Dialog} title=${t("categories")} onClose=${onClose} locked=${busy}>
      ${failure && html`<${Failure} failure=${failure} retry=${retry} />`}
      <ul class="chips category-list" data-test="category-list">${all.map(({ id, nombre }) => html`<li key=${id} class="chip chip-plain">${nombre}</li>`)}</ul>
      <form onSubmit=${submit} novalidate data-test="new-category">
        <${Field} label=${t("newCategory")} name="nombre" problems=${problems}
          input=${(its) => html`<input ...${its} data-first autocomplete="off" maxlength=${CATEGORY_CHARS_MAX} disabled=${busy} value=${name} onInput=${(event) => setName(event.target.value)} />`} />
        <div class="dialog-actions"><button type="button" class="button" onClick=${onClose}>${t("close")}</button>
          <button class="button primary" disabled=${busy}>${t(busy ? "saving" : "add")}</button></div>
      </form>
    <//>
  `;
}
