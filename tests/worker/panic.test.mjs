// A panic costs the requests in flight on that instance, and nothing after them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, startStack } from "./support/stack.mjs";

const WELL_KNOWN = "/.well-known/oauth-authorization-server";

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
  assert.deepEqual(await answer.json(), { error: "internal error", request_id });
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
  const inFlight = fetch(`${stack.url}/mcp/oauth/token`, { method: "POST", body, duplex: "half", signal });
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
