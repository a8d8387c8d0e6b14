// Clients that hang up in the middle of a call, on workerd: the call goes on, its outcome is recorded, and nothing of it stays in the instance.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "./support/client.mjs";
import { eventually, startStack } from "./support/stack.mjs";
import { simulator } from "./support/states.mjs";

const SCOPE = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
const PAGE = "/api/v1/orgs/7/pages/42/admin";
/** Manages incidents of page 42. */
const THEO = "2";

let stack;
let client;
let token;
before(async () => {
  stack = await startStack();
  client = new Client(stack, "hangs-up", SCOPE);
  ({ access_token: token } = await client.connect(THEO));
  await read(); // the page is known from now on
});
after(() => stack?.stop());

const read = () => client.call(token, "resources/read", { uri: "statibeat://pages/42/incidents/active" });
const requests = async () => (await (await simulator(stack, "requests", undefined, "GET")).json()).items;
const write = (title) => ({ name: "create_incident", arguments: { page_id: 42, title, description: "We are looking into it.", affected_items_freetext: title } });

/** The log lines of answered calls. */
const logged = (method) => stack.logs.map(({ message }) => message).filter((line) => line.includes('"event":"request"') && line.includes(`"${method}"`));

/**
 * Sends a call to the worker itself: Miniflare's own worker in front of it would keep the connection. Returns the socket.
 */
function send(method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "mcp-protocol-version": "2025-11-25" };
  const request = http.request(`${stack.directUrl}/mcp`, { method: "POST", headers, agent: false });
  request.on("error", () => {}).end(body);
  return new Promise((resolve) => request.on("socket", resolve));
}

/** Sends a call, and hangs up while StatiBeat holds its answer to this request; then StatiBeat answers. */
async function hangUpWhile(held, method, params) {
  await simulator(stack, "requests", undefined, "DELETE");
  await simulator(stack, "faults", { ...held, kind: "hold" });
  const socket = await send(method, params);
  await eventually(async () => (await requests()).some((request) => request.method === held.method && request.path.split("?")[0] === held.path));
  // workerd takes a connection that is merely closed for one whose client still reads.
  socket.resetAndDestroy();
  await pause(300);
  await simulator(stack, "release");
}

/** Writes and hangs up while StatiBeat holds its answer to this request. */
async function writeAndHangUp(title, held) {
  const lines = logged("tools/call").length;
  await hangUpWhile(held, "tools/call", write(title));
  const outcomes = () => stack.db.prepare("SELECT outcome FROM audit WHERE kind = 'write' AND title = ?1").bind(title).all();
  await eventually(async () => (await outcomes()).results.some(({ outcome }) => outcome === "done"));
  assert.equal(await stack.db.prepare("SELECT count(*) AS count FROM idempotency WHERE outcome <> 'done'").first("count"), 0);
  const posts = (await requests()).filter(({ method, path }) => method === "POST" && path === `${PAGE}/incidents`);
  assert.equal(posts.length, 1);
  await eventually(() => logged("tools/call").length > lines);

  const repeated = await client.call(token, "tools/call", write(title));
  assert.equal(repeated.body.result.structuredContent.replayed, true, JSON.stringify(repeated.body));
}

test("a write whose client hangs up before it is posted is published once, and its outcome is recorded", () =>
  writeAndHangUp("Before the post", { method: "GET", path: "/api/v1/me/pages" }));

test("a write whose client hangs up while it is posted is published once, and its outcome is recorded", () =>
  writeAndHangUp("During the post", { method: "POST", path: `${PAGE}/incidents` }));

test("a read whose client hangs up comes to its end, and the next one is answered", async () => {
  const lines = logged("resources/read").length;
  await hangUpWhile({ method: "GET", path: `${PAGE}/incidents` }, "resources/read", { uri: "statibeat://pages/42/incidents/active" });
  await eventually(() => logged("resources/read").length > lines);
  assert.equal((await read()).status, 200);
});
