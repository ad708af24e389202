// Reading once, and again when what is asked for changes. What was read stays in sight until the new answer is there.
import { useEffect, useState } from "./html.js";

/** `{data, failure, loading, reload, set}`; `work(signal)` reads. `set` puts in what a change has answered. */
export function useLoad(work, dependencies) {
  const [state, setState] = useState({ data: null, failure: null, loading: true });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState((now) => ({ ...now, loading: true }));
    work(stop.signal).then(
      (data) => stop.signal.aborted || setState({ data, failure: null, loading: false }),
      (failure) => stop.signal.aborted || setState((now) => ({ ...now, failure, loading: false })),
    );
    return () => stop.abort();
  }, [...dependencies, attempt]);
  return {
    ...state,
    reload: () => setAttempt((n) => n + 1),
    set: (data) => setState({ data, failure: null, loading: false }),
  };
}
