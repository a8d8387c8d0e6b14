// Concurrent requests on the real database: a code is redeemed once, a refresh token has one successor, and no token that is
// issued during a revocation works after it.
//
// `RACES` sets how many races with a revocation are run, `RACES_SEED` repeats the choices of a run.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Client } from "./support/client.mjs";
import { startStack } from "./support/stack.mjs";

const RACES = Number(process.env.RACES ?? 24);
const SEED = Number(process.env.RACES_SEED ?? randomInt(2 ** 31));

let stack;
let client;
before(async () => {
  stack = await startStack();
  client = new Client(stack);
});
after(() => stack?.stop());

const times = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const count = async (sql, ...values) => (await stack.db.prepare(sql).bind(...values).first("count"));

/** K11, X6 */
test("of fifty parallel redemptions of one code one gives tokens, and they work afterwards", async () => {
  const redemption = await client.authorize();
  const before = await count("SELECT count(*) AS count FROM refresh_tokens");
  const answers = await Promise.all(times(50, () => client.token(redemption)));
  const given = answers.filter((answer) => answer.status === 200);
  assert.equal(given.length, 1);
  // Over its limit the endpoint says that it does not say; everybody else hears that the code is spent.
  for (const { status, body } of answers) assert.match(`${status} ${body.error}`, /^200 |^400 invalid_grant$|^429 temporarily_unavailable$/);
  assert.ok(answers.some((answer) => answer.body.error === "invalid_grant"));
  const { access_token, refresh_token } = given[0].body;
  assert.equal(await client.ping(access_token), 200);
  assert.equal((await count("SELECT count(*) AS count FROM refresh_tokens")) - before, 1);
  assert.equal((await client.refresh(refresh_token)).status, 200);
});

/** R6, X6 */
test("twenty parallel refreshes of one token get one successor and twenty access tokens", async () => {
  const first = await client.connect();
  const answers = await Promise.all(times(20, () => client.refresh(first.refresh_token)));
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
  assert.equal(new Set(answers.map((answer) => answer.body.refresh_token)).size, 1);
  const accessTokens = new Set(answers.map((answer) => answer.body.access_token));
  assert.equal(accessTokens.size, 20);
  for (const token of [first.access_token, ...accessTokens]) assert.equal(await client.ping(token), 200);
  assert.equal((await client.refresh(answers[0].body.refresh_token)).status, 200);
});

/** R14, K14, X6 */
test("nothing of a grant works after a revocation that raced requests for it", async () => {
  console.log(`RACES_SEED=${SEED}`);
  const pick = generator(SEED);
  const seen = new Map();
  for (let race = 0; race < RACES; race += 1) {
    const { name, tokens, contenders, revoke } = await KINDS[race % KINDS.length](new Client(stack, `racer-${race}`));
    const revocation = { isRevocation: true, send: revoke };
    const order = shuffled([...contenders.map((send) => ({ send })), revocation], pick);
    const answers = await started(order, pick);
    const ended = answers[order.indexOf(revocation)];
    assert.equal(ended.status, 200, name);
    const given = answers.filter((answer) => answer.body?.access_token).map((answer) => answer.body);
    for (const { access_token, refresh_token } of [...tokens, ...given]) {
      assert.equal(await client.ping(access_token), 401, `${name}, race ${race}`);
      const again = await new Client(stack, `racer-${race}`).refresh(refresh_token);
      assert.deepEqual([again.status, again.body.error], [400, "invalid_grant"], `${name}, race ${race}`);
    }
    const key = `${name}: ${given.length} of ${contenders.length} were faster`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  for (const [key, races] of [...seen].sort()) console.log(`${key} (${races} times)`);
});

test("nothing went wrong unseen", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});

/** The races. Each creates a grant and returns the requests for it and the revocation that they race. */
const KINDS = [
  async function refreshesAgainstTheClientsRevocation(racer) {
    const pair = await racer.connect();
    const contenders = times(3, () => () => racer.refresh(pair.refresh_token));
    return { name: "refresh against revoke", tokens: [pair], contenders, revoke: () => racer.revoke(pair.refresh_token) };
  },
  async function redemptionAgainstThePersonsRevocation(racer) {
    const redemption = await racer.authorize();
    const contenders = times(3, () => () => racer.token(redemption));
    return { name: "redemption against the admin page", tokens: [], contenders, revoke: () => endConnection(racer) };
  },
  async function refreshAgainstThePersonsRevocation(racer) {
    const pair = await racer.connect();
    const contenders = times(2, () => () => racer.refresh(pair.refresh_token));
    return { name: "refresh against the admin page", tokens: [pair], contenders, revoke: () => endConnection(racer) };
  },
  async function refreshAgainstALateReplayOfTheCode(racer) {
    const redemption = await racer.authorize();
    const { body: pair } = await racer.token(redemption);
    await stack.db.prepare("UPDATE codes SET redeemed_at = redeemed_at - 10 WHERE grant_id IN (SELECT id FROM grants WHERE client_id = ?1)").bind(racer.id).run();
    const replay = async () => ({ status: (await racer.token(redemption)).status === 400 ? 200 : 500 });
    const contenders = times(2, () => () => racer.refresh(pair.refresh_token));
    return { name: "refresh against a replayed code", tokens: [pair], contenders, revoke: replay };
  },
];

/** Ends all grants of a person and a client with the statements of the admin page. */
async function endConnection(racer) {
  const end = "UPDATE grants SET revoked_at = unixepoch(), revoke_reason = 'user' WHERE client_id = ?1 AND revoked_at IS NULL";
  const close = "UPDATE authorization_requests SET consumed_at = unixepoch() WHERE client_id = ?1 AND consumed_at IS NULL";
  await stack.db.batch([stack.db.prepare(end).bind(racer.id), stack.db.prepare(close).bind(racer.id)]);
  return { status: 200 };
}

/** Starts the requests in this order, some turns of the event loop apart, and waits for all. */
async function started(order, pick) {
  const running = [];
  for (const { send } of order) {
    running.push(send());
    for (let turns = pick(12); turns > 0; turns -= 1) await nextTurn();
  }
  return Promise.all(running);
}

function shuffled(list, pick) {
  const left = [...list];
  return list.map(() => left.splice(pick(left.length), 1)[0]);
}

/** Numbers below a limit, the same for the same seed. */
function generator(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
