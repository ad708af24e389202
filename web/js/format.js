// Numbers, times and sizes, as the reader's language writes them.
import { decimals } from "./currency.js";
import { locale } from "./language.js";

const cache = new Map();
function formatter(kind, options) {
  const key = `${kind.name} ${locale()} ${JSON.stringify(options)}`;
  if (!cache.has(key)) cache.set(key, new kind(locale(), options));
  return cache.get(key);
}

export const number = (n) => (Number.isFinite(n) ? formatter(Intl.NumberFormat, {}).format(n) : "–");
export const signed = (n) => formatter(Intl.NumberFormat, { signDisplay: "exceptZero" }).format(n);
export const percent = (share) => formatter(Intl.NumberFormat, { style: "percent", maximumFractionDigits: 0 }).format(share);

/** An amount as the API writes it, in its currency. */
export function money(amount, given) {
  const currency = given || "USD";
  const digits = decimals(currency);
  const options = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return Number.isFinite(amount) ? formatter(Intl.NumberFormat, options).format(amount) : "–";
}

/** Means of ratings: one decimal. */
export const rating = (mean) => formatter(Intl.NumberFormat, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(mean);

export const day = (rfc3339) => {
  const date = new Date(rfc3339);
  return !rfc3339 || Number.isNaN(date.getTime()) ? "" : formatter(Intl.DateTimeFormat, { dateStyle: "medium" }).format(date);
};

/** Today: the time alone. Any other day: the date and the time. */
export function when(rfc3339) {
  const date = new Date(rfc3339);
  if (!rfc3339 || Number.isNaN(date.getTime())) return "–";
  const today = new Date().toDateString() === date.toDateString();
  const options = today
    ? { hour: "2-digit", minute: "2-digit", second: "2-digit" }
    : { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  return formatter(Intl.DateTimeFormat, options).format(date);
}

export function whenInFull(rfc3339) {
  const date = new Date(rfc3339);
  if (!rfc3339 || Number.isNaN(date.getTime())) return "";
  return formatter(Intl.DateTimeFormat, { dateStyle: "full", timeStyle: "long" }).format(date);
}

export function bytes(size) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let unit = 0;
  let left = size;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return formatter(Intl.NumberFormat, { style: "unit", unit: units[unit], unitDisplay: unit ? "short" : "long", maximumFractionDigits: left < 10 && unit ? 1 : 0 }).format(left);
}
