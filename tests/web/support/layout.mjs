// Whether what is shown fits into the window.
import assert from "node:assert/strict";

/** Nothing is wider than the window, no control stands outside it or is cut off by a frame around it, and no figure runs over the next. */
export async function fits(page, where) {
  const { content, window, outside, spilling } = await page.evaluate(async () => {
    await document.fonts.ready;
    const sideways = (inner, outer) => inner.left < outer.left - 1 || inner.right > outer.right + 1;
    function* ancestors(element) {
      for (let one = element.parentElement; one; one = one.parentElement) yield one;
    }
    const frames = (element) => [...ancestors(element)].filter((one) => getComputedStyle(one).overflowX !== "visible").map((one) => one.getBoundingClientRect());
    // Such as a table's head on a phone: there for screen readers only.
    const hidden = (element) => !element.checkVisibility() || [...ancestors(element)].some((one) => getComputedStyle(one).clipPath !== "none");
    const controls = [...document.querySelectorAll("a, button, input, select, textarea")].filter((one) => !hidden(one));
    const page = { left: 0, right: document.documentElement.clientWidth };
    const cut = controls.filter((one) => [page, ...frames(one)].some((frame) => sideways(one.getBoundingClientRect(), frame)));
    return {
      content: document.documentElement.scrollWidth,
      window: innerWidth,
      spilling: [...document.querySelectorAll("td, th, dd")].filter((one) => !hidden(one) && one.scrollWidth > one.clientWidth + 1).map((one) => one.innerText),
      outside: cut.map((one) => one.dataset.test || one.name || one.textContent.trim()),
    };
  });
  assert.ok(content <= window, `${where}: ${content} > ${window}`);
  assert.deepEqual(spilling, [], `${where}: texts wider than their cell`);
  assert.deepEqual(outside, [], `${where}: controls outside of the window or of their frame`);
}
