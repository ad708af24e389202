import { html, useState } from "../html.js";
import * as api from "../api.js";
import { PIECES_MAX } from "../cart.js";
import { money } from "../format.js";
import { t } from "../i18n.js";
import { language } from "../language.js";
import { useLoad } from "../load.js";
import { Icon } from "../parts/icons.js";
import { Picture } from "../parts/picture.js";
import { AddButton, ProductCard, Quantity, Stars, StockChip } from "../parts/product-parts.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { View } from "../parts/view.js";
import { toCatalogueProduct } from "../router.js";
import { mayManage } from "../session.js";
import { Reviews } from "./reviews.js";
import { backToShop } from "./shop.js";

export function Product({ id }) {
  const read = useLoad(async (signal) => (await api.product(id, signal)).data, [id, language.get()]);
  const [quantity, setQuantity] = useState(1);
  const back = html`<a class="back" href=${backToShop()}><${Icon} name="back" />${t("shop")}</a>`;
  const product = read.data;
  if (read.failure && [400, 404].includes(read.failure.status)) {
    return html`<${View} title=${t("product")} back=${back}><${Empty} icon="shop" title=${t("noSuchProduct")}><p>${t("noSuchProductText")}</p><//><//>`;
  }
  return html`
    <${View} title=${product?.nombre ?? t("product")} back=${back}
      lead=${product && html`<a class="to-reviews" href="#reviews" onClick=${toReviews}><${Stars} mean=${product.calificacion} count=${product.cantidadResenas} /></a>`}
      actions=${product && mayManage() && html`<a class="button" href=${toCatalogueProduct(id)}><${Icon} name="edit" />${t("edit")}</a>`}>
      ${read.failure && html`<${Failure} failure=${read.failure} retry=${read.reload} />`}
      ${!product && !read.failure && html`<${Skeleton} rows=${6} />`}
      ${product && html`
        <div class="product-page">
          <${Gallery} name=${product.nombre} urls=${imagesOf(product)} />
          <div class="product-facts">
            <p class="price price-large" data-test="price">${money(product.precio, product.moneda)}</p>
            <p><${StockChip} stock=${product.stock} /></p>
            ${product.stock > 0 && html`<div class="product-buy">
              <${Quantity} value=${quantity} max=${Math.min(product.stock, PIECES_MAX)} label=${t("quantity")} onChange=${setQuantity} />
              <${AddButton} product=${product} quantity=${quantity} /></div>`}
            <p class="description">${product.descripcion}</p>
            ${product.etiquetas?.length > 0 && html`<ul class="chips" aria-label=${t("tags")}>${product.etiquetas.map((tag) => html`<li key=${tag} class="chip chip-plain">${tag}</li>`)}</ul>`}
            <${Specifications} all=${product.especificaciones ?? {}} sku=${product.sku} />
          </div>
        </div>
        <${Reviews} product=${product} onWritten=${read.reload} />
        <${Related} id=${id} />
      `}
    <//>
  `;
}

/** The view is in the hash, so a link within the page has to scroll by itself. */
function toReviews(event) {
  event.preventDefault();
  const heading = document.getElementById("reviews");
  heading?.scrollIntoView({ behavior: "smooth" });
  heading?.focus({ preventScroll: true });
}

const imagesOf = ({ imagenes, urlImagen }) => (imagenes?.length ? imagenes : [urlImagen].filter(Boolean));

function Gallery({ name, urls }) {
  const [chosen, setChosen] = useState(0);
  const shown = Math.min(chosen, Math.max(urls.length - 1, 0));
  return html`
    <div class="gallery">
      <${Picture} url=${urls[shown]} alt=${name} sizes="(max-width: 47rem) 92vw, 32rem" eager />
      ${urls.length > 1 && html`<ul class="thumbs">${urls.map((url, index) => html`<li key=${url}>
        <button type="button" class="thumb" aria-label=${t("imageOf", index + 1, urls.length)} aria-pressed=${String(index === shown)} onClick=${() => setChosen(index)}>
          <${Picture} url=${url} sizes="4.5rem" /></button></li>`)}</ul>`}
    </div>
  `;
}

function Specifications({ all, sku }) {
  const rows = Object.entries(all);
  if (sku) rows.push([t("sku"), sku]);
  return rows.length > 0 && html`
    <h2>${t("specifications")}</h2>
    <dl class="specifications">${rows.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
  `;
}

/** Only an addition: where it fails or finds nothing, nothing is shown. */
function Related({ id }) {
  const { data } = useLoad((signal) => api.relatedProducts(id, signal), [id]);
  return data?.length > 0 && html`
    <section class="related" aria-labelledby="related"><h2 id="related">${t("related")}</h2>
      <ul class="products">${data.slice(0, 4).map((product) => html`<${ProductCard} key=${product.id} product=${product} />`)}</ul>
    </section>
  `;
}
