// A field that is typed in, and what it is worth once the typing rests.
import { useEffect, useRef, useState } from "./html.js";

const TYPING_MS = 300;

/** `[typed, setTyped]`; `settle(text)` hears it when it rests. A `value` that changes from elsewhere (back, a link) wins. */
export function useTyped(value, settle) {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  const latest = useRef(settle);
  latest.current = settle;
  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    setTyped(value);
  }, [value]);
  useEffect(() => {
    if (typed.trim() === told.current) return undefined;
    const timer = setTimeout(() => {
      told.current = typed.trim();
      latest.current(typed.trim());
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return [typed, setTyped];
}
