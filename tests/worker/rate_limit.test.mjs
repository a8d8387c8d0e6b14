// The rate limiter's Durable Object, asked as the worker asks it: many takes at once never get more than the limit,
// over borders of windows and across the end of the object itself. The time is the one that each take brings.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startStack } from "./support/stack.mjs";

const NOON = 1_800_000_000;

let stack;
before(async () => (stack = await startStack({ main: "with-clock.mjs" })));
after(() => stack?.stop());

const object = (key) => stack.counters.get(stack.counters.idFromName(key));
const ask = (key, body) => object(key).fetch("https://rate-limit/", { method: "POST", body });

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

const takes = (key, count, times, now) => Promise.all(Array.from({ length: times }, () => take(key, count, now)));
const letThrough = (answers) => answers.filter((answer) => answer.Allowed).length;
const evict = (key) => assert.rejects(object(key).fetch("https://rate-limit/", { headers: { "x-evict": "1" } }), /evicted/);

test("each of two windows gets exactly the limit, however its takes are mixed with the other's", async () => {
  const [last, first] = [NOON + 59, NOON + 60];
  assert.equal(letThrough(await takes("border", 30, 20, last)), 20);
  const mixed = await Promise.all(Array.from({ length: 200 }, (_, index) => take("border", 30, index % 2 ? first : last)));
  const ofNext = letThrough(mixed.filter((_, index) => index % 2));
  const ofOld = letThrough(mixed.filter((_, index) => index % 2 === 0));
  // A take whose time is past when it arrives is counted in the window that has begun.
  assert.ok(ofNext + ofOld >= 30 && ofNext + ofOld <= 40, `${ofOld} and ${ofNext}`);
  assert.equal(letThrough(await takes("border", 30, 50, first)), 0, "the second window is full");
  assert.equal(letThrough(await takes("border", 30, 50, last)), 0, "and nothing comes back");
});

test("an evicted object goes on from where it was", async () => {
  assert.equal(letThrough(await takes("evicted", 30, 20)), 20);
  await evict("evicted");
  assert.equal(letThrough(await takes("evicted", 30, 100)), 10);
  await evict("evicted");
  assert.equal(letThrough(await takes("evicted", 30, 80)), 0);
});

test("an eviction among 200 takes lets nothing more through", async () => {
  const settle = async (index) => {
    if (index % 50 === 25) await evict("stormy");
    return take("stormy", 30).catch(() => ({}));
  };
  const during = letThrough(await Promise.all(Array.from({ length: 200 }, (_, index) => settle(index))));
  const after = letThrough(await takes("stormy", 30, 200));
  // A take whose answer the eviction swallowed counts all the same: fewer can be told that they may go on, never more.
  assert.ok(during + after <= 30, `${during} and ${after}`);
  assert.equal(letThrough(await takes("stormy", 30, 50)), 0);
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
