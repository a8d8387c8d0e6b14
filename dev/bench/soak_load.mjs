// Soak load: read and list requests at half the rate of the last warm-up batch, with a purge about every 5 seconds.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { run, send } from "./load.mjs";
import { call, connections } from "./operations.mjs";

/**
 * Warms up with `warmUpRequests` requests, then runs for `seconds`, rotating through the tokens of `readers` connections. Returns the
 * numbers of requests (`sent`) and `purges`, all `errors` as strings, and the worker's `memory` in MB, sampled about every 2.5 s.
 */
export async function soak(stack, { warmUpRequests, seconds, readers }, log = () => {}) {
  const token = await connections(stack, readers);
  const requests = [
    () => call(stack, token(), "tools/list"),
    () => call(stack, token(), "resources/list"),
    () => call(stack, token(), "resources/read", { uri: "statibeat://pages/42/incidents/active" }),
    () => call(stack, token(), "prompts/get", { name: "summarize_current_beat_health", arguments: { page_id: "42" } }),
  ];
  let count = 0;
  const nextRequest = () => requests[(count += 1) % requests.length]();
  const batches = 10;
  let peak;
  for (let batch = 1; batch <= batches; batch += 1) {
    ({ perSecond: peak } = await run({ next: nextRequest, clients: 8, requests: Math.ceil(warmUpRequests / batches) }));
    log(`warming up: ${batch} of ${batches}, ${peak.toFixed(0)} requests/s, ${workerMemory()} MB`);
  }
  const rate = peak / 2;
  log(`${seconds} s at ${rate.toFixed(0)} requests/s`);

  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const [errors, memory, inFlight] = [[], [], new Set()];
  let [sent, purges] = [0, 0];
  const startedAt = performance.now();
  for (let tick = 0; performance.now() - startedAt < seconds * 1000; tick += 1) {
    for (const targetCount = ((performance.now() - startedAt) / 1000) * rate; sent < targetCount; sent += 1) {
      const response = send(agent, nextRequest()).then(({ status, text }) => {
        if (status !== 200 || !text.includes('"result"')) errors.push(`${status} ${text.slice(0, 200)}`);
      }, (error) => errors.push(String(error)));
      inFlight.add(response);
      response.finally(() => inFlight.delete(response));
    }
    if (tick % 250 === 0) memory.push(workerMemory());
    if (tick % 500 === 50) {
      const { outcome } = await stack.runPurge();
      if (outcome !== "ok") errors.push(`purge: ${outcome}`);
      purges += 1;
    }
    await sleep(10);
  }
  await Promise.all(inFlight);
  agent.destroy();
  return { sent, purges, errors, memory };
}

/** Resident memory of workerd (a child of this process) in MB; NaN without /proc. */
function workerMemory() {
  if (!existsSync("/proc/self/status")) return NaN;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      if (/^Name:\s*workerd$/m.test(status) && new RegExp(`^PPid:\\s*${process.pid}$`, "m").test(status)) {
        return Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(status)[1]) / 1024);
      }
    } catch {
      // The process exited while it was being read.
    }
  }
  throw new Error("no workerd child process found");
}
