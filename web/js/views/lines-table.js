import { html, useEffect, useRef, useState } from "../html.js";
import { number, when, whenInFull } from "../format.js";
import { t } from "../i18n.js";
import { levelOf } from "../lines.js";
import { Icon } from "../parts/icons.js";

/** Rows drawn at once; the next ones follow when the end comes into sight. */
const ROWS_STEP = 120;
const COLUMNS = ["item", "available", "reserved", "count", "threshold", "state", "updated"];
const NUMBERS = ["available", "reserved", "count", "threshold"];

/** `onEdit(line)`; null where the reader may not. On a narrow screen the style sheet makes each row a card. */
export function LinesTable({ lines, changes, sort, onSort, onEdit, busy }) {
  const [rows, setRows] = useState(ROWS_STEP);
  return html`
    <div class="table-frame">
      <table class="table lines" role="table" aria-busy=${String(busy)} data-test="lines">
        <caption class="visually-hidden">${t("linesCaption")}</caption>
        <thead role="rowgroup"><tr role="row">
          ${COLUMNS.map((column) => html`<${SortHeader} key=${column} column=${column} sort=${sort} onSort=${onSort} />`)}
          ${onEdit && html`<th role="columnheader" scope="col"><span class="visually-hidden">${t("actions")}</span></th>`}
        </tr></thead>
        <tbody role="rowgroup">
          ${lines.slice(0, rows).map((line) => html`<${Row} key=${line.item} line=${line} changed=${changes.get(line.item)} onEdit=${onEdit} />`)}
        </tbody>
      </table>
      ${rows < lines.length && html`<${MoreRows} onSeen=${() => setRows((n) => n + ROWS_STEP)} />`}
    </div>
  `;
}

function SortHeader({ column, sort, onSort }) {
  const active = sort.by === column;
  const order = active ? (sort.down ? "descending" : "ascending") : undefined;
  return html`
    <th role="columnheader" scope="col" aria-sort=${order} class=${NUMBERS.includes(column) ? "num" : ""}>
      <button type="button" class="sort" data-test=${`sort-${column}`} onClick=${() => onSort({ by: column, down: active && !sort.down })}>
        ${t(`column.${column}`)}<span class="sort-mark">${active && html`<${Icon} name=${sort.down ? "down" : "up"} />`}</span>
      </button>
    </th>
  `;
}

function Row({ line, changed, onEdit }) {
  const level = levelOf(line);
  const cell = (field, content, extra = "num") => html`
    <td role="cell" data-label=${t(`column.${field}`)} data-field=${field} class=${`${extra} ${changed?.has(field) ? "changed" : ""}`}><span>${content}</span></td>`;
  return html`
    <tr role="row" data-item=${line.item} class=${`line-${level}`}>
      <th role="rowheader" scope="row" class="item"><span>${line.item}</span></th>
      ${cell("available", html`<b>${number(line.available)}</b>`)}
      ${cell("reserved", number(line.reserved))}
      ${cell("count", number(line.count))}
      ${cell("threshold", number(line.threshold))}
      <td role="cell" data-label=${t("column.state")} data-field="state"><span class=${`chip chip-${level}`}>${t(`level.${level}`)}</span></td>
      ${cell("updated", html`<time datetime=${line.updatedAt} title=${whenInFull(line.updatedAt)}>${when(line.updatedAt)}</time>`, "muted")}
      ${onEdit && html`<td role="cell" class="row-action"><button type="button" class="button quiet" data-test="edit"
        aria-label=${t("editItem", line.item)} onClick=${() => onEdit(line)}><${Icon} name="edit" /><span>${t("edit")}</span></button></td>`}
    </tr>
  `;
}

function MoreRows({ onSeen }) {
  const end = useRef(null);
  useEffect(() => {
    const watch = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && onSeen(), { rootMargin: "600px" });
    watch.observe(end.current);
    return () => watch.disconnect();
  });
  return html`<div ref=${end} class="more-rows">${t("loadingMore")}</div>`;
}
