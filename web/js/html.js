// The one place that ties htm to Preact. Text between the tags always becomes a text node, never markup.
import htm from "../vendor/htm/htm.js";
import { h } from "../vendor/preact/preact.js";

export const html = htm.bind(h);
export { Fragment, render } from "../vendor/preact/preact.js";
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact/hooks.js";
