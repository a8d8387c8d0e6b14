// Thousands of made-up handles and cookies make no D1 statement, and are limited by address. D1 is broken meanwhile, so any
// statement would show as an answer 503.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { Browser } from "./support/browser.mjs";
import { Client, REDIRECT } from "./support/client.mjs";
import { BreakableStack } from "./support/trouble.mjs";

const FLOOD = 250;
const LIMIT = 60;

let trouble;
let stack;
before(async () => {
  trouble = await BreakableStack.start();
  ({ stack } = trouble);
});
after(() => stack?.stop());

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const get = (path, cookie) => ({ path, headers: cookie ? { cookie } : {} });
const post = (path, body, cookie) => ({ path, method: "POST", body, headers: { ...FORM, origin: stack.url, ...(cookie && { cookie }) } });

/** Requests that present a text as a consent token or cookie. On loopback our cookies have no prefix. */
const PLACES = {
  "the state of a sign-in": (text) => get(`/mcp/oauth/callback?code=x&state=${text}`),
  "the handle of a consent page": (text) => get(`/mcp/oauth/consent?request=${text}`),
  "the handle of a consent form": (text) => post("/mcp/oauth/consent", `request=${text}&person=1&answer=approve`),
  "the state of an admin sign-in": (text) => get(`/mcp/admin/callback?code=x&state=${text}`),
  "the session of the admin page": (text) => get("/mcp/admin", `sbmcp_admin=${text}`),
  "the session of the admin API": (text) => get("/mcp/admin/api/connections", `sbmcp_admin=${text}`),
  "the session of an action": (text) => post("/mcp/admin/action", "action=revoke-all&token=x", `sbmcp_admin=${text}`),
};

async function send({ path, headers, ...init }, address) {
  const answer = await fetch(stack.url + path, { ...init, redirect: "manual", headers: { ...headers, "cf-connecting-ip": address } });
  await answer.body?.cancel();
  return answer.status;
}

/** Text of the shape that our own have, with a checksum that nobody keyed. */
const madeUp = (prefix) => `${prefix}${randomBytes(32).toString("base64url")}.${randomBytes(8).toString("base64url")}`;

/** The statuses of a flood from one address, ten at a time. */
async function flood(present, address) {
  const statuses = [];
  while (statuses.length < FLOOD) {
    const texts = Array.from({ length: 10 }, () => madeUp(["sbmcp_si_", "sbmcp_co_", "sbmcp_ai_", "sbmcp_as_"][statuses.length % 4]));
    statuses.push(...(await Promise.all(texts.map((text) => send(present(text), address)))));
  }
  return statuses;
}

test("made-up handles and cookies ask D1 nothing and are limited", async () => {
  await trouble.break({ d1: { how: "before" } });
  let network = 0;
  for (const [place, present] of Object.entries(PLACES)) {
    network += 1;
    await trouble.waitForMinute();
    const statuses = await flood(present, `192.0.2.${network}`);
    assert.ok(!statuses.includes(503), `${place}: D1 was asked`);
    assert.equal(statuses.filter((status) => status !== 429).length, LIMIT, place);
  }
});

test("authorization requests ask D1 nothing either", async () => {
  const url = new URL("/mcp/oauth/authorize", stack.url);
  url.search = new URLSearchParams({
    client_id: "flood",
    redirect_uri: REDIRECT,
    response_type: "code",
    code_challenge: createHash("sha256").update("x".repeat(43)).digest("base64url"),
    code_challenge_method: "S256",
  });
  const started = await Promise.all(Array.from({ length: 20 }, () => send(get(url.pathname + url.search), "192.0.2.100")));
  assert.deepEqual(new Set(started), new Set([302]));
});

test("what is ours does ask D1, and works again with it, from a flooded address too", async () => {
  await trouble.mend();
  const browser = new Browser({ "cf-connecting-ip": "192.0.2.1" });
  const choice = await browser.open(new URL("/mcp/admin/sign-in", stack.url));
  assert.equal((await browser.submit(choice, [["user_id", "1"]])).status, 200);
  await trouble.break({ d1: { how: "before" } });
  assert.equal((await browser.open(new URL("/mcp/admin", stack.url))).status, 503, "the flood would have shown");
  await trouble.mend();
  assert.equal((await browser.open(new URL("/mcp/admin", stack.url))).status, 200);
  assert.ok((await new Client(stack, "after-the-flood").connect()).access_token);
});
