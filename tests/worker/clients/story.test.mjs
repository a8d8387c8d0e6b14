// The whole story of a connection, told by the official SDK in both generations: from a Resource URL without a token to
// a written incident, a refreshed token, and the refusal after a revoke. The clients differ in nothing but how they are
// made.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startStack } from "../support/stack.mjs";
import { Connection, READS, UNAUTHORIZED, WRITES } from "./support/connection.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { SDK_1, SDK_2 } from "./support/sdks.mjs";

const ACTIVE = "statibeat://pages/42/incidents/active";
const DETAIL = "statibeat://pages/{page_id}/incidents/{incident_id}";

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());
showLogOfFailures(() => stack);

for (const sdk of [SDK_1, ...SDK_2]) describe(sdk.name, () => story(sdk));

function story(sdk) {
  let connection;
  before(() => (connection = new Connection(sdk, stack)));
  after(() => connection?.close());

  const title = `Zahlungen hängen – ${sdk.name}`;
  let incident;

  /** X9 */
  test("finds its way from the Resource URL to a sign-in, and registers itself", async () => {
    await connection.begin();
    const { authorizationUrl, client } = connection.kept;
    assert.deepEqual(connection.wire.exchanges.map(({ path, status }) => `${path} ${status}`), [
      "/mcp 401",
      "/.well-known/oauth-protected-resource/mcp 200",
      "/.well-known/oauth-authorization-server 200",
      "/mcp/oauth/register 201",
    ]);
    assert.equal(authorizationUrl.searchParams.get("client_id"), client.client_id);
    assert.equal(authorizationUrl.searchParams.get("resource"), connection.resource.href);
    assert.deepEqual(authorizationUrl.searchParams.get("scope").split(" "), READS);
  });

  /** X9 */
  test("gets tokens for what the person ticked, writes included", async () => {
    await connection.approve({ scopes: [...READS, ...WRITES] });
    assert.deepEqual(connection.kept.tokens.scope.split(" ").sort(), [...READS, ...WRITES].sort());
  });

  test(`agrees on ${sdk.speaks}`, async () => {
    const client = await connection.connect();
    assert.equal(sdk.revision(client, connection.transport), sdk.speaks);
    assert.equal(client.getServerVersion().title, "StatiBeat");
  });

  test("lists tools, resources, templates and prompts", async () => {
    const [tools, resources, templates, prompts] = [
      await connection.list("listTools", "tools"),
      await connection.list("listResources", "resources"),
      await connection.list("listResourceTemplates", "resourceTemplates"),
      await connection.list("listPrompts", "prompts"),
    ];
    assert.ok(tools.some(({ name }) => name === "create_incident"));
    assert.ok(resources.some(({ uri }) => uri === "statibeat://pages"));
    for (const template of [ACTIVE.replace("42", "{page_id}"), DETAIL]) assert.ok(templates.some(({ uriTemplate }) => uriTemplate === template));
    for (const entries of [tools, resources, templates, prompts]) {
      const names = entries.map(({ uri, uriTemplate, name }) => uri ?? uriTemplate ?? name);
      assert.deepEqual([...new Set(names)], names, "listed twice");
    }
  });

  test("reads every resource that is listed", async () => {
    const resources = await connection.list("listResources", "resources");
    const bodies = new Map();
    for (const { uri } of resources) bodies.set(uri, await connection.read(uri));
    assert.equal(bodies.get("statibeat://me").name, "Mara Lindqvist");
    for (const page of [42, 43]) assert.equal(bodies.get(`statibeat://pages/${page}/writing`).page.id, page);
  });

  test("creates an incident", async () => {
    const before = await connection.read(ACTIVE);
    assert.ok(!before.incidents.some((listed) => listed.title === title));
    const result = await connection.client.callTool({ name: "create_incident", arguments: { page_id: 42, title, description: "We are looking into it." } });
    assert.ok(!result.isError, JSON.stringify(result.content));
    incident = result.structuredContent;
    assert.ok(incident.incident_id > 0, JSON.stringify(incident));
    const links = result.content.filter(({ type }) => type === "resource_link").map(({ uri }) => uri);
    assert.deepEqual(links, [incident.resource_uri]);
  });

  test("sees the incident in the page's list and in a resource of its own", async () => {
    const { incidents } = await connection.read(ACTIVE);
    assert.deepEqual(incidents.filter((listed) => listed.title === title).map(({ id }) => id), [incident.incident_id]);
    assert.equal(incident.resource_uri, `statibeat://pages/42/incidents/${incident.incident_id}`);
    const detail = await connection.read(incident.resource_uri);
    assert.equal(detail.incident.title, title);
  });

  test("calls a tool that it has not listed, as after a restart", async () => {
    const client = await connection.connect();
    const result = await client.callTool({ name: "create_incident", arguments: { page_id: 42, title, description: "Again.", preview: true } });
    assert.ok(!result.isError, JSON.stringify(result.content));
  });

  /** X9 */
  test("replaces an expired access token without asking anybody", async () => {
    const old = connection.kept.tokens;
    await connection.expireAccessToken();
    connection.wire.clear();
    const { incidents } = await connection.read(ACTIVE);
    assert.ok(incidents.some((listed) => listed.title === title));
    assert.deepEqual(connection.wire.posts(), ["/mcp 401", "/mcp/oauth/token 200", "/mcp 200"]);
    assert.notEqual(connection.kept.tokens.access_token, old.access_token);
    assert.notEqual(connection.kept.tokens.refresh_token, old.refresh_token);
  });

  test("met nothing that it would complain about", () => {
    assert.deepEqual(connection.complaints, []);
  });

  /** X9 */
  test("is refused on the very next call after a revoke", async (context) => {
    context.mock.method(console, "warn", () => {}); // 2.x says aloud that it drops the tokens
    await connection.revoke();
    connection.wire.clear();
    connection.kept.authorizationUrl = undefined;
    await assert.rejects(connection.read(ACTIVE), UNAUTHORIZED);
    assert.deepEqual(connection.wire.posts(), ["/mcp 401", "/mcp/oauth/token 400"]);
    const [refused] = connection.wire.refusals();
    assert.match(refused.challenge, /error="invalid_token"/);
    assert.ok(connection.kept.authorizationUrl, "a person is asked again");
  });
}

test("nothing went wrong unseen", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
