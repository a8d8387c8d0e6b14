// Clients that only call tools, on a server that offers the read bridge: what the person ticks, both generations of the
// SDK can use, and it shows what the resources show.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startStack } from "../support/stack.mjs";
import { Connection } from "./support/connection.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { SDK_1, SDK_2_AUTO } from "./support/sdks.mjs";

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());
showLogOfFailures(() => stack);

/** A document without the time of its reading, which moves on between two reads. */
const atAnyTime = ({ as_of, ...document }) => document;

for (const sdk of [SDK_1, SDK_2_AUTO]) {
  test(`${sdk.name} reads by tools what it reads as resources`, async () => {
    const connection = await Connection.ready(sdk, stack, { fields: [["resource_tools", "on"]] });
    try {
      const { client } = connection;
      const { tools } = await client.listTools();
      const reading = tools.filter(({ annotations }) => annotations.readOnlyHint).map(({ name }) => name);
      assert.deepEqual(reading, ["list_resources", "read_resource"]);
      const listed = await client.callTool({ name: "list_resources", arguments: {} });
      const { resources, resourceTemplates } = JSON.parse(listed.content[0].text);
      assert.deepEqual(resources.map(({ uri }) => uri), (await connection.list("listResources", "resources")).map(({ uri }) => uri));
      assert.ok(resourceTemplates.length > 0);
      for (const { uri } of resources) {
        const { content } = await client.callTool({ name: "read_resource", arguments: { uri } });
        assert.deepEqual(atAnyTime(JSON.parse(content[0].text)), atAnyTime(await connection.read(uri)), uri);
      }
    } finally {
      await connection.close();
    }
  });
}

test("a client whose box was not ticked has four tools that write and none that reads", async () => {
  const connection = await Connection.ready(SDK_2_AUTO, stack);
  try {
    const { tools } = await connection.client.listTools();
    assert.deepEqual(tools.map(({ annotations }) => annotations.readOnlyHint), [false, false, false, false]);
  } finally {
    await connection.close();
  }
});

test("nothing went wrong unseen", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
