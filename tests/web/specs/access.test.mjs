import assert from "node:assert/strict";
import { test } from "node:test";

import { audit, withAxe } from "../support/axe.mjs";
import { cell, open, row, SIGN_IN, signIn, storeHash, useBrowser, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { api, freshStore, importCsv, linePath, seed, users } from "../support/stack.mjs";

useBrowser();

for (const scheme of ["light", "dark"]) {
  test(`axe finds nothing serious in ${scheme}`, () =>
    withPage({ scheme }, async (page) => {
      const store = freshStore("Axe");
      await seed(store, [["Cup", 12], ["Lamp", 3], ["Chair", 0]]);
      const broken = await importCsv(`store,item,count\n${store},Table,many\n`, "mistakes.csv");
      await withAxe(page);
      await open(page, SIGN_IN);
      await page.waitForSelector("[name=username]");
      await audit(page, "sign-in");
      await signIn(page);
      await page.waitForSelector("[data-test=store]");
      await audit(page, "stores");
      await page.click("[data-test=account]");
      await audit(page, "account");
      await page.keyboard.press("Escape");
      const base = page.url().split("#")[0];
      await page.goto(base + storeHash(store));
      await row(page, "Cup").waitFor();
      await audit(page, "lines");
      await row(page, "Cup").locator("[data-test=edit]").click();
      await page.fill("[name=amount]", "x");
      await page.click("[data-test=editor] button.primary");
      await audit(page, "editor");
      await page.keyboard.press("Escape");
      await page.click("[data-test=upload]");
      await page.waitForSelector("[data-test=uploader]");
      await audit(page, "uploader");
      await page.keyboard.press("Escape");
      await page.goto(`${base}#/imports`);
      await page.waitForSelector("[data-test=imports]");
      await audit(page, "imports");
      await page.goto(`${base}#/imports/${broken.importId}`);
      await page.waitForSelector("[data-test=rejected]");
      await audit(page, "one import");
    }));
}

test("signing in and changing a line need no mouse", () =>
  withPage({}, async (page) => {
    const store = freshStore("Keys");
    await seed(store, [["Cup", 12]]);
    await open(page, storeHash(store));
    await page.waitForFunction(() => document.activeElement?.name === "username");
    await page.keyboard.type(users.operador.username);
    await page.keyboard.press("Tab");
    await page.keyboard.type(users.operador.password);
    await page.keyboard.press("Enter");
    await row(page, "Cup").waitFor();

    const focused = () => page.evaluate(() => document.activeElement?.dataset.test ?? "");
    const reach = async (name) => {
      for (let presses = 0; (await focused()) !== name; presses += 1) {
        assert.ok(presses < 60, `${name} is not reached by Tab`);
        await page.keyboard.press("Tab");
      }
    };
    await reach("account");
    await page.keyboard.press("Enter");
    await reach("sign-out");
    await page.keyboard.press("Escape");
    await page.waitForSelector("[data-test=sign-out]", { state: "detached" });
    assert.equal(await focused(), "account");
    // the focus comes back once the dialog is gone, not in the same moment
    const backOnEdit = () => page.waitForFunction(() => document.activeElement?.dataset.test === "edit");
    await reach("edit");
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(ring, "solid");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.name === "amount");
    // the focus stays inside the dialog, and the browser's own frame is all that can come between
    for (let presses = 0; presses < 20; presses += 1) {
      await page.keyboard.press("Tab");
      assert.ok(await page.evaluate(() => document.activeElement === document.body || Boolean(document.activeElement.closest("dialog"))));
    }
    await page.keyboard.press("Escape");
    await page.waitForSelector("[data-test=editor]", { state: "detached" });
    await backOnEdit();

    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.name === "amount");
    await page.keyboard.type("33");
    await page.keyboard.press("Enter");
    await eventually(async () => assert.equal(await cell(page, "Cup", "available").innerText(), "33"));
    assert.equal((await api("GET", linePath(store, "Cup"))).count, 33);
    await backOnEdit();
  }));

test("a shopper sees stock and nothing to change it with", () =>
  withPage({}, async (page) => {
    const store = freshStore("Reader");
    await seed(store, [["Cup", 12]]);
    await signIn(page, "cliente", storeHash(store));
    await eventually(async () => assert.equal(await cell(page, "Cup", "available").innerText(), "12"));
    for (const control of ["edit", "upload"]) assert.equal(await page.locator(`[data-test=${control}]`).count(), 0, control);
    assert.equal(await page.getByRole("link", { name: "Imports" }).count(), 0);
    await page.goto(`${page.url().split("#")[0]}#/imports`);
    await page.getByText("Imports are for operators.").waitFor();
  }));

test("the page's policy lets no inline script run", () =>
  withPage({ policy: true }, async (page) => {
    await open(page);
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "globalThis.inlineRan = true";
      document.head.append(script);
      return Boolean(globalThis.inlineRan);
    });
    assert.equal(ran, false);
  }));

test("English and Spanish have the same texts", () =>
  withPage({}, async (page) => {
    await open(page);
    const [english, spanish] = await page.evaluate(() =>
      Promise.all(["en", "es"].map(async (name) => {
        const { default: texts } = await import(new URL(`js/i18n/${name}.js`, document.baseURI));
        return Object.entries(texts).map(([key, text]) => `${key}: ${typeof text} of ${text.length ? "something" : "nothing"}`).sort();
      })));
    assert.deepEqual(spanish, english);
  }));
