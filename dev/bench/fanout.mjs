// Measures whether upstream reads run concurrently: with a slow StatiBeat, an operation should take little longer than one of
// its upstream requests.

import { call, connect } from "./operations.mjs";
import { median, run } from "./load.mjs";

/**
 * Delays each response of StatiBeat by `milliseconds`. Returns, for each operation, its name and the ratio of its median
 * duration to that of a single request.
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
