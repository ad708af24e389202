import assert from "node:assert/strict";
import { test } from "node:test";

import { PHONE, row, SHIPPED, signIn, storeHash, useBrowser, WIDEST, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { fits } from "../support/layout.mjs";
import { freshStore, seed } from "../support/stack.mjs";

useBrowser();

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

test("the browser's language first, then the reader's choice, kept", () =>
  withPage({ language: "es-ES" }, async (page) => {
    await signIn(page);
    await page.getByRole("heading", { name: "Tiendas" }).waitFor();
    assert.equal(await page.getAttribute("html", "lang"), "es");
    const asked = page.waitForRequest((request) => request.url().includes("/stores") && request.headers()["accept-language"] === "en");
    await page.click("[data-test=language]");
    await page.getByRole("heading", { name: "Stores" }).waitFor();
    assert.equal(await page.getAttribute("html", "lang"), "en");
    await eventually(async () => assert.match(await page.title(), /^Stores/));
    await asked;
    await page.reload();
    await page.getByRole("heading", { name: "Stores" }).waitFor();
  }));

test("the system's theme first, then the reader's choice, kept", () =>
  withPage({ scheme: "dark" }, async (page) => {
    await signIn(page);
    const dark = await ground(page);
    await page.click("[data-test=theme]");
    const light = await ground(page);
    assert.notEqual(light, dark);
    await page.reload();
    assert.equal(await ground(page), light);
    await page.emulateMedia({ colorScheme: "light" });
    assert.equal(await ground(page), light);
  }));

for (const width of [320, PHONE.width, 768, 1000, 1280]) {
  for (const font of [SHIPPED, WIDEST]) {
    test(`nothing sticks out sideways at ${width} px in ${font}`, () =>
      withPage({ viewport: { width, height: 740 }, language: "es-ES", font }, async (page) => {
        const store = freshStore("Narrow");
        const long = `Taza-de-cerámica-esmaltada-${"x".repeat(80)}`;
        await seed(store, [[long, 1_234_567], ["Cup", 3, 100_000]]);
        await signIn(page);
        await fits(page, "stores");
        await page.goto(page.url().split("#")[0] + storeHash(store));
        await row(page, "Cup").waitFor();
        await fits(page, "lines");
        await row(page, long).locator("[data-test=edit]").click();
        await page.waitForSelector("[data-test=editor]");
        const box = await page.locator("dialog").boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= width, JSON.stringify(box));
        const [inside, room] = await page.locator("dialog").evaluate((dialog) => [dialog.scrollWidth, dialog.clientWidth]);
        assert.ok(inside <= room, `the dialog of a line: ${inside} > ${room}`);
        await page.keyboard.press("Escape");
        await page.click("[data-test=upload]");
        await page.waitForSelector("[data-test=uploader]");
        await fits(page, "upload");
        await page.keyboard.press("Escape");
        await page.goto(`${page.url().split("#")[0]}#/imports`);
        await page.waitForSelector("[data-test=imports]");
        await fits(page, "imports");
      }));
  }
}
