// A product's picture in the size that fits, and something quiet in its place where there is none.
import { html, useEffect, useState } from "../html.js";
import { Icon } from "./icons.js";

/** Every picture is kept in these widths; the address names one of them before its extension. */
const WIDTHS = [320, 800, 1600];
const SIZED = /-(?:320|800|1600)(\.\w+)$/;

function sources(url) {
  return SIZED.test(url) ? WIDTHS.map((width) => `${url.replace(SIZED, `-${width}$1`)} ${width}w`).join(", ") : undefined;
}

/** `sizes` as in HTML. `alt` stays empty where the name stands beside it. */
export function Picture({ url, alt = "", sizes, eager = false }) {
  const [broken, setBroken] = useState(false);
  useEffect(() => setBroken(false), [url]);
  if (!url || broken) return html`<span class="picture picture-none" data-test="no-picture"><${Icon} name="image" /></span>`;
  return html`<img class="picture" src=${url} srcset=${sources(url)} sizes=${sizes} alt=${alt} width="800" height="800" decoding="async"
    loading=${eager ? "eager" : "lazy"} onError=${() => setBroken(true)} />`;
}
