// A view puts the focus somewhere as it is drawn, and never later: by then the reader may be elsewhere.
import assert from "node:assert/strict";
import { test } from "node:test";

import { open, SIGN_IN, signIn, useBrowser, withPage } from "../support/browser.mjs";
import { cleanUp, product, productHash } from "../support/shop.mjs";

useBrowser();
cleanUp();

/** Goes to `hash`, and focuses `control` in the moment in which it is drawn, as a quick reader or a script would. What has the focus before and after. */
const goAndFocus = (page, hash, control) =>
  page.evaluate(([where, what]) => new Promise((done) => {
    const nameOf = (element) => element.name || element.dataset.test || element.localName;
    new MutationObserver((_, observer) => {
      const drawn = document.querySelector(what);
      if (!drawn) return;
      observer.disconnect();
      const before = nameOf(document.activeElement);
      drawn.focus();
      done(before);
    }).observe(document.body, { childList: true, subtree: true });
    location.hash = where;
  }), [hash, control]);

/** The title is set by an effect, which runs some time after the view was drawn. */
const effectsHaveRun = (page, title) => page.waitForFunction((wanted) => document.title === wanted, `${title} · Almacén`);
const focused = (page) => page.evaluate(() => document.activeElement.name || document.activeElement.dataset.test || document.activeElement.localName);

test("who has gone on to the next field of the sign-up stays there, and so does what is typed", () =>
  withPage({}, async (page) => {
    await open(page, SIGN_IN);
    await effectsHaveRun(page, "Sign in");
    assert.equal(await goAndFocus(page, "#/sign-up", "[name=email]"), "username");
    await page.keyboard.type("ana@example.com");
    await effectsHaveRun(page, "Create an account");
    assert.equal(await focused(page), "email");
    assert.equal(await page.inputValue("[name=email]"), "ana@example.com");
    assert.equal(await page.inputValue("[name=username]"), "");
  }));

test("who has gone on to the password of the sign-in stays there", () =>
  withPage({}, async (page) => {
    await open(page);
    await effectsHaveRun(page, "Shop");
    assert.equal(await goAndFocus(page, SIGN_IN, "[name=password]"), "username");
    await effectsHaveRun(page, "Sign in");
    assert.equal(await focused(page), "password");
  }));

test("who has gone on from a view's heading stays there", () =>
  withPage({}, async (page) => {
    const one = await product();
    await open(page, productHash(one.id));
    await page.click(".product-buy [data-test=add]");
    await page.getByText("is put aside for you").waitFor();
    assert.equal(await goAndFocus(page, "#/cart", "[data-test=cart-sign-in]"), "h1");
    await effectsHaveRun(page, "Cart");
    assert.equal(await focused(page), "cart-sign-in");
  }));

test("a specification that is added can be typed at once", () =>
  withPage({}, async (page) => {
    await signIn(page, "admin", "#/catalogue/new");
    await page.waitForSelector("[data-test=add-specification]");
    const has = await page.evaluate(() => new Promise((done) => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector("[name=specification-name]")) return;
        observer.disconnect();
        done(document.activeElement.name);
      }).observe(document.body, { childList: true, subtree: true });
      document.querySelector("[data-test=add-specification]").click();
    }));
    assert.equal(has, "specification-name");
  }));
