// Prices as people type them: 12, 12.5 or 12,50, with as many decimals as the currency has. More are not taken even where
// they are zeros: 19.000 may be meant as nineteen thousand.
import { decimals } from "./currency.js";

const PRICE = /^(\d{1,11})(?:[.,](\d{1,3}))?$/;

/** With a point, as the API reads it; empty stays empty; null for what is no price. */
export function priceText(typed, currency) {
  const text = typed.trim();
  if (!text) return "";
  const [, , fraction = ""] = PRICE.exec(text) ?? [, , "too many"];
  return fraction.length <= decimals(currency) ? text.replace(",", ".") : null;
}
