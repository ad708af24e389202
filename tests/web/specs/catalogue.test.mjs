import assert from "node:assert/strict";
import { test } from "node:test";

import { open, signIn, useBrowser, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { api } from "../support/stack.mjs";
import { alsoMade, change, cleanUp, editorHash, fresh, picture, product, productHash, productPath, says } from "../support/shop.mjs";

useBrowser();
cleanUp();

const field = (page, name) => page.locator(`[data-test=product-editor] [name=${name}]`);
const save = (page) => page.click("[data-test=save]");
const category = fresh("Tazas ");

test("a price is typed with the decimals of its currency", () =>
  withPage({ expected: [400] }, async (page) => {
    const one = await product({ precio: 1.5, moneda: "USD" });
    await signIn(page, "admin", editorHash(one.id));
    await page.waitForSelector("[data-test=product-editor]");
    assert.equal(await field(page, "precio").inputValue(), "1.50");
    await field(page, "moneda").selectOption("CLP");
    // perhaps nineteen thousand, perhaps nineteen: it is asked, not guessed
    await field(page, "precio").fill("19.990");
    await save(page);
    await says(page.locator("[data-field=precio] [data-test=problems]"), /./);
    await field(page, "precio").fill("19990");
    await save(page);
    await page.getByText(`${one.nombre} saved`).first().waitFor();
    await eventually(async () => {
      const { precio, moneda } = await api("GET", productPath(one.id));
      assert.deepEqual({ precio, moneda }, { precio: 19990, moneda: "CLP" });
    });
    await page.reload();
    await page.waitForSelector("[data-test=product-editor]");
    assert.equal(await field(page, "precio").inputValue(), "19990");
  }));

test("an administrator makes a category and a product with a picture, and a customer sees it", () =>
  withPage({ expected: [400] }, async (page, context) => {
    const name = fresh("Taza ");
    await signIn(page, "admin", "#/catalogue");
    await page.click("[data-test=categories]");
    await page.fill("[data-test=new-category] [name=nombre]", category);
    await page.keyboard.press("Enter");
    await page.locator("[data-test=category-list]").getByText(category).waitFor();
    await page.keyboard.press("Escape");

    await page.click("[data-test=new-product]");
    await page.waitForSelector("[data-test=product-editor]");
    await field(page, "precio").fill("a lot");
    await save(page);
    for (const bad of ["nombre", "descripcion", "precio", "categoriaId"]) await page.locator(`[data-field=${bad}] [data-test=problems]`).waitFor();
    await page.waitForFunction(() => document.activeElement?.name === "nombre");

    await field(page, "nombre").fill(name);
    await field(page, "descripcion").fill("Azul.\nPara el café.");
    await field(page, "precio").fill("14,5");
    await field(page, "categoriaId").selectOption({ label: category });
    await field(page, "stock").fill("9");
    await field(page, "etiquetas").fill("azul, café");
    await page.click("[data-test=add-specification]");
    await page.waitForFunction(() => document.activeElement?.name === "specification-name");
    await page.keyboard.type("peso");
    await page.keyboard.press("Tab");
    await page.keyboard.type("300 g");
    // two of one name: one of them would be lost
    await page.click("[data-test=add-specification]");
    const names = page.locator("[name=specification-name]");
    await names.nth(1).fill(" peso");
    await save(page);
    await says(page.locator("[data-field=especificaciones] [data-test=problems]"), /“peso” is there twice/);
    await page.waitForFunction(() => document.activeElement?.name === "specification-name");
    await page.getByRole("button", { name: "Remove peso" }).last().click();
    await page.setInputFiles("[name=image]", { name: "letter.txt", mimeType: "text/plain", buffer: Buffer.from("Dear all") });
    await says(page.locator("[data-test=image-problem]"), /JPEG, PNG or WebP/);
    await page.setInputFiles("[name=image]", picture("mug-blue.png"));
    await page.getByText("mug-blue.png").waitFor();
    await save(page);
    await page.waitForURL(/#\/catalogue\/prod_/);
    const id = page.url().split("/").pop();
    alsoMade(id);
    // being processed, then there, without a reload
    await page.locator("[data-test=processing], [data-test=images] .thumb").first().waitFor();
    await page.locator("[data-test=images] .thumb img").waitFor();
    await page.locator("[data-test=processing]").waitFor({ state: "detached" });
    // what was typed meanwhile is not lost, and the picture is no conflict
    await field(page, "precio").fill("15");
    await save(page);
    await page.getByText(`${name} saved`).first().waitFor();
    await eventually(async () => assert.equal((await api("GET", productPath(id))).precio, 15));
    assert.equal(await page.locator("[data-test=conflict]").count(), 0);

    const shopper = await context.browser().newContext({ locale: "en-GB" });
    try {
      const seen = await shopper.newPage();
      await open(seen, `#/shop?q=${encodeURIComponent(name)}`);
      await seen.locator(".product-name").getByText(name).click();
      await says(seen.locator("[data-test=price]"), "US$15.00");
      await seen.getByText("300 g").waitFor();
      const shown = seen.locator(".gallery > img");
      await shown.waitFor();
      await eventually(async () => assert.ok(await shown.evaluate((img) => img.complete && img.naturalWidth > 0)));
      assert.match(await shown.getAttribute("srcset"), /-320\.jpg 320w, .*-800\.jpg 800w, .*-1600\.jpg 1600w/);
    } finally {
      await shopper.close();
    }
  }));

test("categories that the dialog could not read are said there, and read again", () =>
  withPage({ expected: [503] }, async (page) => {
    const { nombre } = await api("POST", "/categorias", { role: "admin", body: { nombre: fresh("Platos ") } });
    const fails = (route) => route.fulfill({ status: 503, body: "{}" });
    await page.route("**/categorias", fails);
    await signIn(page, "admin", "#/catalogue");
    await page.click("[data-test=categories]");
    const dialog = page.getByRole("dialog");
    const again = dialog.getByRole("button", { name: "Try again" });
    await again.waitFor();
    await page.unroute("**/categorias", fails);
    await again.click();
    await dialog.locator("[data-test=category-list]").getByText(nombre).waitFor();
    await dialog.getByRole("alert").waitFor({ state: "detached" });
  }));

test("a change that somebody else was faster with is shown, and the reader decides", () =>
  withPage({ expected: [412] }, async (page) => {
    const one = await product({ precio: 10 });
    await signIn(page, "admin", editorHash(one.id));
    await field(page, "descripcion").fill("Mine");
    await change(one, { precio: 20, etiquetas: ["theirs"] });
    await save(page);
    const conflict = page.locator("[data-test=conflict]");
    await says(conflict, /Price[\s\S]*10\.00[\s\S]*20\.00[\s\S]*Tags[\s\S]*\(blank\)[\s\S]*theirs/);
    assert.equal(await field(page, "descripcion").inputValue(), "Mine");
    assert.equal((await api("GET", productPath(one.id))).precio, 20);

    await page.click("[data-test=take-theirs]");
    assert.equal(await field(page, "precio").inputValue(), "20.00");
    await field(page, "descripcion").fill("Mine again");
    await save(page);
    await eventually(async () => assert.equal((await api("GET", productPath(one.id))).descripcion, "Mine again"));

    await field(page, "precio").fill("11");
    await change(one, { precio: 30 });
    await save(page);
    await conflict.waitFor();
    await page.getByRole("button", { name: "Save anyway" }).click();
    await eventually(async () => assert.equal((await api("GET", productPath(one.id))).precio, 11));
    await conflict.waitFor({ state: "detached" });
  }));

test("deleting asks first", () =>
  withPage({ expected: [404] }, async (page) => {
    const one = await product();
    await signIn(page, "admin", `#/catalogue?q=${encodeURIComponent(one.nombre)}`);
    const row = page.locator(`tr[data-product="${one.id}"]`);
    await row.locator("[data-test=delete]").click();
    await page.waitForSelector("[data-test=delete-dialog]");
    await page.keyboard.press("Escape");
    assert.equal((await api("GET", productPath(one.id))).id, one.id);
    await row.locator("[data-test=delete]").click();
    await page.click("[data-test=confirm-delete]");
    await row.waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.tagName === "H1");
    await open(page, productHash(one.id));
    await page.getByText("There is no such product").waitFor();
  }));

test("deleting the last product of the last page leads to the page before it", () =>
  withPage({}, async (page) => {
    const word = fresh("Hoja");
    const made = [];
    for (const n of [1, 2, 3]) made.push(await product({ nombre: `${word} ${n}` }));
    // as if two were a page
    await page.route(/\/productos\?/, (route) => route.continue({ url: route.request().url().replace("limite=50", "limite=2") }));
    await signIn(page, "admin", `#/catalogue?q=${word}&page=2`);
    const rows = page.locator("[data-test=catalogue] tbody tr");
    await page.locator(`tr[data-product="${made[0].id}"] [data-test=delete]`).click();
    await page.click("[data-test=confirm-delete]");
    await eventually(async () => assert.equal(await rows.count(), 2));
    assert.equal(await page.locator(".empty").count(), 0);
    assert.match(page.url(), new RegExp(`q=${word}$`));
    // and so does an address that is past the end
    await page.evaluate((to) => { location.hash = to; }, `#/catalogue?q=${word}&page=7`);
    await eventually(async () => assert.match(page.url(), new RegExp(`q=${word}$`)));
  }));

test("what somebody else has changed is shown before it is deleted", () =>
  withPage({ expected: [412] }, async (page) => {
    const [listed, edited] = [await product({ precio: 10, etiquetas: ["azul"] }), await product({ precio: 10 })];
    await signIn(page, "admin", `#/catalogue?q=${encodeURIComponent(listed.nombre)}`);
    const conflict = page.locator("[data-test=delete-dialog] [data-test=conflict]");
    const anyway = page.getByRole("button", { name: "Delete anyway" });
    const gone = (one) => eventually(() => assert.rejects(api("GET", productPath(one.id)), /404/));

    // from the list, which has no version of its rows
    await page.locator(`tr[data-product="${listed.id}"] [data-test=delete]`).click();
    await change(listed, { precio: 20 });
    await page.click("[data-test=confirm-delete]");
    await says(conflict, /^Somebody changed this product meanwhile:\s+Price\s+10\.00 → 20\.00$/);
    assert.equal((await api("GET", productPath(listed.id))).precio, 20);
    await change(listed, { precio: 30 });
    await anyway.click();
    await says(conflict, /20\.00 → 30\.00/);
    await anyway.click();
    await gone(listed);

    // from the editor
    await page.evaluate((to) => { location.hash = to; }, editorHash(edited.id));
    await page.waitForSelector("[data-test=product-editor]");
    await change(edited, { etiquetas: ["theirs"] });
    await page.getByRole("button", { name: "Delete" }).click();
    await page.click("[data-test=confirm-delete]");
    await says(conflict, /Tags[\s\S]*theirs/);
    await anyway.click();
    await gone(edited);
  }));

test("a file that only says it is a picture is not waited for without end", () =>
  withPage({}, async (page) => {
    await page.clock.install();
    await signIn(page, "admin", "#/catalogue/new");
    await field(page, "nombre").fill(fresh("Taza "));
    await field(page, "descripcion").fill("x");
    await field(page, "precio").fill("1");
    await field(page, "categoriaId").selectOption({ index: 1 });
    await page.setInputFiles("[name=image]", { name: "fake.png", mimeType: "image/png", buffer: Buffer.from("no picture at all") });
    await save(page);
    await page.waitForURL(/#\/catalogue\/prod_/);
    alsoMade(page.url().split("/").pop());
    await page.getByText("is being processed").waitFor();
    await page.clock.fastForward(70_000);
    await page.getByText("The picture is still not there.").waitFor();
  }));

test("an operator keeps the warehouse, not the catalogue", () =>
  withPage({}, async (page) => {
    await signIn(page, "operador", "#/catalogue");
    await page.getByText("The catalogue is kept by administrators.").waitFor();
    assert.equal(await page.getByRole("link", { name: "Catalogue" }).count(), 0);
    await page.getByRole("link", { name: "Stores" }).click();
    await page.getByRole("heading", { name: "Stores" }).waitFor();
  }));
