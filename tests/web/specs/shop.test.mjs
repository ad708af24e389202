import assert from "node:assert/strict";
import { test } from "node:test";

import { fillIn, open, useBrowser, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { api } from "../support/stack.mjs";
import { cleanUp, customer, fresh, product, productHash, productPath, says } from "../support/shop.mjs";

useBrowser();
cleanUp();

const shown = (page) => page.locator("[data-test=product] .product-name").allInnerTexts();
const list = (page, names) => eventually(async () => assert.deepEqual(await shown(page), names));

test("a visitor searches, filters, orders and goes back, and each can be bookmarked", () =>
  withPage({}, async (page) => {
    const word = fresh("Lampara");
    const { nombre } = await api("POST", "/categorias", { role: "admin", body: { nombre: fresh("Luz ") } });
    const { datos } = await api("GET", "/categorias");
    const light = datos.find((one) => one.nombre === nombre).id;
    await product({ nombre: `${word} A`, precio: 10, categoriaId: light });
    await product({ nombre: `${word} B`, precio: 30.25 });
    await product({ nombre: `${word} C`, precio: 20 });

    await open(page);
    await page.fill("[data-test=search]", word.toUpperCase());
    await list(page, [`${word} C`, `${word} B`, `${word} A`]);
    await says(page.locator("[data-test=total]"), /^3 products/);
    await page.selectOption("[data-test=order]", "precio_asc");
    await list(page, [`${word} A`, `${word} C`, `${word} B`]);
    await page.fill("[name=min]", "15");
    await list(page, [`${word} C`, `${word} B`]);
    await page.fill("[name=max]", "30,24");
    await list(page, [`${word} C`]);
    await page.fill("[name=max]", "a lot");
    await page.getByText("Write a price such as").waitFor();
    await page.fill("[name=max]", "");
    await page.fill("[name=min]", "");
    await list(page, [`${word} A`, `${word} C`, `${word} B`]);
    await page.selectOption("[data-test=category]", light);
    await list(page, [`${word} A`]);
    await page.reload();
    await list(page, [`${word} A`]);
    assert.equal(await page.inputValue("[data-test=search]"), word.toUpperCase());
    await page.goBack();
    await list(page, [`${word} A`, `${word} C`, `${word} B`]);
    await page.fill("[data-test=search]", fresh("nothing"));
    await page.getByText("No product fits").waitFor();
  }));

test("pages of a list, one after the other", () =>
  withPage({}, async (page) => {
    const word = fresh("Hoja");
    const names = Array.from({ length: 21 }, (_, n) => `${word} ${String(n).padStart(2, "0")}`);
    for (const [n, nombre] of names.entries()) await product({ nombre, precio: n + 1 });
    await open(page, `#/shop?q=${word}&order=precio_asc`);
    await list(page, names.slice(0, 20));
    const atTheTop = () => page.waitForFunction(() => scrollY === 0 && document.activeElement?.tagName === "H1");
    await page.click("[data-test=next]");
    await atTheTop();
    await list(page, names.slice(20));
    await page.getByText("Page 2 of 2").waitFor();
    await page.locator("[data-test=previous]").focus();
    await page.keyboard.press("Enter");
    await atTheTop();
    await list(page, names.slice(0, 20));
  }));

test("categories that could not be read are said, and read again", () =>
  withPage({ expected: [503] }, async (page) => {
    await product();
    const fails = (route) => route.fulfill({ status: 503, body: "{}" });
    await page.route("**/categorias", fails);
    await open(page, "#/shop");
    await page.locator("[data-test=product]").first().waitFor();
    const choices = page.locator("[data-test=category] option");
    assert.equal(await choices.count(), 1);
    await page.unroute("**/categorias", fails);
    await page.getByRole("button", { name: "Try again" }).click();
    await eventually(async () => assert.ok((await choices.count()) > 1));
    await page.getByRole("alert").waitFor({ state: "detached" });
  }));

test("one product: price in the reader's way, stock, specifications, and no picture said quietly", () =>
  withPage({}, async (page) => {
    const one = await product({ precio: 1234.5, moneda: "EUR", stock: 3, especificaciones: { peso: "300 g" }, etiquetas: ["azul"] });
    await open(page, productHash(one.id));
    await page.getByRole("heading", { name: one.nombre }).waitFor();
    await says(page.locator("[data-test=price]"), "€1,234.50");
    await says(page.locator("[data-test=stock]").first(), "Only 3 left");
    await page.getByText("300 g").waitFor();
    assert.equal(await page.locator(".gallery [data-test=no-picture]").count(), 1);
    await page.click("[data-test=language]");
    await says(page.locator("[data-test=price]"), /^1\.?234,50\s€$/);
    await says(page.locator("[data-test=stock]").first(), "Solo quedan 3");
  }));

test("a product that is not there says so", () =>
  withPage({ expected: [404] }, async (page) => {
    await open(page, productHash("prod_0"));
    await page.getByText("There is no such product").waitFor();
  }));

test("a review that is written between two readings shows none twice", () =>
  withPage({}, async (page) => {
    const one = await product();
    const review = (n) => ({ id: `res_${n}`, productoId: one.id, calificacion: 4, comentario: `Number ${n}`, creadoEn: "2024-01-21T11:00:00Z" });
    const pages = { 1: [review(3), review(2)], 2: [review(2), review(1)] };
    await page.route("**/resenas?*", (route) => {
      const pagina = Number(new URL(route.request().url()).searchParams.get("pagina"));
      return route.fulfill({ json: { datos: pages[pagina], paginacion: { pagina, limite: 2, total: 4, totalPaginas: 2 } } });
    });
    await open(page, productHash(one.id));
    await page.getByRole("button", { name: "Older reviews" }).click();
    await page.getByText("Number 1").waitFor();
    const texts = await page.locator("[data-test=reviews] .description").allInnerTexts();
    assert.deepEqual(texts, ["Number 3", "Number 2", "Number 1"]);
  }));

test("a review: asked to sign in, written once, counted", () =>
  withPage({ expected: [409] }, async (page) => {
    const [one, user] = await Promise.all([product(), customer()]);
    await open(page, productHash(one.id));
    await page.getByText("Nobody has reviewed it yet.").waitFor();
    await page.locator(".reviews").getByRole("link", { name: "Sign in" }).click();
    await fillIn(page, user);
    const form = page.locator("[data-test=review-form]");
    await form.getByRole("button", { name: "Publish" }).click();
    await page.getByText("Choose one to five stars.").waitFor();
    await form.locator("[value='4']").check({ force: true });
    await form.locator("textarea").fill("<b>Muy buena</b>");
    await form.getByRole("button", { name: "Publish" }).click();
    const written = page.locator("[data-test=reviews] li");
    await says(written, /Your review[\s\S]*<b>Muy buena<\/b>/);
    await page.locator(".lead").getByText("1 review").waitFor();
    assert.equal((await api("GET", productPath(one.id))).calificacion, 4);

    // who wrote a review is not told, so after a reload the page only learns it by asking
    await page.reload();
    await form.locator("[value='1']").check({ force: true });
    await form.getByRole("button", { name: "Publish" }).click();
    await page.getByText("You have reviewed this product already.").waitFor();
  }));
