// From registration to a refreshed token on the real D1, and what only a real database can show: of simultaneous
// redemptions exactly one wins.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { signIn } from "./support/browser.mjs";
import { startStack } from "./support/stack.mjs";

const REDIRECT = "http://127.0.0.1:45678/callback";

let stack;
let server;
let client;
before(async () => {
  stack = await startStack();
  server = await json(await fetch(`${stack.url}/.well-known/oauth-authorization-server`));
  client = await json(await post(server.registration_endpoint, { client_name: "Worker test", redirect_uris: [REDIRECT] }));
});
after(() => stack?.stop());

const json = (answer) => answer.json();
const post = (url, body) => fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const token = (fields) => fetch(server.token_endpoint, { method: "POST", body: new URLSearchParams({ client_id: client.client_id, ...fields }) });

/** Signs in and hands back what a client would send to the token endpoint. */
async function codeFor(user) {
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    response_type: "code",
    state: "the state",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    resource: `${stack.url}/mcp`,
  });
  const back = await signIn(url, { user });
  assert.equal(back.origin + back.pathname, REDIRECT);
  assert.equal(back.searchParams.get("state"), "the state");
  assert.equal(back.searchParams.get("iss"), stack.url);
  const code = back.searchParams.get("code");
  return { grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: verifier };
}

test("a code becomes tokens, and a refresh token becomes new ones", async () => {
  const first = await json(await token(await codeFor(1)));
  assert.equal(first.token_type, "Bearer");
  assert.match(first.scope, /mcp\.pages\.read/);
  const second = await json(await token({ grant_type: "refresh_token", refresh_token: first.refresh_token }));
  assert.notEqual(second.access_token, first.access_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
});

test("of simultaneous redemptions of one code exactly one wins", async () => {
  const redemption = await codeFor(2);
  const answers = await Promise.all(Array.from({ length: 8 }, () => token(redemption)));
  const statuses = answers.map((answer) => answer.status).sort();
  assert.deepEqual(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
});

test("the database holds no secret that a client was given", async () => {
  const given = await json(await token(await codeFor(3)));
  const { results: tables } = await stack.db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'").all();
  assert.ok(tables.length >= 5);
  for (const { name } of tables) {
    const { results } = await stack.db.prepare(`SELECT * FROM ${name}`).all();
    for (const secret of [given.access_token, given.refresh_token]) assert.ok(!JSON.stringify(results).includes(secret), name);
  }
});

test("nothing went wrong unseen", () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
