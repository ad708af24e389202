// The shell: header, the view the address asks for, and the two things that can happen anywhere — a dropped file, a toast.
import { html, useEffect, useState } from "./html.js";
import { getConfig } from "./config.js";
import { language, t } from "./i18n.js";
import { Icon, Logo } from "./parts/icons.js";
import { Preferences } from "./parts/preferences.js";
import { Empty, OfflineBar } from "./parts/states.js";
import { Toasts } from "./parts/toast.js";
import { View } from "./parts/view.js";
import { route, toImports, toStores } from "./router.js";
import { mayEdit, session, signOut } from "./session.js";
import { useSignal } from "./signal.js";
import { DropZone, openUploader, Uploader } from "./views/uploader.js";
import { ImportDetail } from "./views/import-detail.js";
import { Imports } from "./views/imports.js";
import { SignIn } from "./views/sign-in.js";
import { Store } from "./views/store.js";
import { Stores } from "./views/stores.js";

export function App() {
  useSignal(language);
  const user = useSignal(session);
  const { view, id, query } = useSignal(route);
  if (!user) return html`<${OfflineBar} /><${SignIn} /><${Toasts} />`;
  return html`
    <a class="skip" href="#main" onClick=${skipToMain}>${t("skip")}</a>
    <${OfflineBar} />
    <${Header} view=${view} user=${user} />
    <${Current} key=${`${view} ${id ?? ""}`} view=${view} id=${id} query=${query} />
    ${mayEdit() && html`<${DropZone} /><${Uploader} />`}
    <${Toasts} />
  `;
}

function skipToMain(event) {
  event.preventDefault();
  document.querySelector("h1")?.focus();
}

function Current({ view, id, query }) {
  if (view === "stores") return html`<${Stores} />`;
  if (view === "store") return html`<${Store} store=${id} query=${query} />`;
  if (view.startsWith("import") && !mayEdit()) {
    return html`<${View} title=${t("imports")}><${Empty} icon="alert" title=${t("operatorsOnly")} /><//>`;
  }
  if (view === "imports") return html`<${Imports} />`;
  if (view === "import") return html`<${ImportDetail} id=${id} />`;
  return html`<${View} title=${t("noSuchPage")}><${Empty} icon="alert" title=${t("noSuchPageText")}>
    <a class="button primary" href=${toStores()}>${t("toStores")}</a><//><//>`;
}

function Header({ view, user }) {
  const here = (names) => (names.includes(view) ? "page" : undefined);
  const { environment } = getConfig();
  return html`
    <header class="header">
      <a class="brand" href=${toStores()}><${Logo} /><span class="brand-name">Almacén</span></a>
      ${environment && environment !== "prod" && html`<span class="chip chip-plain environment">${environment}</span>`}
      <nav class="nav" aria-label=${t("mainMenu")}>
        <a href=${toStores()} aria-current=${here(["stores", "store"])}><${Icon} name="stores" />${t("stores")}</a>
        ${mayEdit() && html`<a href=${toImports()} aria-current=${here(["imports", "import"])}><${Icon} name="imports" />${t("imports")}</a>`}
      </nav>
      <div class="header-end">
        ${mayEdit() && html`<button type="button" class="button primary upload-button" data-test="upload" onClick=${() => openUploader([])}>
          <${Icon} name="imports" /><span>${t("uploadCsv")}</span></button>`}
        <${Preferences} />
        <${Account} user=${user} />
      </div>
    </header>
  `;
}

/** Who is signed in, and the way out. A disclosure, so that it needs no menu keys. */
function Account({ user }) {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (!open) return undefined;
    const close = (event) => {
      if (event.type === "keydown" ? event.key === "Escape" : !event.target.closest(".account")) setOpen(false);
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
      <button type="button" class="avatar" data-test="account" aria-expanded=${String(open)} aria-label=${t("account", user.username)}
        onClick=${() => setOpen(!open)}>${user.username.slice(0, 1).toUpperCase()}</button>
      ${open && html`<div class="account-box">
        <p class="account-name">${user.username}</p>
        <p class="fine">${t(`role.${user.role}`)}</p>
        <button type="button" class="button" data-test="sign-out" onClick=${signOut}><${Icon} name="out" />${t("signOut")}</button>
      </div>`}
    </div>
  `;
}
