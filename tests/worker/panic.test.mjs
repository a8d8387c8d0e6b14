// A panic costs the requests in flight on that instance, and nothing after them: not even the write it happened in.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, startStack } from "./support/stack.mjs";
import { BreakableStack, Callers, inWords } from "./support/trouble.mjs";

const WELL_KNOWN = "/.well-known/oauth-authorization-server";

/** The word keeps OAuth clients from dropping what they have. */
const TOLD = { error: "temporarily_unavailable", error_description: "internal error; the next request is served again" };

let stack;
before(async () => (stack = await startStack({ main: "without-randomness.mjs" })));
after(() => stack?.stop());

const panic = () => fetch(stack.url + WELL_KNOWN, { headers: { "x-panic": "1" } });
const panicsLogged = () => stack.logs.filter((entry) => entry.message.includes("panicked at")).length;

test("a panic is a 500 that tells its request's id and nothing else, and is logged once under that id", async () => {
  const answer = await panic();
  assert.equal(answer.status, 500);
  const request_id = answer.headers.get("x-request-id");
  assert.match(request_id, /^[0-9a-f-]{36}$/);
  const { error, error_description } = TOLD;
  assert.deepEqual(await answer.json(), { error, error_description, request_id });
  const crash = () => stack.logs.map((entry) => entry.message).filter((line) => line.includes('"crash"')).map(JSON.parse);
  await eventually(() => crash().length > 0);
  assert.deepEqual(crash().map((line) => line.request_id), [request_id]);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  await eventually(() => panicsLogged() > 0);
  assert.equal(panicsLogged(), 1);
});

test("the next request is served by a new instance", async () => {
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await panic()).status, 500);
    assert.equal((await fetch(stack.url + WELL_KNOWN)).status, 200);
  }
});

test("a request in flight is answered at once instead of hanging", async () => {
  let finish;
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("grant_type="));
      finish = () => controller.close();
    },
  });
  const signal = AbortSignal.timeout(5000);
  // Without the type of a form, the request would be refused before its body is waited for.
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const inFlight = fetch(`${stack.url}/mcp/oauth/token`, { method: "POST", headers, body, duplex: "half", signal });
  const settled = inFlight.then((answer) => answer.status, (error) => error.name);
  await fetch(stack.url + WELL_KNOWN); // the worker has the first request by now
  assert.equal((await panic()).status, 500);
  assert.equal(await settled, 500);
  finish();
});

test("a counter survives the panic of its instance", async () => {
  const take = () => stack.counters.get(stack.counters.idFromName("key")).fetch("https://rate-limit/", {
    method: "POST",
    body: JSON.stringify({ count: 3, window_seconds: 3600, now: 1_000_000 }),
  }).then((answer) => answer.json());
  assert.deepEqual(await take(), { Allowed: { remaining: 2 } });
  assert.equal((await panic()).status, 500);
  assert.deepEqual(await take(), { Allowed: { remaining: 1 } });
});

describe("in the middle of a write", () => {
  let trouble;
  let callers;
  before(async () => {
    trouble = await BreakableStack.start();
    callers = await Callers.ready(trouble.stack);
  });
  after(() => trouble?.stack.stop());

  const POINTS = {
    "after the claim": { panics: { how: "after", on: "INSERT INTO idempotency", times: 1 }, published: 0, ended: "done" },
    "after the dry run, before the post": { panics: { how: "after", on: "POST as a dry run /api/v1/orgs", times: 1 }, published: 0, ended: "done" },
    "after the post, before its end is recorded": { panics: { how: "after", on: "POST /api/v1/orgs", times: 1 }, published: 1, ended: "replayed found_after_lost_attempt" },
  };
  for (const [point, { panics, published, ended }] of Object.entries(POINTS)) {
    test(`a panic ${point} leaves nothing half done: its repetition finds out and publishes once`, async () => {
      const title = `panic ${point}`;
      await trouble.break({ panics });
      await trouble.takeRequests();
      const answer = await callers.write(title);
      await trouble.mend();
      assert.equal(answer.status, 500);
      assert.equal(answer.body.request_id, answer.headers.get("x-request-id"));
      assert.equal((await callers.read()).status, 200, "the next request");
      assert.equal(await trouble.published(title), published);
      assert.match(inWords(await callers.write(title)), /^"The same write is already being carried out by another call. Nothing was published by this one./);

      await trouble.wait();
      const repeated = await callers.write(title);
      assert.ok(!repeated.body.result.isError, inWords(repeated));
      assert.equal(await trouble.published(title), 1);
      const posts = (await trouble.takeRequests()).filter(({ method, path }) => method === "POST" && !path.includes("dry_run"));
      assert.equal(posts.length, 1);
      assert.deepEqual(await record(title), ["unknown not_finished", "refused still_running", ended]);
      assert.equal(await trouble.count("idempotency WHERE outcome <> 'done'"), 0);
      await callers.haveLostNothing();
    });
  }

  test("a panic in the middle of a refresh asks nobody to sign in again", async () => {
    await trouble.break({ panics: { how: "after", on: "FROM refresh_tokens", times: 1 } });
    await assert.rejects(callers.readBySdk(), new RegExp(TOLD.error_description));
    await trouble.mend();
    await callers.haveLostNothing();
  });

  /** Returns outcome and detail of the audited calls, in order. */
  async function record(title) {
    const rows = trouble.stack.db.prepare("SELECT outcome, detail FROM audit WHERE title = ? ORDER BY rowid").bind(title);
    return (await rows.all()).results.map(({ outcome, detail }) => [outcome, detail].filter(Boolean).join(" "));
  }
});
