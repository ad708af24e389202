// Everything that can go wrong between the page and the API, as one kind of error.
import { t } from "./i18n.js";

export class ApiError extends Error {
  constructor({ status = 0, code = "", message = "", details = [], requestId = "" } = {}) {
    super(message || code || `HTTP ${status}`);
    Object.assign(this, { status, code, details, requestId, said: message });
  }
}

/** No answer at all: offline, the host is down, or the browser refused. */
export const networkFailure = () => new ApiError({ status: 0 });

/** The API's error body, or as much of it as there is. */
export async function failureOf(answer) {
  let error = {};
  try {
    error = (await answer.json())?.error ?? {};
  } catch {
    // A gateway in between answered something that is no JSON; the status has to do.
  }
  return new ApiError({
    status: answer.status,
    code: error.codigo,
    message: error.mensaje,
    details: Array.isArray(error.detalles) ? error.detalles : [],
    requestId: error.solicitudId ?? answer.headers.get("x-request-id") ?? "",
  });
}

/** The refused fields of a form: field → what is wrong with it, sentence by sentence. `tags[3]` counts for `tags`. */
export function problemsByField(failure) {
  const problems = {};
  for (const { campo, mensaje } of failure?.details ?? []) {
    const field = String(campo).split(/[.[]/)[0];
    (problems[field] ??= []).push(mensaje);
  }
  return problems;
}

/** What happened and what to do, for people. */
export function explain(failure) {
  if (!(failure instanceof ApiError)) return t("failed");
  const { status, said, details } = failure;
  if (status === 0) return t(navigator.onLine === false ? "offline" : "unreachable");
  if (status === 429) return t("tooMany");
  if (status >= 500) return t("serverFailed");
  if (details.length) return details.map((d) => d.mensaje).filter(Boolean).join(" ") || said || t("failed");
  return said || t("failed");
}
