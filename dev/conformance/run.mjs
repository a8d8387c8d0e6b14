// `npm run conformance`: the official MCP conformance suite against the fixtures (every scenario that exists), against
// the built worker behind a proxy that adds the token (what it offers), and against its authorization server.
//
// The counts in the last line are the suite's scored scenarios on the fixtures, which run on the engine of the worker.

import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, request as forward } from "node:http";
import { join } from "node:path";
import { signIn } from "../../tests/worker/support/browser.mjs";
import { eventually, startStack } from "../../tests/worker/support/stack.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const SUITE = join(ROOT, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
const REVISIONS = ["2026-07-28", "2025-11-25"];
const SCOPES = "mcp.pages.read mcp.beats.read mcp.incidents.read mcp.incidents.write mcp.maintenances.read mcp.maintenances.write mcp.analytics.read";

const verbose = process.argv.includes("--verbose");
let allGood = true;
const totals = {};

await withFixtures(async (url) => {
  for (const revision of REVISIONS) totals[revision] = await runServerSuite("fixtures", url, revision);
});
const stack = await startStack();
try {
  const token = await connect(stack.url);
  await withProxy(stack.url, token, async (url) => {
    for (const revision of REVISIONS) await runServerSuite("worker", url, revision);
  });
  totals.authorization = await runAuthorizationSuite(stack.url);
} finally {
  await stack.stop();
}
console.log(`${REVISIONS.map((revision) => `${revision}: ${totals[revision]}`).join(", ")}, authorization: ${totals.authorization}`);
process.exit(allGood ? 0 : 1);

/** Runs the scored scenarios of a revision; those in the baseline must fail, all others must pass. */
async function runServerSuite(target, url, revision) {
  const baseline = join(ROOT, `dev/conformance/baselines/${target}-${revision}.yml`);
  const expected = existsSync(baseline) ? ["--expected-failures", baseline] : [];
  const { code, output } = await suite(["server", "--url", `${url}/mcp`, "--requirements", revision, ...expected]);
  const count = scored(output, revision);
  report(`${target}, ${revision}: ${count}`, code, output);
  return count;
}

/** `N of M`: scenarios without a failed check, among those that count for the revision. */
function scored(output, revision) {
  const requirements = readFileSync(join(ROOT, `node_modules/@modelcontextprotocol/conformance/requirements/${revision}.yaml`), "utf8");
  const server = /^server:\n((?: {2}.*\n|\n|#.*\n)*)/m.exec(requirements)[1];
  const names = new Set([...server.matchAll(/^ {2}- ([\w-]+)/gm)].map(([, name]) => name));
  const summary = output.slice(output.lastIndexOf("=== SUMMARY ==="));
  const passed = [...summary.matchAll(/^✓ ([\w-]+):/gm)].filter(([, name]) => names.has(name));
  return `${passed.length} of ${names.size}`;
}

/** The two scenarios of an authorization server, with the person played by a script. */
async function runAuthorizationSuite(issuer) {
  const port = 20000 + (randomBytes(2).readUInt16BE() % 20000);
  const options = ["--url", issuer, "--client-id", "conformance-suite", "--resource", `${issuer}/mcp`, "-p", String(port)];
  let visited = false;
  const visit = (output) => {
    const url = /https?:\/\/\S+\/mcp\/oauth\/authorize\?\S+/.exec(output)?.[0];
    if (!url || visited) return;
    visited = true;
    signIn(url).then((callback) => fetch(callback)).catch((error) => console.error(`sign-in: ${error.message}`));
  };
  const { code, output } = await suite(["authorization", ...options], visit);
  const passed = Number(/(\d+) passed/.exec(output.slice(output.lastIndexOf("Total")))?.[1] ?? 0);
  const failed = Number(/(\d+) failed/.exec(output.slice(output.lastIndexOf("Total")))?.[1] ?? 0);
  const count = `${passed} of ${passed + failed}`;
  report(`authorization: ${count}`, code, output);
  return count;
}

async function suite(args, watch = () => {}) {
  const child = spawn(process.execPath, [SUITE, ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => watch((output += text)));
  const [code] = await once(child, "exit");
  return { code, output };
}

function report(line, code, output) {
  console.log(`${code === 0 ? "✓" : "✗"} ${line}`);
  if (code !== 0) allGood = false;
  if (code !== 0 || verbose) console.log(output.slice(output.lastIndexOf("=== SUMMARY ===")).trim());
}

async function withFixtures(use) {
  const port = 20000 + (randomBytes(2).readUInt16BE() % 20000);
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
  const program = process.env.STATIBEAT_CONFORMANCE ?? join(target, "debug/conformance-fixtures");
  const child = spawn(program, [String(port)], { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://localhost:${port}`;
  try {
    await eventually(() => fetch(url).then(() => true, () => false));
    await use(url);
  } finally {
    child.kill();
  }
}

/** Adds the token and changes nothing else: the host and the origin are the suite's own. */
async function withProxy(worker, token, use) {
  const { hostname, port } = new URL(worker);
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
    await use(`http://localhost:${proxy.address().port}`);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}

/** A token of a person who granted everything. */
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
