// Sums of the evaluation. Bytes move a little with every word of a text, and with the times that StatiBeat's seed is made at: what is
// recorded is kilobytes in one decimal, and a measurement agrees as long as it is within a tenth of it. Calls, failed calls and
// finished workflows agree exactly.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";

const FILE = new URL("../totals.json", import.meta.url);
const TOLERANCE = 0.1;
const BYTES_PER_TOKEN = 4;

/** The row of what a client asks for on its own. */
export const LISTS = "lists";

const kilobytes = (bytes) => Math.round(bytes / 100) / 10;

/** One row for each workflow, and the sum. */
export function printTable(measured) {
  for (const [kind, rows] of Object.entries(measured)) {
    console.log(`\nA client with ${kind}\n`);
    console.log("| Workflow | Calls | Bytes read | Tokens | Mistakes | Refused | Bytes of mistakes |");
    console.log("|---|---|---|---|---|---|---|");
    const line = (name, row) =>
      console.log(`| ${name} | ${row.calls} | ${row.bytes} | ${Math.round(row.bytes / BYTES_PER_TOKEN)} | ${row.mistakes ?? 0} | ${row.failed ?? 0} | ${row.mistakeBytes ?? 0} |`);
    for (const row of rows) line(`${row.id}: ${row.title}`, row);
    line("all workflows", sum(rows));
  }
}

function sum(rows) {
  const total = { calls: 0, bytes: 0, mistakes: 0, failed: 0, mistakeBytes: 0 };
  for (const row of rows.filter(({ id }) => id !== LISTS)) for (const name of Object.keys(total)) total[name] += row[name];
  return total;
}

function totals(rows) {
  const { calls, bytes, mistakes, failed } = sum(rows);
  const bytesOf = (wanted) => kilobytes(rows.find(({ id }) => id === wanted)?.bytes ?? 0);
  return {
    finished: rows.filter(({ isFinished }) => isFinished).length,
    calls,
    kilobytes_read: kilobytes(bytes),
    mistakes,
    refused: failed,
    kilobytes_before_the_first_call: bytesOf(LISTS),
    kilobytes_of_workflow_1: bytesOf("1"),
  };
}

/** Compares with what is recorded, or records it. */
export function checkTotals(measured) {
  const found = Object.fromEntries(Object.entries(measured).map(([kind, rows]) => [kind, totals(rows)]));
  if (process.env.ACCEPT === "1") return writeFileSync(FILE, `${JSON.stringify(found, null, 2)}\n`);
  const recorded = JSON.parse(readFileSync(FILE, "utf8"));
  const hint = "run `npm test -- --worker --accept agents`, then `npm test -- --accept reference`, and look at what they change";
  for (const [kind, sums] of Object.entries(found)) {
    for (const [name, value] of Object.entries(sums)) {
      const expected = recorded[kind][name];
      const agrees = name.startsWith("kilobytes") ? Math.abs(value - expected) <= expected * TOLERANCE : value === expected;
      assert.ok(agrees, `${kind}, ${name}: ${value} instead of ${expected}; ${hint}`);
    }
  }
}
