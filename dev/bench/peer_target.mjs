// The peer (dev/bench/peer) as a target: bundled, started with the connector's surface, and called as operations.mjs calls the connector.

import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";
import { REDIRECT } from "../../tests/worker/support/client.mjs";
import { freePorts } from "../../tests/worker/support/stack.mjs";
import { EVERYTHING, call, connect } from "./operations.mjs";
import { send } from "./load.mjs";

const DATE = "2026-10-01";

/** The bundled worker's text. */
export function bundlePeer() {
  const entry = join(import.meta.dirname, "peer/worker.mjs");
  const options = { bundle: true, format: "esm", write: false, minify: true, conditions: ["workerd", "worker"], external: ["cloudflare:*"], target: "es2024" };
  return buildSync({ entryPoints: [entry], ...options }).outputFiles[0].text;
}

/** The connector's lists for a person with every scope; the peer offers the same. */
async function surfaceOf(stack) {
  const { access_token: token } = await connect(stack);
  const list = async (method) => JSON.parse((await send(undefined, call(stack, token, method))).text).result;
  const { resources } = await list("resources/list");
  return {
    ...(await list("tools/list")),
    ...(await list("prompts/list")),
    templates: (await list("resources/templates/list")).resourceTemplates,
    // Those of single pages come from the template, as in the connector.
    resources: resources.filter(({ uri }) => !/pages\/\d/.test(uri)),
    scopes: EVERYTHING,
  };
}

/**
 * Starts the peer on the connector's simulator, with its grants in `kind`: `kv` or `d1`. `key` is what the connector signs with. The result is a
 * target of operations.mjs, with the process's start to measure. At `inspectorPort`, V8's inspector answers.
 */
export async function startPeer(kind, stack, key, inspectorPort) {
  const [port] = await freePorts(1);
  const url = `http://localhost:${port}`;
  const worker = new Miniflare(convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    cf: false,
    log: new Log(LogLevel.ERROR),
    logRequests: false,
    inspectorPort,
    workers: [{
      name: `peer-${kind}`,
      modules: [{ type: "ESModule", path: "peer.mjs", contents: bundlePeer() }],
      compatibilityDate: DATE,
      bindings: { PUBLIC_URL: url, ISSUER: stack.url, UPSTREAM: stack.simulatorUrl, ASSERTION_KEY: key, SURFACE: JSON.stringify(await surfaceOf(stack)) },
      ...(kind === "kv" ? { kvNamespaces: ["OAUTH_KV"] } : { d1Databases: { DB: "peer" } }),
    }],
  }));
  await worker.ready;
  if (kind === "d1") {
    const db = await worker.getD1Database("DB");
    await db.prepare("CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, metadata TEXT, expires_at INTEGER) WITHOUT ROWID").run();
  }
  const client = await (await fetch(`${url}/client?redirect_uri=${encodeURIComponent(REDIRECT)}`)).json();
  return { ...target(url, client.clientId), stop: () => worker.dispose() };
}

function target(url, client_id) {
  const form = (path, fields) => ({
    url: url + path,
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ client_id, ...fields }).toString(),
  });
  const approve = async (user = 1) => {
    const code_verifier = randomBytes(32).toString("base64url");
    const question = new URLSearchParams({
      client_id,
      redirect_uri: REDIRECT,
      response_type: "code",
      code_challenge: createHash("sha256").update(code_verifier).digest("base64url"),
      code_challenge_method: "S256",
      scope: EVERYTHING.join(" "),
      user,
    });
    const answer = await fetch(`${url}/authorize?${question}`, { redirect: "manual" });
    const code = new URL(answer.headers.get("location")).searchParams.get("code");
    return { answer: code, code_verifier };
  };
  const exchange = ({ answer, code_verifier }) => form("/token", { grant_type: "authorization_code", code: answer, redirect_uri: REDIRECT, code_verifier });
  return {
    url,
    approve,
    exchange,
    connect: async () => JSON.parse((await send(undefined, exchange(await approve()))).text),
    refresh: (refresh_token) => form("/token", { grant_type: "refresh_token", refresh_token }),
    revoke: (token) => send(undefined, form("/token", { token })),
    call: (token, method, params) => call({ url }, token, method, params),
  };
}
