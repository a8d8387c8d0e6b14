// Measures what an operation costs within the worker's own isolate, which is what Cloudflare bills: V8's profiler samples the isolate while the operation
// is asked for again and again. Not in it: the HTTP server, the database and Miniflare's own workers.

import { operations } from "./operations.mjs";
import { run } from "./load.mjs";

/** Microseconds between two samples. */
export const INTERVAL = 100;
/** The profiler's names for the time in which no code of the isolate runs. */
const NOT_OURS = new Set(["(root)", "(program)", "(idle)"]);

/**
 * `targets` are, by name, objects of `started` (a target of operations.mjs), `inspectorPort` and `worker`, its name. Of each operation, `found` has for each of them the
 * microseconds per request of every round. An operation with limits is asked for less often, and its first round warms nothing up.
 */
export async function isolateTimes({ targets, rounds, readers, requests, log = () => {} }) {
  const supplies = {};
  const profilers = {};
  for (const [name, { started, inspectorPort, worker }] of Object.entries(targets)) {
    supplies[name] = await operations(started, rounds, readers);
    profilers[name] = await attach(inspectorPort, worker);
  }
  const measured = [];
  const [first] = Object.values(supplies);
  for (const [index, { name }] of first.entries()) {
    const found = Object.fromEntries(Object.keys(targets).map((target) => [target, []]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const target of Object.keys(targets)) {
        const { perRound, ...operation } = supplies[target][index];
        const count = perRound ?? requests;
        await profilers[target].ask("Profiler.start");
        await run({ ...operation, requests: count });
        const { profile } = await profilers[target].ask("Profiler.stop");
        // The first round warms up.
        if (round > 0) found[target].push(busy(profile) / count);
      }
    }
    measured.push({ name, found });
    log(name, Object.entries(found).map(([target, times]) => `${target} ${times.map((time) => time.toFixed(0)).join(" ")} µs`).join(", "));
  }
  for (const profiler of Object.values(profilers)) profiler.close();
  return measured;
}

/**
 * The microseconds of a profile in which code of the isolate ran, with the runtime's functions that it called. While the isolate waits, no sample is
 * taken, so that the time between two samples says nothing: each counts for one interval.
 */
function busy({ nodes, samples }) {
  const others = new Set(nodes.filter(({ callFrame }) => NOT_OURS.has(callFrame.functionName)).map(({ id }) => id));
  return samples.filter((sample) => !others.has(sample)).length * INTERVAL;
}

/** A connection to the profiler of a worker's isolate. */
async function attach(port, worker) {
  const isolates = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const isolate = isolates.find(({ id }) => id.includes(worker));
  if (!isolate) throw new Error(`no isolate of ${worker}: ${isolates.map(({ id }) => id).join(", ")}`);
  const socket = new WebSocket(isolate.webSocketDebuggerUrl);
  const waiting = new Map();
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`the inspector of ${worker} cannot be reached`));
  });
  let sent = 0;
  const ask = (method, params = {}) =>
    new Promise((resolve, reject) => {
      sent += 1;
      waiting.set(sent, { resolve, reject });
      socket.send(JSON.stringify({ id: sent, method, params }));
    });
  await ask("Profiler.enable");
  await ask("Profiler.setSamplingInterval", { interval: INTERVAL });
  return { ask, close: () => socket.close() };
}
