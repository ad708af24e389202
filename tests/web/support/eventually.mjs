// Waits for a condition, with a deadline.

/** Tries `check` again and again until it no longer throws; its value. Past the deadline its last error is thrown. */
export async function eventually(check, deadlineMs = 60_000) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (cause) {
      if (Date.now() > end) throw cause;
      await new Promise((next) => setTimeout(next, 100));
    }
  }
}
