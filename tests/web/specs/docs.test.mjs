import assert from "node:assert/strict";
import { test } from "node:test";

import { useBrowser, withPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { outputs, users } from "../support/stack.mjs";

useBrowser();

const operation = (page, id) => page.locator(`[id$="-${id}"]`).first();
const status = async (page, id) => operation(page, id).locator(".live-responses-table tbody .response-col_status").first().innerText();

async function tryIt(page, id) {
  const block = operation(page, id);
  await block.locator(".opblock-summary-control").click();
  await block.locator("button.execute").click();
  await block.locator(".live-responses-table tbody .response-col_status").first().waitFor();
}

const openDocs = async (page) => {
  await page.goto(outputs.DocsUrl);
  await operation(page, "listStores").waitFor();
};

test("the documentation shows every operation, and one without a token can be tried", () =>
  withPage({}, async (page) => {
    await openDocs(page);
    const document = await (await fetch(`${outputs.ApiUrl}/openapi.json`)).json();
    const ids = Object.values(document.paths).flatMap((item) => Object.values(item).map((one) => one.operationId).filter(Boolean));
    assert.ok(ids.length >= 11, ids.join(" "));
    for (const id of ids) await operation(page, id).waitFor();
    await tryIt(page, "getHealth");
    assert.match(await status(page, "getHealth"), /^200/);
  }));

test("signed in on the page, stores can be read", () =>
  withPage({ expected: [401] }, async (page) => {
    await openDocs(page);
    await tryIt(page, "listStores");
    assert.match(await status(page, "listStores"), /^401/);

    await page.locator(".auth-wrapper .authorize").first().click();
    const form = page.locator(".auth-container", { hasText: "tokenUrl" }).or(page.locator(".auth-container", { hasText: "Token URL" })).first();
    await form.locator("#oauth_username").fill(users.operador.username);
    await form.locator("#oauth_password").fill(users.operador.password);
    await form.locator("button.authorize").click();
    await form.locator("button", { hasText: "Logout" }).waitFor();
    await page.locator(".dialog-ux .btn-done").first().click();

    await operation(page, "listStores").locator("button.execute").click();
    await eventually(async () => assert.match(await status(page, "listStores"), /^200/));
    assert.match(await operation(page, "listStores").locator(".live-responses-table").first().innerText(), /"stores"/);
  }));

test("an access token does as well", () =>
  withPage({}, async (page) => {
    const { username, password } = users.cliente;
    const answer = await fetch(`${outputs.ApiUrl}/token`, { method: "POST", body: new URLSearchParams({ username, password }) });
    const { access_token: token } = await answer.json();
    await openDocs(page);
    await page.locator(".auth-wrapper .authorize").first().click();
    const form = page.locator(".auth-container", { hasText: "bearer" }).last();
    await form.locator("input").fill(token);
    await form.locator("button.authorize").click();
    await page.locator(".dialog-ux .btn-done").first().click();
    await tryIt(page, "listStores");
    assert.match(await status(page, "listStores"), /^200/);
  }));
