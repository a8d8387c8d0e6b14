// A person who is asked before anything is published, by the official SDK: they confirm, decline, close the form, or go
// away. And clients that cannot ask, which show a preview and hand its confirm token back.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startStack } from "../support/stack.mjs";
import { Connection, READS, WRITES } from "./support/connection.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { takePosts, takeRecord } from "./support/published.mjs";
import { SDK_1, SDK_2_PINNED, asking } from "./support/sdks.mjs";

const CONSENT = { scopes: [...READS, ...WRITES] };
const CREATE = "create_incident";

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());
showLogOfFailures(() => stack);

const outage = (title) => ({ page_id: 42, title, description: "Requests fail.", affected_items_freetext: title });
const call = (connection, given) => connection.client.callTool({ name: CREATE, arguments: given });
const textOf = (result) => result.content.map(({ text }) => text ?? "").join("\n");

describe(asking().name, () => {
  const person = { questions: [], answer: undefined };
  let connection;
  before(async () => {
    const sdk = asking((question) => {
      person.questions.push(question);
      return person.answer();
    });
    connection = await Connection.ready(sdk, stack, CONSENT);
    // From now on the SDK holds every result that is no error against the output schema of its tool.
    await connection.client.listTools();
  });
  after(() => connection?.close());
  beforeEach(async () => {
    person.questions.length = 0;
    await takePosts(stack);
    await takeRecord(stack);
  });

  test("who confirms, publishes what they were shown, once", async () => {
    person.answer = () => ({ action: "accept", content: { publish: true } });
    const given = { ...outage("Confirmed outage"), affected_items_freetext: undefined, affected_items: [{ id: 101 }], status: "degraded" };
    const result = await call(connection, given);
    assert.ok(!result.isError, textOf(result));
    const [question] = person.questions;
    for (const shown of ["Northwind Cloud Status", given.title, given.description, "degraded", "subscribers"]) assert.ok(question.message.includes(shown), question.message);
    assert.deepEqual(question.requestedSchema.required, ["publish"]);
    assert.deepEqual(await takePosts(stack), ["/api/v1/orgs/7/pages/42/admin/incidents"]);
    const again = await call(connection, given);
    assert.equal(again.structuredContent.replayed, true);
    assert.equal(again.structuredContent.incident_id, result.structuredContent.incident_id);
    assert.equal(person.questions.length, 1, "what was confirmed is not asked about again");
    assert.deepEqual(await takePosts(stack), []);
    assert.deepEqual(await takeRecord(stack), ["previewed input_request", "done", "replayed"]);
  });

  for (const [how, answer, says, reason] of [
    ["declines", { action: "decline" }, /declined\. Nothing was published/, "by_person"],
    ["closes the form", { action: "cancel" }, /Nobody confirmed this.* Nothing was published/, "cancelled"],
    ["unticks the box", { action: "accept", content: { publish: false } }, /declined\. Nothing was published/, "by_person"],
  ]) {
    test(`who ${how}, publishes nothing`, async () => {
      person.answer = () => answer;
      const result = await call(connection, outage(`An outage of one who ${how}`));
      assert.match(textOf(result), says);
      assert.equal(result.structuredContent.published, false);
      assert.equal(person.questions.length, 1);
      assert.deepEqual([await takePosts(stack), await takeRecord(stack)], [[], ["previewed input_request", `declined ${reason}`]]);
    });
  }

  test("a client that closes every form by itself publishes with the confirm token of a preview", async () => {
    person.answer = () => ({ action: "cancel" });
    const given = outage("An outage that nobody is there to confirm");
    assert.match(textOf(await call(connection, given)), /Nobody confirmed this/);
    const { preview } = (await call(connection, { ...given, preview: true })).structuredContent;
    const done = await call(connection, { page_id: given.page_id, confirm: preview.confirm });
    assert.equal(done.structuredContent?.replayed, false, textOf(done));
    assert.equal(person.questions.length, 1);
  });

  test("who never answers, publishes nothing, and the question is on record", async () => {
    const asked = new Promise((resolve) => {
      person.answer = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    call(connection, outage("Unanswered outage")).catch(() => {}); // has no end, because the person gives none
    await asked;
    assert.deepEqual([await takePosts(stack), await takeRecord(stack)], [[], ["previewed input_request"]]);
  });
});

describe("where every write is confirmed", () => {
  let strict;
  before(async () => (strict = await startStack({ vars: { HOSTED_MCP_CONFIRM_WRITES: "always" } })));
  after(() => strict?.stop());

  for (const sdk of [SDK_1, SDK_2_PINNED]) {
    describe(`${sdk.name}, which cannot ask`, () => {
      let connection;
      before(async () => (connection = await Connection.ready(sdk, strict, CONSENT)));
      after(() => connection?.close());
      beforeEach(async () => {
        await takePosts(strict);
        await takeRecord(strict);
      });

      test("publishes with the confirm token of a preview alone, and only so", async () => {
        const given = outage(`Previewed by ${sdk.name}`);
        const bare = await call(connection, given);
        assert.ok(bare.isError, "a bare write is sent back");
        assert.match(textOf(bare), /preview: true/);
        const { preview } = (await call(connection, { ...given, preview: true })).structuredContent;
        assert.equal(preview.public_text.title, given.title);
        assert.deepEqual(await takePosts(strict), []);
        const done = await call(connection, { page_id: given.page_id, confirm: preview.confirm });
        assert.equal(done.structuredContent?.replayed, false, textOf(done));
        const again = await call(connection, { ...given, preview: true, confirm: preview.confirm });
        assert.equal(again.structuredContent?.replayed, true, textOf(again));
        assert.equal((await takePosts(strict)).length, 1);
        assert.deepEqual(await takeRecord(strict), ["refused unconfirmed", "previewed requested", "done", "replayed"]);
      });
    });
  }
});

test("nothing went wrong unseen", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
