// A value with listeners, and the hook that redraws a component when it changes.
import { useEffect, useState } from "./html.js";

export function signal(initial) {
  let value = initial;
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (next === value) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useSignal(source) {
  const [, redraw] = useState(0);
  const drawn = source.get();
  useEffect(() => {
    const changed = () => redraw((n) => n + 1);
    // It may have changed between the drawing and now.
    if (source.get() !== drawn) changed();
    return source.subscribe(changed);
  }, [source]);
  return drawn;
}
