// Refreshing by itself: only while somebody can see it, and sooner when something is known to have changed.
import { useCallback, useEffect, useRef } from "./html.js";

const awake = new Set();

/** Makes every poll on the page run now: something was just changed or came back. */
export function refreshNow() {
  for (const wake of awake) wake();
}

/**
 * Runs `work(signal)` now and again after as many milliseconds as it returns; `null` ends it. Paused while the tab is
 * hidden or the browser is offline. `work` keeps its own failures. Returns a function that runs it at once.
 */
export function usePoll(work, dependencies) {
  const wakeRef = useRef(() => {});
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    let running = false;
    let again = false;
    const paused = () => document.hidden || navigator.onLine === false;
    const run = async () => {
      clearTimeout(timer);
      if (running) {
        again = true;
        return;
      }
      running = true;
      again = false;
      let delay = null;
      try {
        delay = await work(stop.signal);
      } catch (failure) {
        if (failure.name !== "AbortError") throw failure;
      } finally {
        running = false;
      }
      if (stop.signal.aborted) return;
      if (again) run();
      else if (delay !== null && delay !== undefined) timer = setTimeout(() => (paused() ? undefined : run()), delay);
    };
    const resume = () => paused() || run();
    wakeRef.current = run;
    awake.add(run);
    document.addEventListener("visibilitychange", resume);
    addEventListener("online", resume);
    run();
    return () => {
      stop.abort();
      clearTimeout(timer);
      awake.delete(run);
      document.removeEventListener("visibilitychange", resume);
      removeEventListener("online", resume);
    };
  }, dependencies);
  return useCallback(() => wakeRef.current(), []);
}
