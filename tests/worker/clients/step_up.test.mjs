// A connection that may only read calls a tool that writes: what the challenge says, and what each SDK makes of it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startStack } from "../support/stack.mjs";
import { Connection, READS, UNAUTHORIZED } from "./support/connection.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { SDK_1, SDK_2 } from "./support/sdks.mjs";

const WRITE = "mcp.incidents.write";

/** A write of this client's own: the same one through two connections would be done once. */
const write = (sdk) => ({
  name: "create_incident",
  arguments: { page_id: 42, title: `Slow checkout, says ${sdk.name}`, description: "We are looking into it." },
});

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());
showLogOfFailures(() => stack);

/** A connection that was given exactly what it asked for: reads. */
async function reader(sdk) {
  const connection = await Connection.ready(sdk, stack);
  assert.deepEqual(connection.kept.tokens.scope.split(" ").sort(), [...READS].sort());
  connection.wire.clear();
  connection.kept.authorizationUrl = undefined;
  return connection;
}

for (const sdk of SDK_2) {
  describe(sdk.name, () => {
    let connection;
    before(async () => (connection = await reader(sdk)));
    after(() => connection?.close());

    test("is refused with every scope that it then needs, and asks the person for them", async () => {
      await assert.rejects(connection.client.callTool(write(sdk)), UNAUTHORIZED);
      const [refused] = connection.wire.refusals();
      assert.equal(refused.status, 403);
      assert.match(refused.challenge, /error="insufficient_scope"/);
      const named = /scope="([^"]*)"/.exec(refused.challenge)[1].split(" ");
      assert.deepEqual(named.sort(), [...READS, WRITE].sort());
      const asked = connection.kept.authorizationUrl.searchParams.get("scope").split(" ");
      assert.deepEqual(asked.sort(), [...READS, WRITE].sort());
    });

    test("writes once the person has agreed, without a new connection", async () => {
      await connection.approve();
      const result = await connection.client.callTool(write(sdk));
      assert.ok(!result.isError, JSON.stringify(result.content));
      assert.ok(connection.kept.tokens.scope.split(" ").includes(WRITE));
    });
  });
}

describe(SDK_1.name, () => {
  let connection;
  before(async () => (connection = await reader(SDK_1)));
  after(() => connection?.close());

  // It prefers a refresh to a new authorization, and a refresh never widens a grant. That is why the consent page offers
  // the writes even to a client that does not ask for them, and why the second refusal is a tool error that its model can read.
  test("refreshes once, and then gets a tool error that says how the person allows it", async () => {
    const result = await connection.client.callTool(write(SDK_1));
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, /connect/i);
    assert.deepEqual(connection.wire.posts(), ["/mcp 403", "/mcp/oauth/token 200", "/mcp 200"]);
    assert.equal(connection.kept.authorizationUrl, undefined);
  });

  test("goes on reading after that", async () => {
    assert.equal((await connection.read("statibeat://pages/42/incidents/active")).page.id, 42);
  });
});

test("nothing went wrong unseen", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
