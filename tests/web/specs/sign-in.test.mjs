import assert from "node:assert/strict";
import { test } from "node:test";

import { fillIn, hold, open, SIGN_IN, signIn, useBrowser, withPage } from "../support/browser.mjs";
import { users } from "../support/stack.mjs";

useBrowser();

const kept = (page) => page.evaluate(() => JSON.parse(sessionStorage.getItem("almacen.session")));
const keep = (page, changes) =>
  page.evaluate((changed) => {
    const session = { ...JSON.parse(sessionStorage.getItem("almacen.session")), ...changed };
    sessionStorage.setItem("almacen.session", JSON.stringify(session));
  }, changes);

test("a wrong password is refused and says so", () =>
  withPage({ expected: [400, 401] }, async (page) => {
    await open(page, SIGN_IN);
    await page.fill("[name=username]", users.operador.username);
    await page.fill("[name=password]", "Not-the-password-1");
    await page.click("form button");
    await page.getByRole("alert").getByText(/password/).waitFor();
    assert.equal(await page.inputValue("[name=password]"), "");
    assert.equal(await kept(page), null);
  }));

test("nothing is sent while a field is empty", () =>
  withPage({}, async (page) => {
    await open(page, SIGN_IN);
    await page.click("form button");
    await page.getByText("Enter your username and your password.").waitFor();
  }));

test("in, a reload stays in, out forgets the tokens", () =>
  withPage({}, async (page) => {
    await signIn(page);
    assert.match(await page.title(), /^Stores/);
    await page.reload();
    await page.click("[data-test=account]");
    await page.getByText("Operator").waitFor();
    await page.click("[data-test=sign-out]");
    await page.waitForSelector("[data-test=to-sign-in]");
    assert.equal(await kept(page), null);
  }));

test("an access token that no longer works is renewed without a word", () =>
  withPage({ expected: [401] }, async (page) => {
    await signIn(page);
    await keep(page, { accessToken: "a.b.c" });
    await page.reload();
    await page.getByRole("heading", { name: "Stores" }).waitFor();
    await page.waitForFunction(() => JSON.parse(sessionStorage.getItem("almacen.session")).accessToken !== "a.b.c");
    assert.equal(await page.locator("[name=password]").count(), 0);
  }));

test("a session that cannot be renewed ends at the sign-in and goes on where it was", () =>
  withPage({ expected: [400, 401] }, async (page) => {
    await signIn(page, "operador", "#/imports");
    await keep(page, { accessToken: "a.b.c", refreshToken: "gone" });
    await page.reload();
    await page.getByText("Your session has ended").waitFor();
    await page.fill("[name=username]", users.operador.username);
    await page.fill("[name=password]", users.operador.password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Imports" }).waitFor();
  }));

test("a token that comes after its owner has gone signs nobody in", () =>
  withPage({ expected: [401] }, async (page) => {
    await signIn(page);
    await keep(page, { accessToken: "a.b.c" });
    const late = await hold(page, "POST", "/token");
    await page.reload();
    await late.asked;
    await page.click("[data-test=account]");
    await page.click("[data-test=sign-out]");
    await page.click("[data-test=to-sign-in]");
    await fillIn(page, users.cliente);
    await late.release();
    // the next view's answers come after it
    await page.click("[data-test=account]");
    await page.getByText("Customer").waitFor();
    assert.equal((await kept(page)).username, users.cliente.username);
  }));
