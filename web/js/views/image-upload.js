import { html, useEffect, useRef, useState } from "../html.js";
import * as api from "../api.js";
import { explain } from "../failure.js";
import { bytes, percent } from "../format.js";
import { t } from "../i18n.js";
import { Icon } from "../parts/icons.js";
import { Picture } from "../parts/picture.js";
import { usePoll } from "../poll.js";
import { signal, useSignal } from "../signal.js";

const TYPES = ["image/jpeg", "image/png", "image/webp"];
/** The API's own bound. */
const BYTES_MAX = 8 * 1024 * 1024;
/** How long the API's links last, less a little. */
const LINK_LASTS_MS = 14 * 60_000;
const LOOK_EVERY_MS = 1500;
/** Processing takes seconds; after this long the page says that something is wrong with it. */
const PATIENCE_MS = 60_000;

/** Links of this tab that a picture can still be sent to: product → `{url, until}`. */
const links = new Map();
/** Pictures that were sent and are not there yet: product → `{since, known}`. */
const processing = signal(new Map());

const linkOf = (id) => (links.get(id)?.until > Date.now() ? links.get(id).url : null);

export function keepLink(id, url) {
  if (url) links.set(id, { url, until: Date.now() + LINK_LASTS_MS });
}

/** Sends a picture straight to where the API says; from then on it is being processed. */
export async function sendImage(id, file, known, onProgress) {
  try {
    onProgress(0);
    await api.sendFile({ method: "PUT", url: linkOf(id), headers: { "Content-Type": file.type } }, file, { onProgress });
    processing.set(new Map([...processing.get(), [id, { since: Date.now(), known }]]));
  } finally {
    onProgress(null);
  }
}

function done(id) {
  processing.set(new Map([...processing.get()].filter(([one]) => one !== id)));
}

/** What is wrong with a file before it is sent; the API looks at what is really in it. */
function wrongWith(file) {
  if (!TYPES.includes(file.type)) return t("notAnImage");
  if (file.size > BYTES_MAX) return t("imageTooLarge", bytes(BYTES_MAX));
  return "";
}

/** `product`: undefined for one that is still to be made; its picture goes along when it is saved. `onRead` hears of new ones. */
export function ImageUpload({ product, file, onFile, progress, onProgress, busy, onRead }) {
  const [problem, setProblem] = useState("");
  const sent = useSignal(processing).get(product?.id);
  const mayAdd = !product || linkOf(product.id);

  function choose(chosen) {
    const wrong = chosen ? wrongWith(chosen) : "";
    setProblem(wrong);
    onFile(wrong ? null : chosen ?? null);
  }

  async function send() {
    setProblem("");
    try {
      await sendImage(product.id, file, product.imagenes ?? [], onProgress);
      onFile(null);
    } catch (failure) {
      // The link's host answers in its own words, for programs.
      setProblem(failure.status ? t("imageRefused") : explain(failure));
    }
  }

  return html`
    <section class="card image-upload" aria-label=${t("images")} data-test="images">
      <h2>${t("images")}</h2>
      ${product?.imagenes?.length > 0 && html`<ul class="thumbs">${product.imagenes.map((url, index) => html`
        <li key=${url} class="thumb"><${Picture} url=${url} alt=${t("imageOf", index + 1, product.imagenes.length)} sizes="6rem" /></li>`)}</ul>`}
      ${product && !product.imagenes?.length && !sent && html`<p class="muted">${t("noImages")}</p>`}
      ${sent && html`<${Processing} id=${product.id} sent=${sent} onRead=${onRead} />`}
      ${mayAdd
        ? html`
          <label class="drop-target">
            <input type="file" class="visually-hidden" accept=${TYPES.join(",")} disabled=${busy || progress !== null} name="image" aria-describedby="image-problem"
              onChange=${(event) => { choose(event.target.files[0]); event.target.value = ""; }} />
            ${file ? html`<${Preview} file=${file} />` : html`<${Icon} name="image" />`}
            ${file ? html`<span class="file-list"><b>${file.name}</b> <span class="muted">${bytes(file.size)}</span></span>` : html`<span><b>${t("chooseImage")}</b> <span class="muted">${t("imageKinds", bytes(BYTES_MAX))}</span></span>`}
          </label>
          ${!product && html`<p class="fine">${t("imageWithSave")}</p>`}
          ${product && file && progress === null && html`<button type="button" class="button primary" disabled=${busy} onClick=${send} data-test="send-image"><${Icon} name="imports" />${t("uploadImage")}</button>`}`
        : html`<p class="fine">${t("imageOnlyAfterMaking")}</p>`}
      ${progress !== null && html`<div class="progress-row"><label for="image-progress">${t("uploading", file?.name ?? "")}</label>
        <progress id="image-progress" max="1" value=${progress}></progress><span class="num">${percent(progress)}</span></div>`}
      <p id="image-problem" class="problem" role="alert" data-test="image-problem">${problem}</p>
    </section>
  `;
}

/** Looks until the picture is there, and says so when it takes too long. */
function Processing({ id, sent, onRead }) {
  const [late, setLate] = useState(false);
  usePoll(async (stop) => {
    try {
      const now = await api.product(id, stop);
      if (JSON.stringify(now.data.imagenes) !== JSON.stringify(sent.known)) {
        onRead(now);
        done(id);
        return null;
      }
    } catch (cause) {
      if (cause.name === "AbortError") throw cause;
    }
    setLate(Date.now() - sent.since > PATIENCE_MS);
    return LOOK_EVERY_MS;
  }, [id, sent]);
  return html`<p class=${late ? "notice notice-warn" : "notice notice-plain"} role="status" data-test="processing"><${Icon} name=${late ? "alert" : "image"} />
    <span class="notice-text">${t(late ? "imageLate" : "imageProcessing")}</span></p>`;
}

/** Drawn, not linked to: the page's policy shows pictures of its own host alone. */
function Preview({ file }) {
  const canvas = useRef(null);
  useEffect(() => {
    let stopped = false;
    createImageBitmap(file).then((bitmap) => {
      if (stopped || !canvas.current) return;
      const { width, height } = canvas.current;
      const scale = Math.min(width / bitmap.width, height / bitmap.height);
      const [w, h] = [bitmap.width * scale, bitmap.height * scale];
      const context = canvas.current.getContext("2d");
      context.clearRect(0, 0, width, height);
      context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
      bitmap.close();
    }, () => {});
    return () => {
      stopped = true;
    };
  }, [file]);
  return html`<canvas ref=${canvas} class="preview-image" width="144" height="144" aria-hidden="true"></canvas>`;
}
