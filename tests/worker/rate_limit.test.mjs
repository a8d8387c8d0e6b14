// The rate limiter's Durable Object, asked as the worker asks it: many takes at once never get more than the limit.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startStack } from "./support/stack.mjs";

const NOON = 1_800_000_000;

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());

const ask = (key, body) => stack.counters.get(stack.counters.idFromName(key)).fetch("https://rate-limit/", { method: "POST", body });

async function take(key, count, now = NOON) {
  const answer = await ask(key, JSON.stringify({ count, window_seconds: 60, now }));
  return answer.json();
}

test("simultaneous takes get exactly the limit", async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => take("busy", 30)));
  const remaining = answers.flatMap((answer) => answer.Allowed?.remaining ?? []).sort((a, b) => a - b);
  assert.deepEqual(remaining, Array.from({ length: 30 }, (_, index) => index));
  assert.equal(answers.filter((answer) => answer.Limited).length, 170);
});

test("keys do not share a counter", async () => {
  assert.deepEqual(await take("first", 1), { Allowed: { remaining: 0 } });
  assert.deepEqual(await take("second", 1), { Allowed: { remaining: 0 } });
});

test("the next window starts afresh", async () => {
  assert.deepEqual(await take("patient", 1), { Allowed: { remaining: 0 } });
  const { Limited } = await take("patient", 1);
  assert.ok(Limited.retry_after_seconds >= 1 && Limited.retry_after_seconds <= 60);
  assert.deepEqual(await take("patient", 1, NOON + Limited.retry_after_seconds), { Allowed: { remaining: 0 } });
});

test("nonsense is refused and does no harm", async () => {
  assert.deepEqual(await take("robust", 2), { Allowed: { remaining: 1 } });
  await assert.rejects(ask("robust", "nonsense"));
  assert.deepEqual(await take("robust", 2), { Allowed: { remaining: 0 } });
});
