// The shell: header, the view the address asks for, and the two things that can happen anywhere — a dropped file, a toast.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { cart, kept, missed, pieces, takeOver } from "./cart.js";
import { getConfig } from "./config.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { language } from "./language.js";
import { Icon, Logo } from "./parts/icons.js";
import { Preferences } from "./parts/preferences.js";
import { Empty, OfflineBar } from "./parts/states.js";
import { toast, Toasts } from "./parts/toast.js";
import { View } from "./parts/view.js";
import { goInPlace, route, toCart, toCatalogue, toHome, toImports, toShop, toSignIn, toStores } from "./router.js";
import { mayEdit, mayManage, session, signOut } from "./session.js";
import { useSignal } from "./signal.js";
import { Cart } from "./views/cart.js";
import { Catalogue } from "./views/catalogue.js";
import { DropZone, openUploader, Uploader } from "./views/uploader.js";
import { ImportDetail } from "./views/import-detail.js";
import { Imports } from "./views/imports.js";
import { Product } from "./views/product.js";
import { ProductEditor } from "./views/product-editor.js";
import { Shop } from "./views/shop.js";
import { SignIn } from "./views/sign-in.js";
import { SignUp } from "./views/sign-up.js";
import { Store } from "./views/store.js";
import { Stores } from "./views/stores.js";

const SHOP = ["shop", "product", "cart"];
const WAREHOUSE = ["stores", "store", "imports", "import"];
const CATALOGUE = ["catalogue", "catalogue-product"];

export function App() {
  useSignal(language);
  const user = useSignal(session);
  const { view: asked, id, query } = useSignal(route);
  const view = asked === "home" ? (mayEdit() ? "stores" : "shop") : asked;
  if (view === "sign-in" || view === "sign-up") {
    if (user) return html`<${Leave} to=${query.get("back")} />`;
    return html`<${OfflineBar} />${view === "sign-in" ? html`<${SignIn} />` : html`<${SignUp} />`}<${Toasts} />`;
  }
  if (!user && [...WAREHOUSE, ...CATALOGUE].includes(view)) return html`<${OfflineBar} /><${SignIn} /><${Toasts} />`;
  return html`
    <a class="skip" href="#main" onClick=${skipToMain}>${t("skip")}</a>
    <${OfflineBar} />
    <${Header} view=${view} user=${user} />
    <${Current} key=${`${view} ${id ?? ""}`} view=${view} id=${id} query=${query} />
    ${mayEdit() && WAREHOUSE.includes(view) && html`<${DropZone} /><${Uploader} />`}
    <${Toasts} />
  `;
}

/** Whoever is signed in has nothing to do here any more. */
function Leave({ to }) {
  useLayoutEffect(() => goInPlace(to?.startsWith("#/") ? to : toHome()), []);
  return null;
}

function skipToMain(event) {
  event.preventDefault();
  document.querySelector("h1")?.focus();
}

function Current({ view, id, query }) {
  switch (view) {
    case "shop": return html`<${Shop} query=${query} />`;
    case "product": return html`<${Product} id=${id} />`;
    case "cart": return html`<${Cart} />`;
    case "stores": return html`<${Stores} />`;
    case "store": return html`<${Store} store=${id} query=${query} />`;
    case "imports": return mayEdit() ? html`<${Imports} />` : html`<${NotYours} title=${t("imports")} why=${t("operatorsOnly")} />`;
    case "import": return mayEdit() ? html`<${ImportDetail} id=${id} />` : html`<${NotYours} title=${t("imports")} why=${t("operatorsOnly")} />`;
    case "catalogue": return mayManage() ? html`<${Catalogue} query=${query} />` : html`<${NotYours} title=${t("catalogue")} why=${t("adminsOnly")} />`;
    case "catalogue-product": return mayManage() ? html`<${ProductEditor} id=${id} />` : html`<${NotYours} title=${t("catalogue")} why=${t("adminsOnly")} />`;
    default: return html`<${View} title=${t("noSuchPage")}><${Empty} icon="alert" title=${t("noSuchPageText")}>
      <a class="button primary" href=${toHome()}>${t("toHome")}</a><//><//>`;
  }
}

const NotYours = ({ title, why }) => html`<${View} title=${title}><${Empty} icon="alert" title=${why} /><//>`;

function Header({ view, user }) {
  const here = (names) => (names.includes(view) ? "page" : undefined);
  const { environment } = getConfig();
  return html`
    <header class="header">
      <a class="brand" href=${toHome()}><${Logo} /><span class="brand-name">Almacén</span></a>
      ${environment && environment !== "prod" && html`<span class="chip chip-plain environment">${environment}</span>`}
      <nav class="nav" aria-label=${t("mainMenu")}>
        <a href=${toShop()} aria-current=${here(["shop", "product"])}><${Icon} name="shop" />${t("shop")}</a>
        ${mayEdit() && html`<a href=${toStores()} aria-current=${here(["stores", "store"])}><${Icon} name="stores" />${t("stores")}</a>`}
        ${mayEdit() && html`<a href=${toImports()} aria-current=${here(["imports", "import"])}><${Icon} name="imports" />${t("imports")}</a>`}
        ${mayManage() && html`<a href=${toCatalogue()} aria-current=${here(CATALOGUE)}><${Icon} name="tag" />${t("catalogue")}</a>`}
      </nav>
      <div class="header-end">
        ${mayEdit() && WAREHOUSE.includes(view) && html`<button type="button" class="button primary upload-button" data-test="upload" onClick=${() => openUploader([])}>
          <${Icon} name="imports" /><span>${t("uploadCsv")}</span></button>`}
        ${(!mayEdit() || SHOP.includes(view)) && html`<${CartLink} here=${here(["cart"])} user=${user} />`}
        <${Preferences} />
        ${user ? html`<${Account} user=${user} />` : html`<a class="button quiet" data-test="to-sign-in" href=${toSignIn()}><${Icon} name="person" /><span class="sign-in-text">${t("signIn")}</span></a>`}
      </div>
    </header>
  `;
}

function CartLink({ here, user }) {
  const own = useSignal(cart);
  const aside = useSignal(kept);
  useEffect(() => {
    if (!user) return;
    // Only the number beside the icon hangs on this; the cart's own page shows what fails and tries again.
    takeOver().then(tellMissed, () => {});
  }, [user?.username]);
  // What is still put aside after signing in waits to be added.
  const count = pieces([...(own?.items ?? []), ...aside]);
  return html`
    <a class="button quiet square cart-link" href=${toCart()} aria-current=${here} aria-label=${t("cartWith", count)} data-test="cart-link">
      <${Icon} name="cart" />${count > 0 && html`<span class="badge" aria-hidden="true" data-test="cart-count">${number(count)}</span>`}
    </a>
  `;
}

function tellMissed() {
  if (missed.get().length) toast(t("notAllTakenOver"), "alert", { text: t("toCart"), to: toCart() });
}

/** Who is signed in, and the way out. A disclosure, so that it needs no menu keys. */
function Account({ user }) {
  const [open, setOpen] = useState(false);
  const button = useRef(null);
  // Before anything is painted: whoever sees the box can close it.
  useLayoutEffect(() => {
    if (!open) return undefined;
    const close = (event) => {
      if (event.type === "keydown" ? event.key !== "Escape" : event.target.closest(".account")) return;
      // What has the focus inside goes with the box.
      if (document.activeElement?.closest(".account-box")) button.current.focus();
      setOpen(false);
    };
    document.addEventListener("click", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("click", close);
      document.removeEventListener("keydown", close);
    };
  }, [open]);
  return html`
    <div class="account">
      <button ref=${button} type="button" class="avatar" data-test="account" aria-expanded=${String(open)} aria-label=${t("account", user.username)}
        onClick=${() => setOpen(!open)}>${user.username.slice(0, 1).toUpperCase()}</button>
      ${open && html`<div class="account-box">
        <p class="account-name">${user.username}</p>
        <p class="fine">${t(`role.${user.role}`)}</p>
        <button type="button" class="button" data-test="sign-out" onClick=${signOut}><${Icon} name="out" />${t("signOut")}</button>
      </div>`}
    </div>
  `;
}
