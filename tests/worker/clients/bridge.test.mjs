// A client that knows only stdio, over `mcp-remote` as its bridge, with a bearer token that somebody else obtained.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport, getDefaultEnvironment } from "@modelcontextprotocol/client/stdio";
import { startStack } from "../support/stack.mjs";
import { Connection, READS, WRITES } from "./support/connection.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { SDK_2_AUTO } from "./support/sdks.mjs";

const ACTIVE = "statibeat://pages/42/incidents/active";
const BRIDGE = join(dirname(createRequire(import.meta.url).resolve("mcp-remote/package.json")), "dist/proxy.js");

let stack;
let connection;
let folder;
before(async () => {
  stack = await startStack();
  connection = await Connection.ready(SDK_2_AUTO, stack, { scopes: [...READS, ...WRITES] });
  folder = await mkdtemp(join(tmpdir(), "bridge-")); // the bridge keeps its locks and logs there, not in a home folder
});
after(async () => {
  await connection?.close();
  await stack?.stop();
  if (folder) await rm(folder, { recursive: true });
});
showLogOfFailures(() => stack);

/** Lets `use` work with a client behind a bridge that speaks these protocols to the server. */
async function bridged(protocol, use) {
  const authorization = `Bearer ${connection.kept.tokens.access_token}`;
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BRIDGE, connection.resource.href, "--transport", "http-only", "--protocol", protocol, "--header", "Authorization:${AUTHORIZATION}"],
    env: { ...getDefaultEnvironment(), MCP_REMOTE_CONFIG_DIR: folder, AUTHORIZATION: authorization },
    stderr: "pipe",
  });
  let output = "";
  transport.stderr.on("data", (text) => (output += text));
  const client = new Client({ name: "behind a bridge", version: "1.0.0" });
  try {
    await client.connect(transport);
    await use(client);
  } catch (error) {
    console.error(`mcp-remote: ${output}`);
    throw error;
  } finally {
    await client.close();
  }
}

for (const protocol of ["legacy", "auto"]) {
  test(`a client behind a bridge in ${protocol} mode lists tools, calls one and reads a resource`, () =>
    bridged(protocol, async (client) => {
      const { tools } = await client.listTools();
      assert.ok(tools.some(({ name }) => name === "create_incident"));
      const shown = await client.callTool({ name: "create_incident", arguments: { page_id: 42, title: "Slow", description: "It is slow.", preview: true } });
      assert.ok(!shown.isError, JSON.stringify(shown.content));
      const { contents } = await client.readResource({ uri: ACTIVE });
      assert.equal(JSON.parse(contents[0].text).page.id, 42);
    }));
}

test("nothing went wrong unseen", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
