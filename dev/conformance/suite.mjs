// The official MCP conformance suite against one of four targets: the fixtures (every scenario that exists), the built
// worker behind a proxy that adds the token (what it offers), the worker's authorization server, and the page server behind
// a bridge from HTTP.
//
// Each run has its baseline: what is in it must fail, everything else must pass. So an entry that begins to pass is an
// error as well, and the list cannot rot.

import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, request as forward } from "node:http";
import { join } from "node:path";
import { signIn } from "../../tests/worker/support/browser.mjs";
import { ROOT, program } from "../../tests/worker/support/programs.mjs";
import { eventually, freePorts } from "../../tests/worker/support/stack.mjs";

const PACKAGE = join(ROOT, "node_modules/@modelcontextprotocol/conformance");
const SCOPES = "mcp.pages.read mcp.beats.read mcp.incidents.read mcp.incidents.write mcp.maintenances.read mcp.maintenances.write mcp.analytics.read";

/** Newest first. */
export const REVISIONS = ["2026-07-28", "2025-11-25"];

/**
 * Runs the scored scenarios of a revision. The answer says how many passed of how many, whether the outcome is the
 * baseline's, and the suite's own summary.
 */
export async function runServerSuite(target, url, revision) {
  const expected = existsSync(baseline(target, revision)) ? ["--expected-failures", baseline(target, revision)] : [];
  const { code, output } = await suite(["server", "--url", `${url}/mcp`, "--requirements", revision, ...expected]);
  const summary = output.slice(output.lastIndexOf("=== SUMMARY ==="));
  const scored = new Set(requirements(revision));
  const passed = [...summary.matchAll(/^✓ ([\w-]+):/gm)].filter(([, name]) => scored.has(name)).length;
  return { passed, of: scored.size, asExpected: code === 0, summary };
}

/** Runs one scenario, scored or not; it must pass as a whole. */
export async function runScenario(url, scenario) {
  const { code, output } = await suite(["server", "--url", `${url}/mcp`, "--scenario", scenario]);
  return { asExpected: code === 0, summary: output };
}

/** The scenarios of an authorization server, with the person played by a script. */
export async function runAuthorizationSuite(issuer) {
  const [port] = await freePorts(1);
  let visited = false;
  const visit = (output) => {
    const url = /https?:\/\/\S+\/mcp\/oauth\/authorize\?\S+/.exec(output)?.[0];
    if (!url || visited) return;
    visited = true;
    signIn(url).then((callback) => fetch(callback)).catch((error) => console.error(`sign-in: ${error.message}`));
  };
  const options = ["--url", issuer, "--client-id", "conformance-suite", "--resource", `${issuer}/mcp`, "-p", String(port)];
  const { code, output } = await suite(["authorization", ...options], visit);
  const summary = output.slice(output.lastIndexOf("Total"));
  const count = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(summary)?.[1] ?? 0);
  return { passed: count("passed"), of: count("passed") + count("failed"), asExpected: code === 0, summary };
}

/** The scenarios of a baseline, each with the sentence that stands above it; none where there is no baseline. */
export function excused(target, revision) {
  const lines = existsSync(baseline(target, revision)) ? readFileSync(baseline(target, revision), "utf8").split("\n") : [];
  const reasons = new Map();
  let reason;
  for (const line of lines.slice(lines.indexOf("server:") + 1)) {
    const [, sentence] = /^ {2}# (.+)$/.exec(line) ?? [];
    const [, scenario] = /^ {2}- ([\w-]+)$/.exec(line) ?? [];
    if (sentence) reason = sentence;
    if (scenario) reasons.set(scenario, reason);
  }
  return reasons;
}

/** The scenarios that the suite scores for a revision. */
export function requirements(revision) {
  const text = readFileSync(join(PACKAGE, `requirements/${revision}.yaml`), "utf8");
  const server = /^server:\n((?: {2}.*\n|\n|#.*\n)*)/m.exec(text)[1];
  return [...new Set([...server.matchAll(/^ {2}- ([\w-]+)/gm)].map(([, name]) => name))];
}

/** Runs the fixture server while `use` works with its address. */
export async function withFixtures(use) {
  const [port] = await freePorts(1);
  const child = spawn(program("conformance-fixtures"), [String(port)], { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://localhost:${port}`;
  try {
    await eventually(() => fetch(url).then(() => true, () => false));
    return await use(url);
  } finally {
    child.kill();
  }
}

/** Adds a token of a person who granted everything and changes nothing else: host and origin are the suite's own. */
export async function withToken(issuer, use) {
  const token = await connect(issuer);
  const { hostname, port } = new URL(issuer);
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
    const onward = forward({ hostname, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  try {
    return await use(`http://localhost:${proxy.address().port}`);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}

function baseline(target, revision) {
  return join(ROOT, `dev/conformance/baselines/${target}-${revision}.yml`);
}

async function suite(args, watch = () => {}) {
  const child = spawn(process.execPath, [join(PACKAGE, "dist/index.js"), ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => watch((output += text)));
  const [code] = await once(child, "exit");
  return { code, output };
}

async function connect(issuer) {
  const verifier = randomBytes(32).toString("base64url");
  const redirect = "http://127.0.0.1:33418/callback";
  const authorize = new URL("/mcp/oauth/authorize", issuer);
  authorize.search = new URLSearchParams({
    response_type: "code",
    client_id: "conformance-suite",
    redirect_uri: redirect,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    state: "conformance",
    scope: SCOPES,
    resource: `${issuer}/mcp`,
  });
  const callback = await signIn(authorize, { scopes: SCOPES.split(" ") });
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: "conformance-suite",
    code: callback.searchParams.get("code"),
    redirect_uri: redirect,
    code_verifier: verifier,
    resource: `${issuer}/mcp`,
  });
  const answer = await fetch(new URL("/mcp/oauth/token", issuer), { method: "POST", body });
  const { access_token: token } = await answer.json();
  if (!token) throw new Error(`no token: ${answer.status}`);
  return token;
}
