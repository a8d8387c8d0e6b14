// SQLite, which the native tests run on, and the real D1 side by side: every statement of the storage, with the same
// values, gives the same rows. Numbers are bound as D1 binds them, as floating point.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, TARGET } from "./support/programs.mjs";
import { startStack } from "./support/stack.mjs";

const TRACE = join(TARGET, "tmp/storage-trace.json");
const WRITE_TRACE = ["test", "--locked", "--quiet", "--workspace", "--test", "hosted", "storage_trace::"];

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());

test("D1 answers every batch of the native story as SQLite did", async () => {
  const written = spawnSync("cargo", WRITE_TRACE, { cwd: ROOT, encoding: "utf8" });
  assert.equal(written.status, 0, written.stdout + written.stderr);
  const exchanges = JSON.parse(readFileSync(TRACE, "utf8"));
  const texts = new Set();
  for (const [index, { statements, answers }] of exchanges.entries()) {
    const prepared = statements.map(({ sql, values }) => stack.db.prepare(sql).bind(...values));
    const results = await stack.db.batch(prepared);
    assert.deepEqual(results.map(({ results }) => results.map(sorted)), answers.map((rows) => rows.map(sorted)), `batch ${index}: ${statements[0].sql}`);
    statements.forEach(({ sql }) => texts.add(sql));
  }
  assert.ok(texts.size >= 20, `${texts.size} statements`);
  console.log(`${exchanges.length} batches of ${texts.size} statements`);
});

/** A row whose columns stand in the order of their names. */
function sorted(row) {
  return Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
}
