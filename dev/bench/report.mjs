// docs/performance.md from what was measured.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { median, percentile } from "./load.mjs";
import { INTERVAL } from "./isolate.mjs";
import { CALLERS } from "./speeds.mjs";

const number = (value) => (Number.isFinite(value) ? value.toFixed(2) : "–");

/** The ratios of all rounds: their median, and the least and the most. */
function ratio(over, under) {
  if (over.length === 0 || under.length === 0) return "–";
  const ratios = over.map((value, round) => value / under[round]);
  return `${number(median(ratios))} (${number(Math.min(...ratios))}–${number(Math.max(...ratios))})`;
}

const row = (...cells) => `| ${cells.join(" | ")} |`;
const grouped = (value) => Math.round(value).toLocaleString("en");

function peerRows(speed) {
  return speed.map(({ name, found: { ours, kv, d1 } }) => {
    const throughput = CALLERS.flatMap((callers) => [kv, d1].map((peer) => ratio(ours.perSecond[callers], peer.perSecond[callers])));
    return row(name, ratio(ours.cpus, kv.cpus), ratio(ours.cpus, d1.cpus), ratio(ours.medians, kv.medians), number(percentile(ours.latencies, 0.99) / percentile(kv.latencies, 0.99)), ...throughput);
  });
}

function absoluteRows(speed) {
  return speed.map(({ name, isLimited, found: { ours } }) => {
    const shares = [0.5, 0.95, 0.99].map((share) => percentile(ours.latencies, share).toFixed(1));
    return row(name, ...shares, number(median(ours.cpus)), ...CALLERS.map((callers) => (isLimited ? "–" : median(ours.perSecond[callers]).toFixed(0))));
  });
}

function floorRows(speed) {
  return speed.map(({ name, found: { ours, kv, rust, plain } }) =>
    row(name, ratio(ours.cpus, rust.cpus), ratio(ours.medians, rust.medians), ratio(kv.cpus, rust.cpus), ratio(rust.cpus, plain.cpus)));
}

function isolateRows(isolates) {
  return isolates.map(({ name, found: { ours, kv, d1 } }) => row(name, ratio(ours, kv), ratio(ours, d1), grouped(median(ours))));
}

export function report({ rounds, starts, waits, speed, isolates, sizes, memory, peerBytes }) {
  const [cpu] = cpus();
  return `# Performance

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: ${cpus().length} × ${cpu.model}, load of the machine ${loadavg().map((load) => load.toFixed(1)).join(", ")}, Node ${process.version},
Miniflare with workerd, ${rounds} rounds in which everything takes its turn. Ratios are made within a round: their median, and in parentheses the least and the most. Trust
these; times say more about the machine. Callers, workers, their databases and the simulated StatiBeat share its processors.

## Beside what you would build instead

The **peer** ([dev/bench/peer](../dev/bench/peer)) is a JavaScript worker on \`@cloudflare/workers-oauth-provider\` and the official MCP server SDK, with the connector's tools, resources, prompts and
assertions and the same simulator. Its grants are in KV, as the library has them, or in D1. In KV, a revocation may take a minute to arrive; in D1 it holds on the next call, as in
the connector. A code exchange and a refresh of the connector also ask StatiBeat whether the person still has access; the peer's do not.

Connector over peer: below 1 is less CPU time or less latency, above 1 in the last columns more requests per second. CPU time is all of workerd's, its database included, with one caller.

| Operation | CPU, KV | CPU, D1 | p50, KV | p99, KV | ${CALLERS.flatMap((callers) => [`requests/s, ${callers} callers, KV`, `requests/s, ${callers} callers, D1`]).join(" | ")} |
|---|---|---|---|---|${"---|---|".repeat(CALLERS.length)}
${peerRows(speed).join("\n")}

Resident memory after that: connector ${memory.ours.toFixed(0)} MB, peer on KV ${memory.kv.toFixed(0)} MB, peer on D1 ${memory.d1.toFixed(0)} MB.

## Within the isolate

Of the CPU time above, much is the HTTP server's, the database's and Miniflare's own workers'. This is what is left: the time in which the worker's own
isolate runs, with the functions of the runtime that it calls, and what Cloudflare bills. V8's profiler samples it, at ${grouped(1_000_000 / INTERVAL)} Hz; the
connector writes no lines to the console meanwhile, since an attached inspector makes them dear (the peer has one for a rejected token).

| Operation | connector over peer, KV | connector over peer, D1 | connector µs |
|---|---|---|---|
${isolateRows(isolates).join("\n")}

## The connector by itself

| Operation | p50 ms | p95 ms | p99 ms | CPU ms | ${CALLERS.map((callers) => `requests/s, ${callers} callers`).join(" | ")} |
|---|---|---|---|---|${"---|".repeat(CALLERS.length)}
${absoluteRows(speed).join("\n")}

Writes, exchanges and refreshes have limits of their own and are measured with one caller only.

## Over the floor

The **floor** is a Rust worker that makes the same round trips ([round-trips.md](round-trips.md)), at once where the connector does, and nothing else. What stands above it is our own work,
and StatiBeat's: the floor asks the simulator for its front page, the connector for documents, each under a signed assertion that the simulator verifies. The last column is the
price of wasm itself.

| Operation | CPU, connector over floor | p50, connector over floor | CPU, peer on KV over floor | CPU, Rust floor over the same in JavaScript |
|---|---|---|---|---|
${floorRows(speed).join("\n")}

## Waiting for StatiBeat

Time of a result over that of the slowest single request to StatiBeat, where each answer takes 150 ms: 1 is one wait, however many
requests.

| Result | over one request |
|---|---|
${waits.map(({ name, ratio }) => row(name, ratio.toFixed(2))).join("\n")}

## Start

From starting a bare workerd, without Miniflare, to its first answer: connector ${starts.ours.time.toFixed(0)} ms, ${number(starts.ours.ratio)} times what the floor takes for an empty answer (${starts.rust.time.toFixed(0)} ms); peer ${starts.kv.time.toFixed(0)} ms
(${number(starts.kv.ratio)} times).

## Growth

The same reads with more grants, each with its tokens, in D1. "Rows read" is D1's own count for the statement that
runs before every call. The organization of \`npm start -- --large\` has 600 connections, fewer than the first row; its pages are opened by
the browser tests.

| Grants | tools/list p50 over the first row | refresh's look-up rows read | token check rows read |
|---|---|---|---|
${sizes.map(({ grants, ratio, refresh, access }) => row(grants.toLocaleString("en"), ratio.toFixed(2), refresh, access)).join("\n")}

## Pieces

What every request passes, alone and natively, with a database and a StatiBeat that answer at once (\`cargo bench -p statibeat-bench-micro\`).

| Piece | microseconds |
|---|---|
${pieces()}

${sizeReport(peerBytes)}`;
}

/** Reads the results that criterion wrote. */
function pieces() {
  const read = (folder, file) => JSON.parse(readFileSync(join(process.env.MICRO, folder, "new", file), "utf8"));
  const folders = readdirSync(process.env.MICRO).filter((name) => name !== "report").sort();
  return folders.map((folder) => row(read(folder, "benchmark.json").full_id, (read(folder, "estimates.json").median.point_estimate / 1000).toFixed(1))).join("\n");
}

function sizeReport(peerBytes) {
  const { all, crates, functions } = JSON.parse(readFileSync(process.env.WEIGHTS, "utf8"));
  const share = ({ name, bytes }) => row(name, grouped(bytes), `${((100 * bytes) / all).toFixed(1)} %`);
  return `## Size

${sizeOf("dist", "The connector")} ${sizeOf(process.env.FLOOR, "The floor")} The peer's whole bundle has ${grouped(gzipSync(peerBytes, { level: 9 }).length)} bytes gzipped.

Where the connector's code comes from, by the crate that each function's name begins with; what a generic function of \`core\` or
\`alloc\` was made for is not told apart. Constants, the time zones among them, are not code.

| Crate | Bytes | Share |
|---|---|---|
${crates.map(share).join("\n")}

The heaviest functions:

| Function | Bytes | Share |
|---|---|---|
${functions.map(({ name, bytes }) => share({ name: `\`${name}\``, bytes })).join("\n")}
`;
}

function sizeOf(folder, name) {
  const path = join(folder, readdirSync(folder).find((file) => file.endsWith(".wasm")));
  const gzipped = gzipSync(readFileSync(path), { level: 9 }).length;
  return `${name}'s wasm has ${grouped(statSync(path).size)} bytes, ${grouped(gzipped)} gzipped.`;
}
