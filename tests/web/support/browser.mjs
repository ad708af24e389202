// Chromium, and pages that fail their test when they log an error or a request goes wrong that nobody expected to.
import assert from "node:assert/strict";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

import { outputs, users } from "./stack.mjs";

export const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
/** Generous: a machine that builds at the same time is slow, and only a failure waits this long. */
const DEADLINE_MS = 60_000;

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

/** The page's own font, and the widest that is installed: see `withPage`. */
export const SHIPPED = "its own font";
export const WIDEST = "the widest installed font";
const CANDIDATES = ["system-ui", '"DejaVu Sans"', "Verdana", '"Noto Sans"', '"Open Sans"', "Roboto", "Arial"].map((name) => `${name}, sans-serif`);
const isFont = (url) => url.pathname.endsWith(".woff2");

let browser;

/** Call once at the top of a test file: one browser for its tests, each with a context of its own. */
export function useBrowser() {
  before(async () => {
    // Every launch makes a profile of its own and removes it again.
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS });
  });
  after(() => browser?.close());
}

/**
 * Runs `body(page)` on a fresh page. `expected` holds statuses that may be answered without failing the test, `cut`
 * allows requests without an answer, `policy` the log line of a script that the content policy stopped. With `font` WIDEST the page
 * does not get its own font and is shown in the widest one that is installed.
 */
export async function withPage({ expected = [], cut = false, policy = false, viewport = DESKTOP, language = "en-GB", scheme = "light", font = SHIPPED }, body) {
  const context = await browser.newContext({ viewport, locale: language, colorScheme: scheme, acceptDownloads: true });
  context.setDefaultTimeout(DEADLINE_MS);
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(`uncaught: ${error.stack}`));
  page.on("console", (message) => {
    // Chromium writes one such line for every bad answer; those are judged below, by status.
    const judgedBelow = /^Failed to load resource/.test(message.text());
    const stopped = policy && /Content Security Policy/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !judgedBelow && !stopped) wrong.push(`console: ${message.text()}`);
  });
  page.on("response", (answer) => {
    if (answer.status() >= 400 && !expected.includes(answer.status())) wrong.push(`${answer.status()} ${answer.request().method()} ${answer.url()}`);
  });
  page.on("requestfailed", (request) => {
    // The page gives up its own requests when a view closes or a search goes on.
    const givenUp = request.failure()?.errorText === "net::ERR_ABORTED";
    const withheld = font === WIDEST && isFont(new URL(request.url()));
    if (!givenUp && !cut && !withheld) wrong.push(`no answer: ${request.url()} ${request.failure()?.errorText}`);
  });
  if (font === WIDEST) await showInWidestFont(page);
  try {
    await body(page, context);
    assert.deepEqual(wrong, [], "the page went wrong on the way");
  } catch (cause) {
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/failed-${Date.now()}.png` });
    if (wrong.length) cause.message += `\nthe page said:\n${wrong.join("\n")}`;
    throw cause;
  } finally {
    await context.close();
  }
}

async function showInWidestFont(page) {
  const family = await page.evaluate((candidates) => {
    const canvas = document.createElement("canvas").getContext("2d");
    const width = (family) => ["400", "650"].reduce((sum, weight) => {
      canvas.font = `${weight} 16px ${family}`;
      return sum + canvas.measureText("Existencias disponibles 1.234.567,89 US$").width;
    }, 0);
    return candidates.sort((one, other) => width(other) - width(one))[0];
  }, CANDIDATES);
  await page.route(isFont, (route) => route.abort());
  await page.route((url) => url.pathname.endsWith("/styles/tokens.css"), async (route) => {
    const answer = await route.fetch();
    const [own, forced] = [await answer.text(), `--font: ${family};`];
    const body = own.replace(/--font: [^;]*;/, forced);
    assert.ok(body.includes(forced) && body !== own, "tokens.css has no --font any more");
    await route.fulfill({ response: answer, body });
  });
}

export const open = (page, hash = "") => page.goto(outputs.WebUrl + hash);
export const SIGN_IN = "#/sign-in";

/** Signs in by the form and waits for what comes behind it. */
export async function signIn(page, role = "operador", hash = SIGN_IN) {
  await open(page, hash);
  await fillIn(page, users[role]);
}

/** At the form, wherever it stands. */
export async function fillIn(page, { username, password }) {
  await page.fill("[name=username]", username);
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-test=account]");
}

/**
 * Holds the next answer to `method` at `path`. `asked` waits until it is there; `free()` lets it go, and `release()` waits
 * until the page has it too.
 */
export async function hold(page, method, path) {
  let [seen, free, held] = [];
  const asked = new Promise((done) => { seen = done; });
  const freed = new Promise((done) => { free = done; });
  await page.route((url) => url.pathname.endsWith(path), async (route) => {
    if (held || route.request().method() !== method) return route.fallback();
    held = route.request();
    const answer = await route.fetch();
    seen();
    await freed;
    return route.fulfill({ response: answer });
  });
  const release = async () => {
    const came = page.waitForResponse((answer) => answer.request() === held);
    free();
    await (await came).finished();
  };
  return { asked, free, release };
}

export const storeHash = (store) => `#/stores/${encodeURIComponent(store)}`;
export const row = (page, item) => page.locator(`tr[data-item="${item}"]`);
export const cell = (page, item, field) => row(page, item).locator(`[data-field=${field}] span`).first();
export const items = (page) => page.locator("[data-test=lines] tbody tr").evaluateAll((rows) => rows.map((one) => one.dataset.item));
