import assert from "node:assert/strict";
import { test } from "node:test";

import { cell, items, open, row, signIn, storeHash, useBrowser, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { api, freshStore, linePath, seed } from "../support/stack.mjs";

useBrowser();

test("stores lead to their lines; search, low filter and sorting narrow them down", () =>
  withPage({}, async (page) => {
    const store = freshStore("Lines");
    await seed(store, [["Chair oak", 40], ["Cup blue", 3], ["Cup white", 12], ["Lamp", 0], ["Sku 9", 9], ["Sku 10", 10]]);
    await signIn(page);
    const card = page.locator(`[data-store="${store}"]`);
    await eventually(async () => assert.match(await card.innerText(), /6 lines[\s\S]*2 low/));
    await card.click();

    await eventually(async () =>
      assert.deepEqual(await items(page), ["Chair oak", "Cup blue", "Cup white", "Lamp", "Sku 9", "Sku 10"]));
    assert.equal(await page.title(), `${store} · Almacén`);
    assert.match(await row(page, "Cup blue").innerText(), /Low/);
    assert.match(await row(page, "Lamp").innerText(), /Out/);

    await page.click("[data-test=sort-available]");
    assert.deepEqual((await items(page))[0], "Lamp");
    await page.click("[data-test=sort-available]");
    assert.deepEqual((await items(page))[0], "Chair oak");
    assert.equal(await page.locator("th[aria-sort=descending]").count(), 1);

    await page.check("[data-test=only-low]");
    await eventually(async () => assert.deepEqual(await items(page), ["Cup blue", "Lamp"]));
    await page.fill("[data-test=search]", "cup");
    await eventually(async () => assert.deepEqual(await items(page), ["Cup blue"]));
    await page.fill("[data-test=search]", "no such thing");
    await page.getByText("Nothing found").waitFor();

    // what is shown is in the address, so that it can be bookmarked
    await page.fill("[data-test=search]", "cup");
    await eventually(async () => assert.match(page.url(), /q=cup/));
    await page.reload();
    await eventually(async () => assert.deepEqual(await items(page), ["Cup blue"]));
    await page.fill("[data-test=search]", "");
    await page.uncheck("[data-test=only-low]");
    await eventually(async () => assert.equal((await items(page)).length, 6));
  }));

test("a store of several pages is loaded to its end", () =>
  withPage({}, async (page) => {
    const store = freshStore("Pages");
    await seed(store, Array.from({ length: 230 }, (_, i) => [`Item ${String(i).padStart(3, "0")}`, i + 10]));
    await signIn(page, "operador", storeHash(store));
    await page.getByText("230 lines").first().waitFor();
    await page.click("[data-test=sort-available]");
    await page.click("[data-test=sort-available]");
    assert.equal((await items(page))[0], "Item 229");
    await eventually(async () => {
      await page.mouse.wheel(0, 20_000);
      assert.equal((await items(page)).length, 230);
    });
  }));

test("a change elsewhere appears by itself, marked", () =>
  withPage({}, async (page) => {
    const store = freshStore("Fresh");
    await seed(store, [["Cup", 12], ["Lamp", 30]]);
    await signIn(page, "operador", storeHash(store));
    await eventually(async () => assert.equal(await cell(page, "Cup", "available").innerText(), "12"));
    const marked = page.waitForSelector('tr[data-item="Cup"] [data-field=available].changed');
    await api("PATCH", linePath(store, "Cup"), { body: { adjust: -8 } });
    await marked;
    assert.equal(await cell(page, "Cup", "available").innerText(), "4");
    assert.match(await row(page, "Cup").innerText(), /Low/);
    assert.equal(await page.locator('tr[data-item="Lamp"] .changed').count(), 0);
  }));

test("a store that never had a line, and an address that leads nowhere, say so", () =>
  withPage({ expected: [404] }, async (page) => {
    await signIn(page, "operador", storeHash(freshStore("Nowhere")));
    await page.getByText("No stock here").waitFor();
    await open(page, "#/somewhere/else/entirely");
    await page.getByText("This address leads nowhere.").waitFor();
  }));

test("without a network the page says so, and goes on when it is back", () =>
  withPage({ cut: true }, async (page, context) => {
    const store = freshStore("Offline");
    await seed(store, [["Cup", 12]]);
    await signIn(page, "operador", storeHash(store));
    await cell(page, "Cup", "available").waitFor();
    await context.setOffline(true);
    await page.getByText("You are offline").first().waitFor();
    await api("PATCH", linePath(store, "Cup"), { body: { count: 77 } });
    await context.setOffline(false);
    await eventually(async () => assert.equal(await cell(page, "Cup", "available").innerText(), "77"));
    assert.equal(await page.getByText("You are offline").count(), 0);
  }));

test("an API that does not answer is told with a way to try again", () =>
  withPage({ cut: true }, async (page, context) => {
    await signIn(page);
    await context.route("**/stores", (route) => route.abort("connectionrefused"));
    await page.reload();
    await page.getByText("Almacén does not answer").waitFor();
    await context.unroute("**/stores");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForSelector("[data-test=store]");
  }));
