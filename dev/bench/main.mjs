// `npm run bench`: measures the connector against its floors in turns, on bare Miniflare with one simulator behind all of
// them, and writes docs/performance.md. Everything is a ratio inside this run; absolute times say more about the machine.

import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { startStack } from "../../tests/worker/support/stack.mjs";
import { fanout } from "./fanout.mjs";
import { growth } from "./growth.mjs";
import { median, percentile, run } from "./load.mjs";
import { operations } from "./operations.mjs";
import { startup } from "./startup.mjs";
import { startFloor } from "./targets.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const ROUNDS = Number(process.env.ROUNDS ?? 7);
const GRANTS = Number(process.env.GRANTS ?? 1_000_000);
/** Milliseconds that each target is measured per round. */
const TURN = 700;
const CLIENTS = 8;
/** Number of connections that share the reads, so that none reaches its message limit. */
const READERS = 500;

const stack = await startStack();
const upstream = `${stack.simulatorUrl}/`;
const floors = { rust: await startFloor("rust", upstream), plain: await startFloor("plain", upstream) };
try {
  const found = { starts: await startup(), waits: await fanout(stack), speed: await speeds(), sizes: await growth(stack, GRANTS) };
  writeFileSync(join(ROOT, "docs/performance.md"), report(found));
  console.log("docs/performance.md is written");
} finally {
  await Promise.all([stack.stop(), floors.rust.stop(), floors.plain.stop()]);
}

/** Latencies one at a time and requests a second of many at a time, of every operation and of its floors. */
async function speeds() {
  const measured = [];
  for (const operation of await operations(stack, ROUNDS, READERS)) {
    const { next, wanted, check, trips, perRound } = operation;
    const turn = perRound ? { requests: perRound } : { milliseconds: TURN };
    const ours = { next, wanted, check };
    const floor = (kind, counts) => ({ next: () => ({ url: `${floors[kind].url}/${counts.join("/")}` }) });
    const runners = { ours, rust: floor("rust", trips), plain: floor("plain", trips), one: floor("rust", [1, 0, 1]) };
    const found = Object.fromEntries(Object.keys(runners).map((name) => [name, { latencies: [], medians: [], perSecond: [] }]));
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [name, runner] of Object.entries(runners)) {
        const alone = await run({ ...runner, ...(name === "ours" ? turn : { milliseconds: Math.min(TURN, perRound ? 200 : TURN) }) });
        // The first round warms up.
        if (round === 0) continue;
        found[name].latencies.push(...alone.latencies);
        found[name].medians.push(median(alone.latencies));
        if (perRound) continue;
        const together = await run({ ...runner, clients: CLIENTS, milliseconds: TURN });
        found[name].perSecond.push(together.perSecond);
      }
    }
    measured.push({ operation, found });
    console.log(operation.name, median(found.ours.medians).toFixed(2), "ms; floor", median(found.rust.medians).toFixed(2), "ms");
  }
  return measured;
}

/** Ratio of each round, and the median of those: what the machine does meanwhile hits both sides of a round. */
function ratio(over, under) {
  return median(over.map((value, round) => value / under[round])).toFixed(2);
}

function report({ starts, waits, speed, sizes }) {
  const latency = speed.map(({ operation: { name }, found: { ours, rust, plain, one } }) => {
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(ours.latencies, share).toFixed(1));
    return `| ${name} | ${p50} | ${p95} | ${p99} | ${ratio(ours.medians, rust.medians)} | ${ratio(ours.medians, one.medians)} | ${ratio(rust.medians, plain.medians)} |`;
  });
  const throughput = speed.filter(({ found }) => found.ours.perSecond.length).map(({ operation: { name }, found: { ours, rust, plain } }) =>
    `| ${name} | ${median(ours.perSecond).toFixed(0)} | ${ratio(ours.perSecond, rust.perSecond)} | ${ratio(rust.perSecond, plain.perSecond)} |`);
  const [cpu] = cpus();
  return `# Performance

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: ${cpus().length} × ${cpu.model}, Node ${process.version}, bare
Miniflare with workerd, ${ROUNDS} rounds in which everything takes its turn. Trust the ratios, which are medians over the rounds;
times say more about the machine. Callers, worker, D1, Durable Objects and the simulated StatiBeat share its processors.

The **floor** is a Rust worker that makes the same round trips ([round-trips.md](round-trips.md)), one after the other, and nothing
else. What stands above it is our own work, and StatiBeat's: the floor asks the simulator for its front page, the connector
for documents, each under a signed assertion that the simulator verifies. The last column is the floor over the same in plain
JavaScript: the price of wasm itself.

## One caller

| Operation | p50 ms | p95 ms | p99 ms | over the floor of the same round trips | over one D1 read and one request | Rust floor over JavaScript |
|---|---|---|---|---|---|---|
${latency.join("\n")}

## ${CLIENTS} callers at once

Writes, exchanges and refreshes have limits of their own and are not measured like this.

| Operation | requests/s | of the floor's | Rust floor's of JavaScript's |
|---|---|---|---|
${throughput.join("\n")}

## Waiting for StatiBeat

Time of a result over that of the slowest single request to StatiBeat, where each answer takes 150 ms: 1 is one wait, however many
requests.

| Result | over one request |
|---|---|
${waits.map(({ name, ratio }) => `| ${name} | ${ratio.toFixed(2)} |`).join("\n")}

## Start

From starting a workerd to its first answer: ${starts.ours.toFixed(0)} ms, ${starts.ratio.toFixed(2)} times what the floor takes for an empty answer (${starts.floor.toFixed(0)} ms).

## Growth

The same reads with more grants, each with its tokens, in D1. "Rows read" is D1's own count for the statement that
runs before every call.

| Grants | tools/list p50 over the first row | refresh's look-up rows read | token check rows read |
|---|---|---|---|
${sizes.map(({ grants, ratio, refresh, access }) => `| ${grants.toLocaleString("en")} | ${ratio.toFixed(2)} | ${refresh} | ${access} |`).join("\n")}

## Pieces

What every request passes, alone and natively, with a database and a StatiBeat that answer at once (\`cargo bench -p statibeat-bench-micro\`).

| Piece | microseconds |
|---|---|
${pieces()}

## Size

${sizeOf("dist", "The connector")} ${sizeOf(process.env.FLOOR, "The floor")}

Where the connector's code comes from, by the crate that each function's name begins with; what a generic function of \`core\` or
\`alloc\` was made for is not told apart. Constants, the time zones among them, are not code.

| Crate | Bytes | Share |
|---|---|---|
${weights()}
`;
}

/** Reads the results that criterion wrote. */
function pieces() {
  const read = (folder, file) => JSON.parse(readFileSync(join(process.env.MICRO, folder, "new", file), "utf8"));
  const folders = readdirSync(process.env.MICRO).filter((name) => name !== "report").sort();
  return folders.map((folder) => `| ${read(folder, "benchmark.json").full_id} | ${(read(folder, "estimates.json").median.point_estimate / 1000).toFixed(1)} |`).join("\n");
}

function weights() {
  const { crates, all } = JSON.parse(readFileSync(process.env.WEIGHTS, "utf8"));
  return crates.map(({ name, bytes }) => `| ${name} | ${bytes.toLocaleString("en")} | ${((100 * bytes) / all).toFixed(0)} % |`).join("\n");
}

function sizeOf(folder, name) {
  const path = join(folder, readdirSync(folder).find((file) => file.endsWith(".wasm")));
  return `${name}'s wasm has ${statSync(path).size.toLocaleString("en")} bytes, ${gzipSync(readFileSync(path), { level: 9 }).length.toLocaleString("en")} gzipped.`;
}
