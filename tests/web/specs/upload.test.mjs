import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { cell, hold, signIn, storeHash, useBrowser, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { api, freshStore, linePath, outputs, seed } from "../support/stack.mjs";

useBrowser();

const csvFile = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
const counter = (page, name) => page.locator(`[data-counter=${name}]`).innerText();
const ended = (page) => page.waitForSelector('[data-test=status]:not([data-status=pending]):not([data-status=running])', { timeout: 120_000 });

/** Drops a file as a hand would: it hovers, then falls. */
async function drop(page, name, text) {
  const carried = await page.evaluateHandle(([fileName, content]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], fileName, { type: "text/csv" }));
    return transfer;
  }, [name, text]);
  await page.dispatchEvent("body", "dragenter", { dataTransfer: carried });
  await page.dispatchEvent("body", "dragover", { dataTransfer: carried });
  await page.waitForSelector(".drop-veil");
  await page.dispatchEvent("body", "drop", { dataTransfer: carried });
}

async function choose(page, file) {
  await page.click("[data-test=upload]");
  await page.setInputFiles("[data-test=uploader] input[type=file]", file);
}

async function download(page, test) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(`[data-test=${test}]`)]);
  return readFile(await file.path(), "utf8");
}

test("a dropped file with mistakes: progress, report, reasons, downloads", () =>
  withPage({}, async (page) => {
    const store = freshStore("Drop");
    await signIn(page);
    await drop(page, "stock.csv", `store,item,count\n${store},Cup,12\n${store},Lamp,abc\n${store},,4\n${store},Chair,-3\n${store},Table,2\n`);
    await page.getByText("stock.csv").waitFor();
    await page.click("[data-test=start-upload]");
    await page.waitForURL(/#\/imports\/imp_/);
    await ended(page);
    assert.equal(await page.locator("[data-test=status]").getAttribute("data-status"), "completed_with_errors");
    assert.deepEqual(await Promise.all(["rows", "created", "rejected"].map((name) => counter(page, name))), ["5", "2", "3"]);

    const rejected = page.locator("[data-test=rejected] tbody tr");
    await eventually(async () => assert.equal(await rejected.count(), 3));
    const first = await rejected.first().innerText();
    assert.match(first, /3/);
    assert.match(first, /abc/);
    // every reason is a sentence, in either language
    const reasons = () => rejected.evaluateAll((rows) => rows.map((one) => one.lastElementChild.textContent));
    const english = await reasons();
    for (const reason of english) assert.match(reason, /\w+ \w+/);
    await page.click("[data-test=language]");
    assert.notDeepEqual(await reasons(), english);
    await page.click("[data-test=language]");

    const csv = await download(page, "download-rejected");
    assert.match(csv, /abc/);
    assert.doesNotMatch(csv, /Table/);
    assert.equal(JSON.parse(await download(page, "download-report")).rejected.length, 3);

    await page.locator(".report-links").getByText(store).click();
    await eventually(async () => assert.equal(await cell(page, "Cup", "available").innerText(), "12"));
  }));

test("a chosen file, tried first, then imported for real without choosing it again", () =>
  withPage({}, async (page) => {
    const store = freshStore("Dry");
    await seed(store, [["Cup", 12]]);
    await signIn(page);
    await choose(page, csvFile("more.csv", `store,item,count\n${store},Cup,20\n${store},Lamp,7\n`));
    await page.check("[name=dryRun]");
    await page.click("[data-test=start-upload]");
    await page.getByText("nothing was written").waitFor({ timeout: 120_000 });
    assert.deepEqual(await Promise.all(["created", "changed"].map((name) => counter(page, name))), ["1", "1"]);
    assert.equal((await api("GET", linePath(store, "Cup"))).count, 12);

    const dry = page.url();
    await page.getByRole("button", { name: "Import for real" }).click();
    await page.waitForURL((url) => url.href !== dry);
    await ended(page);
    await page.getByText("Every row was taken.").waitFor();
    assert.equal((await api("GET", linePath(store, "Cup"))).count, 20);
  }));

test("changes instead of counts, for a file that names no store", () =>
  withPage({}, async (page) => {
    const store = freshStore("Adjust");
    await seed(store, [["Cup", 12], ["Lamp", 30]]);
    await signIn(page);
    await choose(page, csvFile("delivery.csv", "item,count\nCup,8\nLamp,-5\n"));
    await page.check("[name=mode][value=adjust]");
    await page.fill("[name=store]", store);
    await page.click("[data-test=start-upload]");
    await page.waitForURL(/#\/imports\/imp_/);
    await ended(page);
    await page.getByText("Every row was taken.").waitFor();
    await page.goto(page.url().split("#")[0] + storeHash(store));
    await eventually(async () => assert.equal(await cell(page, "Cup", "available").innerText(), "20"));
    assert.equal(await cell(page, "Lamp", "available").innerText(), "25");
  }));

test("a file that is no inventory is refused whole, with the reason", () =>
  withPage({}, async (page) => {
    await signIn(page);
    await choose(page, csvFile("letter.csv", "Dear all\nplease find attached\nnothing\n"));
    await page.click("[data-test=start-upload]");
    await page.waitForURL(/#\/imports\/imp_/);
    await ended(page);
    await page.getByText("The file was refused.").waitFor();
    // the reason is a sentence, and each language has its own
    const reason = page.locator("[data-test=failure]");
    const said = async () => (await reason.innerText()).trim();
    await eventually(async () => assert.match(await said(), / is | has | the /));
    const english = await said();
    await page.click("[data-test=language]");
    await eventually(async () => assert.match(await said(), / es | tiene | la | el /));
    assert.notEqual(await said(), english);
  }));

for (const [language, listed, told, wrong] of [
  ["en-GB", /Broken off[\s\S]*5 rows · 3 new/, "The import broke off", "Nothing was changed"],
  ["es-ES", /Interrumpida[\s\S]*5 filas · 3 nuevas/, "La importación se interrumpió", "No ha cambiado nada"],
]) {
  test(`an import that broke off says so, with what it counted until then, in ${language}`, () =>
    withPage({ language }, async (page) => {
      const counters = { rows: 5, changed: 1, unchanged: 0, created: 3, rejected: 1, stale: 0 };
      const broken = { importId: "imp_1", fileName: "big.csv", mode: "set", dryRun: false, status: "failed", progress: 1, counters, createdAt: "2024-01-21T11:00:00Z" };
      await page.route(/\/imports\?/, (route) => route.fulfill({ json: { imports: [broken] } }));
      await page.route(/\/imports\/imp_1$/, (route) => route.fulfill({ json: broken }));
      await signIn(page, "operador", "#/imports");
      const row = page.locator("[data-import=imp_1]");
      await eventually(async () => assert.match(await row.innerText(), listed));
      await row.locator("a").click();
      await page.getByText(told).waitFor();
      assert.equal(await counter(page, "created"), "3");
      assert.equal(await page.getByText(wrong).count(), 0);
    }));
}

test("Stop is heard while the upload is still being announced", () =>
  withPage({}, async (page) => {
    await signIn(page, "operador", "#/imports");
    let sent = 0;
    page.on("request", (request) => { sent += request.url().includes(outputs.UploadBucket) ? 1 : 0; });
    const late = await hold(page, "POST", "/imports");
    await choose(page, csvFile("late.csv", "store,item,count\nWeb Stopped,Cup,1\n"));
    await page.click("[data-test=start-upload]");
    await late.asked;
    await page.getByRole("button", { name: "Stop" }).click();
    await page.waitForSelector("[data-test=start-upload]:enabled");
    late.free();
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    assert.equal(sent, 0);
    assert.match(page.url(), /#\/imports$/);
  }));

test("a dialog stays while it works, also when Esc is pressed twice, and closes beside it alone", () =>
  withPage({}, async (page) => {
    await signIn(page);
    // never answered, until the reader stops it
    await page.route((url) => url.pathname.includes(outputs.UploadBucket), () => {});
    await choose(page, csvFile("slow.csv", "store,item,count\nWeb Slow,Cup,1\n"));
    await page.click("[data-test=start-upload]");
    await page.getByRole("button", { name: "Stop" }).waitFor();
    const isOpen = () => page.locator("dialog").evaluate((dialog) => dialog.matches(":modal"));
    for (let presses = 0; presses < 4; presses += 1) {
      await page.keyboard.press("Escape");
      await eventually(async () => assert.ok(await isOpen()));
    }
    await page.getByRole("button", { name: "Stop" }).click();
    await page.waitForSelector("[data-test=start-upload]:enabled");
    // where a scrollbar would be
    const { x, y, width, height } = await page.locator("dialog").boundingBox();
    await page.locator("dialog").dispatchEvent("mousedown", { clientX: x + width - 4, clientY: y + height / 2 });
    await page.click("[name=store]");
    await page.mouse.click(x - 20, y);
    await page.waitForSelector("dialog", { state: "detached" });
  }));

test("an empty file and no file at all never leave the page", () =>
  withPage({}, async (page) => {
    await signIn(page);
    await page.click("[data-test=upload]");
    await page.click("[data-test=start-upload]");
    await page.getByText("Choose a file first.").waitFor();
    await page.setInputFiles("[data-test=uploader] input[type=file]", csvFile("empty.csv", ""));
    await page.click("[data-test=start-upload]");
    await page.getByText("empty.csv is empty.").waitFor();
  }));

test("the history lists imports, newest first, and pages back", () =>
  withPage({}, async (page) => {
    const store = freshStore("History");
    await seed(store, [["Cup", 1]]);
    await signIn(page, "operador", "#/imports");
    const rows = page.locator("[data-test=imports] tbody tr");
    await rows.first().waitFor();
    const newest = (await api("GET", "/imports?limit=100")).imports;
    const shown = () => rows.evaluateAll((all) => all.map((one) => one.dataset.import));
    assert.ok((await shown()).includes(newest.find((one) => one.fileName === "seed.csv").importId));
    if (newest.length > 20) {
      const before = await rows.count();
      await page.click("[data-test=older]");
      await eventually(async () => assert.ok((await rows.count()) > before));
      const ids = await shown();
      assert.equal(new Set(ids).size, ids.length);
    }
    await rows.first().locator("a").click();
    await page.waitForURL(/#\/imports\/imp_/);
    await page.goBack();
    await rows.first().waitFor();
  }));
