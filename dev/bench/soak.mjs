// `npm run soak`: clients read and list at half of the peak measured a moment before, while the purge runs every few
// seconds. Not one answer may be an error, and the worker's memory must not grow.

import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Agent } from "node:http";
import { startStack } from "../../tests/worker/support/stack.mjs";
import { run, send } from "./load.mjs";
import { call, connect } from "./operations.mjs";

const SECONDS = Number(process.env.SECONDS ?? 600);
/** Growth of the second half over the first that counts as flat. */
const FLAT = 1.1;

const stack = await startStack();
try {
  const { access_token: token } = await connect(stack);
  const requests = [
    () => call(stack, token, "tools/list"),
    () => call(stack, token, "resources/list"),
    () => call(stack, token, "resources/read", { uri: "statibeat://pages/42/incidents/active" }),
    () => call(stack, token, "prompts/get", { name: "summarize_current_beat_health", arguments: { page_id: "42" } }),
  ];
  let count = 0;
  const next = () => requests[(count += 1) % requests.length]();
  const { perSecond: peak } = await run({ next, clients: 8, milliseconds: 5000 });
  const rate = peak / 2;
  console.log(`peak ${peak.toFixed(0)} requests/s; ${SECONDS} s at ${rate.toFixed(0)}`);

  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const [errors, memory, inFlight] = [[], [], new Set()];
  let [sent, purges] = [0, 0];
  const started = performance.now();
  for (let tick = 0; performance.now() - started < SECONDS * 1000; tick += 1) {
    for (const due = ((performance.now() - started) / 1000) * rate; sent < due; sent += 1) {
      const one = send(agent, next()).then(({ status, text }) => {
        if (status !== 200 || !text.includes('"result"')) errors.push(`${status} ${text.slice(0, 200)}`);
      }, (error) => errors.push(String(error)));
      inFlight.add(one);
      one.finally(() => inFlight.delete(one));
    }
    if (tick % 250 === 0) memory.push(workerMemory());
    if (tick % 500 === 499) {
      const { outcome } = await stack.runPurge();
      if (outcome !== "ok") errors.push(`purge: ${outcome}`);
      purges += 1;
    }
    await pause(10);
  }
  await Promise.all(inFlight);
  agent.destroy();

  // The first tenth warms up.
  const kept = memory.slice(Math.ceil(memory.length / 10));
  const mean = (part) => part.reduce((sum, value) => sum + value, 0) / part.length;
  const growth = mean(kept.slice(kept.length / 2)) / mean(kept.slice(0, kept.length / 2));
  console.log(`${sent} requests, ${errors.length} errors, ${purges} purges; memory ${kept[0]} to ${kept.at(-1)} MB, second half over first ${growth.toFixed(3)}`);
  for (const error of errors.slice(0, 10)) console.error(error);
  if (errors.length > 0 || growth > FLAT) process.exitCode = 1;
} finally {
  await stack.stop();
}

/** Megabytes that workerd, a child of this process, holds. */
function workerMemory() {
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
