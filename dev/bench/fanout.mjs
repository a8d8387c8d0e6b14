// Do reads upstream run at once? StatiBeat takes its time for each answer; a result should take little longer than one of them.

import { call, connect } from "./operations.mjs";
import { median, run } from "./load.mjs";

/**
 * For each operation: its name and its time over that of the slowest single request, where each answer of StatiBeat
 * takes so many milliseconds.
 */
export async function fanout(stack, { milliseconds = 150, requests = 9 } = {}) {
  const { access_token: token } = await connect(stack);
  const read = (uri) => ["resources/read", { uri: `statibeat://pages/42/${uri}` }];
  const prompt = (name, rest) => ["prompts/get", { name, arguments: { page_id: "42", ...rest } }];
  const asked = [
    ["a read, its page seen before", read("incidents/active")],
    ["a read of two documents", read("hierarchy")],
    ["a prompt over several resources", prompt("summarize_current_beat_health")],
    ["resources/list", ["resources/list", {}]],
  ];
  // The instance sees the page.
  for (const [, [method, params]] of asked) await run({ next: () => call(stack, token, method, params), requests: 1 });
  const faults = `${stack.simulatorUrl}/__simulator/faults`;
  const fault = { path: "/api/**", times: 1_000_000, kind: { delay: { milliseconds } } };
  await fetch(faults, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(fault) });
  try {
    const single = median((await run({ next: () => ({ url: `${stack.simulatorUrl}/api/v1/me` }), requests, wanted: 401 })).latencies);
    const measured = [];
    for (const [name, [method, params]] of asked) {
      const { latencies } = await run({ next: () => call(stack, token, method, params), requests });
      measured.push({ name, ratio: median(latencies) / single });
    }
    return measured;
  } finally {
    await fetch(faults, { method: "DELETE" });
  }
}
