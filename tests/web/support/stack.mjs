// The stack under test, and the few API calls a test needs to prepare what the page will show.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import { eventually } from "./eventually.mjs";

const file = process.env.ALMACEN_OUTPUTS ?? new URL("../../../target/local/outputs.json", import.meta.url);

function readOutputs() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Error(`no stack to test (${file}): start one with \`cargo xtask up\``, { cause });
  }
}

export const outputs = readOutputs();
export const users = outputs.Users;

/** A store that no other test and no other run has. */
export const freshStore = (name) => `Web ${name} ${randomUUID().slice(0, 8)}`;

const tokens = new Map();

async function tokenOf(role) {
  if (!tokens.has(role)) {
    const { username, password } = users[role];
    const answer = await fetch(`${outputs.ApiUrl}/token`, { method: "POST", body: new URLSearchParams({ username, password }) });
    assert.equal(answer.status, 200, `sign-in as ${role}`);
    tokens.set(role, (await answer.json()).access_token);
  }
  return tokens.get(role);
}

export async function api(method, path, { body, headers, role = "operador" } = {}) {
  const answer = await fetch(`${outputs.ApiUrl}${path}`, {
    method,
    headers: { Authorization: `Bearer ${await tokenOf(role)}`, ...(body && { "Content-Type": "application/json" }), ...headers },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

export const linePath = (store, item) => `/items/${encodeURIComponent(store)}/${encodeURIComponent(item)}`;

/** Uploads `csv` and waits until its import has ended; the import. */
export async function importCsv(csv, fileName = "seed.csv") {
  const { importId, upload } = await api("POST", "/imports", { body: { fileName, mode: "set", dryRun: false } });
  const sent = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: csv });
  assert.ok(sent.ok, `upload: ${sent.status}`);
  return eventually(async () => {
    const now = await api("GET", `/imports/${importId}`);
    assert.match(now.status, /^(completed|completed_with_errors|failed)$/);
    return now;
  }, 120_000);
}

/** Puts lines `[[item, count, threshold?], …]` into a store and waits until the API shows them. */
export async function seed(store, lines) {
  const rows = lines.map(([item, count, threshold = ""]) => `${store},${item},${count},${threshold}`);
  const done = await importCsv(`store,item,count,threshold\n${rows.join("\n")}\n`);
  assert.equal(done.status, "completed", JSON.stringify(done));
  await eventually(async () => {
    const { stores } = await allStores();
    assert.equal(stores.find((one) => one.store === store)?.lines, lines.length);
  });
}

async function allStores() {
  const stores = [];
  let next;
  do {
    const page = await api("GET", `/stores${next ? `?cursor=${encodeURIComponent(next)}` : ""}`);
    stores.push(...page.stores);
    next = page.next;
  } while (next);
  return { stores };
}
