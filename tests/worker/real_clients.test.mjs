// Thirteen real clients connect over HTTP to the built worker, each the way it was seen to. `tests/clients.json` says what each
// sends; `tests/oauth/client_replays.rs` plays the same table natively, with a clock of its own.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { navigate, signIn } from "./support/browser.mjs";
import { startStack } from "./support/stack.mjs";

const TABLE = JSON.parse(readFileSync(new URL("../clients.json", import.meta.url), "utf8"));

const NEWEST_VERSION = "2026-07-28";
const WHO = { name: "c", version: "1" };

let stack;
before(async () => {
  const pairs = TABLE.flatMap(({ client_id, works_at }) => works_at.filter((uri) => uri.startsWith("https:")).map((uri) => `${client_id}=${uri}`));
  stack = await startStack({ vars: { HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS: pairs.join("\n") } });
});
after(() => stack?.stop());

/** X9 */
test("thirteen real clients connect to the built worker", async (context) => {
  assert.equal(TABLE.length, 13);
  for (const client of TABLE) await context.test(client.name, () => play(client));
});

/** From the first request without a token to the refusal after the connection is ended. */
async function play(client) {
  const found = await discover(client);
  const client_id = client.client_id ?? (await register(client, found));
  for (const redirect_uri of client.refused_at) {
    const headers = { "cf-connecting-ip": client.address };
    const answer = await navigate(authorizeUrl(client, found, { client_id, redirect_uri }), { headers });
    assert.deepEqual([answer.status, answer.headers.get("location")], [400, null], redirect_uri);
    await answer.body?.cancel();
  }
  for (const redirect_uri of client.works_at) {
    const first = await connect(client, found, { client_id, redirect_uri });
    for (const [method, status] of client.start_up) assert.equal((await call(client, first.access_token, method)).status, status, method);
    const pairs = await Promise.all(Array.from({ length: client.refresh.at_once }, () => refresh(client, found, client_id, first)));
    assert.equal(new Set(pairs.map((pair) => pair.refresh_token)).size, 1);
    assert.notEqual(pairs[0].refresh_token, first.refresh_token);
    for (const { access_token } of pairs) assert.equal((await call(client, access_token, "tools/list")).status, 200);
    const ended = await send(client, found.revocation_endpoint, { method: "POST", body: new URLSearchParams({ client_id, token: pairs[0].refresh_token }) });
    assert.equal(ended.status, 200);
    assert.equal((await call(client, pairs[0].access_token, "tools/list")).status, 401);
  }
}

/** Looks around in the client's own order; what it learns. */
async function discover(client) {
  const found = {};
  for (const [method, path, status] of client.discovery) {
    const body = method === "POST" ? JSON.stringify(message(client, client.start_up[0][0])) : undefined;
    const headers = { accept: "application/json, text/event-stream", "content-type": "application/json", ...client.headers };
    const answer = await send(client, stack.url + path, { method, headers, body });
    assert.equal(answer.status, status, `${method} ${path}`);
    const text = await answer.text();
    if (path === "/mcp" && status === 401) found.challenge = /scope="([^"]*)"/.exec(answer.headers.get("www-authenticate"))[1];
    else if (status === 200 && path.includes("protected-resource")) found.protectedResource = JSON.parse(text);
    else if (status === 200) Object.assign(found, JSON.parse(text));
  }
  return found;
}

async function register(client, found) {
  const headers = { "content-type": "application/json" };
  const answer = await send(client, found.registration_endpoint, { method: "POST", headers, body: JSON.stringify(client.registration) });
  assert.equal(answer.status, 201);
  const { client_id, redirect_uris } = await answer.json();
  assert.deepEqual(redirect_uris, client.registered);
  return client_id;
}

/** Sign-in, consent with what the client asks for, code, tokens. */
async function connect(client, found, { client_id, redirect_uri }) {
  const code_verifier = randomBytes(32).toString("base64url");
  const url = authorizeUrl(client, found, { client_id, redirect_uri, code_verifier });
  const back = await signIn(url, { headers: { "cf-connecting-ip": client.address } });
  assert.ok(back.href.startsWith(redirect_uri), back.href);
  assert.deepEqual([back.searchParams.get("iss"), back.searchParams.get("state")], [found.issuer, url.searchParams.get("state")]);
  const code = back.searchParams.get("code");
  const pair = await tokens(client, found, "token", { grant_type: "authorization_code", code, redirect_uri, code_verifier, client_id });
  const asked = url.searchParams.get("scope") ?? found.protectedResource.scopes_supported.join(" ");
  assert.deepEqual(pair.scope.split(" ").sort(), asked.split(" ").sort());
  return pair;
}

function refresh(client, found, client_id, first) {
  const scope = client.refresh.sends_scope ? { scope: first.scope } : {};
  return tokens(client, found, "refresh", { grant_type: "refresh_token", refresh_token: first.refresh_token, client_id, ...scope });
}

async function tokens(client, found, step, fields) {
  const body = new URLSearchParams({ ...fields, ...resource(client, found, step) });
  const answer = await send(client, found.token_endpoint, { method: "POST", body });
  const pair = await answer.json();
  assert.deepEqual([answer.status, pair.token_type], [200, "Bearer"], JSON.stringify(pair));
  return pair;
}

function authorizeUrl(client, found, { client_id, redirect_uri, code_verifier = "" }) {
  const scope = {
    challenge: found.challenge,
    "resource metadata": found.protectedResource.scopes_supported.join(" "),
    "server metadata": found.scopes_supported.join(" "),
  }[client.scope_from];
  const url = new URL(found.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id,
    redirect_uri,
    code_challenge: createHash("sha256").update(code_verifier).digest("base64url"),
    code_challenge_method: "S256",
    state: randomBytes(16).toString("base64url"),
    ...(scope && { scope }),
    ...resource(client, found, "authorize"),
    ...client.authorize,
  });
  return url;
}

function resource(client, found, step) {
  return client.has_explicit_resource.includes(step) ? { resource: found.protectedResource.resource } : {};
}

async function call(client, accessToken, method) {
  const headers = {
    authorization: `Bearer ${accessToken}`,
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": version(client),
    ...(version(client) === NEWEST_VERSION && { "mcp-method": method }),
  };
  const answer = await send(client, `${stack.url}/mcp`, { method: "POST", headers, body: JSON.stringify(message(client, method)) });
  await answer.body?.cancel();
  return answer;
}

/** Every request comes from the client's own address. */
function send(client, url, init) {
  return fetch(url, { ...init, headers: { "cf-connecting-ip": client.address, ...init.headers } });
}

function message(client, method) {
  const params = {
    initialize: { protocolVersion: version(client), capabilities: {}, clientInfo: WHO },
    "resources/subscribe": { uri: "statibeat://pages" },
  }[method];
  const _meta = version(client) === NEWEST_VERSION && {
    "io.modelcontextprotocol/protocolVersion": NEWEST_VERSION,
    "io.modelcontextprotocol/clientInfo": WHO,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const id = method.startsWith("notifications/") ? {} : { id: 1 };
  return { jsonrpc: "2.0", ...id, method, params: { ...params, ...(_meta && { _meta }) } };
}

/** The protocol version of its messages. */
function version(client) {
  return client.speaks ?? "2025-11-25";
}
