// The operations that are measured, as requests that keep to every limit of the connector: other addresses, other grants,
// no more writes a minute than a page allows.

import { randomBytes } from "node:crypto";
import { Client, REDIRECT } from "../../tests/worker/support/client.mjs";
import { signIn } from "../../tests/worker/support/browser.mjs";
import { createHash } from "node:crypto";

const EVERYTHING = ["mcp.pages.read", "mcp.beats.read", "mcp.incidents.read", "mcp.incidents.write", "mcp.maintenances.read", "mcp.maintenances.write", "mcp.analytics.read"];

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
  const tokens = [];
  while (tokens.length < count) tokens.push((await connect(stack)).access_token);
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
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "mcp-protocol-version": "2025-11-25", ...fromAnywhere() },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  };
}

function form(stack, fields) {
  const body = new URLSearchParams({ client_id: "bench-client", ...fields }).toString();
  return { url: `${stack.url}/mcp/oauth/token`, method: "POST", headers: { "content-type": "application/x-www-form-urlencoded", ...fromAnywhere() }, body };
}

const good = (text) => text.includes('"result"') && !text.includes('"isError":true');

/**
 * Every operation: its row in the table of round trips (D1 batches that read, objects, requests upstream, D1 batches
 * that write), and what to send. `perRound` is set where a limit or a prepared supply says how many.
 */
export async function operations(stack, rounds, readers = 1) {
  const token = await connections(stack, readers);
  const ended = await connect(stack);
  await new Client(stack, "bench-client").revoke(ended.refresh_token);
  const perRound = 6;
  const codes = [];
  for (let left = perRound * (rounds + 1); left > 0; left -= 1) codes.push(await approve(stack));
  // A grant may go on to a new token ten times a minute.
  const chains = [];
  for (let left = Math.ceil((perRound * (rounds + 1)) / 8); left > 0; left -= 1) chains.push({ uses: 0, token: (await connect(stack)).refresh_token });
  const writers = [token(), (await connect(stack)).access_token];
  let writes = 0;
  const read = (uri) => () => call(stack, token(), "resources/read", { uri });
  return [
    { name: "tools/list", trips: [1, 0, 0], next: () => call(stack, token(), "tools/list"), check: good },
    { name: "resources/list", trips: [1, 0, 1], next: () => call(stack, token(), "resources/list"), check: good },
    { name: "resources/read, one request upstream", trips: [1, 0, 1], next: read("statibeat://me"), check: good },
    { name: "resources/read, on a page", trips: [1, 0, 2], next: read("statibeat://pages/42/incidents/active"), check: good },
    {
      name: "prompts/get",
      trips: [1, 0, 2],
      next: () => call(stack, token(), "prompts/get", { name: "draft_customer_incident", arguments: { page_id: "42", symptoms: "Requests time out." } }),
      check: good,
    },
    {
      name: "tools/call, a write",
      trips: [1, 2, 3, 2],
      perRound: Math.min(perRound, Math.floor(50 / (rounds + 1))),
      next: () => {
        writes += 1;
        const text = { title: `Incident ${writes}`, description: "Some requests fail.", affected_items_freetext: `System ${writes}` };
        return call(stack, writers[writes % 2], "tools/call", { name: "create_incident", arguments: { page_id: 42 + (writes % 2), ...text } });
      },
      check: good,
    },
    {
      name: "code exchange",
      trips: [1, 0, 1, 1],
      perRound,
      next: () => {
        const { answer, code_verifier } = codes.pop();
        return form(stack, { grant_type: "authorization_code", code: answer, redirect_uri: REDIRECT, code_verifier });
      },
      check: (text) => text.includes("access_token"),
    },
    {
      name: "refresh",
      trips: [1, 0, 1, 1],
      perRound,
      next: () => {
        const chain = chains.find((one) => one.uses < 8);
        chain.uses += 1;
        refreshing = chain;
        return form(stack, { grant_type: "refresh_token", refresh_token: chain.token });
      },
      check: (text) => {
        refreshing.token = JSON.parse(text).refresh_token;
        return true;
      },
    },
    { name: "rejected token", trips: [1, 0, 0], next: () => call(stack, ended.access_token, "tools/list"), wanted: 401 },
  ];
}

let refreshing;
