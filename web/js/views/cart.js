import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import * as api from "../api.js";
import { applyCoupon, cart, kept, missed, pieces, PIECES_MAX, putAside, remove, removeCoupon, setQuantity, takeOver } from "../cart.js";
import { times } from "../currency.js";
import { explain } from "../failure.js";
import { money } from "../format.js";
import { t } from "../i18n.js";
import { language } from "../language.js";
import { useLoad } from "../load.js";
import { Icon } from "../parts/icons.js";
import { Picture } from "../parts/picture.js";
import { Quantity } from "../parts/product-parts.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { focusHeading, View } from "../parts/view.js";
import { usePoll } from "../poll.js";
import { toProduct, toShop, toSignIn, toSignUp } from "../router.js";
import { expired, session } from "../session.js";
import { useSignal } from "../signal.js";

/** Prices, stock and the customer's other devices move while the cart is looked at. */
const EVERY_MS = 15_000;
const AFTER_FAILURE_MS = 10_000;

export const Cart = () => (useSignal(session) ? html`<${OwnCart} />` : html`<${KeptCart} />`);

const Nothing = () => html`<${Empty} icon="cart" title=${t("emptyCart")}><a class="button primary" href=${toShop()}>${t("toShop")}</a><//>`;

function OwnCart() {
  const now = useSignal(cart);
  const waiting = useSignal(kept);
  const notAdded = useSignal(missed);
  const [failure, setFailure] = useState(null);
  const [problems, setProblems] = useState({});
  const [busy, setBusy] = useState("");

  const again = usePoll(async () => {
    try {
      // Nearly always only a reading: what was put aside is taken over when somebody signs in, unless that went wrong.
      await takeOver();
      setFailure(null);
      return EVERY_MS;
    } catch (cause) {
      setFailure(cause);
      return AFTER_FAILURE_MS;
    }
  }, [language.get()]);
  useEffect(() => () => missed.set([]), []);

  /** A change of one line; what is refused is said beside that line. */
  async function change(id, work) {
    setBusy(id);
    setProblems((known) => ({ ...known, [id]: "" }));
    try {
      await work();
    } catch (cause) {
      setProblems((known) => ({ ...known, [id]: explain(cause) }));
    } finally {
      setBusy("");
    }
  }

  return html`
    <${View} title=${t("cart")}>
      ${failure && html`<${Failure} failure=${failure} retry=${again} />`}
      ${failure && waiting.length > 0 && html`<p class="notice notice-plain" data-test="waiting"><${Icon} name="cart" /><span class="notice-text">${t("stillPutAside", pieces(waiting))}</span></p>`}
      ${notAdded.length > 0 && html`<div class="notice notice-warn" role="alert" data-test="missed"><${Icon} name="alert" /><div class="notice-text">
        <p><b>${t("notAllTakenOver")}</b></p><ul>${notAdded.map(({ productoId, why }) => html`<li key=${productoId}>${why} <a href=${toProduct(productoId)}>${t("lookAtIt")}</a></li>`)}</ul></div></div>`}
      ${!now && !failure && html`<${Skeleton} rows=${4} />`}
      ${now?.items.length === 0 && waiting.length === 0 && html`<${Nothing} />`}
      ${now?.items.length > 0 && html`
        <div class="cart-page">
          <ul class="cart-lines" data-test="cart-lines">${now.items.map((line) => html`
            <${CartLine} key=${line.productoId} line=${line} currency=${now.moneda} busy=${busy === line.productoId} problem=${problems[line.productoId]}
              max=${line.disponible === false ? line.cantidad : PIECES_MAX}
              onQuantity=${(n) => change(line.productoId, () => setQuantity(line.productoId, n))} onRemove=${() => change(line.productoId, () => remove(line.productoId).then(focusHeading))} />`)}</ul>
          <aside class="card totals" aria-label=${t("summary")} data-test="totals">
            <h2>${t("summary")}</h2>
            <${Totals} now=${now} />
            <${Coupon} coupon=${now.cupon} />
          </aside>
        </div>`}
    <//>
  `;
}

function CartLine({ line, currency, max, busy, problem, onQuantity, onRemove }) {
  // Two quick presses are two steps: the second one counts from what was asked for, not from the last answer.
  const [wanted, setWanted] = useState(null);
  const asked = useRef(0);
  async function take(n) {
    asked.current += 1;
    const mine = asked.current;
    setWanted(n);
    await onQuantity(n);
    if (asked.current === mine) setWanted(null);
  }
  // No part of the sums, and its price may be in another currency than they are; `aviso` says why.
  const gone = line.disponible === false;
  const dearer = line.precioAnterior !== undefined && line.precio > line.precioAnterior;
  return html`
    <li class=${`card cart-line ${gone ? "cart-line-gone" : ""}`} data-test="cart-line" data-product=${line.productoId} aria-busy=${String(busy)}>
      <${Picture} url=${line.urlImagen} sizes="5rem" />
      <div class="cart-line-what">
        ${gone ? html`<b>${line.nombre}</b>` : html`<a href=${toProduct(line.productoId)}>${line.nombre}</a>`}
        ${!gone && html`<span class="fine">${t("each", money(line.precio, currency))}</span>`}
        ${!gone && line.precioAnterior !== undefined && html`<p class="line-note" data-test="moved"><${Icon} name="tag" />${t(dearer ? "dearerNow" : "cheaperNow", money(line.precioAnterior, currency))}</p>`}
        ${line.aviso && html`<p class="line-note line-note-bad" data-test="short"><${Icon} name="alert" />${line.aviso}
          ${line.existencias > 0 && html` <button type="button" class="link" disabled=${busy} onClick=${() => onQuantity(line.existencias)}>${t("takeAll", line.existencias)}</button>`}</p>`}
        <p class="problem" role="alert">${problem}</p>
      </div>
      <div class="cart-line-end">
        <b class="price">${gone ? "–" : money(times(line.precio, line.cantidad, currency), currency)}</b>
        ${!gone && html`<${Quantity} value=${wanted ?? line.cantidad} max=${max} label=${t("quantityOf", line.nombre)} onChange=${take} />`}
        <button type="button" class="button quiet square" disabled=${busy} aria-label=${t("removeNamed", line.nombre)} title=${t("remove")} data-test="remove" onClick=${onRemove}><${Icon} name="trash" /></button>
      </div>
    </li>
  `;
}

/** The API's own figures: nothing is added up here. */
const Totals = ({ now }) => html`
  <dl class="sums">
    <div><dt>${t("subtotal")}</dt><dd data-sum="subtotal">${money(now.subtotal, now.moneda)}</dd></div>
    ${now.descuento > 0 && html`<div><dt>${t("discount")}</dt><dd data-sum="descuento">−${money(now.descuento, now.moneda)}</dd></div>`}
    <div><dt>${t("tax")}</dt><dd data-sum="impuesto">${money(now.impuesto, now.moneda)}</dd></div>
    <div><dt>${t("shipping")}</dt><dd data-sum="envio">${now.envio > 0 ? money(now.envio, now.moneda) : t("free")}</dd></div>
    <div class="sum-total"><dt>${t("total")}</dt><dd data-sum="total">${money(now.total, now.moneda)}</dd></div>
  </dl>
`;

function Coupon({ coupon }) {
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const box = useRef(null);
  const acted = useRef(false);
  useLayoutEffect(() => {
    // The control that had the focus is gone or was out of use; the one in its place goes on.
    if (busy || !acted.current) return;
    acted.current = false;
    if (document.activeElement === document.body) box.current?.querySelector("input, button")?.focus();
  }, [busy]);
  async function run(work) {
    setBusy(true);
    setProblem("");
    acted.current = true;
    try {
      await work();
      setCode("");
    } catch (failure) {
      setProblem(explain(failure));
    } finally {
      setBusy(false);
    }
  }
  function submit(event) {
    event.preventDefault();
    if (code.trim()) run(() => applyCoupon(code.trim()));
    else setProblem(t("couponNeeded"));
  }
  if (coupon) {
    return html`
      <div ref=${box} class="coupon" data-test="coupon" data-applied=${String(coupon.aplicado)}>
        <p><${Icon} name="tag" /> ${t("coupon")} <code>${coupon.codigo}</code></p>
        <button type="button" class="button quiet" disabled=${busy} onClick=${() => run(removeCoupon)} data-test="remove-coupon">${t("remove")}</button>
        ${!coupon.aplicado && html`<p class="line-note line-note-bad"><${Icon} name="alert" />${coupon.aviso}</p>`}
        <p class="problem" role="alert">${problem}</p>
      </div>
    `;
  }
  return html`
    <form ref=${box} class="coupon" onSubmit=${submit} novalidate>
      <label class="field">${t("coupon")}
        <input name="coupon" autocomplete="off" autocapitalize="characters" spellcheck=${false} maxlength="64" value=${code} disabled=${busy}
          aria-invalid=${String(Boolean(problem))} aria-describedby="coupon-problem" onInput=${(event) => setCode(event.target.value)} />
      </label>
      <button class="button" disabled=${busy}>${t("apply")}</button>
      <p id="coupon-problem" class="problem" role="alert">${problem}</p>
    </form>
  `;
}

/** Before signing in: what was put aside, at the catalogue's prices of now. Nothing is reserved and nothing is summed up. */
function KeptCart() {
  const lines = useSignal(kept);
  const ended = useSignal(expired);
  const ids = lines.map(({ productoId }) => productoId);
  const found = useLoad(async (signal) => {
    const read = (id) => api.product(id, signal).then(({ data }) => [id, data], (failure) => {
      if ([400, 404].includes(failure.status)) return [id, null];
      throw failure;
    });
    return new Map(await Promise.all(ids.map(read)));
  }, [ids.join(" "), language.get()]);

  return html`
    <${View} title=${t("cart")}>
      ${found.failure && html`<${Failure} failure=${found.failure} retry=${found.reload} />`}
      ${ended && html`<p class="notice notice-plain" role="status"><${Icon} name="alert" /><span class="notice-text">${t("cartAfterSession")}</span>
        <a class="button" href=${toSignIn()}>${t("signIn")}</a></p>`}
      ${lines.length === 0 && !ended && html`<${Nothing} />`}
      ${lines.length > 0 && html`
        <div class="cart-page">
          <ul class="cart-lines" data-test="cart-lines">${lines.map(({ productoId, cantidad }) => html`
            <${KeptLine} key=${productoId} id=${productoId} quantity=${cantidad} product=${found.data?.get(productoId)} />`)}</ul>
          <aside class="card totals"><h2>${t("signInToBuy")}</h2><p>${t("signInToBuyText")}</p>
            <a class="button primary wide" href=${toSignIn()} data-test="cart-sign-in">${t("signIn")}</a>
            <a class="button wide" href=${toSignUp()}>${t("signUp")}</a></aside>
        </div>`}
    <//>
  `;
}

/** `product`: undefined while it is read, null where it is gone. */
const KeptLine = ({ id, quantity, product }) => html`
  <li class="card cart-line" data-test="cart-line" data-product=${id}>
    <${Picture} url=${product?.urlImagen} sizes="5rem" />
    <div class="cart-line-what">
      ${product ? html`<a href=${toProduct(id)}>${product.nombre}</a>` : html`<span class="muted">${t(product === null ? "noSuchProduct" : "loading")}</span>`}
      ${product && html`<span class="fine">${t("each", money(product.precio, product.moneda))}</span>`}
      ${product && product.stock < quantity && html`<p class="line-note line-note-bad" data-test="short"><${Icon} name="alert" />${product.stock > 0 ? t("onlyLeft", product.stock) : t("soldOut")}</p>`}
    </div>
    <div class="cart-line-end">
      ${product && html`<b class="price">${money(times(product.precio, quantity, product.moneda), product.moneda)}</b>
        <${Quantity} value=${quantity} label=${t("quantityOf", product.nombre)} onChange=${(n) => putAside(id, n)} />`}
      <button type="button" class="button quiet square" aria-label=${t("removeNamed", product?.nombre ?? "")} title=${t("remove")} data-test="remove" onClick=${() => { putAside(id, 0); focusHeading(); }}><${Icon} name="trash" /></button>
    </div>
  </li>
`;
