// Takes the README's picture, docs/page.png and docs/page-dark.png, from the running local stack with its sample.
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { FLAGS, signIn, storeHash } from "./support/browser.mjs";

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
await browser.close();
