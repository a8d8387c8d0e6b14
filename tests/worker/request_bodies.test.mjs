// Bodies that nobody needs are not read: the head of a request decides, and each route has its limit. A small one is taken in for at most a
// second, so that the connection can be used again.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as openSocket } from "node:net";
import { after, before, test } from "node:test";
import { connect } from "../../dev/bench/operations.mjs";
import { startStack } from "./support/stack.mjs";

const MEBIBYTE = 1024 * 1024;
const MESSAGE_LIMIT = 448 * 1024;
const FORM = "content-type: application/x-www-form-urlencoded";

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());

/** Sends a request's head and `body`, whatever length it announces, and answers the status that comes back. */
async function statusOf(path, headers, body = "", method = "POST") {
  const { hostname, port } = new URL(stack.url);
  const socket = openSocket({ host: hostname === "localhost" ? "127.0.0.1" : hostname, port: Number(port) });
  socket.on("error", () => {});
  try {
    await once(socket, "connect");
    socket.write([`${method} ${path} HTTP/1.1`, `host: localhost:${port}`, ...headers, "", ""].join("\r\n") + body);
    let text = "";
    for await (const part of socket) {
      text += part;
      if (text.includes("\r\n")) break;
    }
    return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
  } finally {
    socket.destroy();
  }
}

test("150 senders without a token are answered before they have sent any of their mebibyte", async () => {
  const announced = [`content-length: ${MEBIBYTE}`];
  const chunked = ["transfer-encoding: chunked"];
  const heads = Array.from({ length: 150 }, (_, index) => (index % 2 ? announced : chunked));
  const statuses = await Promise.all(heads.map((headers) => statusOf("/mcp", ["content-type: application/json", ...headers])));
  assert.deepEqual(new Set(statuses), new Set([401]));
});

test("path, method, content type and announced length are judged before any byte of the body has come", async () => {
  const { access_token: token } = await connect(stack);
  const bearer = `authorization: Bearer ${token}`;
  const megabyte = `content-length: ${MEBIBYTE}`;
  for (const [path, headers, status, method] of [
    ["/no/such/path", [megabyte], 404],
    ["/mcp/health", [megabyte], 405],
    ["/mcp", [bearer, megabyte], 405, "PUT"],
    ["/mcp", [bearer, megabyte], 413],
    ["/mcp", ["authorization: Bearer made-up", megabyte], 401],
    ["/mcp/oauth/token", [FORM, megabyte], 400],
    ["/mcp/oauth/token", ["content-type: text/plain", "content-length: 100"], 400],
    ["/mcp/oauth/revoke", ["content-type: text/plain", "transfer-encoding: chunked"], 400],
    ["/mcp/oauth/register", ["content-type: text/plain", "content-length: 100"], 400],
    ["/mcp/oauth/consent", ["content-type: text/plain", "content-length: 100"], 403],
  ]) {
    assert.equal(await statusOf(path, headers, "", method), status, `${method ?? "POST"} ${path} ${headers.at(-1)}`);
  }
});

test("a body in chunks is refused as soon as it is longer than the limit", async () => {
  const { access_token: token } = await connect(stack);
  const headers = [`authorization: Bearer ${token}`, "content-type: application/json", "transfer-encoding: chunked"];
  const size = 64 * 1024;
  const chunk = `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;
  // Never ended: an answer can only come from counting.
  assert.equal(await statusOf("/mcp", headers, chunk.repeat(MESSAGE_LIMIT / size + 1)), 413);
});

test("a message of almost the limit is read whole", async () => {
  const { access_token: token } = await connect(stack);
  const message = { jsonrpc: "2.0", id: 1, method: "ping", params: { filler: "x".repeat(MESSAGE_LIMIT - 1000) } };
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${stack.url}/mcp`, { method: "POST", headers, body: JSON.stringify(message) });
  assert.equal(answer.status, 200);
});

test("refused calls whose bodies come after their headers share one connection", async () => {
  const { port, host } = new URL(stack.url);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping", params: {} });
  const head = `POST /mcp HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const socket = openSocket(Number(port), "127.0.0.1");
  socket.setNoDelay(true);
  const answers = socket[Symbol.asyncIterator]();
  for (let call = 0; call < 50; call += 1) {
    socket.write(head, () => socket.write(body));
    let answer = "";
    while (!/\r\n\r\n.*\}/s.test(answer)) {
      const { value, done } = await answers.next();
      assert.ok(!done, `the connection ended at call ${call}`);
      answer += value;
    }
    assert.match(answer, /^HTTP\/1\.1 401 /);
  }
  socket.destroy();
});
