// The operations that are measured, as requests that keep to every limit of the connector: other addresses, other grants,
// no more writes a minute than a page allows.

import { randomBytes } from "node:crypto";
import { Client, REDIRECT } from "../../tests/worker/support/client.mjs";
import { signIn } from "../../tests/worker/support/browser.mjs";
import { createHash } from "node:crypto";

export const EVERYTHING = ["mcp.pages.read", "mcp.beats.read", "mcp.incidents.read", "mcp.incidents.write", "mcp.maintenances.read", "mcp.maintenances.write", "mcp.analytics.read"];

const fromAnywhere = () => ({ "cf-connecting-ip": `10.${[...randomBytes(3)].join(".")}` });

/** A pair of tokens with every scope. */
export async function connect(stack, user = 1) {
  const client = new Client(stack, "bench-client");
  const { answer, code_verifier } = await approve(stack, user);
  return (await client.token({ grant_type: "authorization_code", code: answer, redirect_uri: REDIRECT, code_verifier })).body;
}

/**
 * Rotates through the access tokens of `count` connections: a connection may send 600 messages a minute, and 120 before an
 * instance calls the rate limiter.
 */
export async function connections(stack, count) {
  return rotating(() => connect(stack), count);
}

async function rotating(connect, count) {
  const tokens = [];
  while (tokens.length < count) tokens.push((await connect()).access_token);
  let turn = 0;
  return () => tokens[(turn += 1) % count];
}

async function approve(stack, user = 1) {
  const code_verifier = randomBytes(32).toString("base64url");
  const url = new URL("/mcp/oauth/authorize", stack.url);
  url.search = new URLSearchParams({
    client_id: "bench-client",
    redirect_uri: REDIRECT,
    response_type: "code",
    code_challenge: createHash("sha256").update(code_verifier).digest("base64url"),
    code_challenge_method: "S256",
    scope: EVERYTHING.join(" "),
  });
  const back = await signIn(url, { user, scopes: EVERYTHING, headers: fromAnywhere() });
  return { answer: back.searchParams.get("code"), code_verifier };
}

/** A call of the MCP endpoint. */
export function call(stack, token, method, params = {}) {
  return {
    url: `${stack.url}/mcp`,
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25", ...fromAnywhere() },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  };
}

function form(stack, fields) {
  const body = new URLSearchParams({ client_id: "bench-client", ...fields }).toString();
  return { url: `${stack.url}/mcp/oauth/token`, method: "POST", headers: { "content-type": "application/x-www-form-urlencoded", ...fromAnywhere() }, body };
}

const good = (text) => text.includes('"result"') && !text.includes('"isError":true');

/** The connector as what is measured; the peer is another such target. */
export function connector(stack) {
  return {
    url: stack.url,
    connect: () => connect(stack),
    approve: () => approve(stack),
    exchange: ({ answer, code_verifier }) => form(stack, { grant_type: "authorization_code", code: answer, redirect_uri: REDIRECT, code_verifier }),
    refresh: (refresh_token) => form(stack, { grant_type: "refresh_token", refresh_token }),
    revoke: (token) => new Client(stack, "bench-client").revoke(token),
    call: (token, method, params) => call(stack, token, method, params),
  };
}

/** Titles of incidents that no target has used. */
let writes = 0;

/**
 * Every operation of a target: its steps for the floor, one after the other, each a letter for what it does at once (`r`, `w`: a D1 batch that reads or
 * writes, `o`: a Durable Object, `f`: a request upstream; docs/round-trips.md), and what to send. `perRound` is set where a limit or a prepared supply
 * says how many.
 */
export async function operations(target, rounds, readers = 1) {
  const token = await rotating(target.connect, readers);
  const ended = await target.connect();
  await target.revoke(ended.refresh_token);
  const perRound = 6;
  const codes = [];
  for (let left = perRound * (rounds + 1); left > 0; left -= 1) codes.push(await target.approve());
  // A grant may go on to a new token ten times a minute.
  const chains = [];
  for (let left = Math.ceil((perRound * (rounds + 1)) / 8); left > 0; left -= 1) chains.push({ uses: 0, token: (await target.connect()).refresh_token });
  const writers = [token(), (await target.connect()).access_token];
  let refreshing;
  const read = (uri) => () => target.call(token(), "resources/read", { uri });
  return [
    { name: "metadata", steps: [], next: () => ({ url: `${target.url}/.well-known/oauth-authorization-server` }) },
    { name: "tools/list", steps: ["r"], next: () => target.call(token(), "tools/list"), check: good },
    { name: "resources/list", steps: ["r", "f"], next: () => target.call(token(), "resources/list"), check: good },
    { name: "resources/read, the person", steps: ["r", "f"], next: read("statibeat://me"), check: good },
    { name: "resources/read, on a page", steps: ["r", "f"], next: read("statibeat://pages/42/incidents/active"), check: good },
    {
      name: "prompts/get",
      steps: ["r", "ffffffff"],
      next: () => target.call(token(), "prompts/get", { name: "draft_customer_incident", arguments: { page_id: "42", symptoms: "Requests time out." } }),
      check: good,
    },
    {
      name: "tools/call, a write",
      steps: ["r", "f", "wf", "oo", "r", "f", "w"],
      perRound: Math.min(perRound, Math.floor(50 / (rounds + 1))),
      next: () => {
        writes += 1;
        const text = { title: `Incident ${writes}`, description: "Some requests fail.", affected_items_freetext: `System ${writes}` };
        return target.call(writers[writes % 2], "tools/call", { name: "create_incident", arguments: { page_id: 42 + (writes % 2), ...text } });
      },
      check: good,
    },
    {
      name: "code exchange",
      steps: ["r", "f", "w"],
      perRound,
      next: () => target.exchange(codes.pop()),
      check: (text) => text.includes("access_token"),
    },
    {
      name: "refresh",
      steps: ["r", "f", "w"],
      perRound,
      next: () => {
        const chain = chains.find((one) => one.uses < 8);
        chain.uses += 1;
        refreshing = chain;
        return target.refresh(chain.token);
      },
      check: (text) => {
        refreshing.token = JSON.parse(text).refresh_token;
        return true;
      },
    },
    { name: "rejected token", steps: [], next: () => target.call(ended.access_token, "tools/list"), wanted: 401 },
  ];
}
