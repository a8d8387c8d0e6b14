// The official SDK in both generations at the other end of the pipe: the whole way from the handshake to a clean end.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as Transport1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { PAGE_SERVER } from "./support/program.mjs";
import { TOKENS, startSimulator } from "./support/simulator.mjs";

const WHO = { name: "story", version: "1.0.0" };
const [HANDSHAKE_VERSION, NEWEST_VERSION] = ["2025-11-25", "2026-07-28"];

let simulator;
before(async () => (simulator = await startSimulator()));
after(() => simulator.stop());

const sdk2 = (name, speaks, versionNegotiation) => ({
  name,
  speaks,
  client: () => new Client(WHO, versionNegotiation && { versionNegotiation }),
  transport: (options) => new StdioClientTransport(options),
});

const SDKS = [
  { name: "SDK 1.x", speaks: HANDSHAKE_VERSION, client: () => new Client1(WHO), transport: (options) => new Transport1(options) },
  sdk2("SDK 2.x as it comes", HANDSHAKE_VERSION),
  sdk2("SDK 2.x in auto mode", NEWEST_VERSION, { mode: "auto" }),
  sdk2(`SDK 2.x pinned to ${NEWEST_VERSION}`, NEWEST_VERSION, { mode: { pin: NEWEST_VERSION } }),
];

for (const sdk of SDKS) {
  test(`${sdk.name} lists, reads, fills in a prompt, completes, writes and ends`, async (t) => {
    const env = { STATIBEAT_API_TOKEN: TOKENS.write, STATIBEAT_BASE_URL: simulator.url };
    const transport = sdk.transport({ command: PAGE_SERVER, env, stderr: "pipe" });
    const client = sdk.client();
    t.after(() => client.close());
    await client.connect(transport);
    assert.equal(client.getServerVersion().name, "statibeat-page-mcp");
    if (client.getNegotiatedProtocolVersion) assert.equal(client.getNegotiatedProtocolVersion(), sdk.speaks);

    const { tools } = await client.listTools();
    assert.equal(tools.length, 16);
    assert.ok(tools.every((tool) => !("page_id" in tool.inputSchema.properties) && !tool.securitySchemes));
    assert.doesNotMatch(JSON.stringify(tools), /statibeat:\/\/pages\/\{page_id\}/, "descriptions name this server's resources");
    const hints = Object.fromEntries(tools.map((tool) => [tool.name, tool.annotations.destructiveHint]));
    assert.deepEqual([hints.create_incident, hints.delete_incident, hints.run_beat], [true, true, false]);

    const { resources } = await client.listResources();
    assert.ok(resources.every(({ uri }) => uri.startsWith("statibeat://page/")), "no other root");
    const { contents } = await client.readResource({ uri: "statibeat://page/analytics/summary?window_days=7" });
    assert.match(contents[0].text, /"window_days":7\b/);

    const { prompts } = await client.listPrompts();
    assert.equal(prompts.length, 9);
    assert.ok(prompts.every((prompt) => prompt.arguments.every((argument) => argument.name !== "page_id")));
    const prompt = await client.getPrompt({ name: "review_existing_incident_state", arguments: { incident_id: "1001" } });
    assert.equal(prompt.messages.length, 1);
    assert.match(prompt.messages[0].content.text, /\n=== statibeat:\/\/page\/incidents\/1001 \(Incident detail\)\n\{/);
    const ref = { type: "ref/prompt", name: "review_existing_incident_state" };
    const { completion } = await client.complete({ ref, argument: { name: "incident_id", value: "100" } });
    assert.ok(completion.values.some((value) => value.startsWith("1001 ")));

    const title = `Slow logins, seen by ${sdk.name}`;
    const created = await client.callTool({ name: "create_incident", arguments: { title, description: "Logins are slow." } });
    assert.ok(!created.isError, JSON.stringify(created));
    const { body } = await simulator.read(`incidents/${created.structuredContent.incident_id}`);
    assert.equal(body.title, title);
    await client.close();
  });
}
