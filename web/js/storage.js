// Browser storage that may be blocked: then nothing is kept and the page still works.
function guarded(area) {
  return {
    get(key) {
      try { return area().getItem(key); } catch { return null; }
    },
    set(key, value) {
      try { area().setItem(key, value); } catch { /* kept in memory by the caller only */ }
    },
    remove(key) {
      try { area().removeItem(key); } catch { /* there was nothing to remove */ }
    },
  };
}

/** Preferences: outlive the tab. */
export const preferences = guarded(() => localStorage);
/** The session: ends with the tab. */
export const tabStorage = guarded(() => sessionStorage);
