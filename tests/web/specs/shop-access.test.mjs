import assert from "node:assert/strict";
import { test } from "node:test";

import { audit, withAxe } from "../support/axe.mjs";
import { fillIn, open, PHONE, SHIPPED, SIGN_IN, signIn, useBrowser, WIDEST, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { fits } from "../support/layout.mjs";
import { api } from "../support/stack.mjs";
import { cleanUp, customer, editorHash, product, productHash, productPath, says } from "../support/shop.mjs";

useBrowser();
cleanUp();

const to = (page, hash) => page.evaluate((where) => { location.hash = where; }, hash);
/** The shop's list with this product in it, however many others are made meanwhile. */
const found = (one) => `#/shop?q=${encodeURIComponent(one.nombre.slice(0, 100))}`;
const LONG = { nombre: `Taza-de-cerámica-esmaltada-${"x".repeat(100)}`, precio: 1_234_567.89, etiquetas: ["y".repeat(40)], especificaciones: { ["z".repeat(50)]: "w".repeat(200) } };

for (const scheme of ["light", "dark"]) {
  test(`axe finds nothing serious in the shop in ${scheme}`, () =>
    withPage({ scheme, expected: [400] }, async (page) => {
      const [one, out] = [await product({ especificaciones: { peso: "1 kg" }, etiquetas: ["azul"], stock: 3 }, "mug-blue.png"), await product({ stock: 0 })];
      const user = await customer();
      await withAxe(page);
      await open(page, found(out));
      await page.waitForSelector(`[data-product="${out.id}"]`);
      await audit(page, "shop");
      await to(page, productHash(one.id));
      await page.waitForSelector(".product-buy");
      await audit(page, "product");
      await page.click(".product-buy [data-test=add]");
      await page.waitForSelector(".toast");
      await audit(page, "put aside");
      await to(page, "#/cart");
      await page.waitForSelector("[data-test=cart-sign-in]");
      await audit(page, "cart of a visitor");
      await to(page, "#/sign-up");
      await page.click("form button.primary");
      await page.waitForSelector("[data-test=problems]");
      await audit(page, "sign-up");
      await to(page, "#/sign-in?back=%23%2Fcart");
      await fillIn(page, user);
      await page.waitForSelector("[data-test=totals]");
      await audit(page, "cart");
      const gone = await product();
      await to(page, productHash(gone.id));
      await page.click(".product-buy [data-test=add]");
      await page.locator(".toast", { hasText: gone.nombre }).waitFor();
      await api("DELETE", productPath(gone.id), { role: "admin" });
      await to(page, "#/cart");
      await page.locator(".cart-line-gone").waitFor();
      await audit(page, "cart with a product that is gone");
      await to(page, productHash(one.id));
      await page.waitForSelector("[data-test=review-form]");
      await audit(page, "review");
      await page.click("[data-test=account]");
      await page.click("[data-test=sign-out]");
      await signIn(page, "admin", "#/catalogue");
      await page.waitForSelector("[data-test=catalogue]");
      await audit(page, "catalogue");
      await page.click("[data-test=categories]");
      await audit(page, "categories");
      await page.keyboard.press("Escape");
      await to(page, "#/catalogue/new");
      await page.waitForSelector("[data-test=product-editor]");
      await page.click("[data-test=add-specification]");
      await page.click("[data-test=save]");
      await page.waitForSelector("[data-test=problems]");
      await audit(page, "editor");
      await to(page, editorHash(one.id));
      await page.getByRole("button", { name: "Delete" }).click();
      await audit(page, "deleting");
    }));
}

for (const width of [320, PHONE.width, 768, 1000, 1280]) {
  for (const font of [SHIPPED, WIDEST]) {
    test(`nothing of the shop sticks out sideways at ${width} px in ${font}`, () =>
      withPage({ viewport: { width, height: 740 }, language: "es-ES", font }, async (page) => {
        const one = await product({ ...LONG, stock: 999 }, "kettle-goose.png");
        const user = await customer();
        await open(page, SIGN_IN);
        await fits(page, "sign-in");
        await fillIn(page, user);
        await page.waitForSelector("[data-test=account]");
        await to(page, found(one));
        await page.waitForSelector(`[data-product="${one.id}"]`);
        await fits(page, "shop");
        await to(page, productHash(one.id));
        await page.waitForSelector(".gallery img");
        await page.locator(".product-buy [name=quantity]").fill("999");
        await page.locator(".product-buy [name=quantity]").press("Enter");
        await page.click(".product-buy [data-test=add]");
        await page.waitForSelector(".toast");
        await fits(page, "product");
        await to(page, "#/cart");
        await page.waitForSelector("[data-test=totals]");
        await fits(page, "cart");
        await page.click("[data-test=account]");
        await page.click("[data-test=sign-out]");
        await to(page, "#/sign-up");
        await page.waitForSelector("[data-test=sign-up]");
        await fits(page, "sign-up");
        await signIn(page, "admin", "#/catalogue");
        await page.waitForSelector("[data-test=catalogue]");
        await fits(page, "catalogue");
        await to(page, editorHash(one.id));
        await page.waitForSelector("[data-test=product-editor]");
        await fits(page, "editor");
      }));
  }
}

test("from the search to the cart without a mouse", () =>
  withPage({}, async (page) => {
    const [one, user] = [await product({ precio: 2 }), await customer()];
    const focused = (what) => page.evaluate((name) => document.activeElement?.dataset.test === name || document.activeElement?.name === name, what);
    const reach = async (what) => {
      for (let presses = 0; !(await focused(what)); presses += 1) {
        assert.ok(presses < 60, `${what} is not reached by Tab`);
        await page.keyboard.press("Tab");
      }
      assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "solid", `${what} shows no focus`);
    };
    await open(page);
    await page.waitForSelector("[data-test=search]");
    await reach("search");
    await page.keyboard.type(one.nombre);
    await page.locator("[data-test=total]").getByText(/^1 product/).waitFor();
    await reach("add");
    await page.keyboard.press("Enter");
    await page.getByText("is put aside for you").waitFor();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: one.nombre }).waitFor();
    await reach("cart-link");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-test=cart-sign-in]");
    await reach("cart-sign-in");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.name === "username");
    await page.keyboard.type(user.username);
    await page.keyboard.press("Tab");
    await page.keyboard.type(user.password);
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-test=totals]");
    await reach("quantity");
    await page.keyboard.type("4");
    await page.keyboard.press("Enter");
    await says(page.locator("[data-sum=subtotal]"), "US$8.00");
    await reach("remove");
    await page.keyboard.press("Enter");
    await page.getByText("Your cart is empty").waitFor();
  }));

test("stars are chosen with the arrow keys", () =>
  withPage({}, async (page) => {
    const [one, user] = [await product(), await customer()];
    await open(page, SIGN_IN);
    await fillIn(page, user);
    await page.waitForSelector("[data-test=account]");
    await to(page, productHash(one.id));
    await page.locator("[data-test=review-form] [value='1']").focus();
    await page.keyboard.press("Space");
    for (let press = 0; press < 4; press += 1) await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("[data-test=reviews] li").waitFor();
    await eventually(async () => assert.equal((await api("GET", productPath(one.id))).calificacion, 5));
  }));
