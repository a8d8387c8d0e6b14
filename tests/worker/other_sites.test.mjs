// Requests that a website makes its visitors' browsers send use up no rate limit of people and clients at the same address.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { connect } from "../../dev/bench/operations.mjs";
import { startStack } from "./support/stack.mjs";

const OFFICE = { "cf-connecting-ip": "192.0.2.44" };
const EVIL = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const REGISTRATION = JSON.stringify({ redirect_uris: ["http://localhost:1/cb"] });

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());

/** The status of a request as a browser would send it; `fetch` would set headers of its own. */
function statusOf(method, path, headers, body = "") {
  return new Promise((resolve, reject) => {
    const options = { method, headers: { ...OFFICE, ...headers, ...(body && { "content-length": Buffer.byteLength(body) }) } };
    const outgoing = request(stack.url + path, options, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function statusesOf(count, ...sent) {
  const statuses = [];
  while (statuses.length < count) statuses.push(await statusOf(...sent));
  return [...new Set(statuses)];
}

test("images, frames and prefetches of sign-in pages are refused, and the pages stay open to the office", async () => {
  const authorize = "/mcp/oauth/authorize?response_type=code&client_id=x&redirect_uri=http%3A%2F%2Flocalhost%3A1%2F&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
  for (const path of [authorize, "/mcp/admin/sign-in"]) {
    for (const load of [
      { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
      { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
      { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-purpose": "prefetch" },
    ]) {
      assert.deepEqual(await statusesOf(130, "GET", path, { ...load, "sec-fetch-site": "cross-site" }), [403], path);
    }
    assert.equal(await statusOf("GET", path, { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "none" }), 302);
    assert.equal(await statusOf("GET", path, {}), 302, "an old browser");
  }
});

test("forms and blind posts of another site use up neither registrations nor revocations of the office", async () => {
  const blind = { ...EVIL, "sec-fetch-mode": "no-cors", "content-type": "text/plain" };
  assert.deepEqual(await statusesOf(65, "POST", "/mcp/oauth/register", blind, REGISTRATION), [403]);
  const form = { ...EVIL, ...FORM, "sec-fetch-mode": "navigate" };
  assert.deepEqual(await statusesOf(65, "POST", "/mcp/oauth/revoke", form, "token=x&client_id=bench-client"), [403]);
  assert.equal(await statusOf("POST", "/mcp/oauth/register", { "content-type": "application/json" }, REGISTRATION), 201);
});

test("a token of ours is revoked however many made-up ones came before it", async () => {
  const pair = await connect(stack);
  const made = "token=made-up&client_id=bench-client";
  assert.deepEqual(await statusesOf(65, "POST", "/mcp/oauth/revoke", FORM, made), [200, 429]);
  const real = new URLSearchParams({ token: pair.refresh_token, client_id: "bench-client" }).toString();
  assert.equal(await statusOf("POST", "/mcp/oauth/revoke", FORM, real), 200);
  assert.equal(await statusOf("POST", "/mcp", { authorization: `Bearer ${pair.access_token}` }, "{}"), 401);
});
