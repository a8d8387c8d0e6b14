// Calls out of the wasm per operation. Each costs, and so what the wasm asks of the runtime crosses as one text (src/cloudflare/crossings.mjs).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { call, connect } from "../../dev/bench/operations.mjs";
import { send } from "../../dev/bench/load.mjs";
import { ROOT } from "./support/programs.mjs";
import { startStack } from "./support/stack.mjs";

/** The most calls out of the wasm, with those of the rate limiter's objects. */
const MOST = { "tools/list": 20, "a read on a page": 40, "a write": 120 };

let stack;
let token;
before(async () => {
  stack = await startStack({ main: "with-crossings.mjs" });
  ({ access_token: token } = await connect(stack));
});
after(() => stack?.stop());

const counted = async () => (await fetch(stack.url, { headers: { "x-crossings": "1" } })).json();

let writes = 0;
const OPERATIONS = {
  "tools/list": () => call(stack, token, "tools/list"),
  "a read on a page": () => call(stack, token, "resources/read", { uri: "statibeat://pages/42/incidents/active" }),
  "a write": () => {
    writes += 1;
    const text = { title: `Crossing ${writes}`, description: "Some requests fail.", affected_items_freetext: `System ${writes}` };
    return call(stack, token, "tools/call", { name: "create_incident", arguments: { page_id: 42, ...text } });
  },
};

for (const [name, request] of Object.entries(OPERATIONS)) {
  test(`${name} leaves the wasm at most ${MOST[name]} times`, async () => {
    await send(undefined, request()); // the instance sees the page
    await counted();
    const answer = await send(undefined, request());
    assert.equal(answer.status, 200, answer.text);
    const counts = await counted();
    const sum = Object.values(counts).reduce((all, count) => all + count, 0);
    console.log(`${name}: ${sum} calls out of the wasm`, counts);
    assert.ok(sum > 0 && sum <= MOST[name], `${sum}`);
  });
}

test("an icon, which is no text, arrives byte for byte", async () => {
  const answer = await fetch(`${stack.url}/icon-light.png`);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), readFileSync(join(ROOT, "src/web/icons/light.png")));
});

test("the bundle sets no names of functions", () => {
  assert.doesNotMatch(readFileSync(join(ROOT, "dist/entry.js"), "utf8"), /__name\(/);
});
