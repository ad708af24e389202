import assert from "node:assert/strict";
import { test } from "node:test";

import { open, SIGN_IN, useBrowser, withPage } from "../support/browser.mjs";

useBrowser();

/** Names of the fonts that the browser really drew the text of `selector` in. */
async function used(page, selector) {
  // What was put there a moment ago has none before it is drawn.
  await page.evaluate(() => new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); }));
  const protocol = await page.context().newCDPSession(page);
  await protocol.send("DOM.enable");
  await protocol.send("CSS.enable");
  const { root } = await protocol.send("DOM.getDocument");
  const { nodeId } = await protocol.send("DOM.querySelector", { nodeId: root.nodeId, selector });
  const { fonts } = await protocol.send("CSS.getPlatformFontsForNode", { nodeId });
  await protocol.detach();
  return fonts.map((one) => one.familyName).sort();
}

test("text is shown in the page's own font, in every weight", () =>
  withPage({}, async (page) => {
    const font = page.waitForResponse((answer) => answer.url().endsWith("/vendor/inter/inter.woff2"));
    await open(page, SIGN_IN);
    await page.waitForSelector("[name=username]");
    assert.equal(await (await font).headerValue("content-type"), "font/woff2");
    await page.evaluate(() => document.fonts.ready);
    assert.deepEqual(await used(page, "h1"), ["Inter Variable"]);
    assert.deepEqual(await used(page, ".sign-in-foot"), ["Inter Variable"]);
    const widths = await page.evaluate(() => [400, 550, 700].map((weight) => {
      const canvas = document.createElement("canvas").getContext("2d");
      canvas.font = `${weight} 16px Inter`;
      return canvas.measureText("Existencias").width;
    }));
    assert.ok(widths[0] < widths[1] && widths[1] < widths[2], widths.join(" "));
    // the characters of every text and price are in it
    const text = await page.evaluate(async () => {
      const languages = await Promise.all(["en", "es"].map((name) => import(new URL(`js/i18n/${name}.js`, document.baseURI))));
      const texts = languages.flatMap(({ default: all }) => Object.values(all).map(String)).join("") + "€£¥₩₿ 1\u00a0234\u202f567,89 äöüßÄÖÜ çœàâêëîïôùûÿ áéíóúñ¿¡ łőşžø ← → −½";
      const line = document.createElement("p");
      line.id = "characters";
      line.textContent = [...new Set(texts)].join("");
      document.querySelector("main").append(line);
      return line.textContent;
    });
    assert.deepEqual(await used(page, "#characters"), ["Inter Variable"], text);
  }));

test("until the font is there, the system's takes nearly as much room", (t) =>
  withPage({}, async (page) => {
    await open(page, SIGN_IN);
    await page.waitForSelector("[name=username]");
    const text = "Here for the first time? Create an account, and find your cart on every device.";
    const sizes = await page.evaluate(async (words) => {
      const span = document.createElement("span");
      span.textContent = words;
      span.style.whiteSpace = "nowrap";
      document.body.append(span);
      const found = [];
      for (const weight of [400, 600]) {
        for (const family of ["Inter", "Inter as Arial", "Inter as Roboto", "Inter as DejaVu"]) {
          // where the system has no such font, nothing is loaded
          const loaded = await document.fonts.load(`${weight} 16px "${family}"`).catch(() => []);
          if (!loaded.some((one) => one.status === "loaded")) continue;
          span.style.font = `${weight} 16px "${family}"`;
          found.push({ weight, family, width: span.getBoundingClientRect().width, height: span.getBoundingClientRect().height });
        }
      }
      return found;
    }, text);
    const own = (weight) => sizes.find((one) => one.family === "Inter" && one.weight === weight);
    const others = sizes.filter((one) => one.family !== "Inter");
    if (!others.length) t.skip("none of the three fonts is installed");
    for (const one of others) {
      const [width, height] = [one.width / own(one.weight).width, one.height / own(one.weight).height];
      assert.ok(Math.abs(width - 1) < 0.04 && Math.abs(height - 1) < 0.06, `${one.family} ${one.weight}: ${width} × ${height}`);
    }
  }));
