// What the tests of the shop prepare: products, customers, coupons. What was made is deleted again, so that the shop stays
// as it was for people who look at it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after } from "node:test";

import { eventually } from "./eventually.mjs";
import { api, outputs } from "./stack.mjs";

/** A word that no other test and no other run has. */
export const fresh = (word) => `${word}${randomUUID().replaceAll("-", "").slice(0, 10)}`;

export const picture = (name) => new URL(`../../../samples/shop/images/${name}`, import.meta.url).pathname;

const made = new Set();

/** Call once at the top of a test file that makes products. */
export function cleanUp() {
  after(() => Promise.all([...made].map((id) => api("DELETE", productPath(id), { role: "admin" }).catch(() => {}))));
}

export const productPath = (id) => `/productos/${id}`;
export const productHash = (id) => `#/products/${id}`;
export const editorHash = (id) => `#/catalogue/${id}`;
/** The page made it; it is deleted with the others. */
export const alsoMade = (id) => made.add(id);

export async function category() {
  const { datos } = await api("GET", "/categorias", { role: "admin" });
  return datos[0] ?? api("POST", "/categorias", { role: "admin", body: { nombre: "Tazas" } });
}

/** Makes a product and waits until the list has it. Its whole answer, as one product is shown. */
export async function product(changes = {}, image = null) {
  const draft = { nombre: fresh("Taza "), descripcion: "Para los tests.", precio: 12.5, categoriaId: (await category()).id, stock: 20, ...changes };
  const { id, urlCargaImagen } = await api("POST", "/productos", { role: "admin", body: draft });
  made.add(id);
  if (image) {
    const sent = await fetch(urlCargaImagen, { method: "PUT", body: readFileSync(picture(image)) });
    assert.ok(sent.ok, `picture: ${sent.status}`);
  }
  return eventually(async () => {
    const { datos } = await api("GET", `/productos?limite=100&q=${encodeURIComponent(draft.nombre.slice(0, 100))}`);
    assert.ok(datos.some((one) => one.id === id), `${draft.nombre} is not in the list yet`);
    const one = await api("GET", productPath(id));
    assert.ok(!image || one.imagenes.length === 1, "the picture is not there yet");
    return one;
  });
}

/** Replaces `changes` in a product, as another administrator would. */
export async function change(one, changes) {
  const { nombre, descripcion, precio, moneda, categoria, etiquetas, especificaciones } = await api("GET", productPath(one.id));
  const body = { nombre, descripcion, precio, moneda, categoriaId: categoria, etiquetas, especificaciones, ...changes };
  return api("PUT", productPath(one.id), { role: "admin", body });
}

/** A customer of their own, with an empty cart. */
export async function customer() {
  const user = { username: fresh("ana"), password: "Abcdefg1" };
  const answer = await fetch(`${outputs.ApiUrl}/users`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...user, email: `${user.username}@example.com` }),
  });
  assert.equal(answer.status, 201, await answer.text());
  return user;
}

/** No route makes a coupon: it is put into its table. */
export async function coupon(attributes) {
  const code = fresh("WEB").toUpperCase();
  const item = { code: { S: code }, part: { S: "coupon" }, ...attributes };
  const answer = await fetch(outputs.Endpoint, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.0",
      "X-Amz-Target": "DynamoDB_20120810.PutItem",
      Authorization: `AWS4-HMAC-SHA256 Credential=test/20240101/${outputs.Region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify({ TableName: outputs.CouponsTable, Item: item }),
  });
  assert.ok(answer.ok, `coupon: ${answer.status}`);
  return code;
}

/** What `locator` says, waited for until it fits. */
export const says = (locator, text) =>
  eventually(async () => {
    const said = await locator.innerText();
    if (text instanceof RegExp) assert.match(said, text);
    else assert.equal(said, text);
  });
