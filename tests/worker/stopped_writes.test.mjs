// Revoked, paused or blocked means stopped, on workerd and D1: a write that waits for StatiBeat while its connection is revoked,
// paused or blocked is not published. The simulator holds one of the write's reads until the stop is confirmed to whoever made it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser } from "./support/browser.mjs";
import { Client } from "./support/client.mjs";
import { eventually, startStack } from "./support/stack.mjs";
import { simulator } from "./support/states.mjs";

const SCOPE = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
/** Administers page 42. */
const MARA = "1";
/** Manages incidents of page 42. */
const THEO = "2";

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());

/** The Hosted MCP page, with somebody signed in. */
class AdminPage {
  #browser = new Browser();
  #token;

  static async signIn(user) {
    const admin = new AdminPage();
    const welcome = await admin.#browser.open(`${stack.url}/mcp/admin`);
    const [, address] = /href="([^"]*sign-in[^"]*)"/.exec(welcome.html);
    const choice = await admin.#browser.open(new URL(address, welcome.url));
    const { html } = await admin.#browser.submit(choice, [["user_id", user]]);
    [, admin.#token] = /name="token" value="([^"]+)"/.exec(html);
    return admin;
  }

  /** Sends the form of an action and expects the page to say that it is done. */
  async act(fields) {
    const body = new URLSearchParams({ token: this.#token, confirmed: "1", ...fields });
    const { status, url } = await this.#browser.open(`${stack.url}/mcp/admin/action`, { method: "POST", body });
    assert.deepEqual([status, url.searchParams.get("done")], [200, fields.action]);
  }
}

/** The fields that name the connection of Theo and the client. */
const of = (client) => ({ connection: `${THEO} ${client.id}` });
const blockOf = (client) => ({ ...of(client), page: "42" });

/** Ways to stop a connection: who signs in, the stopping request, the expected response to its write, and the way back. */
const STOPS = {
  "a revocation by the client": {
    stop: async (_, client, tokens) => assert.equal((await client.revoke(tokens.refresh_token)).status, 200),
    check: ({ status, headers }) => assert.deepEqual([status, /invalid_token/.test(headers.get("www-authenticate"))], [401, true]),
  },
  "a revocation by the person": {
    by: THEO,
    stop: (admin, client) => admin.act({ action: "revoke", ...of(client) }),
    check: ({ status, headers }) => assert.deepEqual([status, /invalid_token/.test(headers.get("www-authenticate"))], [401, true]),
  },
  "a pause by the person": {
    by: THEO,
    stop: (admin, client) => admin.act({ action: "pause", ...of(client) }),
    check: ({ body }) => assert.match(body.result.content[0].text, /has paused this connection's writes, so nothing was published/),
  },
  "a block by the page's admin": {
    by: MARA,
    stop: (admin, client) => admin.act({ action: "block", ...blockOf(client) }),
    check: ({ body }) => assert.match(body.result.content[0].text, /There is no page 42 that you can access.*Nothing was published/),
    // A block of a program on somebody's computer holds for all of them.
    lift: (admin, client) => admin.act({ action: "unblock", ...blockOf(client) }),
  },
};

const requests = async () => (await (await simulator(stack, "requests", undefined, "GET")).json()).items;

// The person's pages are read before the lease is acquired, the effect is described between the lease and the post.
const WAITS = {
  "before its lease": { method: "GET", path: "/api/v1/me/pages" },
  "after its lease": { method: "POST", path: "/api/v1/orgs/7/pages/42/admin/incidents?dry_run=true" },
};

/** The writes among all requests, without dry runs. */
const posts = async () => (await requests()).filter(({ method, path }) => method === "POST" && !path.includes("dry_run"));

/** Sends a write that waits for StatiBeat's answer to that request; `stop` happens meanwhile. */
async function writeThatWaits(client, tokens, waitsFor, stop) {
  await simulator(stack, "requests", undefined, "DELETE");
  await simulator(stack, "faults", { ...waitsFor, kind: "hold" });
  const incident = { page_id: 42, title: `Outage of ${client.id}`, description: "We are looking into it.", affected_items_freetext: client.id };
  const write = client.call(tokens.access_token, "tools/call", { name: "create_incident", arguments: incident });
  await eventually(async () => (await requests()).some(({ method, path }) => method === waitsFor.method && path === waitsFor.path));
  await stop();
  await simulator(stack, "release");
  return write;
}

for (const [where, waitsFor] of Object.entries(WAITS)) {
  for (const [name, { by, stop, check, lift }] of Object.entries(STOPS)) {
    test(`a write that waits ${where} is not published after ${name}`, async () => {
      const client = new Client(stack, `client-${Object.keys(STOPS).indexOf(name)}-${where.split(" ")[0]}`, SCOPE);
      const tokens = await client.connect(THEO);
      await client.call(tokens.access_token, "resources/read", { uri: "statibeat://pages/42/incidents/active" });
      const admin = by && (await AdminPage.signIn(by));
      const answer = await writeThatWaits(client, tokens, waitsFor, () => stop(admin, client, tokens));
      check(answer);
      assert.deepEqual(await posts(), [], "nothing was posted");
      assert.equal(await stack.db.prepare("SELECT count(*) AS count FROM idempotency").first("count"), 0, "no lease is left");
      const { results } = await stack.db.prepare("SELECT outcome FROM audit WHERE kind = 'write' AND client_id = ?1").bind(client.id).all();
      assert.deepEqual(results, [{ outcome: "refused" }]);
      await lift?.(admin, client);
    });
  }
}

test("the same write is published when nobody stops it", async () => {
  const client = new Client(stack, "client-unstopped", SCOPE);
  const tokens = await client.connect(THEO);
  const answer = await writeThatWaits(client, tokens, WAITS["after its lease"], async () => {});
  assert.match(answer.body.result.content[0].text, /^Created/);
  assert.equal((await posts()).length, 1);
});
