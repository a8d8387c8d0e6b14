// Time from starting a bare workerd, without Miniflare, to the first response: the connector, the peer, and an empty Rust worker (the floor).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import workerd from "workerd";
import { freePorts } from "../../tests/worker/support/stack.mjs";
import { median } from "./load.mjs";

/** A text for Cap'n Proto. */
const quoted = (text) => JSON.stringify(text);

/**
 * A worker without a database, as a folder with its configuration. `folder` has the modules, `main` first; `variables` are its text bindings, `objects` names a class of Durable
 * Objects and `kv` a namespace, which stay unused.
 */
function configured({ files, variables, objects, kv }, port) {
  const folder = mkdtempSync(join(tmpdir(), "workerd-"));
  const modules = Object.entries(files).map(([name, path]) => {
    symlinkSync(resolve(path), join(folder, name));
    return `(name = ${quoted(name)}, ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed ${quoted(name)})`;
  });
  const bindings = Object.entries(variables).map(([name, text]) => `(name = ${quoted(name)}, text = ${quoted(text)})`);
  if (objects) bindings.push(`(name = ${quoted(objects.binding)}, durableObjectNamespace = ${quoted(objects.className)})`);
  if (kv) bindings.push(`(name = ${quoted(kv)}, kvNamespace = "internet")`);
  const namespaces = objects ? `durableObjectNamespaces = [(className = ${quoted(objects.className)}, uniqueKey = "bench", enableSql = true)], durableObjectStorage = (inMemory = void),` : "";
  writeFileSync(join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .measured), (name = "internet", network = (allow = ["public", "private"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const measured :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "2026-10-01",
  bindings = [${bindings.join(", ")}],
  ${namespaces}
);
`);
  return folder;
}

/** One start: milliseconds until `path` is answered with 200. */
async function firstAnswer(worker) {
  const [port] = await freePorts(1);
  const folder = configured(worker, port);
  const started = performance.now();
  const child = spawn(workerd.default ?? workerd, ["serve", join(folder, "config.capnp")], { stdio: ["ignore", "ignore", "inherit"] });
  try {
    for (;;) {
      const status = await ask(`http://127.0.0.1:${port}${worker.path}`);
      if (status === 200) return performance.now() - started;
      if (status !== undefined || child.exitCode !== null || performance.now() - started > 20_000) throw new Error(`${worker.path}: ${status ?? "no answer"}`);
      await new Promise((done) => setTimeout(done, 1));
    }
  } finally {
    if (child.exitCode === null) {
      child.kill();
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true });
  }
}

/** The status, or `undefined` while nobody listens. */
function ask(url) {
  return new Promise((answered) => {
    const outgoing = request(url, { agent: false }, (answer) => answer.resume().on("end", () => answered(answer.statusCode)));
    outgoing.on("error", () => answered(undefined)).end();
  });
}

/** The modules of a bundle, by name; the script first, which is the main module. */
export function bundleFiles(folder) {
  const names = readdirSync(folder).filter((name) => name === "entry.js" || name.endsWith(".wasm"));
  return Object.fromEntries(names.sort((a, b) => a.endsWith(".wasm") - b.endsWith(".wasm")).map((name) => [name, join(folder, name)]));
}

/** For each worker by name: its median in milliseconds (`time`), and the median over the rounds of its ratio to the last worker (`ratio`). */
export async function startup(workers, rounds) {
  const times = Object.fromEntries(Object.keys(workers).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, worker] of Object.entries(workers)) {
      const time = await firstAnswer(worker);
      // The first round fills the file cache.
      if (round > 0) times[name].push(time);
    }
  }
  const last = Object.values(times).at(-1);
  return Object.fromEntries(Object.entries(times).map(([name, own]) => [name, { time: median(own), ratio: median(own.map((time, round) => time / last[round])) }]));
}
