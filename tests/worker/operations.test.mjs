// The operators' smoke test and readiness check, against the built worker.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { program } from "./support/programs.mjs";
import { startStack } from "./support/stack.mjs";

const TOKEN = "health-token-of-the-worker-tests-0123456789";

let stack;
before(async () => (stack = await startStack({ vars: { HOSTED_MCP_HEALTH_TOKEN: TOKEN } })));
after(() => stack?.stop());

/** Runs the smoke test; answers its exit code and what it said. */
async function smoke(url, token) {
  const child = spawn(program("xtask"), ["smoke", "--url", url], { env: { ...process.env, HOSTED_MCP_HEALTH_TOKEN: token } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  const [code] = await once(child, "close");
  return { code, said };
}

test("database, counters and upstream are ready in workerd", async () => {
  const answer = await fetch(`${stack.url}/mcp/health`, { headers: { "x-health-token": TOKEN } });
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { status: "ready", database: "ok", counters: "ok", upstream: "ok" });
});

test("the smoke test passes on the built worker", async () => {
  const { code, said } = await smoke(stack.url, TOKEN);
  assert.equal(code, 0, said);
  assert.match(said, /works: \d+ checks/);
});

test("the smoke test fails where clients would be told another address", async () => {
  const { code, said } = await smoke(stack.url.replace("localhost", "127.0.0.1"), TOKEN);
  assert.equal(code, 1);
  assert.match(said, /FAILED {2}authorization server metadata names this very issuer/);
  assert.match(said, /ok {6}it is alive/);
});

test("the smoke test says so when the health token is not right", async () => {
  const { code, said } = await smoke(stack.url, `${TOKEN}x`);
  assert.equal(code, 1);
  assert.match(said, /FAILED {2}database, counters and StatiBeat answer: status 403/);
});
