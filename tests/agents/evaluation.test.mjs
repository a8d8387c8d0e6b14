// The standing evaluation: the workflows of people with an assistant, played by two scripted clients against the built worker.
// Each row is a first try as a model makes it and the next try that its answer leads to. `totals.json` holds the sums, which
// docs/reference.md shows; `npm test -- --worker --accept agents` writes them anew.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startStack } from "../worker/support/stack.mjs";
import { Agent, KINDS } from "./support/agent.mjs";
import { Job } from "./support/job.mjs";
import { LISTS, checkTotals, printTable } from "./support/totals.mjs";
import { GROUPS } from "./workflows/all.mjs";

/** Bytes, of 18 kB, that a client with resources may be sent before its first call, with three pages. */
const FIXED_COST_BAR = 18_000;
/** Bytes, of 12 kB, that workflow 1 may read where no mistake is made. */
const FIRST_WORKFLOW_BAR = 12_000;

const measured = {};

for (const kind of Object.keys(KINDS)) {
  describe(`a client with ${kind}`, () => {
    const rows = (measured[kind] = []);

    test("asks for the lists", async () => {
      const stack = await startStack();
      try {
        await giveThirdPage(stack);
        const agent = await Agent.connect(stack, kind);
        rows.push({ id: LISTS, title: "before the first call, three pages", calls: Object.keys(agent.fixed).length, bytes: agent.fixedBytes });
        for (const [method, bytes] of Object.entries(agent.fixed)) console.log(`${method}: ${bytes} bytes`);
        assert.ok(agent.fixedBytes <= FIXED_COST_BAR, `${agent.fixedBytes} bytes`);
      } finally {
        await stack.stop();
      }
    });

    for (const workflows of GROUPS) {
      describe(`workflows ${workflows.map(({ id }) => id).join(", ")}`, () => {
        let stack;
        before(async () => (stack = await startStack()));
        after(() => stack?.stop());

        for (const { id, title, play } of workflows) {
          test(`${id}: ${title}`, async (context) => {
            const job = await Job.begin(context, stack, { kind });
            const row = { id, title, isFinished: false };
            rows.push(row);
            await play(job).finally(() => Object.assign(row, job.costs));
            row.isFinished = true;
            if (id === "1") assert.ok(job.costs.bytes <= FIRST_WORKFLOW_BAR, `${job.costs.bytes} bytes`);
            assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
          });
        }
      });
    }
  });
}

after(() => printTable(measured));

test("the totals are as recorded", () => checkTotals(measured));

/** A role on a third page, so that lists are as long as they are for many people. */
async function giveThirdPage(stack) {
  const answer = await fetch(`${stack.simulatorUrl}/__simulator/users/1`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ page_id: 77, role_key: "page_admin" }),
  });
  assert.equal(answer.status, 204, await answer.text());
}
