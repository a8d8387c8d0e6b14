// Clients that read and list at half of the peak measured a moment before, while the purge runs every few seconds.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { run, send } from "./load.mjs";
import { call, connections } from "./operations.mjs";

/**
 * Warms up with so many requests, then keeps going for so many seconds, with the tokens of so many `readers` in turns. Answers how many requests were `sent` and purges
 * run, every `errors` as a text, and the worker's `memory` in megabytes every 2.5 s.
 */
export async function soak(stack, { warmUp, seconds, readers }, log = () => {}) {
  const token = await connections(stack, readers);
  const requests = [
    () => call(stack, token(), "tools/list"),
    () => call(stack, token(), "resources/list"),
    () => call(stack, token(), "resources/read", { uri: "statibeat://pages/42/incidents/active" }),
    () => call(stack, token(), "prompts/get", { name: "summarize_current_beat_health", arguments: { page_id: "42" } }),
  ];
  let count = 0;
  const next = () => requests[(count += 1) % requests.length]();
  const parts = 10;
  let peak;
  for (let part = 1; part <= parts; part += 1) {
    ({ perSecond: peak } = await run({ next, clients: 8, requests: Math.ceil(warmUp / parts) }));
    log(`warming up: ${part} of ${parts}, ${peak.toFixed(0)} requests/s, ${workerMemory()} MB`);
  }
  const rate = peak / 2;
  log(`${seconds} s at ${rate.toFixed(0)} requests/s`);

  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const [errors, memory, inFlight] = [[], [], new Set()];
  let [sent, purges] = [0, 0];
  const started = performance.now();
  for (let tick = 0; performance.now() - started < seconds * 1000; tick += 1) {
    for (const due = ((performance.now() - started) / 1000) * rate; sent < due; sent += 1) {
      const one = send(agent, next()).then(({ status, text }) => {
        if (status !== 200 || !text.includes('"result"')) errors.push(`${status} ${text.slice(0, 200)}`);
      }, (error) => errors.push(String(error)));
      inFlight.add(one);
      one.finally(() => inFlight.delete(one));
    }
    if (tick % 250 === 0) memory.push(workerMemory());
    if (tick % 500 === 50) {
      const { outcome } = await stack.runPurge();
      if (outcome !== "ok") errors.push(`purge: ${outcome}`);
      purges += 1;
    }
    await pause(10);
  }
  await Promise.all(inFlight);
  agent.destroy();
  return { sent, purges, errors, memory };
}

/** Megabytes that workerd, a child of this process, holds; NaN where the system does not say. */
function workerMemory() {
  if (!existsSync("/proc/self/status")) return NaN;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      if (/^Name:\s*workerd$/m.test(status) && new RegExp(`^PPid:\\s*${process.pid}$`, "m").test(status)) {
        return Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(status)[1]) / 1024);
      }
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error("no workerd");
}
