// `npm run bench:page`: from the start of the process to the first list of tools, and the memory it takes by then, of the
// page server and of a Node server on the official SDK with the same list; turn by turn, in one run, as ratios.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROUNDS = Number(process.env.ROUNDS ?? 30);
const ROOT = new URL("../../", import.meta.url).pathname;
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
const PAGE = [join(TARGET, "page/statibeat-page-mcp")];
const SETTINGS = { STATIBEAT_API_TOKEN: "none", STATIBEAT_BASE_URL: "http://localhost:9" };

/** One start: milliseconds to the list of tools, peak memory in kB, the list. */
async function measure([program, ...arguments_]) {
  const began = process.hrtime.bigint();
  const child = spawn(program, arguments_, { env: SETTINGS, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (id, method, params) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return JSON.parse((await lines.next()).value).result;
  };
  await ask(1, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } });
  child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  const list = await ask(2, "tools/list", {});
  const milliseconds = Number(process.hrtime.bigint() - began) / 1e6;
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  child.stdin.end();
  await once(child, "exit");
  return { milliseconds, kilobytes: Number(status.match(/VmHWM:\s+(\d+)/)[1]), list };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const folder = mkdtempSync(join(tmpdir(), "bench-page-"));
try {
  const tools = join(folder, "tools.json");
  const { list } = await measure(PAGE);
  writeFileSync(tools, JSON.stringify(list));
  const node = [process.execPath, new URL("server.mjs", import.meta.url).pathname, tools];
  const found = { page: [], node: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    found.page.push(await measure(PAGE));
    found.node.push(await measure(node));
  }
  for (const [what, unit] of [["milliseconds", "ms to the first list of tools"], ["kilobytes", "kB of memory at most"]]) {
    const [page, other] = [found.page, found.node].map((all) => median(all.map((one) => one[what])));
    console.log(`${unit}: page server ${page.toFixed(1)}, Node ${other.toFixed(1)}, ratio ${(page / other).toFixed(3)}`);
  }
  console.log(`medians of ${ROUNDS} starts each, turn by turn; ${list.tools.length} tools; Node ${process.version}`);
} finally {
  rmSync(folder, { recursive: true });
}
