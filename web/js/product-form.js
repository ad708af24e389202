// A product as a form has it, between what the API tells and what it takes. Nothing here touches the document.
import { decimals } from "./currency.js";
import { priceText } from "./price.js";

export const EMPTY = { nombre: "", descripcion: "", precio: "", moneda: "USD", categoriaId: "", sku: "", stock: "", etiquetas: "", especificaciones: [] };
/** Fields that somebody else may have changed meanwhile. */
export const SHARED = ["nombre", "descripcion", "precio", "moneda", "categoriaId", "sku", "etiquetas", "especificaciones"];

/** What the API tells of a product, as the form shows it. */
export const formOf = (product) => ({
  nombre: product.nombre,
  descripcion: product.descripcion,
  precio: product.precio.toFixed(decimals(product.moneda)),
  moneda: product.moneda,
  categoriaId: product.categoria,
  sku: product.sku ?? "",
  stock: "",
  etiquetas: (product.etiquetas ?? []).join(", "),
  especificaciones: Object.entries(product.especificaciones ?? {}).map(([name, value]) => ({ name, value })),
});

/** Names that more than one specification has; only one of them could be kept. */
export function repeatedNames({ especificaciones }) {
  const names = especificaciones.map(({ name }) => name.trim()).filter(Boolean);
  return [...new Set(names.filter((name, at) => names.indexOf(name) < at))];
}

/** The form as the API takes it. What is no price or no number goes there as it is, to be refused at its field. */
export function draftOf(form, isNew) {
  const price = priceText(form.precio, form.moneda);
  const draft = {
    nombre: form.nombre.trim(),
    descripcion: form.descripcion.trim(),
    precio: price ? Number(price) : form.precio.trim(),
    moneda: form.moneda,
    categoriaId: form.categoriaId,
    etiquetas: form.etiquetas.split(",").map((tag) => tag.trim()).filter(Boolean),
    especificaciones: Object.fromEntries(form.especificaciones.filter(({ name, value }) => name.trim() || value.trim()).map(({ name, value }) => [name.trim(), value.trim()])),
  };
  const sku = form.sku.trim();
  // A product that is changed keeps its sku unless it is told otherwise; null takes it away.
  if (sku) draft.sku = sku;
  else if (!isNew) draft.sku = null;
  const stock = form.stock.trim();
  if (isNew && stock) draft.stock = /^\d{1,10}$/.test(stock) ? Number(stock) : stock;
  return draft;
}

/** Tries in a row that found the product moved on in nothing that is edited here: a picture that arrived, say. */
export const TRIES = 3;
/** As much of a product as a row of the catalogue shows. */
export const LISTED = ["nombre", "categoriaId", "precio", "moneda"];

const asText = (value) => (Array.isArray(value) ? value.map(({ name, value: text }) => `${name}: ${text}`).join(", ") : value);

/** What differs between two forms in `fields`: `[{field, was, is}]`, in words. */
export const differences = (before, now, fields = SHARED) =>
  fields.map((field) => ({ field, was: asText(before[field]), is: asText(now[field]) })).filter(({ was, is }) => was !== is);
