import { html, useEffect, useRef, useState } from "../html.js";
import * as api from "../api.js";
import { bytes, percent } from "../format.js";
import { t } from "../i18n.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icons.js";
import { Failure } from "../parts/states.js";
import { refreshNow } from "../poll.js";
import { go, toImport, toImports } from "../router.js";
import { signal, useSignal } from "../signal.js";
import { uploadFile } from "../upload.js";

const ACCEPT = ".csv,.tsv,.txt,.gz,text/csv,text/tab-separated-values,text/plain,application/gzip";
const opened = signal(null);

/** Opens the upload dialog, with files if some were dropped. */
export function openUploader(files) {
  opened.set([...files]);
}

export function Uploader() {
  const files = useSignal(opened);
  return files && html`<${UploadDialog} dropped=${files} onClose=${() => opened.set(null)} />`;
}

/** The whole window takes a dropped file. */
export function DropZone() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const drag = (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      setOver(true);
    };
    const leave = (event) => event.relatedTarget === null && setOver(false);
    const drop = (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer.files.length) openUploader(event.dataTransfer.files);
    };
    const handlers = { dragenter: drag, dragover: drag, dragleave: leave, drop };
    for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
    return () => {
      for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler);
    };
  }, []);
  return over && html`<div class="drop-veil"><div><${Icon} name="imports" /><p>${t("dropHere")}</p></div></div>`;
}

function UploadDialog({ dropped, onClose }) {
  const [files, setFiles] = useState(dropped);
  const [mode, setMode] = useState("set");
  const [dryRun, setDryRun] = useState(false);
  const [store, setStore] = useState("");
  const [known, setKnown] = useState([]);
  const [progress, setProgress] = useState(null);
  const [problem, setProblem] = useState("");
  const [failure, setFailure] = useState(null);
  const stop = useRef(null);

  useEffect(() => {
    if (!progress) setFiles(dropped);
  }, [dropped]);
  useEffect(() => {
    // Only suggestions for the store field: it works without them.
    api.stores().then((page) => setKnown(page.stores.map((one) => one.store)), () => {});
    return () => stop.current?.abort();
  }, []);

  function check() {
    if (!files.length) return t("chooseFirst");
    const empty = files.find((file) => file.size === 0);
    if (empty) return t("emptyFile", empty.name);
    if (store.includes("/")) return t("storeSlash");
    return "";
  }

  async function submit(event) {
    event.preventDefault();
    const wrong = check();
    setProblem(wrong);
    setFailure(null);
    if (wrong) return;
    stop.current = new AbortController();
    const ids = [];
    try {
      for (const [index, file] of files.entries()) {
        setProgress({ index, share: 0 });
        ids.push(await uploadFile(file, { mode, dryRun, store: store.trim() }, {
          onProgress: (share) => setProgress({ index, share }),
          signal: stop.current.signal,
        }));
      }
      onClose();
      refreshNow();
      go(ids.length === 1 ? toImport(ids[0]) : toImports());
    } catch (cause) {
      setProgress(null);
      setFiles(files.slice(ids.length));
      if (cause.name !== "AbortError") setFailure(cause);
    }
  }

  const busy = progress !== null;
  return html`
    <${Dialog} title=${t("uploadCsv")} onClose=${onClose} locked=${busy}>
      <form onSubmit=${submit} novalidate data-test="uploader">
        <label class="drop-target">
          <input type="file" class="visually-hidden" accept=${ACCEPT} multiple disabled=${busy} data-first
            onChange=${(event) => { setFiles([...event.target.files]); setProblem(""); }} />
          <${Icon} name="file" />
          ${files.length
            ? html`<span class="file-list">${files.map((file) => html`<span key=${file.name}><b>${file.name}</b> <span class="muted">${bytes(file.size)}</span></span>`)}</span>`
            : html`<span><b>${t("chooseFile")}</b> <span class="muted">${t("orDrop")}</span></span>`}
        </label>
        <fieldset class="choices" disabled=${busy}><legend>${t("meaning")}</legend>
          ${["set", "adjust"].map((one) => html`<label key=${one} class="choice">
            <input type="radio" name="mode" value=${one} checked=${mode === one} onChange=${() => setMode(one)} />
            <span><b>${t(`mode.${one}`)}</b><span class="muted">${t(`mode.${one}.text`)}</span></span></label>`)}
        </fieldset>
        <label class="check"><input type="checkbox" name="dryRun" checked=${dryRun} disabled=${busy} onChange=${(event) => setDryRun(event.target.checked)} />
          <span>${t("dryRun")} <span class="muted">${t("dryRunText")}</span></span></label>
        <label class="field">${t("store")} <span class="muted optional">${t("storeText")}</span>
          <input name="store" list="known-stores" maxlength="100" autocomplete="off" disabled=${busy} value=${store} onInput=${(event) => setStore(event.target.value)} />
          <datalist id="known-stores">${known.map((name) => html`<option key=${name} value=${name} />`)}</datalist>
        </label>
        <p class="problem" role="alert">${problem}</p>
        ${failure && html`<${Failure} failure=${failure} />`}
        ${busy && html`<div class="progress-row"><label for="upload-progress">${t("uploading", files[progress.index].name)}</label>
          <progress id="upload-progress" max="1" value=${progress.share}></progress><span class="num">${percent(progress.share)}</span></div>`}
        <div class="dialog-actions">
          ${busy
            ? html`<button type="button" class="button" onClick=${() => stop.current.abort()}>${t("stop")}</button>`
            : html`<button type="button" class="button" onClick=${onClose}>${t("cancel")}</button>`}
          <button class="button primary" disabled=${busy} data-test="start-upload">${t(failure ? "retry" : dryRun ? "check" : "upload")}</button>
        </div>
      </form>
    <//>
  `;
}
