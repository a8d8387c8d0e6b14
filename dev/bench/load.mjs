// A closed loop: each client sends its next request when the previous one is answered. Uses node:http with keep-alive, so
// that the loop itself costs little.

import { Agent, request } from "node:http";

/** Sends one request; answers status, headers and text. */
export function send(agent, { url, method = "GET", headers = {}, body }) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method, headers: body ? { ...headers, "content-length": Buffer.byteLength(body) } : headers }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() }));
      answer.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/**
 * Sends the requests that `next(client)` builds for `milliseconds`, or until `requests` were sent. `wanted` is the status that
 * every response must have; `check` tests its text. Returns the latencies in milliseconds and the requests per second.
 */
export async function run({ next, clients = 1, milliseconds = Infinity, requests = Infinity, wanted = 200, check = () => true }) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const latencies = [];
  const started = performance.now();
  let left = requests;
  const client = async (index) => {
    while (left > 0 && performance.now() - started < milliseconds) {
      left -= 1;
      const options = await next(index);
      if (!options) return;
      const sent = performance.now();
      const answer = await send(agent, options);
      latencies.push(performance.now() - sent);
      if (answer.status !== wanted || !check(answer.text)) throw new Error(`${options.url}: ${answer.status} ${answer.text.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return { latencies, perSecond: latencies.length / seconds };
}

/** The value that this share of all is not above. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const median = (values) => percentile(values, 0.5);
