// The stdio transport: malformed and long lines, rejected batches, concurrent requests, cancellation, end of input.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Pipe, endAll } from "./support/program.mjs";
import { TOKENS, startSimulator } from "./support/simulator.mjs";

let simulator;
before(async () => (simulator = await startSimulator()));
after(() => {
  endAll();
  return simulator.stop();
});
afterEach(() => simulator.clearFaults());

const open = (more = {}) => new Pipe({ STATIBEAT_API_TOKEN: TOKENS.admin, STATIBEAT_BASE_URL: simulator.url, ...more });
const read = (uri) => ({ uri: `statibeat://page/${uri}` });

test("lines that are no messages are answered, and the next one is served", async () => {
  const pipe = open();
  await pipe.handshake();
  const cases = [
    ["no json\n", -32700],
    [Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]), -32700],
    ["{}\n", -32600],
    ["[]\n", -32600],
    [`${"x".repeat(10 * 1024 * 1024)}\n`, -32600],
    [`{"jsonrpc":"2.0","id":null,"method":"ping"}\n`, -32600],
  ];
  for (const [bytes, code] of cases) {
    pipe.raw(bytes);
    assert.equal((await pipe.stray()).error.code, code, String(bytes).slice(0, 40));
  }
  pipe.raw("\n  \r\n");
  assert.deepEqual((await pipe.request("ping")).result, {});
  assert.equal((await pipe.request("no/such")).error.code, -32601);
  assert.deepEqual(await pipe.close(), { code: 0, signal: null });
});

test("a message may come in pieces and several may come in one", async () => {
  const pipe = open();
  await pipe.handshake();
  pipe.raw('{"jsonrpc":"2.0","id":"a","me');
  pipe.raw('thod":"ping"}\r\n{"jsonrpc":"2.0","id":"b","method":"ping"}\n');
  const answers = [await pipe.stray(), await pipe.stray()];
  assert.deepEqual(answers.map(({ id }) => id).sort(), ["a", "b"]);
  await pipe.close();
});

test("a batch gets one error in every version", async () => {
  const batch = '[{"jsonrpc":"2.0","id":"x","method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]\n';
  for (const version of ["2025-03-26", "2025-06-18"]) {
    const pipe = open();
    assert.equal((await pipe.handshake(version)).protocolVersion, version);
    pipe.raw(batch);
    const { id, error } = await pipe.stray();
    assert.deepEqual([id, error.code], [null, -32600]);
    assert.match(error.message, /batch of 2 messages.*one message per request/);
    await pipe.close();
  }
});

test("what is asked while a slow request runs is answered first", async () => {
  const pipe = open();
  await pipe.handshake();
  const held = await simulator.hold("GET", "/api/v1/admin/status-definitions");
  const slow = pipe.begin("resources/read", read("status-definitions"));
  await held.arrived();
  assert.ok((await pipe.request("resources/read", read("incidents/active"))).result);
  assert.ok(!pipe.answered(slow.id));
  await held.release();
  assert.ok((await slow.answer).result);
  await pipe.close();
});

test("a hundred requests at once are all answered, each once", async () => {
  const pipe = open();
  await pipe.handshake();
  const requests = Array.from({ length: 100 }, () => pipe.request("resources/read", read("incidents/active")));
  const answers = await Promise.all(requests);
  assert.ok(answers.every(({ result }) => result));
  assert.equal(new Set(pipe.lines.map((line) => JSON.parse(line).id)).size, pipe.lines.length);
  await pipe.close();
});

test("a cancelled request is never answered", async () => {
  const pipe = open();
  await pipe.handshake();
  const held = await simulator.hold("GET", "/api/v1/admin/status-definitions");
  const { id } = pipe.begin("resources/read", read("status-definitions"));
  await held.arrived();
  pipe.notify("notifications/cancelled", { requestId: id, reason: "changed my mind" });
  pipe.notify("notifications/cancelled", { requestId: "never asked" });
  pipe.notify("notifications/cancelled", {});
  assert.deepEqual((await pipe.request("ping")).result, {});
  await held.release();
  // At its end the program has answered everything that it still meant to answer.
  assert.deepEqual(await pipe.close(), { code: 0, signal: null });
  assert.ok(!pipe.answered(id));
});

test("when the client closes its end, what it asked for is answered and the program ends", async () => {
  const pipe = open();
  await pipe.handshake();
  const held = await simulator.hold("GET", "/api/v1/admin/summary");
  const { answer } = pipe.begin("resources/read", read("summary"));
  await held.arrived();
  const exit = pipe.close();
  await held.release();
  assert.deepEqual(await exit, { code: 0, signal: null });
  assert.ok((await answer).result);
});

test("a signal ends the program cleanly, a request under way or not", { skip: process.platform === "win32" }, async () => {
  for (const signal of ["SIGTERM", "SIGINT"]) {
    for (const isBusy of [true, false]) {
      const pipe = open();
      await pipe.handshake();
      if (isBusy) {
        const held = await simulator.hold("GET", "/api/v1/admin/summary");
        pipe.begin("resources/read", read("summary"));
        await held.arrived();
      }
      pipe.child.kill(signal);
      assert.deepEqual(await pipe.exit, { code: 0, signal: null });
      await simulator.clearFaults();
    }
  }
});

test("the token is in no line and in no log, at the loudest level", async () => {
  const pipe = open({ STATIBEAT_MCP_LOG_LEVEL: "debug" });
  await pipe.handshake();
  await simulator.fault("GET", "/api/v1/admin/summary", { status: { code: 500 } }, 2);
  assert.ok((await pipe.request("resources/read", read("summary"))).error);
  assert.equal((await pipe.request("resources/read", read("nothing"))).error.code, -32002);
  await pipe.close();
  assert.ok(pipe.log.includes("request"), "the log is on");
  assert.ok(!(pipe.log + pipe.lines.join()).includes(TOKENS.admin));
});
