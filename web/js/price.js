// Prices as people type them: 12, 12.5 or 12,50.

const PRICE = /^\d{1,9}(?:[.,]\d{1,2})?$/;

/** With a point, as the API reads it; empty stays empty; null for what is no price. */
export function priceText(typed) {
  const text = typed.trim();
  if (!text) return "";
  return PRICE.test(text) ? text.replace(",", ".") : null;
}
