// The measured workers: the connector, the floor in Rust and the floor in JavaScript, each in its own Miniflare, all with
// the same simulator.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";

const DATE = "2026-11-17";

/** A floor: `{ url, stop }`. `kind` is `rust` or `plain`. */
export async function startFloor(kind, upstream) {
  const worker = floorWorker(kind, upstream);
  const url = String(await worker.ready).replace(/\/$/, "");
  const db = await worker.getD1Database("DB");
  await db.batch([db.prepare("CREATE TABLE floor (id INTEGER PRIMARY KEY, name TEXT, times INTEGER)"), db.prepare("INSERT INTO floor VALUES (1, 'ground', 0)")]);
  return { url, stop: () => worker.dispose() };
}

/** Its worker alone; answers before it is ready. */
export function floorWorker(kind, upstream) {
  const module = (type, folder, path) => ({ type, path, contents: readFileSync(join(folder, path)) });
  const folder = process.env.FLOOR;
  const modules = kind === "rust"
    ? [module("ESModule", folder, "entry.js"), ...readdirSync(folder).filter((name) => name.endsWith(".wasm")).map((name) => module("CompiledWasm", folder, name))]
    : [module("ESModule", join(import.meta.dirname, "floor"), "plain.mjs")];
  return new Miniflare(convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    logRequests: false,
    workers: [{
      name: `floor-${kind}`,
      modules,
      compatibilityDate: DATE,
      bindings: { UPSTREAM: upstream },
      d1Databases: { DB: "floor" },
      durableObjects: { COUNTER: { className: "Counter", useSQLite: true } },
    }],
  }));
}
