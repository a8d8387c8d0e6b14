// The Inspector's command line, as a person uses it to look at a server: in every era that it can be told to speak,
// with its strict look at the tools' schemas, with a bearer token that somebody else obtained.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startStack } from "../support/stack.mjs";
import { Connection, READS, WRITES } from "./support/connection.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { inspect as inspectServer } from "./support/inspector.mjs";
import { SDK_2_AUTO } from "./support/sdks.mjs";

const ACTIVE = "statibeat://pages/42/incidents/active";

let stack;
let connection;
before(async () => {
  stack = await startStack();
  connection = await Connection.ready(SDK_2_AUTO, stack, { scopes: [...READS, ...WRITES] });
});
after(async () => {
  await connection?.close();
  await stack?.stop();
});
showLogOfFailures(() => stack);

function inspect(era, method, ...options) {
  const server = [connection.resource.href, "--transport", "http", "--protocol-era", era];
  const authorization = ["--header", `Authorization: Bearer ${connection.kept.tokens.access_token}`];
  return inspectServer([...server, ...authorization, "--method", method, ...options]);
}

for (const era of ["legacy", "auto", "modern"]) {
  test(`the inspector finds nothing to complain about in the tools, in the era "${era}"`, async () => {
    const { code, output, result } = await inspect(era, "tools/list", "--strict");
    assert.equal(code, 0, output);
    assert.deepEqual(result.tools.map(({ name }) => name), ["create_incident", "add_incident_update", "schedule_maintenance", "add_maintenance_update"]);
  });

  test(`the inspector reads a resource and publishes an incident, in the era "${era}"`, async () => {
    const title = `Seen by the inspector in the era ${era}`;
    const args = JSON.stringify({ page_id: 42, title, description: "We are looking into it." });
    const called = await inspect(era, "tools/call", "--tool-name", "create_incident", "--tool-args-json", args);
    assert.equal(called.code, 0, called.output);
    assert.ok(called.result.structuredContent.incident_id > 0, called.output);
    const { code, output, result } = await inspect(era, "resources/read", "--uri", ACTIVE);
    assert.equal(code, 0, output);
    assert.ok(JSON.parse(result.contents[0].text).incidents.some((listed) => listed.title === title), output);
  });
}

test("nothing went wrong unseen", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
