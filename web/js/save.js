// Hands text to the reader as a file.
const KEPT_MS = 10_000;

export function saveText(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // Not at once: some browsers take their copy a little later.
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}
