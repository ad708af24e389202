import assert from "node:assert/strict";
import { test } from "node:test";

import { fillIn, hold, open, SIGN_IN, useBrowser, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { api } from "../support/stack.mjs";
import { change, cleanUp, coupon, customer, fresh, product, productHash, productPath, says } from "../support/shop.mjs";

useBrowser();
cleanUp();

const line = (page, one) => page.locator(`[data-test=cart-line][data-product="${one.id}"]`);
const sum = (page, name) => page.locator(`[data-sum=${name}]`);
const count = (page) => page.locator("[data-test=cart-count]");

async function signedIn(page, hash) {
  const user = await customer();
  await open(page, SIGN_IN);
  await fillIn(page, user);
  await page.waitForSelector("[data-test=account]");
  if (hash) await page.evaluate((to) => { location.hash = to; }, hash);
  return user;
}

async function buy(page, one) {
  await page.evaluate((to) => { location.hash = to; }, productHash(one.id));
  await page.locator(".product-buy [data-test=add]").click();
  await page.getByText(`${one.nombre} is`).first().waitFor();
}

test("what a visitor put aside is kept, and is in the cart once they have signed up", () =>
  withPage({}, async (page) => {
    const [first, second] = [await product({ precio: 99.99 }), await product({ precio: 5 })];
    await open(page, productHash(first.id));
    await page.getByRole("button", { name: "One more" }).click();
    await page.locator(".product-buy [data-test=add]").click();
    await page.getByText("is put aside for you").waitFor();
    await buy(page, second);
    await says(count(page), "3");
    await page.reload();
    await says(count(page), "3");

    await page.click("[data-test=cart-link]");
    await says(line(page, first).locator(".price"), "US$199.98");
    await line(page, second).locator("[data-test=remove]").click();
    await line(page, second).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Create an account" }).click();
    const username = fresh("ana");
    await signUp(page, username);
    // back at the cart, with what the contract's example says to the cent
    await says(sum(page, "subtotal"), "US$199.98");
    await says(sum(page, "impuesto"), "US$16.00");
    await says(sum(page, "total"), "US$215.98");
    assert.equal(await page.evaluate(() => localStorage.getItem("almacen.cart")), null);
    assert.equal(await page.locator("[data-test=missed]").count(), 0);
  }));

test("amounts have the decimals of their currency, and no more", () =>
  withPage({}, async (page) => {
    const [pesos, dinars] = [await product({ precio: 19990, moneda: "CLP" }), await product({ precio: 1.234, moneda: "KWD" })];
    await signedIn(page, productHash(dinars.id));
    await says(page.locator("[data-test=price]"), /^KWD\s1\.234$/);
    await page.evaluate((to) => { location.hash = to; }, productHash(pesos.id));
    await says(page.locator("[data-test=price]"), /^CLP\s19,990$/);
    await page.getByRole("button", { name: "One more" }).click();
    await page.locator(".product-buy [data-test=add]").click();
    await says(count(page), "2");
    await page.click("[data-test=cart-link]");
    await says(line(page, pesos).locator(".price"), /^CLP\s39,980$/);
    await says(sum(page, "subtotal"), /^CLP\s39,980$/);
    await says(sum(page, "impuesto"), /^CLP\s3,198$/);
    await says(sum(page, "total"), /^CLP\s43,178$/);
  }));

async function signUp(page, username) {
  await page.fill("[name=username]", username);
  await page.fill("[name=email]", `${username}@example.com`);
  await page.fill("[name=password]", "Abcdefg1");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-test=account]");
}

test("what cannot be added after signing in is said, and the rest is there", () =>
  withPage({ expected: [404, 409] }, async (page) => {
    const [gone, there, user] = [await product(), await product(), await customer()];
    await open(page, productHash(gone.id));
    await page.locator(".product-buy [data-test=add]").click();
    await buy(page, there);
    await api("DELETE", productPath(gone.id), { role: "admin" });
    await page.click("[data-test=cart-link]");
    await page.getByText("There is no such product").waitFor();
    await page.click("[data-test=cart-sign-in]");
    await fillIn(page, user);
    await says(page.locator("[data-test=missed]"), /no longer for sale/);
    await line(page, there).waitFor();
    assert.equal(await page.locator("[data-test=cart-line]").count(), 1);
  }));

test("quantities by button and by hand, more than there is, removing", () =>
  withPage({ expected: [409] }, async (page) => {
    const [one, other] = [await product({ precio: 0.1, stock: 7 }), await product({ precio: 3 })];
    await signedIn(page);
    await buy(page, one);
    await buy(page, other);
    await page.click("[data-test=cart-link]");
    await says(sum(page, "subtotal"), "US$3.10");
    await line(page, one).getByRole("button", { name: "One more" }).click();
    await line(page, one).getByRole("button", { name: "One more" }).click();
    await says(sum(page, "subtotal"), "US$3.30");
    await says(line(page, one).locator(".price"), "US$0.30");
    const typed = line(page, one).locator("[name=quantity]");
    await typed.fill("5");
    await typed.press("Enter");
    await says(sum(page, "subtotal"), "US$3.50");
    await typed.fill("9");
    await typed.press("Enter");
    await line(page, one).getByText("there are only 7").waitFor();
    await eventually(async () => assert.equal(await typed.inputValue(), "5"));
    await line(page, other).locator("[data-test=remove]").click();
    await line(page, other).waitFor({ state: "detached" });
    await says(sum(page, "subtotal"), "US$0.50");
    await says(count(page), "5");
    await page.reload();
    await says(sum(page, "subtotal"), "US$0.50");
    await line(page, one).locator("[data-test=remove]").click();
    await page.getByText("Your cart is empty").waitFor();
  }));

test("a price that moved, stock that ran short and a product that vanished say so", () =>
  withPage({}, async (page) => {
    const [moved, short, gone] = [await product({ precio: 10 }), await product({ stock: 5 }), await product()];
    await signedIn(page);
    await buy(page, moved);
    await page.evaluate((to) => { location.hash = to; }, productHash(short.id));
    await page.locator(".product-buy [name=quantity]").fill("4");
    await page.locator(".product-buy [name=quantity]").press("Enter");
    await page.locator(".product-buy [data-test=add]").click();
    await page.getByText(`${short.nombre} is`).first().waitFor();
    await buy(page, gone);
    await change(moved, { precio: 12 });
    await api("PATCH", `/items/central/${short.sku}`, { body: { count: 2 } });
    await eventually(async () => assert.equal((await api("GET", productPath(short.id))).stock, 2));
    await api("DELETE", productPath(gone.id), { role: "admin" });

    await page.click("[data-test=cart-link]");
    await says(line(page, moved).locator("[data-test=moved]"), /It was US\$10\.00 when you added it; the price has gone up/);
    await says(line(page, short).locator("[data-test=short]"), /There are only 2/);
    await says(line(page, gone).locator("[data-test=short]"), /no longer for sale/);
    await line(page, short).getByRole("button", { name: "Take 2" }).click();
    await line(page, short).locator("[data-test=short]").waitFor({ state: "detached" });
    await says(sum(page, "subtotal"), "US$37.00");
  }));

test("a product that is sold in another currency now shows no price in the cart's", () =>
  withPage({}, async (page) => {
    const [one, other] = [await product({ precio: 5 }), await product({ precio: 7 })];
    await signedIn(page);
    await buy(page, one);
    await buy(page, other);
    await change(other, { moneda: "EUR", precio: 6 });
    await page.click("[data-test=cart-link]");
    await says(line(page, other).locator("[data-test=short]"), /now sold in EUR/);
    assert.doesNotMatch(await line(page, other).innerText(), /\d\.\d\d/);
    await says(sum(page, "subtotal"), "US$5.00");
  }));

test("a coupon: none of that name, applied, removed", () =>
  withPage({ expected: [404] }, async (page) => {
    const [one, code] = [await product({ precio: 50 }), await coupon({ benefit: { S: "percent" }, basis_points: { N: "1000" } })];
    await signedIn(page);
    await buy(page, one);
    await page.click("[data-test=cart-link]");
    await page.fill("[name=coupon]", "NOSUCHONE");
    await page.keyboard.press("Enter");
    await page.getByText("There is no such coupon.").waitFor();
    await page.waitForFunction(() => document.activeElement?.name === "coupon");
    await page.fill("[name=coupon]", code.toLowerCase());
    await page.getByRole("button", { name: "Apply" }).click();
    await says(page.locator("[data-test=coupon]"), new RegExp(code));
    await page.waitForFunction(() => document.activeElement?.dataset.test === "remove-coupon");
    await says(sum(page, "descuento"), "−US$5.00");
    await says(sum(page, "total"), "US$48.60");
    await page.click("[data-test=remove-coupon]");
    await says(sum(page, "total"), "US$54.00");
    await page.waitForFunction(() => document.activeElement?.name === "coupon");
  }));

test("a session that ends by itself never shows an empty cart", () =>
  withPage({ expected: [400, 401] }, async (page) => {
    const one = await product();
    const user = await signedIn(page);
    await buy(page, one);
    await page.evaluate(() => {
      const session = { ...JSON.parse(sessionStorage.getItem("almacen.session")), accessToken: "a.b.c", refreshToken: "gone" };
      sessionStorage.setItem("almacen.session", JSON.stringify(session));
      location.hash = "#/cart";
    });
    await page.reload();
    await page.getByText("Sign in to see your cart.").waitFor();
    assert.equal(await page.getByText("Your cart is empty").count(), 0);
    await page.locator("main").getByRole("link", { name: "Sign in" }).click();
    await fillIn(page, user);
    await line(page, one).waitFor();
  }));

test("another device's change is seen, and none of this one's is lost", () =>
  withPage({}, async (page, context) => {
    const [here, there] = [await product({ precio: 1 }), await product({ precio: 2 })];
    const user = await signedIn(page);
    await buy(page, here);
    const other = await context.browser().newContext({ locale: "en-GB" });
    try {
      const second = await other.newPage();
      await open(second, SIGN_IN);
      await fillIn(second, user);
      await second.waitForSelector("[data-test=account]");
      await buy(second, there);
    } finally {
      await other.close();
    }
    await page.click("[data-test=cart-link]");
    await says(sum(page, "subtotal"), "US$3.00");
  }));

const asideOf = (page) => page.evaluate(() => localStorage.getItem("almacen.cart"));
const adding = (url) => url.pathname.endsWith("/carrito/items");

/** Two pieces of `one` put aside, then in at the cart. */
async function signInWithTwo(page, one, user) {
  await open(page, productHash(one.id));
  await page.getByRole("button", { name: "One more" }).click();
  await page.locator(".product-buy [data-test=add]").click();
  await page.getByText("is put aside for you").waitFor();
  await page.click("[data-test=cart-link]");
  await page.click("[data-test=cart-sign-in]");
  await fillIn(page, user);
}

test("what was put aside and could not be added at once is waited for, and tried again", () =>
  withPage({ expected: [429] }, async (page) => {
    const [one, user] = [await product({ precio: 3 }), await customer()];
    const tooMany = (route) => (route.request().method() === "POST" ? route.fulfill({ status: 429, body: "{}" }) : route.fallback());
    await page.route(adding, tooMany);
    await signInWithTwo(page, one, user);
    await says(page.locator("[data-test=waiting]"), /^2 pieces .* not in your cart yet/);
    await says(count(page), "2");
    await page.unroute(adding, tooMany);
    await page.getByRole("button", { name: "Try again" }).click();
    await says(sum(page, "subtotal"), "US$6.00");
    await page.locator("[data-test=waiting]").waitFor({ state: "detached" });
    assert.equal(await asideOf(page), null);
  }));

for (const [how, lose] of [["an error", (route) => route.fulfill({ status: 503, body: "{}" })], ["nothing", (route) => route.abort("connectionreset")]]) {
  test(`what was added although the answer was ${how} is not added again`, () =>
    withPage({ expected: [503], cut: true }, async (page) => {
      const [one, user] = [await product({ precio: 3 }), await customer()];
      let lost = 0;
      await page.route(adding, async (route) => {
        if (route.request().method() !== "POST") return route.fallback();
        lost += 1;
        await route.fetch();
        return lose(route);
      });
      await signInWithTwo(page, one, user);
      await says(sum(page, "subtotal"), "US$6.00");
      await eventually(async () => assert.equal(await asideOf(page), null));
      await says(count(page), "2");
      assert.equal(lost, 1);
    }));
}

test("a cart that comes after its customer has gone is shown to nobody", () =>
  withPage({}, async (page) => {
    const [one, other] = [await product(), await product()];
    await signedIn(page);
    await buy(page, one);
    await buy(page, one);
    await says(count(page), "2");
    const late = await hold(page, "GET", "/carrito");
    await page.reload();
    await late.asked;
    await page.click("[data-test=account]");
    await page.click("[data-test=sign-out]");
    await page.waitForSelector("[data-test=to-sign-in]");
    await late.release();
    await buy(page, other);
    await says(count(page), "1");
  }));
