import { html, useLayoutEffect, useRef, useState } from "../html.js";
import * as api from "../api.js";
import { explain, problemsByField } from "../failure.js";
import { t } from "../i18n.js";
import { useLoad } from "../load.js";
import { Changes } from "../parts/changes.js";
import { Field, focusProblem } from "../parts/field.js";
import { Icon } from "../parts/icons.js";
import { Empty, Failure, Skeleton } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { View } from "../parts/view.js";
import { differences, draftOf, EMPTY, formOf, repeatedNames, SHARED, TRIES } from "../product-form.js";
import { go, NEW_PRODUCT, toCatalogue, toCatalogueProduct, toProduct } from "../router.js";
import { DeleteDialog } from "./catalogue.js";
import { ImageUpload, keepLink, sendImage } from "./image-upload.js";

const CURRENCIES = ["USD", "EUR", "MXN", "COP", "ARS", "CLP", "PEN", "GBP"];
/** The API's own bounds. */
const NAME_CHARS_MAX = 150;
const DESCRIPTION_CHARS_MAX = 4000;
const SPECIFICATIONS_MAX = 50;

export function ProductEditor({ id }) {
  const isNew = id === NEW_PRODUCT;
  const read = useLoad((signal) => (isNew ? Promise.resolve(null) : api.product(id, signal)), [id]);
  const categories = useLoad((signal) => api.categories(signal), []);
  const back = html`<a class="back" href=${toCatalogue()}><${Icon} name="back" />${t("catalogue")}</a>`;
  if ([400, 404].includes(read.failure?.status)) {
    return html`<${View} title=${t("product")} back=${back}><${Empty} icon="tag" title=${t("noSuchProduct")} /><//>`;
  }
  const ready = categories.data && (isNew || read.data);
  return html`
    <${View} title=${isNew ? t("newProduct") : read.data?.data.nombre ?? t("product")} back=${back}
      actions=${!isNew && html`<a class="button" href=${toProduct(id)}><${Icon} name="shop" />${t("seeInShop")}</a>`}>
      ${[read, categories].map((one) => one.failure && html`<${Failure} failure=${one.failure} retry=${one.reload} />`)}
      ${!ready && !read.failure && !categories.failure && html`<${Skeleton} rows=${6} />`}
      ${ready && html`<${Editor} isNew=${isNew} read=${read.data} categories=${categories.data} onRead=${read.set} />`}
    <//>
  `;
}

/**
 * `read`: `{data, etag}`. What is typed here belongs to the reader. A change is made on condition that the product is as it
 * was read; when it is not, what has changed is shown and the reader decides again.
 */
function Editor({ isNew, read, categories, onRead }) {
  const [base, setBase] = useState(read);
  const [form, setForm] = useState(() => (isNew ? EMPTY : formOf(read.data)));
  const [file, setFile] = useState(null);
  const [progress, setProgress] = useState(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [problems, setProblems] = useState({});
  const [conflict, setConflict] = useState(null);
  const [deleting, setDeleting] = useState(false);
  const box = useRef(null);
  const put = (part) => setForm((now) => ({ ...now, ...part }));
  const bind = (name) => ({ value: form[name], disabled: busy, onInput: (event) => put({ [name]: event.target.value }) });

  function refuse(failure) {
    const byField = problemsByField(failure);
    setProblems(byField);
    const elsewhere = Object.keys(byField).some((name) => name !== "stock" && !SHARED.includes(name));
    setProblem(elsewhere || !Object.keys(byField).length ? explain(failure) : "");
    setBusy(false);
    focusProblem(box.current);
  }

  async function submit(event) {
    event.preventDefault();
    setProblem("");
    setProblems({});
    const repeated = repeatedNames(form);
    if (repeated.length) {
      setProblems({ especificaciones: repeated.map((name) => t("specificationTwice", name)) });
      focusProblem(box.current);
      return;
    }
    setBusy(true);
    const draft = draftOf(form, isNew);
    try {
      if (isNew) await make(draft);
      else await change(draft);
    } catch (failure) {
      refuse(failure);
    }
  }

  async function make(draft) {
    const made = await api.makeProduct(draft);
    keepLink(made.id, made.urlCargaImagen);
    try {
      if (file) await sendImage(made.id, file, [], setProgress);
      toast(t("saved", made.nombre));
    } catch {
      // The product is made: it must not be made again for its picture's sake. The next view offers to send that again.
      toast(t("savedWithoutImage", made.nombre), "alert");
    }
    go(toCatalogueProduct(made.id));
  }

  /** Where somebody else has changed what is edited here, theirs is shown beside what is typed, and nothing is saved. */
  async function change(draft) {
    let from = base;
    for (let tries = 1; ; tries += 1) {
      try {
        return take(await api.changeProduct(base.data.id, draft, from.etag));
      } catch (failure) {
        if (failure.status !== 412) throw failure;
        const now = await api.product(base.data.id);
        const theirs = differences(formOf(from.data), formOf(now.data));
        from = now;
        if (theirs.length || tries === TRIES) {
          setConflict({ theirs, form: formOf(now.data) });
          setBase(now);
          setBusy(false);
          return undefined;
        }
      }
    }
  }

  function take(saved) {
    const { data } = saved;
    keepLink(data.id, data.urlCargaImagen);
    setBase(saved);
    setForm(formOf(data));
    setConflict(null);
    setBusy(false);
    onRead(saved);
    toast(t("saved", data.nombre));
  }

  /** A picture has come: it is shown, and what somebody else may have typed meanwhile still is a conflict. */
  const pictured = (now) =>
    setBase((was) => (differences(formOf(was.data), formOf(now.data)).length ? { ...was, data: { ...was.data, imagenes: now.data.imagenes } } : now));

  const field = (name, label, input, more = {}) => html`<${Field} name=${name} label=${label} problems=${problems[name]} input=${input} ...${more} />`;
  return html`
    <form ref=${box} class="editor" onSubmit=${submit} novalidate data-test="product-editor">
      <div class="card editor-main">
        ${field("nombre", t("name"), (its) => html`<input ...${its} ...${bind("nombre")} autocomplete="off" maxlength=${NAME_CHARS_MAX} />`)}
        ${field("descripcion", t("description"), (its) => html`<textarea ...${its} ...${bind("descripcion")} rows="6" maxlength=${DESCRIPTION_CHARS_MAX}></textarea>`)}
        <div class="editor-row">
          ${field("precio", t("price"), (its) => html`<input ...${its} ...${bind("precio")} inputmode="decimal" autocomplete="off" maxlength="12" />`)}
          ${field("moneda", t("currency"), (its) => html`<select ...${its} disabled=${busy} onChange=${(event) => put({ moneda: event.target.value })}>
            ${[...new Set([form.moneda, ...CURRENCIES])].map((code) => html`<option key=${code} value=${code} selected=${code === form.moneda}>${code}</option>`)}</select>`)}
          ${field("categoriaId", t("category"), (its) => html`<select ...${its} disabled=${busy} onChange=${(event) => put({ categoriaId: event.target.value })}>
            <option value="" selected=${!form.categoriaId}>${t("choose")}</option>
            ${categories.map(({ id, nombre }) => html`<option key=${id} value=${id} selected=${id === form.categoriaId}>${nombre}</option>`)}</select>`)}
        </div>
        <div class="editor-row">
          ${field("sku", t("sku"), (its) => html`<input ...${its} ...${bind("sku")} autocomplete="off" spellcheck=${false} maxlength="200" />`, { optional: true, hint: t("skuHint") })}
          ${isNew && field("stock", t("firstStock"), (its) => html`<input ...${its} ...${bind("stock")} inputmode="numeric" autocomplete="off" maxlength="10" />`, { optional: true, hint: t("firstStockHint") })}
        </div>
        ${field("etiquetas", t("tags"), (its) => html`<input ...${its} ...${bind("etiquetas")} autocomplete="off" maxlength="900" />`, { optional: true, hint: t("tagsHint") })}
        <${Specifications} rows=${form.especificaciones} busy=${busy} problems=${problems.especificaciones ?? []} onChange=${(especificaciones) => put({ especificaciones })} />
        ${conflict && html`<${Conflict} conflict=${conflict} onTheirs=${() => { setForm(conflict.form); setConflict(null); }} />`}
        <p class="problem" role="alert" data-test="editor-problem">${problem}</p>
        <div class="dialog-actions">
          ${!isNew && html`<button type="button" class="button quiet danger-text" disabled=${busy} onClick=${() => setDeleting(true)}><${Icon} name="trash" />${t("delete")}</button>`}
          <a class="button" href=${toCatalogue()}>${t("cancel")}</a>
          <button class="button primary" disabled=${busy} data-test="save">${t(busy ? "saving" : conflict ? "saveAnyway" : "save")}</button>
        </div>
      </div>
      <${ImageUpload} product=${base?.data} file=${file} onFile=${setFile} progress=${progress} onProgress=${setProgress} busy=${busy} onRead=${pictured} />
    </form>
    ${deleting && html`<${DeleteDialog} product=${base.data} etag=${base.etag} onClose=${() => setDeleting(false)} onDeleted=${({ nombre }) => { toast(t("deleted", nombre)); go(toCatalogue()); }} />`}
  `;
}

const Conflict = ({ conflict, onTheirs }) => html`
  <div class="notice notice-warn" role="alert" data-test="conflict"><${Icon} name="alert" /><div class="notice-text">
    <p><b>${t("productChangedMeanwhile")}</b></p>
    <${Changes} all=${conflict.theirs} />
    <p>${t("conflictChoice")}</p>
    <button type="button" class="button" onClick=${onTheirs} data-test="take-theirs">${t("takeTheirs")}</button>
  </div></div>
`;

function Specifications({ rows, busy, problems, onChange }) {
  const list = useRef(null);
  const [added, setAdded] = useState(0);
  useLayoutEffect(() => {
    if (added) list.current?.querySelector("li:last-child input")?.focus();
  }, [added]);
  const isWrong = (name) => problems.length > 0 && repeatedNames({ especificaciones: rows }).includes(name.trim());
  const set = (index, part) => onChange(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  return html`
    <fieldset class="specification-rows" data-field="especificaciones" aria-describedby=${problems.length > 0 ? "specification-problems" : undefined}><legend>${t("specifications")} <span class="muted optional">${t("optional")}</span></legend>
      <ul ref=${list}>${rows.map((row, index) => html`
        <li key=${index}>
          <input name="specification-name" aria-label=${t("specificationName", index + 1)} placeholder=${t("name")} maxlength="50" disabled=${busy} aria-invalid=${String(isWrong(row.name))} value=${row.name} onInput=${(event) => set(index, { name: event.target.value })} />
          <input name="specification-value" aria-label=${t("specificationValue", index + 1)} placeholder=${t("value")} maxlength="300" disabled=${busy} value=${row.value} onInput=${(event) => set(index, { value: event.target.value })} />
          <button type="button" class="button quiet square" disabled=${busy} aria-label=${t("removeNamed", row.name)} onClick=${() => onChange(rows.filter((_, at) => at !== index))}><${Icon} name="close" /></button>
        </li>`)}</ul>
      ${problems.length > 0 && html`<ul id="specification-problems" class="problems" data-test="problems">${problems.map((problem) => html`<li key=${problem}>${problem}</li>`)}</ul>`}
      <button type="button" class="button" disabled=${busy || rows.length >= SPECIFICATIONS_MAX} data-test="add-specification"
        onClick=${() => { onChange([...rows, { name: "", value: "" }]); setAdded((n) => n + 1); }}><${Icon} name="plus" />${t("addSpecification")}</button>
    </fieldset>
  `;
}
