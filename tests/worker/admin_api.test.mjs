// StatiBeat's own admin interface reads what the connector knows of a signed-in person: with an assertion that StatiBeat
// signed, over real sockets, against the real database.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connected } from "./support/states.mjs";
import { startStack } from "./support/stack.mjs";

const SETUP = "/mcp/admin/api/setup";
const CONNECTIONS = "/mcp/admin/api/connections";
const ACTIVITY = "/mcp/admin/api/activity";

let stack;
before(async () => {
  stack = await startStack();
  await connected(stack, 1, "assistant");
});
after(() => stack?.stop());

/** Returns the admin assertion that StatiBeat's back end signs for a user and a request path. */
async function issue(user, path) {
  const body = JSON.stringify({ user_id: user, path });
  const answer = await fetch(`${stack.simulatorUrl}/__simulator/admin-assertions`, { method: "POST", headers: { "content-type": "application/json" }, body });
  return (await answer.json()).assertion;
}

const ask = (path, assertion) => fetch(stack.url + path, { headers: { authorization: `Bearer ${assertion}` } });

test("with StatiBeat's assertion its admin interface reads a person's set-up, connections and activity", async () => {
  const setup = await (await ask(SETUP, await issue(1, SETUP))).json();
  assert.equal(setup.resource_url, `${stack.url}/mcp`);
  const own = await (await ask(CONNECTIONS, await issue(1, CONNECTIONS))).json();
  assert.deepEqual(own.connections.map(({ client_id }) => client_id), ["assistant"]);
  const narrowed = await ask(`${ACTIVITY}?page=42`, await issue(1, ACTIVITY));
  assert.equal(narrowed.status, 200, await narrowed.text());
  const others = await (await ask(CONNECTIONS, await issue(3, CONNECTIONS))).json();
  assert.deepEqual([others.connections, others.total], [[], 0], "and nothing of anybody else");
});

test("an assertion works once, for its own question, and not as a client's token", async () => {
  const assertion = await issue(1, CONNECTIONS);
  assert.equal((await ask(SETUP, assertion)).status, 401);
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(CONNECTIONS, assertion)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401, 401, 401, 401]);
  const asClient = await fetch(`${stack.url}/mcp`, { method: "POST", headers: { authorization: `Bearer ${await issue(1, SETUP)}`, "content-type": "application/json" }, body: "{}" });
  assert.equal(asClient.status, 401);
});

test("what StatiBeat reads is for nobody else: not kept, not for other origins, and not for who was disabled since", async () => {
  const answer = await ask(SETUP, await issue(1, SETUP));
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
  const assertion = await issue(3, SETUP);
  const disable = (disabled) => fetch(`${stack.simulatorUrl}/__simulator/users/3`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ disabled }) });
  await disable(true);
  assert.equal((await ask(SETUP, assertion)).status, 403);
  await disable(false);
});
