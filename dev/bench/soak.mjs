// `npm run soak`: fails if any response is an error under steady load, or if the worker's memory grows.

import { startStack } from "../../tests/worker/support/stack.mjs";
import { soak } from "./soak_load.mjs";

const SECONDS = Number(process.env.SECONDS ?? 600);
/** Requests before memory is measured: even with an empty worker, workerd grows during about this many. */
const WARM_UP = 40_000;
/** Number of connections, large enough that none reaches its message limit. */
const READERS = 500;
/** Largest ratio of mean memory, second half to first half, that counts as no growth. */
const FLAT = 1.1;

const stack = await startStack();
try {
  const { sent, purges, errors, memory } = await soak(stack, { warmUpRequests: WARM_UP, seconds: SECONDS, readers: READERS }, console.log);
  const mean = (part) => part.reduce((sum, value) => sum + value, 0) / part.length;
  const growth = mean(memory.slice(memory.length / 2)) / mean(memory.slice(0, memory.length / 2));
  console.log(`${sent} requests, ${errors.length} errors, ${purges} purges; memory ${memory[0]} to ${memory.at(-1)} MB, second half over first ${growth.toFixed(3)}`);
  for (const error of errors.slice(0, 10)) console.error(error);
  // Unreadable memory (NaN) fails too.
  if (errors.length > 0 || !(growth <= FLAT)) process.exitCode = 1;
} finally {
  await stack.stop();
}
