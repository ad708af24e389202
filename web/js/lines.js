// Stock lines as the page holds them: loaded page after page, compared, sorted. Nothing here touches the document.
import * as api from "./api.js";
import { locale } from "./language.js";

/** Loaded by themselves; more come by a button. */
export const AUTOMATIC_MAX = 2000;

export function levelOf({ available, low }) {
  if (available <= 0) return "out";
  return low ? "low" : "ok";
}

/** Loads until `max` lines or the end; `onPage(lines)` sees them grow. `{lines, more}` */
export async function loadLines(store, filter, max, signal, onPage) {
  const lines = [];
  let cursor;
  do {
    const page = await api.lines(store, { ...filter, cursor }, signal);
    lines.push(...page.items);
    cursor = page.next;
    onPage?.({ lines: [...lines], more: Boolean(cursor) });
  } while (cursor && lines.length < max);
  return { lines, more: Boolean(cursor) };
}

/** A read may be older than the answer to our own change: then our answer stands. */
export function withOwnEdits(lines, edits) {
  return lines.map((line) => {
    const edit = edits.get(line.item);
    if (!edit) return line;
    if (Date.parse(edit.updatedAt) > Date.parse(line.updatedAt)) return edit;
    edits.delete(line.item);
    return line;
  });
}

const WATCHED = ["count", "available", "reserved", "threshold", "low"];

/** Which cells differ between two readings: item → set of fields. New lines count as changed in all. */
export function changesBetween(before, after) {
  const old = new Map(before.map((line) => [line.item, line]));
  const changes = new Map();
  for (const line of after) {
    const was = old.get(line.item);
    const fields = WATCHED.filter((field) => was?.[field] !== line[field]);
    if (fields.length) changes.set(line.item, new Set(fields));
  }
  return changes;
}

const LEVELS = { out: 0, low: 1, ok: 2 };
const VALUES = {
  item: null,
  count: (line) => line.count,
  reserved: (line) => line.reserved,
  available: (line) => line.available,
  threshold: (line) => line.threshold,
  state: (line) => LEVELS[levelOf(line)],
  updated: (line) => Date.parse(line.updatedAt) || 0,
};
export const SORTABLE = Object.keys(VALUES);

/** A sorted copy; equal lines stay in the order of their items. */
export function sortLines(lines, { by, down }) {
  const collator = new Intl.Collator(locale(), { numeric: true });
  const value = VALUES[by];
  const direction = down ? -1 : 1;
  return [...lines].sort((a, b) => {
    const items = collator.compare(a.item, b.item);
    return value ? direction * (value(a) - value(b)) || items : direction * items;
  });
}
