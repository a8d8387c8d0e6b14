// Short runs of `npm run bench` and `npm run soak`.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { fanout } from "../../dev/bench/fanout.mjs";
import { isolateTimes } from "../../dev/bench/isolate.mjs";
import { run } from "../../dev/bench/load.mjs";
import { connector, operations } from "../../dev/bench/operations.mjs";
import { startPeer } from "../../dev/bench/peer_target.mjs";
import { soak } from "../../dev/bench/soak_load.mjs";
import { freePorts, startStack } from "./support/stack.mjs";

let stack;
const key = `test-1:${randomBytes(32).toString("base64url")}`;
before(async () => (stack = await startStack({ vars: { HOSTED_MCP_ASSERTION_KEYS: key } })));
after(() => stack?.stop());

async function carryOutEach(target) {
  for (const { name, next, wanted, check } of await operations(target, 1)) {
    const { latencies } = await run({ next, wanted, check, requests: 2 });
    assert.equal(latencies.length, 2, name);
  }
}

test("every operation that is measured is answered as it should be", () => carryOutEach(connector(stack)));

for (const kind of ["kv", "d1"]) {
  test(`the peer with its grants in ${kind} answers every operation as well`, async () => {
    const peer = await startPeer(kind, stack, key);
    try {
      await carryOutEach(peer);
    } finally {
      await peer.stop();
    }
  });
}

test("the time within the isolate is measured for every operation", async () => {
  const [inspectorPort] = await freePorts(1);
  const inspected = await startStack({ vars: { HOSTED_MCP_LOG_LEVEL: "error" }, inspectorPort });
  try {
    const ours = { started: connector(inspected), inspectorPort, worker: "statibeat" };
    const measured = await isolateTimes({ targets: { ours }, rounds: 1, readers: 2, requests: 20 });
    assert.equal(measured.length, 10);
    for (const { name, found } of measured) assert.ok(found.ours.every((time) => time > 0), `${name}: ${found.ours}`);
  } finally {
    await inspected.stop();
  }
});

test("a result is measured against one wait for StatiBeat", async () => {
  const measured = await fanout(stack, { milliseconds: 20, requests: 1 });
  assert.equal(measured.length, 4);
  for (const { name, ratio } of measured) assert.ok(ratio > 0, name);
});

test("no answer is an error while clients keep reading and the purge runs", async () => {
  const { sent, purges, errors } = await soak(stack, { warmUpRequests: 40, seconds: 2, readers: 8 });
  assert.deepEqual(errors, []);
  assert.ok(sent > 0 && purges > 0, `${sent} requests, ${purges} purges`);
});
