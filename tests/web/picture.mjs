// Takes the README's pictures from the running local stack with its samples: docs/page.png, docs/page-dark.png and docs/shop.png.
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { FLAGS, signIn, storeHash } from "./support/browser.mjs";
import { outputs } from "./support/stack.mjs";

const STORE = "Berlin";
/** The sample that came last, first. */
const NEWEST = "?sort=updated&dir=desc";

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS });
for (const [scheme, name] of [["light", "page.png"], ["dark", "page-dark.png"]]) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 694 }, locale: "en-GB", colorScheme: scheme });
  const page = await context.newPage();
  await signIn(page, "operador", storeHash(STORE) + NEWEST);
  await page.waitForSelector("[data-test=lines] tbody tr");
  await page.getByText(/\d+ lines · \d+ low/).waitFor();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)) });
  await context.close();
}
const shop = await browser.newPage({ viewport: { width: 1200, height: 694 }, locale: "en-GB", colorScheme: "light" });
await shop.goto(`${outputs.WebUrl}#/shop`);
await shop.waitForSelector("[data-test=product] img");
// Those further down are not asked for before they come into sight.
await shop.waitForFunction(() => [...document.images].filter((image) => image.getBoundingClientRect().top < innerHeight).every((image) => image.naturalWidth > 0));
await shop.screenshot({ path: fileURLToPath(new URL("../../docs/shop.png", import.meta.url)) });
await browser.close();
