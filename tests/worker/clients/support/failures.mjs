// A failing test shows what the worker wrote meanwhile.

import { afterEach } from "node:test";

/** For every test of a file; `stack` is asked late, because it starts later. */
export function showLogOfFailures(stack) {
  let shown = 0;
  afterEach((context) => {
    const logs = stack()?.logs ?? [];
    if (!context.passed) for (const { level, message } of logs.slice(shown)) console.error(`worker ${level}: ${message}`);
    shown = logs.length;
  });
}
