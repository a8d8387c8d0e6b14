// Time from starting a new process to the first response: the worker compared with an empty one (the floor).

import { freePorts, startWorker } from "../../tests/worker/support/stack.mjs";
import { median } from "./load.mjs";
import { floorWorker } from "./targets.mjs";

const ROUNDS = 7;

/** Medians in milliseconds, and the ratio, which is the median over the rounds. */
export async function startup() {
  const [ours, floor] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [port] = await freePorts(1);
    ours.push(await firstAnswer(() => startWorker({ port, simulatorPort: port }), "/.well-known/oauth-authorization-server"));
    floor.push(await firstAnswer(() => floorWorker("rust", "http://127.0.0.1/"), "/"));
  }
  return { ours: median(ours), floor: median(floor), ratio: median(ours.map((time, round) => time / floor[round])) };
}

async function firstAnswer(start, path) {
  const started = performance.now();
  const worker = start();
  try {
    const answer = await fetch(new URL(path, await worker.ready));
    await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return performance.now() - started;
  } finally {
    await worker.dispose();
  }
}
