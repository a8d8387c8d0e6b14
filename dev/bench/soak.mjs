// `npm run soak`: not one answer may be an error while clients keep working, and the worker's memory must not grow.

import { startStack } from "../../tests/worker/support/stack.mjs";
import { soak } from "./soaking.mjs";

const SECONDS = Number(process.env.SECONDS ?? 600);
/** Requests before memory is looked at: so many it takes until workerd itself, with a worker that does nothing, stops growing. */
const WARM_UP = 40_000;
/** Connections: no one of them comes near its limit of messages. */
const READERS = 500;
/** Growth of the second half over the first that counts as flat. */
const FLAT = 1.1;

const stack = await startStack();
try {
  const { sent, purges, errors, memory } = await soak(stack, { warmUp: WARM_UP, seconds: SECONDS, readers: READERS }, console.log);
  const mean = (part) => part.reduce((sum, value) => sum + value, 0) / part.length;
  const growth = mean(memory.slice(memory.length / 2)) / mean(memory.slice(0, memory.length / 2));
  console.log(`${sent} requests, ${errors.length} errors, ${purges} purges; memory ${memory[0]} to ${memory.at(-1)} MB, second half over first ${growth.toFixed(3)}`);
  for (const error of errors.slice(0, 10)) console.error(error);
  // Where memory cannot be read, nothing says that it is flat.
  if (errors.length > 0 || !(growth <= FLAT)) process.exitCode = 1;
} finally {
  await stack.stop();
}
