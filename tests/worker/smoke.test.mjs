// The built worker in workerd: it answers, its bindings are there, and it can be switched off.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startStack } from "./support/stack.mjs";

const WELL_KNOWN = "/.well-known/oauth-authorization-server";

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());

test("the authorization server's document names this server", async () => {
  const answer = await fetch(stack.url + WELL_KNOWN);
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).issuer, stack.url);
});

test("an unknown path is not found", async () => {
  assert.equal((await fetch(`${stack.url}/no/such/path`)).status, 404);
});

test("127.0.0.1 reaches the same server as localhost", async () => {
  const answer = await fetch(stack.url.replace("localhost", "127.0.0.1") + WELL_KNOWN);
  assert.equal(answer.status, 200);
});

test("the purge runs and says what it removed", async () => {
  const { outcome } = await stack.runPurge();
  assert.equal(outcome, "ok");
});

test("nothing was logged as an error", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});

test("a bad configuration switches the connector off and names every problem", async () => {
  const broken = await startStack({ vars: { HOSTED_MCP_CHECKSUM_KEYS: "nonsense", HOSTED_MCP_PUBLIC_URL: "http://mcp.example" } });
  try {
    for (const path of [WELL_KNOWN, "/mcp"]) assert.equal((await fetch(broken.url + path)).status, 404);
    const log = broken.logs.map((entry) => entry.message).join("\n");
    assert.match(log, /HOSTED_MCP_CHECKSUM_KEYS/);
    assert.match(log, /HOSTED_MCP_PUBLIC_URL/);
  } finally {
    await broken.stop();
  }
});
