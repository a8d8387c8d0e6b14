// `npm run bench:page`: compares the page server with a Node server that uses the official SDK and serves the same tool list.
// Measures the time from process start to the first `tools/list` response, and peak memory by then. Alternates the two
// servers; prints medians and ratios. Linux only (/proc).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROUNDS = Number(process.env.ROUNDS ?? 30);
const ROOT = new URL("../../", import.meta.url).pathname;
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
const PAGE_SERVER = [join(TARGET, "page/statibeat-page-mcp")];
const ENV = { STATIBEAT_API_TOKEN: "none", STATIBEAT_BASE_URL: "http://localhost:9" };

/** Starts a server. Returns milliseconds to the tool list, peak memory in kB, and the list. */
async function measure([program, ...arguments_]) {
  const startedAt = process.hrtime.bigint();
  const child = spawn(program, arguments_, { env: ENV, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const request = async (id, method, params) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return JSON.parse((await lines.next()).value).result;
  };
  await request(1, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } });
  child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  const list = await request(2, "tools/list", {});
  const milliseconds = Number(process.hrtime.bigint() - startedAt) / 1e6;
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  child.stdin.end();
  await once(child, "exit");
  return { milliseconds, kilobytes: Number(status.match(/VmHWM:\s+(\d+)/)[1]), list };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const tempDir = mkdtempSync(join(tmpdir(), "bench-page-"));
try {
  const toolsFile = join(tempDir, "tools.json");
  const { list } = await measure(PAGE_SERVER);
  writeFileSync(toolsFile, JSON.stringify(list));
  const nodeServer = [process.execPath, new URL("server.mjs", import.meta.url).pathname, toolsFile];
  const results = { page: [], node: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    results.page.push(await measure(PAGE_SERVER));
    results.node.push(await measure(nodeServer));
  }
  for (const [metric, unit] of [["milliseconds", "ms to the first tool list"], ["kilobytes", "kB peak memory"]]) {
    const [pageMedian, nodeMedian] = [results.page, results.node].map((all) => median(all.map((run) => run[metric])));
    console.log(`${unit}: page server ${pageMedian.toFixed(1)}, Node ${nodeMedian.toFixed(1)}, ratio ${(pageMedian / nodeMedian).toFixed(3)}`);
  }
  console.log(`medians of ${ROUNDS} starts each, alternating; ${list.tools.length} tools; Node ${process.version}`);
} finally {
  rmSync(tempDir, { recursive: true });
}
