// The program's output before it serves: settings errors, `--help` and `--check`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Pipe, endAll, run } from "./support/program.mjs";
import { TOKENS, startSimulator } from "./support/simulator.mjs";

let simulator;
before(async () => (simulator = await startSimulator()));
after(() => {
  endAll();
  return simulator.stop();
});

const env = (more = {}) => ({ STATIBEAT_API_TOKEN: TOKENS.admin, STATIBEAT_BASE_URL: simulator.url, ...more });

test("every problem of the settings is told at once, on standard error alone", async () => {
  const bad = { STATIBEAT_API_TOKEN: "two secret-words", STATIBEAT_MCP_TIMEOUT: "0", STATIBEAT_MCP_ALLOWED_TOOLS: "rm" };
  const ended = await run([], bad);
  assert.equal(ended.code, 2);
  assert.equal(ended.stdout, "");
  const told = ended.stderr.trim().split("\n").map((line) => line.split(" ")[1]);
  const names = ["STATIBEAT_API_TOKEN", "STATIBEAT_BASE_URL", "STATIBEAT_MCP_ALLOWED_TOOLS", "STATIBEAT_MCP_TIMEOUT"];
  assert.deepEqual(told, names);
  assert.ok(!ended.stderr.includes("secret"));
  assert.match(ended.stderr, /approve_beat_action/);
});

test("a placeholder that the client did not replace ends the program before it serves", async () => {
  for (const value of ["${STATIBEAT_API_TOKEN}", "${env:STATIBEAT_API_TOKEN}", "${input:token}", "{env:STATIBEAT_API_TOKEN}", "$STATIBEAT_API_TOKEN", "%STATIBEAT_API_TOKEN%", "<token>", `"${TOKENS.admin}"`]) {
    const ended = await run([], env({ STATIBEAT_API_TOKEN: value }));
    assert.equal(ended.code, 2, value);
    assert.equal(ended.stdout, "");
    assert.match(ended.stderr, /STATIBEAT_API_TOKEN looks like a placeholder that your client did not replace/);
    assert.ok(!ended.stderr.includes(TOKENS.admin));
  }
});

test("help names every setting and the version is the package's", async () => {
  const help = await run(["--help"]);
  assert.equal(help.code, 0);
  for (const name of ["STATIBEAT_API_TOKEN", "STATIBEAT_MCP_READ_ONLY", "STATIBEAT_MCP_ALLOWED_TOOLS", "--check"]) {
    assert.ok(help.stdout.includes(name), name);
  }
  const version = await run(["--version"]);
  assert.match(version.stdout, /^statibeat-page-mcp \d+\.\d+\.\d+\n$/);
  assert.equal((await run(["--nonsense"])).code, 2);
});

test("check says page, role, permission and tools, for each kind of token", async () => {
  for (const [permission, token] of Object.entries(TOKENS)) {
    const role = permission === "admin" ? "page_admin" : "page_manager";
    const checked = await run(["--check"], env({ STATIBEAT_API_TOKEN: token, STATIBEAT_MCP_ALLOWED_TOOLS: "run_beat" }));
    assert.equal(checked.code, 0, checked.stderr);
    assert.match(checked.stdout, /Page: Northwind Cloud Status \(id 42\)/);
    assert.match(checked.stdout, new RegExp(`Token permission: ${permission}\nRole: ${role}\nTools on: run_beat\n`));
    assert.ok(!checked.stdout.includes(token));
  }
});

test("check fails for a token that is not accepted and for a host that is not there", async () => {
  const refused = await run(["--check"], env({ STATIBEAT_API_TOKEN: "sb_revoked" }));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /does not accept the API token/);
  assert.ok(!refused.stderr.includes("sb_revoked"));
  const away = await run(["--check"], env({ STATIBEAT_BASE_URL: "http://127.0.0.1:1" }));
  assert.equal(away.code, 1);
  assert.match(away.stderr, /cannot be reached/);
});

test("a page can be named by its number", async () => {
  const { organization, page } = await simulator.context();
  const numbers = { STATIBEAT_ORGANIZATION_ID: String(organization.id), STATIBEAT_PAGE_ID: String(page.id) };
  const checked = await run(["--check"], env(numbers));
  assert.match(checked.stdout + checked.stderr, /Page: Northwind Cloud Status \(id 42\)/);
  const foreign = await run(["--check"], env({ ...numbers, STATIBEAT_PAGE_ID: "77" }));
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /no page here.*STATIBEAT_PAGE_ID/);
});

test("read-only mode and the list of allowed tools take tools out of the list and refuse them", async () => {
  const check = async (more, names, off) => {
    const pipe = new Pipe(env(more));
    await pipe.handshake();
    const { result } = await pipe.request("tools/list");
    assert.deepEqual(result.tools.map((tool) => tool.name), names);
    const refused = await pipe.call(off, { incident_id: 1001 });
    assert.ok(refused.isError);
    assert.match(refused.content[0].text, /switched off on this server/);
    assert.equal((await pipe.request("tools/call", { name: "no_such_tool" })).error.code, -32602);
    await pipe.close();
  };
  await check({ STATIBEAT_MCP_READ_ONLY: "true" }, [], "acknowledge_incident");
  await check({ STATIBEAT_MCP_ALLOWED_TOOLS: "run_beat, create_incident" }, ["create_incident", "run_beat"], "resolve_incident");
  assert.deepEqual(await simulator.audit(), []);
});

test("the Slack actor is told to StatiBeat only where it is set", async () => {
  const actor = async (more) => {
    await simulator.forgetRequests();
    const pipe = new Pipe(env(more));
    await pipe.handshake();
    await pipe.request("resources/read", { uri: "statibeat://page/summary" });
    await pipe.close();
    return (await simulator.requests()).map((request) => JSON.stringify(request.headers)).join();
  };
  assert.ok(!(await actor({})).includes("slack-actor"));
  assert.match(await actor({ STATIBEAT_MCP_SLACK_ACTOR: "T1:U2" }), /x-statibeat-slack-actor[^,]*,?"?T1:U2|T1:U2/);
});
