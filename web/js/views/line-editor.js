import { html, useEffect, useRef, useState } from "../html.js";
import * as api from "../api.js";
import { explain } from "../failure.js";
import { number, signed } from "../format.js";
import { t } from "../i18n.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icons.js";

const KINDS = ["set", "add", "remove", "threshold"];
/** The API's own bound. */
const COUNT_MAX = 1_000_000_000;

/**
 * Changes one line. What is typed here belongs to the reader: refreshes of the list never touch it. Each save is made on
 * condition that the line is as it was read; when it is not, the new value is shown and the reader decides again.
 */
export function LineEditor({ store, line, onClose, onSaved }) {
  const [base, setBase] = useState(null);
  const [kind, setKind] = useState("set");
  const [typed, setTyped] = useState("");
  const [useDefault, setUseDefault] = useState(false);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [conflict, setConflict] = useState(null);
  const field = useRef(null);

  async function read() {
    const { data, etag } = await api.line(store, line.item);
    setBase({ line: data, etag });
    return { line: data, etag };
  }
  useEffect(() => {
    read().catch((failure) => setProblem(explain(failure)));
  }, []);

  const now = base?.line ?? line;
  const amount = /^\d{1,10}$/.test(typed.trim()) ? Number(typed.trim()) : null;
  const after = amount === null ? null : { set: amount, add: now.count + amount, remove: now.count - amount }[kind];

  function check() {
    if (kind === "threshold" && useDefault) return "";
    if (amount === null || amount > COUNT_MAX) return t("wholeNumber", number(COUNT_MAX));
    if (after < 0) return t("belowZero", number(now.count));
    if (after > COUNT_MAX) return t("wholeNumber", number(COUNT_MAX));
    if (amount === 0 && (kind === "add" || kind === "remove")) return t("notZero");
    return "";
  }

  async function save(event) {
    event.preventDefault();
    const wrong = check();
    setProblem(wrong);
    if (wrong) {
      field.current?.focus();
      return;
    }
    setBusy(true);
    try {
      await send();
    } catch (failure) {
      const fresh = [409, 412].includes(failure.status) ? await read().catch(() => null) : null;
      const changed = failure.status === 412 && fresh;
      refuse(changed ? { was: now, is: fresh.line } : null, changed ? "" : explain(failure));
    }
  }

  async function send() {
    const known = base ?? await read();
    if (differs(now, known.line)) {
      // The dialog's own reading had failed, so the reader went by the list, which was older.
      refuse({ was: now, is: known.line }, "");
      return;
    }
    const change = changeOf(kind, amount, useDefault);
    if (reason.trim()) change.reason = reason.trim();
    const { data } = await api.changeLine(store, line.item, change, known.etag);
    onSaved(data?.item ? data : (await api.line(store, line.item)).data);
  }

  function refuse(theirs, why) {
    setConflict(theirs);
    setProblem(why);
    setBusy(false);
    field.current?.focus();
  }

  const pick = (next) => {
    setKind(next);
    setProblem("");
  };
  return html`
    <${Dialog} title=${line.item} onClose=${onClose} locked=${busy}>
      <form onSubmit=${save} novalidate data-test="editor">
        <dl class="facts">
          <div><dt>${t("column.available")}</dt><dd>${number(now.available)}</dd></div>
          <div><dt>${t("column.reserved")}</dt><dd>${number(now.reserved)}</dd></div>
          <div><dt>${t("column.count")}</dt><dd>${number(now.count)}</dd></div>
          <div><dt>${t("column.threshold")}</dt><dd>${number(now.threshold)}</dd></div>
        </dl>
        <fieldset class="segments"><legend>${t("whatChanges")}</legend>
          ${KINDS.map((one) => html`<label key=${one}><input type="radio" name="kind" value=${one} checked=${kind === one} onChange=${() => pick(one)} /><span>${t(`kind.${one}`)}</span></label>`)}
        </fieldset>
        ${kind === "threshold" && html`<label class="check"><input type="checkbox" name="default" checked=${useDefault} onChange=${(event) => setUseDefault(event.target.checked)} />${t("useDefault")}</label>`}
        ${!(kind === "threshold" && useDefault) && html`
          <label class="field">${t(`amount.${kind}`)}
            <span class="amount-row">
              <input ref=${field} data-first name="amount" inputmode="numeric" autocomplete="off" maxlength="10" value=${typed}
                aria-invalid=${String(Boolean(problem))} aria-describedby="editor-problem editor-preview" onInput=${(event) => setTyped(event.target.value)} />
              <output id="editor-preview" class="preview">${after !== null && after >= 0 && kind !== "threshold" && html`
                ${number(now.count)} <span aria-hidden="true">→</span><span class="visually-hidden">${t("becomes")}</span> <b>${number(after)}</b>
                ${kind === "set" && after !== now.count && html` <span class="muted">(${signed(after - now.count)})</span>`}`}</output>
            </span>
          </label>`}
        <label class="field">${t("reason")} <span class="muted optional">${t("optional")}</span>
          <input name="reason" maxlength="200" value=${reason} placeholder=${t("reasonExample")} onInput=${(event) => setReason(event.target.value)} />
        </label>
        ${conflict && html`<p class="notice notice-warn" role="alert" data-test="conflict"><${Icon} name="alert" />${t("changedMeanwhile", describe(conflict.was), describe(conflict.is))}</p>`}
        <p id="editor-problem" class="problem" role="alert">${problem}</p>
        <div class="dialog-actions">
          <button type="button" class="button" disabled=${busy} onClick=${onClose}>${t("cancel")}</button>
          <button class="button primary" disabled=${busy}>${t(busy ? "saving" : conflict ? "saveAnyway" : "save")}</button>
        </div>
      </form>
    <//>
  `;
}

function changeOf(kind, amount, useDefault) {
  switch (kind) {
    case "add": return { adjust: amount };
    case "remove": return { adjust: -amount };
    case "threshold": return { threshold: useDefault ? null : amount };
    default: return { count: amount };
  }
}

const differs = (was, is) => was.count !== is.count || was.threshold !== is.threshold;

const describe = ({ count, threshold }) => t("countAndThreshold", number(count), number(threshold));
