// The whole flow of a client that somebody installs from its registry: Resource URL, sign-in, lists, a read, a prompt,
// writes, a declined confirmation, an expired token, a wider permission, a revocation.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { READS, WRITES } from "./connection.mjs";
import { Person } from "./person.mjs";
import { takePosts } from "./published.mjs";

const ACTIVE = "statibeat://pages/42/incidents/active";
const INCIDENTS = "/api/v1/orgs/7/pages/42/admin/incidents";

/**
 * Declares the tests of one client. `start(url, person, options)` makes one that is not connected yet; `stack` is asked late. `topic` is
 * what this client's incidents are about, `speaks` the protocol version that it agrees on; `elicits` and `stepsUp` say whether it
 * asks its person before a write and for a permission that a write lacks.
 */
export function wholeFlow({ topic, start, speaks, elicits, stepsUp }, stack) {
  const person = new Person();
  let client;
  const begin = async () => {
    client = await start(`${stack().url}/mcp`, person, { elicits });
    return client.connect();
  };
  before(() => takePosts(stack()));
  beforeEach(() => person.forget());
  after(() => client?.close());

  test("connects from the Resource URL alone, with one sign-in", async () => {
    assert.equal(await begin(), speaks);
    assert.equal(person.asked.length, 1);
    assert.equal(person.asked[0].searchParams.get("code_challenge_method"), "S256");
    const { scope } = await client.tokens();
    assert.deepEqual(scope.split(" ").sort(), [...READS, ...WRITES].sort());
  });

  test("lists tools, resources and prompts", async () => {
    const { tools, resources, prompts } = await client.list();
    assert.ok(tools.some((tool) => tool.name === "create_incident"));
    assert.ok(resources.some(({ uri }) => uri.startsWith("statibeat://pages")));
    assert.ok(prompts.some((prompt) => prompt.name === "draft_customer_incident"));
  });

  test("reads a resource", async () => {
    const { contents } = await client.read(ACTIVE);
    assert.equal(JSON.parse(contents[0].text).page.id, 42);
  });

  test("gets a prompt with its task and what it needs", async () => {
    const { messages } = await client.prompt("draft_customer_incident", { page_id: "42", symptoms: "Checkout is slow." });
    const text = messages.map(({ content }) => content.text ?? content.resource?.text ?? "").join("\n");
    assert.match(text, /Checkout is slow\./);
    assert.match(text, /"page"/, "the resource is in it");
  });

  test("publishes what a preview showed with its confirm token, once", async () => {
    const given = { page_id: 42, title: `${topic} (shown first)`, description: "We are looking into it." };
    const { preview } = (await call("create_incident", { ...given, preview: true })).structuredContent;
    assert.deepEqual(await takePosts(stack()), []);
    const done = await call("create_incident", { page_id: 42, confirm: preview.confirm });
    assert.ok(done.structuredContent.incident_id > 0, JSON.stringify(done));
    assert.deepEqual(await takePosts(stack()), [INCIDENTS]);
    assert.equal(person.questions.length, elicits ? 1 : 0, "where the client can ask, the person confirms as well");
  });

  if (elicits) {
    test("asks the person before it publishes, and publishes what they accept", async () => {
      person.answer = { action: "accept", content: { publish: true } };
      const title = `${topic}: the person confirmed`;
      const done = await call("create_incident", { page_id: 42, title, description: "We are looking into it." });
      assert.ok(done.structuredContent.incident_id > 0, JSON.stringify(done));
      assert.ok(person.questions[0].message.includes(title));
      assert.deepEqual(await takePosts(stack()), [INCIDENTS]);
    });

    test("shows a declined confirmation as an answer and publishes nothing", async () => {
      person.answer = { action: "decline" };
      const answer = await call("create_incident", { page_id: 42, title: `${topic}, which nobody wants to tell`, description: "No." });
      assert.equal(answer.structuredContent.published, false);
      assert.match(answer.content[0].text, /declined\. Nothing was published/);
      assert.deepEqual([person.questions.length, await takePosts(stack())], [1, []]);
    });
  }

  test("replaces an expired access token without a sign-in", async () => {
    const { access_token } = await client.tokens();
    await expire(access_token);
    await client.expire?.();
    assert.equal(JSON.parse((await client.read("statibeat://me")).contents[0].text).name, "Mara Lindqvist");
    assert.notEqual((await client.tokens()).access_token, access_token);
    assert.deepEqual(person.asked, []);
  });

  test("asks the person to sign in again after a revocation, and goes on", async () => {
    await revoke();
    person.scopes = READS;
    const { contents } = await client.read("statibeat://pages");
    assert.ok(JSON.parse(contents[0].text).pages.length > 0);
    assert.equal(person.asked.length, 1);
  });

  if (stepsUp) {
    test("asks for the permission that a write lacks, and writes once it has it", async () => {
      person.scopes = [...READS, ...WRITES];
      person.answer = { action: "accept", content: { publish: true } };
      const given = { page_id: 42, title: `Now allowed: ${topic}`, description: "We are looking into it." };
      const done = await call("create_incident", given);
      assert.ok(done.structuredContent.incident_id > 0, JSON.stringify(done));
      assert.equal(person.asked.length, 1);
      assert.ok(person.asked[0].searchParams.get("scope").split(" ").includes("mcp.incidents.write"));
      assert.deepEqual(await takePosts(stack()), [INCIDENTS]);
    });
  } else {
    test("shows what the person has to allow when a write lacks its permission, and goes on reading", async () => {
      const given = { page_id: 42, title: `${topic} without permission`, description: "No." };
      const text = await client.call("create_incident", given).then((result) => JSON.stringify(result), (error) => error.message);
      assert.match(text, /mcp\.incidents\.write/);
      assert.deepEqual([person.asked, await takePosts(stack())], [[], []]);
      assert.ok((await client.read("statibeat://pages")).contents[0].text.includes("Northwind"));
    });
  }

  async function call(tool, given) {
    const result = await client.call(tool, given);
    assert.ok(!result.isError, JSON.stringify(result.content));
    return result;
  }

  /** Lets an access token run out now instead of later. */
  async function expire(token) {
    const hash = createHash("sha256").update(token).digest("base64url");
    const { meta } = await stack().db.prepare("UPDATE access_tokens SET expires_at = created_at WHERE token_hash = ?").bind(hash).run();
    assert.equal(meta.changes, 1);
  }

  async function revoke() {
    const { refresh_token: token, client_id } = await client.tokens();
    const answer = await fetch(`${stack().url}/mcp/oauth/revoke`, { method: "POST", body: new URLSearchParams({ token, client_id }) });
    assert.equal(answer.status, 200);
  }
}
