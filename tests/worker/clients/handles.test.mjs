// Confirm tokens of previews and states of questions, on the wire as somebody sends them who was not given them, or not for this:
// changed, swapped, used before, too old. Whatever comes, nothing is published, and each attempt is on record.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startStack } from "../support/stack.mjs";
import { Connection, READS, WRITES } from "./support/connection.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { takePosts, takeRecord } from "./support/published.mjs";
import { SDK_2_PINNED } from "./support/sdks.mjs";

const NEWEST_VERSION = "2026-07-28";
const HANDSHAKE_VERSION = "2025-11-25";
const [MARA, THEO] = [1, 2];
const INCIDENTS = "/api/v1/orgs/*/pages/*/admin/incidents";

let stack;
const tokens = {};
before(async () => {
  stack = await startStack({ main: "with-clock.mjs" });
  for (const [name, user] of [["mine", MARA], ["another sign-in's", MARA], ["another person's", THEO]]) {
    const connection = await Connection.ready(SDK_2_PINNED, stack, { user, scopes: [...READS, ...WRITES] });
    tokens[name] = connection.kept.tokens.access_token;
    await connection.close();
  }
});
after(() => stack?.stop());
showLogOfFailures(() => stack);

/** One call of a tool; `more` are further parameters, `headers` further headers. */
async function call({ era = NEWEST_VERSION, token = tokens.mine, tool = "create_incident", given, more = {}, headers = {}, asks = false }) {
  const params = { name: tool, arguments: given, ...more };
  if (era === NEWEST_VERSION) {
    const capabilities = asks ? { elicitation: {} } : {};
    params._meta = { "io.modelcontextprotocol/protocolVersion": NEWEST_VERSION, "io.modelcontextprotocol/clientCapabilities": capabilities };
    headers = { ...headers, "mcp-method": "tools/call", "mcp-name": tool };
  }
  const answer = await fetch(`${stack.url}/mcp`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json", "mcp-protocol-version": era, ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
  });
  const { result, error } = await answer.json();
  assert.ok(result, JSON.stringify(error));
  return result;
}

/** Turns one of the simulator's switches. */
async function simulator(name, body) {
  const answer = await fetch(`${stack.simulatorUrl}/__simulator/${name}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  assert.equal(answer.status, 204, await answer.text());
}

const textOf = (result) => result.content?.map(({ text }) => text ?? "").join("\n") ?? JSON.stringify(result);
const outage = (title) => ({ page_id: 42, title, description: "Requests fail.", affected_items_freetext: title });
const YES = { confirm: { action: "accept", content: { publish: true } } };

/** The two ways to bring what was given: a confirm token in the arguments, in either era, and a state with the person's yes; and what is said of a foreign one. */
const WAYS = [
  ...[HANDSHAKE_VERSION, NEWEST_VERSION].map((era) => ({
    name: `a preview's token in ${era}`,
    foreign: /is not a confirm token of this connection/,
    ofOtherSignIn: /is of another sign-in of this app.*Nothing was published/s,
    changed: /differs from what was previewed|a preview of create_incident/,
    get: async (given) => (await call({ era, given: { ...given, preview: true } })).structuredContent.preview.confirm,
    bring: (secret, given, more = {}) => call({ era, ...more, given: { ...given, confirm: secret } }),
  })),
  {
    name: "a question's state",
    foreign: /not for this call/,
    ofOtherSignIn: /not for this call/,
    changed: /not for this call/,
    get: async (given) => (await call({ given, asks: true })).requestState,
    bring: (secret, given, more = {}) => call({ ...more, given, asks: true, more: { requestState: secret, inputResponses: YES } }),
  },
];

async function refused(answer, words) {
  assert.equal(answer.isError, true, textOf(answer));
  assert.match(textOf(answer), words);
  assert.deepEqual([await takePosts(stack), await takeRecord(stack)], [[], ["refused confirm_token_invalid"]]);
}

for (const { name, get, bring, foreign, ofOtherSignIn, changed } of WAYS) {
  describe(name, () => {
    const given = outage(`Outage by ${name}`);
    let secret;
    beforeEach(async () => {
      secret = await get(given);
      await takePosts(stack);
      await takeRecord(stack);
    });

    test("changed anywhere, opens nothing", async () => {
      for (const part of [0, 0.2, 0.5, 0.9]) {
        const at = Math.floor(part * secret.length);
        await refused(await bring(secret.slice(0, at) + (secret[at] === "A" ? "B" : "A") + secret.slice(at + 1), given), foreign);
      }
      for (const other of ["made-up", "a.b.c", `${secret}.x`]) await refused(await bring(other, given), foreign);
    });

    test("of one write, opens no other", async () => {
      for (const change of [{ title: "Everything is fine" }, { page_id: 43 }, { idempotency_key: "another" }]) {
        await refused(await bring(secret, { ...given, ...change }), changed);
      }
      const update = { page_id: 42, incident_id: 1001, message: given.description };
      await refused(await bring(secret, update, { tool: "add_incident_update" }), changed);
    });

    test("of one connection, opens nothing for another", async () => {
      await refused(await bring(secret, given, { token: tokens["another sign-in's"] }), ofOtherSignIn);
      await refused(await bring(secret, given, { token: tokens["another person's"] }), foreign);
    });

    test("is not taken for one of the other kind", async () => {
      for (const other of WAYS.filter((way) => way.name.split(" ")[1] !== name.split(" ")[1])) await refused(await other.bring(secret, given), other.foreign);
    });

    test("is worth nothing after ten minutes", async () => {
      const later = 601;
      await simulator("clock", { ahead_seconds: later });
      const answer = await bring(secret, given, { headers: { "x-ahead-seconds": String(later) } });
      await simulator("clock", { ahead_seconds: 0 });
      await refused(answer, /more than 10 minutes ago|older than 10 minutes/);
      await call({ given: { ...given, preview: true }, headers: { "x-ahead-seconds": "0" } });
    });

    test("works once, even if what it was used for came to nothing", async () => {
      await simulator("faults", { method: "POST", path: INCIDENTS, kind: { status: { code: 400 } } });
      const failed = await bring(secret, given);
      assert.match(textOf(failed), /StatiBeat refused/);
      assert.deepEqual((await takePosts(stack)).length, 1);
      const again = await bring(secret, given);
      assert.match(textOf(again), /used before/);
      assert.deepEqual([await takePosts(stack), await takeRecord(stack)], [[], ["refused upstream_invalid", "refused confirm_token_redeemed"]]);
    });

    test("used twice, publishes once", async () => {
      const [first, second] = [await bring(secret, given), await bring(secret, given)];
      assert.deepEqual([first, second].map((answer) => answer.structuredContent?.replayed), [false, true], textOf(second));
      assert.equal((await takePosts(stack)).length, 1);
      assert.deepEqual(await takeRecord(stack), ["done", "replayed"]);
    });
  });
}

test("of 200 calls at once, exactly as many are published as the limit lets through", async () => {
  await simulator("clock", { ahead_seconds: 0 });
  const token = tokens["another sign-in's"];
  const given = (index) => ({ page_id: 43, title: `Call ${index}`, description: "Requests fail." });
  // The clock stands still, so that no border of a window falls into the middle.
  const [, ...others] = Array.from({ length: 200 }, (_, index) => index);
  const first = await call({ token, given: given(0), headers: { "x-hold-clock": "1" } });
  const answers = [first, ...(await Promise.all(others.map((index) => call({ token, given: given(index) }))))];
  const done = answers.filter((answer) => !answer.isError);
  assert.equal(done.length, 30);
  assert.deepEqual(done.map((answer) => answer.structuredContent.remaining_writes).sort((a, b) => b - a), Array.from({ length: 30 }, (_, index) => 29 - index));
  for (const answer of answers.filter((answer) => answer.isError)) assert.match(textOf(answer), /30 writes per 60 seconds\. Nothing was published\. Try again in \d+ seconds/);
  assert.equal((await takePosts(stack)).length, 30);
  const record = await takeRecord(stack);
  assert.deepEqual([record.filter((row) => row === "done").length, record.filter((row) => row === "limited connection").length], [30, 170]);
});

test("nothing went wrong unseen", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
