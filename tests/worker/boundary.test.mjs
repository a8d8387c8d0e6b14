// The built worker carries four tools and no other: its list is the checked document, byte for byte, and what the page server
// offers beyond that does not exist here and is not in the file.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { withToken } from "../../dev/conformance/suite.mjs";
import { Pipe, endAll } from "../page/support/program.mjs";
import { startStack } from "./support/stack.mjs";

const CHECKED = JSON.parse(await readFile(new URL("../mcp/tools_list.json", import.meta.url), "utf8"));

let stack;
before(async () => (stack = await startStack()));
after(() => {
  endAll();
  return stack?.stop();
});

/** A message of that revision; the body of the answer as it came. */
async function ask(url, revision, method, params) {
  const headers = { "content-type": "application/json", "mcp-protocol-version": revision };
  if (revision === "2026-07-28") {
    Object.assign(headers, { "mcp-method": method }, params.name && { "mcp-name": params.name });
    const capabilities = { elicitation: {} };
    params = {
      ...params,
      _meta: { "io.modelcontextprotocol/protocolVersion": revision, "io.modelcontextprotocol/clientCapabilities": capabilities },
    };
  }
  const answer = await fetch(`${url}/mcp`, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  return answer.text();
}

test("the list of tools is the checked document, byte for byte", () =>
  withToken(stack.url, async (url) => {
    for (const [revision, list] of Object.entries(CHECKED)) {
      assert.equal(await ask(url, revision, "tools/list", {}), JSON.stringify(list), revision);
    }
  }));

/** The names of what the page server offers beyond Hosted MCP. */
async function broad() {
  const pipe = new Pipe({ STATIBEAT_API_TOKEN: "none", STATIBEAT_BASE_URL: "http://localhost:9" });
  await pipe.handshake();
  const { result } = await pipe.request("tools/list");
  await pipe.close();
  const here = CHECKED["2025-11-25"].result.tools.map(({ name }) => name);
  const names = result.tools.map(({ name }) => name).filter((name) => !here.includes(name));
  assert.equal(names.length, 12);
  return names;
}

test("the file of the worker knows no tool, no setting, no credential and no address of the page server", async () => {
  const folder = new URL("../../dist/", import.meta.url);
  const file = (await readdir(folder)).find((name) => name.endsWith(".wasm"));
  const bytes = await readFile(new URL(file, folder));
  assert.ok(bytes.includes("create_incident"), "its words can be found");
  for (const word of [...(await broad()), "STATIBEAT_API", "page_mcp", "slack-actor", "statibeat://page/"]) {
    assert.ok(!bytes.includes(word), word);
  }
});

test("whatever else the page server offers does not exist here", async () => {
  const names = await broad();
  await withToken(stack.url, async (url) => {
    for (const revision of Object.keys(CHECKED)) {
      for (const name of names) {
        const params = { arguments: { page_id: 42, incident_id: 1001 } };
        const answer = await ask(url, revision, "tools/call", { ...params, name });
        const madeUp = await ask(url, revision, "tools/call", { ...params, name: "no_such_tool" });
        assert.equal(answer.replaceAll(name, "no_such_tool"), madeUp);
        assert.equal(JSON.parse(answer).error.code, -32602, answer);
      }
    }
  });
});
