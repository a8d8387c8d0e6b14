// The real stack for tests: the simulator as a process and the built bundle in workerd, on free ports of loopback.
//
// Every stack is new and knows nothing of another. `npm test` builds the simulator and the bundle beforehand.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_readConfig as readConfig, unstable_splitSqlQuery as splitSql } from "wrangler";
import { ROOT, SIMULATOR } from "./programs.mjs";

const KEY_RINGS = ["HOSTED_MCP_CHECKSUM_KEYS", "HOSTED_MCP_ROTATION_KEYS", "HOSTED_MCP_CLIENT_KEYS", "HOSTED_MCP_ASSERTION_KEYS"];

/**
 * Starts both servers and applies the migrations, as a deployment does.
 *
 * `vars` replaces or, with `undefined`, removes variables of the worker; secrets among them. `main` is a module in
 * this folder that stands in front of the bundle's `entry.js`. `large` adds the organization of `npm start -- --large`.
 * Of the result, `db` is the D1 database itself, `counters` the namespace of the rate limiter's objects, `logs` what the
 * worker wrote so far, `runPurge` the hourly event. `directUrl` leads to the worker without Miniflare's own in front of it, which keeps
 * it from noticing that a client hangs up. At `inspectorPort`, V8's inspector answers.
 */
export async function startStack({ vars = {}, main, large = false, inspectorPort } = {}) {
  const [port, simulatorPort] = await freePorts(2);
  const url = `http://localhost:${port}`;
  const simulatorUrl = `http://127.0.0.1:${simulatorPort}`;
  const logs = [];

  const simulator = await startSimulator(simulatorPort, url, large);
  const worker = startWorker({ port, simulatorPort, vars, main, logs, inspectorPort });

  const stop = async () => {
    await worker.dispose();
    await simulator.stop();
  };
  try {
    await worker.ready;
    const db = await worker.getD1Database("DB");
    const seed = large ? splitSql(readFileSync(join(ROOT, "dev/large.sql"), "utf8")) : [];
    await db.batch([...migrations(), ...seed].map((sql) => db.prepare(sql)));
    const runPurge = async () => (await worker.getWorker()).scheduled({ cron: "17 * * * *" });
    const counters = await worker.getDurableObjectNamespace("RATE_LIMIT");
    const directUrl = (await worker.unsafeGetDirectURL()).origin;
    return { url, directUrl, simulatorUrl, db, counters, logs, runPurge, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The worker alone, with an empty database; answers before it is ready. */
function startWorker({ port, simulatorPort, vars = {}, main, logs = [], inspectorPort }) {
  return new Miniflare(convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    cf: false,
    log: new Log(LogLevel.ERROR),
    logRequests: false,
    handleStructuredLogs: (entry) => logs.push(entry),
    inspectorPort,
    workers: [{ ...bundle(main), ...bindings(`http://localhost:${port}`, simulatorPort, vars), unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] }],
  }));
}

/** Calls `check` until it returns a truthy value; throws after `attempts` calls. */
export async function eventually(check, { attempts = 100, every = 50 } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await check();
    if (answer) return answer;
    if (attempt === attempts) throw new Error(`still not so after ${attempts} attempts: ${check}`);
    await pause(every);
  }
}

/** The statements of all migrations, in order. */
function migrations() {
  const folder = join(ROOT, "migrations");
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql")).sort();
  return files.flatMap((name) => splitSql(readFileSync(join(folder, name), "utf8")));
}

/** The modules that a deployment would upload, and one in front of them if wanted. */
function bundle(main) {
  const folder = join(ROOT, "dist");
  if (!existsSync(join(folder, "entry.js"))) throw new Error("there is no bundle in dist/: run `npm test`");
  const wasm = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
  const module = (type, folder, path) => ({ type, path, contents: readFileSync(join(folder, path)) });
  const modules = [module("ESModule", folder, "entry.js"), ...wasm.map((name) => module("CompiledWasm", folder, name))];
  return { modules: main ? [module("ESModule", import.meta.dirname, main), ...modules] : modules };
}

/** The bindings of wrangler.toml, with the URLs and keys of this stack. */
export function bindings(url, simulatorPort, vars) {
  const config = readConfig({ config: join(ROOT, "wrangler.toml") }, { hideWarnings: true });
  const all = {
    ...config.vars,
    HOSTED_MCP_PUBLIC_URL: url,
    HOSTED_MCP_UPSTREAM_URL: `http://127.0.0.1:${simulatorPort}`,
    HOSTED_MCP_SIGN_IN_URL: `http://localhost:${simulatorPort}/connector/sign-in`,
    ...Object.fromEntries(KEY_RINGS.map((ring) => [ring, `test-1:${randomBytes(32).toString("base64url")}`])),
    ...vars,
  };
  return {
    name: config.name,
    compatibilityDate: config.compatibility_date,
    bindings: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    d1Databases: { DB: "test" },
    durableObjects: { RATE_LIMIT: { className: "RateLimit", useSQLite: true } },
  };
}

async function startSimulator(port, connectorUrl, large) {
  const child = spawn(SIMULATOR, ["--port", String(port), "--connector-url", connectorUrl, ...(large ? ["--large"] : [])]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  let failure;
  child.on("error", (error) => (failure = error.message));
  child.on("exit", (code) => (failure ??= `exit code ${code}`));

  const stop = async () => {
    if (failure) return;
    child.kill();
    await once(child, "exit");
  };
  try {
    await eventually(() => {
      if (failure) throw new Error(`the simulator stopped (${failure}): ${output}`);
      return fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

/** Ports that nobody listens on; held until all are found, so that they differ. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
