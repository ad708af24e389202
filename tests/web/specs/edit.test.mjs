import assert from "node:assert/strict";
import { test } from "node:test";

import { cell, row, signIn, storeHash, useBrowser, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { api, freshStore, linePath, seed } from "../support/stack.mjs";

useBrowser();

async function edit(page, item, kind, amount) {
  await row(page, item).locator("[data-test=edit]").click();
  await page.waitForSelector("[data-test=editor]");
  await page.check(`[name=kind][value=${kind}]`, { force: true });
  if (amount !== null) await page.fill("[name=amount]", String(amount));
}

const save = (page) => page.click("[data-test=editor] button.primary");
const closed = (page) => page.waitForSelector("[data-test=editor]", { state: "detached" });

test("set, add, take away, warn at, and back to the default", () =>
  withPage({}, async (page) => {
    const store = freshStore("Edit");
    await seed(store, [["Cup", 12]]);
    await signIn(page, "operador", storeHash(store));
    const shows = (field, value) => eventually(async () => assert.equal(await cell(page, "Cup", field).innerText(), value));

    await edit(page, "Cup", "set", 40);
    assert.match(await page.locator(".preview").innerText(), /12[\s\S]*40/);
    await page.fill("[name=reason]", "counted again");
    await save(page);
    await closed(page);
    await shows("available", "40");

    await edit(page, "Cup", "add", 5);
    await save(page);
    await closed(page);
    await shows("count", "45");

    await edit(page, "Cup", "remove", 41);
    await save(page);
    await closed(page);
    await shows("available", "4");
    await eventually(async () => assert.match(await row(page, "Cup").innerText(), /Low/));

    await edit(page, "Cup", "threshold", 2);
    await save(page);
    await closed(page);
    await shows("threshold", "2");
    await eventually(async () => assert.match(await row(page, "Cup").innerText(), /In stock/));

    await edit(page, "Cup", "threshold", null);
    await page.check("[name=default]");
    await save(page);
    await closed(page);
    await eventually(async () => assert.match(await row(page, "Cup").innerText(), /Low/));

    // the table did not only say so
    const line = await api("GET", linePath(store, "Cup"));
    assert.deepEqual([line.count, line.low], [4, true]);
    await page.reload();
    await shows("available", "4");
  }));

test("what cannot be is refused before it is sent", () =>
  withPage({}, async (page) => {
    const store = freshStore("Refuse");
    await seed(store, [["Cup", 12]]);
    await signIn(page, "operador", storeHash(store));
    for (const [kind, amount, problem] of [["set", "abc", "whole number"], ["set", "", "whole number"], ["set", "-1", "whole number"], ["remove", "13", "only 12"], ["add", "0", "above 0"]]) {
      await edit(page, "Cup", kind, amount);
      await save(page);
      await page.locator("#editor-problem", { hasText: problem }).waitFor();
      await page.keyboard.press("Escape");
      await closed(page);
    }
    assert.equal((await api("GET", linePath(store, "Cup"))).count, 12);
  }));

test("a line that somebody changed meanwhile is shown and asked about again", () =>
  withPage({ expected: [412] }, async (page) => {
    const store = freshStore("Meanwhile");
    await seed(store, [["Cup", 12]]);
    await signIn(page, "operador", storeHash(store));
    const read = page.waitForResponse((answer) => answer.url().endsWith("/Cup") && answer.request().method() === "GET");
    await edit(page, "Cup", "set", 40);
    await read;
    await api("PATCH", linePath(store, "Cup"), { body: { count: 7 } });
    // the list behind the dialog refreshes; what is typed stays
    await eventually(async () => assert.equal(await cell(page, "Cup", "available").innerText(), "7"));
    assert.equal(await page.inputValue("[name=amount]"), "40");

    await save(page);
    const notice = page.locator("[data-test=conflict]");
    await notice.waitFor();
    assert.match(await notice.innerText(), /was 12 on hand[\s\S]*now it is 7 on hand/);
    assert.equal((await api("GET", linePath(store, "Cup"))).count, 7);
    assert.equal(await page.inputValue("[name=amount]"), "40");

    await page.getByRole("button", { name: "Save anyway" }).click();
    await closed(page);
    await eventually(async () => assert.equal(await cell(page, "Cup", "available").innerText(), "40"));
    assert.equal((await api("GET", linePath(store, "Cup"))).count, 40);
  }));

test("a line that could not be read is not saved over what the list did not show", () =>
  withPage({ expected: [503] }, async (page) => {
    const store = freshStore("Unread");
    await seed(store, [["Cup", 12]]);
    await signIn(page, "operador", storeHash(store));
    await cell(page, "Cup", "available").waitFor();
    // the list stays as it is from now on, and the dialog's own reading fails
    await page.route((url) => url.pathname.endsWith(encodeURIComponent(store)), () => {});
    const isLine = (url) => url.pathname.endsWith("/Cup");
    const fails = (route) => (route.request().method() === "GET" ? route.fulfill({ status: 503, body: "{}" }) : route.fallback());
    await page.route(isLine, fails);
    await edit(page, "Cup", "set", 40);
    await page.locator("#editor-problem", { hasText: "went wrong" }).waitFor();
    await page.unroute(isLine, fails);
    await api("PATCH", linePath(store, "Cup"), { body: { count: 7 } });
    await save(page);
    const notice = page.locator("[data-test=conflict]");
    await notice.waitFor();
    assert.match(await notice.innerText(), /was 12 on hand[\s\S]*now it is 7 on hand/);
    assert.equal((await api("GET", linePath(store, "Cup"))).count, 7);
    await page.getByRole("button", { name: "Save anyway" }).click();
    await closed(page);
    assert.equal((await api("GET", linePath(store, "Cup"))).count, 40);
  }));
