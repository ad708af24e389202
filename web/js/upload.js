// From a file in the reader's hands to an import in progress.
import * as api from "./api.js";

/** Files of this tab by import, so that a dry run can be followed by the real thing without choosing the file again. */
const sent = new Map();

export const sentFile = (importId) => sent.get(importId);

/** The name the import gets; a store given by hand goes in front, where a file without a store column is looked up. */
export function importName(fileName, store) {
  return store ? `stores/${store}/${fileName}` : fileName;
}

/** Announces the import, sends the file straight to S3; the import's id. */
export async function uploadFile(file, { mode, dryRun, store }, { onProgress, signal }) {
  const { importId, upload } = await api.announceImport(importName(file.name, store), mode, dryRun, signal);
  await api.sendFile(upload, file, { onProgress, signal });
  sent.set(importId, { file, mode, store });
  return importId;
}
