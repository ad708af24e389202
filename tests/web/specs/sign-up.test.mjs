import assert from "node:assert/strict";
import { test } from "node:test";

import { fillIn, open, SIGN_IN, useBrowser, withPage } from "../support/browser.mjs";
import { customer, fresh, says } from "../support/shop.mjs";

useBrowser();

const problems = (page, name) => page.locator(`[data-field=${name}] [data-test=problems]`);

test("every broken rule is shown at its field, in the page's language, and the first is where the reader goes on", () =>
  withPage({ expected: [400] }, async (page) => {
    await open(page, "#/sign-up");
    await page.fill("[name=username]", "é");
    await page.fill("[name=email]", "ana");
    await page.fill("[name=password]", "ñ");
    await page.fill("[name=age]", "17");
    await page.keyboard.press("Enter");
    await says(problems(page, "username"), /3 to 50 characters[\s\S]*letters without accents/);
    await says(problems(page, "email"), /e-mail address/);
    await says(problems(page, "password"), /8 characters[\s\S]*capital letter[\s\S]*small letter[\s\S]*digit/);
    await says(problems(page, "age"), /18 to 120/);
    await page.waitForFunction(() => document.activeElement?.name === "username");
    assert.equal(await page.getAttribute("[name=password]", "aria-invalid"), "true");

    await page.click("[data-test=language]");
    await page.fill("[name=username]", "ana");
    await page.keyboard.press("Enter");
    await says(problems(page, "password"), /mayúscula/);
    assert.equal(await problems(page, "username").count(), 0);
  }));

test("a new customer is signed in at once, and goes on in the shop", () =>
  withPage({}, async (page) => {
    const username = fresh("ana");
    await open(page);
    await page.click("[data-test=to-sign-in]");
    await page.click("[data-test=to-sign-up]");
    await page.fill("[name=username]", username);
    await page.fill("[name=email]", `${username}@example.com`);
    await page.fill("[name=password]", "Abcdefg1");
    await page.fill("[name=age]", "18");
    await page.keyboard.press("Enter");
    await page.getByText(`Welcome, ${username}`).waitFor();
    await page.getByRole("heading", { name: "Shop" }).waitFor();
    await page.click("[data-test=account]");
    await page.getByText("Customer").waitFor();
    // nothing of the warehouse is offered
    for (const name of ["Stores", "Imports", "Catalogue"]) assert.equal(await page.getByRole("link", { name }).count(), 0, name);
    await page.click("[data-test=sign-out]");
    await page.waitForSelector("[data-test=to-sign-in]");
  }));

test("a name that is taken opens nothing, and its owner still signs in", () =>
  withPage({ expected: [401] }, async (page) => {
    const user = await customer();
    await open(page, "#/sign-up");
    await page.fill("[name=username]", user.username);
    await page.fill("[name=email]", "other@example.com");
    await page.fill("[name=password]", "Abcdefg2");
    await page.keyboard.press("Enter");
    await says(page.locator("[data-test=sign-up-problem]"), new RegExp(`${user.username} was taken before`));
    assert.equal(await page.inputValue("[name=email]"), "other@example.com");
    await page.getByRole("link", { name: "Sign in" }).click();
    await fillIn(page, user);
    await page.waitForSelector("[data-test=account]");
  }));

test("whoever is signed in does not stay at the form", () =>
  withPage({}, async (page) => {
    const user = await customer();
    await open(page, SIGN_IN);
    await fillIn(page, user);
    await page.waitForSelector("[data-test=account]");
    await page.evaluate(() => { location.hash = "#/sign-in?back=%23%2Fcart"; });
    await page.getByRole("heading", { name: "Cart" }).waitFor();
    await page.evaluate(() => { location.hash = "#/sign-up?back=https%3A%2F%2Fevil.example"; });
    await page.getByRole("heading", { name: "Shop" }).waitFor();
  }));
