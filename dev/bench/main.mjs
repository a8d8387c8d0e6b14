// `npm run bench`: measures the connector against the peer that a user would build instead, in two variants, and against its floors, in turns, with one
// simulator behind all of them, and writes docs/performance.md. Everything is a ratio inside this run; absolute times say more about the machine.

import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindings, freePorts, startStack } from "../../tests/worker/support/stack.mjs";
import { fanout } from "./fanout.mjs";
import { growth } from "./growth.mjs";
import { isolateTimes } from "./isolate.mjs";
import { connector } from "./operations.mjs";
import { bundlePeer, startPeer } from "./peer_target.mjs";
import { measured } from "./process.mjs";
import { report } from "./report.mjs";
import { speeds } from "./speeds.mjs";
import { bundleFiles, startup } from "./startup.mjs";
import { startFloor } from "./targets.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const INSTRUCTIONS = "\n## Instructions\n";
const ROUNDS = Number(process.env.ROUNDS ?? 7);
const GRANTS = Number(process.env.GRANTS ?? 1_000_000);
/** Milliseconds that each target is measured per round and number of callers. */
const TURN = Number(process.env.TURN ?? 700);
/** Number of connections that share the reads, so that none reaches its message limit. */
const READERS = Number(process.env.READERS ?? 500);
/** Requests per round and target while the isolates are profiled, and the connections that share them. */
const PROFILED = { requests: 300, readers: 150 };
const METADATA = "/.well-known/oauth-authorization-server";

const key = `bench-1:${randomBytes(32).toString("base64url")}`;
// Logs as a deployed worker writes them: no second line for a data point, and a sample of the successful reads.
const vars = { HOSTED_MCP_ASSERTION_KEYS: key, HOSTED_MCP_LOG_POINTS: "off", HOSTED_MCP_LOG_SHARE: undefined };
const ours = await measured(() => startStack({ vars }));
const stack = ours.started;
const targets = {
  ours: { ...ours, started: connector(stack) },
  kv: await measured(() => startPeer("kv", stack, key)),
  d1: await measured(() => startPeer("d1", stack, key)),
};
const floor = async (kind) => {
  const { started, ...rest } = await measured(() => startFloor(kind, `${stack.simulatorUrl}/`));
  return { ...started, ...rest };
};
const floors = { rust: await floor("rust"), plain: await floor("plain") };
try {
  const starts = await startup(starters(), ROUNDS);
  const waits = await fanout(stack);
  const speed = await speeds({ targets, floors, rounds: ROUNDS, readers: READERS, turn: TURN, log: console.log });
  const memory = Object.fromEntries(Object.entries(targets).map(([name, target]) => [name, target.memory()]));
  const isolates = await profiled();
  const sizes = await growth(stack, GRANTS);
  const path = join(ROOT, "docs/performance.md");
  // Counted apart, with callgrind.
  const [, instructions = ""] = readFileSync(path, "utf8").split(INSTRUCTIONS);
  const written = report({ rounds: ROUNDS, starts, waits, speed, isolates, sizes, memory, peerBytes: bundlePeer() });
  writeFileSync(path, written + INSTRUCTIONS + instructions);
  console.log("docs/performance.md is written");
} finally {
  await Promise.all([stack, targets.kv.started, targets.d1.started, ...Object.values(floors)].map((one) => one.stop()));
}

/** The time within the isolates, in workers of their own: an attached inspector makes every line of the console dear, so there are none. */
async function profiled() {
  const [inspectorPort, kvPort, d1Port] = await freePorts(3);
  const started = [];
  const keep = async (starting, inspectorPort, worker) => {
    started.push(await starting);
    return { started: started.at(-1), inspectorPort, worker };
  };
  try {
    const ours = await keep(startStack({ vars: { ...vars, HOSTED_MCP_LOG_LEVEL: "error" }, inspectorPort }), inspectorPort, "statibeat");
    const peer = (kind, port) => keep(startPeer(kind, ours.started, key, port), port, `peer-${kind}`);
    const targets = { ours: { ...ours, started: connector(ours.started) }, kv: await peer("kv", kvPort), d1: await peer("d1", d1Port) };
    return await isolateTimes({ targets, rounds: ROUNDS, ...PROFILED, log: console.log });
  } finally {
    await Promise.all(started.map((one) => one.stop()));
  }
}

/** The workers whose start is measured; the floor last. */
function starters() {
  const folder = mkdtempSync(join(tmpdir(), "peer-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const script = join(folder, "peer.mjs");
  writeFileSync(script, bundlePeer());
  const surface = JSON.stringify({ tools: [], resources: [], templates: [], prompts: [], scopes: [] });
  const peer = { PUBLIC_URL: "http://localhost:1", ISSUER: "http://localhost:1", UPSTREAM: "http://localhost:1", ASSERTION_KEY: key, SURFACE: surface };
  return {
    ours: {
      files: bundleFiles(join(ROOT, "dist")),
      variables: bindings("http://localhost:1", 1, vars).bindings,
      objects: { binding: "RATE_LIMIT", className: "RateLimit" },
      path: METADATA,
    },
    kv: { files: { "peer.mjs": script }, variables: peer, kv: "OAUTH_KV", path: METADATA },
    rust: { files: bundleFiles(process.env.FLOOR), variables: {}, objects: { binding: "COUNTER", className: "Counter" }, path: "/" },
  };
}
