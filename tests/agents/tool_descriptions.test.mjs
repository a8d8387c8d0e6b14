// The tool lists of both programs, checked by the public linter of tool definitions, `tdqs lint` (https://tdqs.dev). A note is
// allowed: reading tools have no output schema, because what they return is a resource.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { Pipe } from "../page/support/program.mjs";
import { READS, WRITES } from "../worker/clients/support/connection.mjs";
import { install } from "../worker/clients/support/python.mjs";
import { Client } from "../worker/support/client.mjs";
import { startStack } from "../worker/support/stack.mjs";

const { python, missing } = install("tdqs");

/** Checks a `tools/list` result; a warning fails. */
function lint(tools) {
  const input = JSON.stringify({ tools });
  const { status, stdout, stderr } = spawnSync(python, ["-m", "tdqs", "lint", "--file", "-", "--fail-on", "warning"], { input, encoding: "utf8", timeout: 60_000 });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`${tools.length} tools`));
}

test("the tools of Hosted MCP, those that read among them, have no finding of tdqs lint", { skip: missing }, async () => {
  const stack = await startStack();
  try {
    const client = new Client(stack, "tool-descriptions", [...READS, ...WRITES].join(" "));
    const { access_token } = await client.connect(1, [["resource_tools", "on"]]);
    const { body } = await client.call(access_token, "tools/list", {});
    assert.equal(body.result.tools.length, 6);
    lint(body.result.tools);
  } finally {
    await stack.stop();
  }
});

test("the tools of the page server have no finding of tdqs lint", { skip: missing }, async () => {
  // No request is sent to StatiBeat for the list.
  const pipe = new Pipe({ STATIBEAT_API_TOKEN: "unused", STATIBEAT_BASE_URL: "http://127.0.0.1:1" });
  try {
    await pipe.handshake();
    lint((await pipe.request("tools/list", {})).result.tools);
  } finally {
    await pipe.close();
  }
});

test("a tool without a description is a finding of tdqs lint", { skip: missing }, () => {
  assert.throws(() => lint([{ name: "nameless", inputSchema: { type: "object" } }]), /no-description/);
});
