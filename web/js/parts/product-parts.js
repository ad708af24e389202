// What lists of products, a product's page and the cart have in common.
import { html, useState } from "../html.js";
import { add, PIECES_MAX } from "../cart.js";
import { explain } from "../failure.js";
import { money, number, rating } from "../format.js";
import { t } from "../i18n.js";
import { toCart, toProduct, toSignIn } from "../router.js";
import { Icon } from "./icons.js";
import { Picture } from "./picture.js";
import { toast } from "./toast.js";

/** At this many or fewer the page says how many are left. */
const FEW = 5;

/** `single`: one customer's rating, not the mean of several. */
export function Stars({ mean, count, single = false }) {
  if (!single && !count) return html`<span class="rating fine">${t("noRatings")}</span>`;
  const shown = Math.round(mean);
  return html`
    <span class="rating">
      <span class="stars" aria-hidden="true">${[1, 2, 3, 4, 5].map((n) => html`<span key=${n} class=${n <= shown ? "star star-full" : "star"}><${Icon} name="star" /></span>`)}</span>
      <span class="visually-hidden">${single ? t("starsCount", shown) : t("ratingOf", rating(mean))}</span>
      ${!single && html`<span class="fine" aria-hidden="true">${rating(mean)}</span> <span class="fine">(${t("ratingCount", count)})</span>`}
    </span>
  `;
}

export function StockChip({ stock }) {
  const level = stock <= 0 ? "out" : stock <= FEW ? "low" : "ok";
  const text = { out: t("soldOut"), low: t("onlyLeft", stock), ok: t("level.ok") }[level];
  return html`<span class=${`chip chip-${level}`} data-test="stock" data-level=${level}>${text}</span>`;
}

/** Adds and says so; what the cart refuses is shown in the API's own words. `name`: among others, so that it says which. */
export function AddButton({ product, quantity = 1, wide = false, name = false }) {
  const [busy, setBusy] = useState(false);
  async function press() {
    setBusy(true);
    try {
      const inCart = await add(product.id, quantity);
      toast(t(inCart ? "addedToCart" : "putAside", product.nombre), "ok", inCart ? { text: t("toCart"), to: toCart() } : { text: t("signIn"), to: toSignIn() });
    } catch (failure) {
      toast(explain(failure), "alert");
    } finally {
      setBusy(false);
    }
  }
  const out = product.stock <= 0;
  return html`
    <button type="button" class=${`button ${out ? "" : "primary"} ${wide ? "wide" : ""}`} disabled=${busy || out} onClick=${press} data-test="add">
      <${Icon} name="cart" />${t(out ? "soldOut" : busy ? "adding" : "addToCart")}${name && html`<span class="visually-hidden">: ${product.nombre}</span>`}
    </button>
  `;
}

export const ProductCard = ({ product }) => html`
  <li class="card product-card" data-test="product" data-product=${product.id}>
    <a class="product-link" href=${toProduct(product.id)}>
      <${Picture} url=${product.urlImagen} sizes="(max-width: 30rem) 45vw, (max-width: 60rem) 30vw, 16rem" />
      <span class="product-name">${product.nombre}</span>
    </a>
    <${Stars} mean=${product.calificacion} count=${product.cantidadResenas} />
    <span class="product-foot"><b class="price">${money(product.precio, product.moneda)}</b><${StockChip} stock=${product.stock} /></span>
    <${AddButton} product=${product} wide name />
  </li>
`;

/** How many pieces: typed, or by two buttons. `onChange(n)` only ever hears whole numbers within bounds. */
export function Quantity({ value, max = PIECES_MAX, label, disabled = false, onChange }) {
  const [typed, setTyped] = useState(null);
  const bounded = (n) => Math.min(Math.max(n, 1), Math.max(max, 1));
  function settle() {
    if (typed === null) return;
    const n = /^\d{1,4}$/.test(typed.trim()) ? bounded(Number(typed.trim())) : value;
    setTyped(null);
    if (n !== value) onChange(n);
  }
  return html`
    <span class="quantity" role="group" aria-label=${label}>
      <button type="button" class="button quiet square" aria-label=${t("less")} disabled=${disabled || value <= 1} onClick=${() => onChange(value - 1)}><${Icon} name="minus" /></button>
      <input name="quantity" inputmode="numeric" autocomplete="off" maxlength="4" aria-label=${label} disabled=${disabled} value=${typed ?? number(value)}
        onFocus=${(event) => { setTyped(String(value)); event.target.select(); }} onInput=${(event) => setTyped(event.target.value)} onBlur=${settle}
        onKeyDown=${(event) => event.key === "Enter" && event.target.blur()} />
      <button type="button" class="button quiet square" aria-label=${t("more")} disabled=${disabled || value >= max} onClick=${() => onChange(value + 1)}><${Icon} name="plus" /></button>
    </span>
  `;
}
