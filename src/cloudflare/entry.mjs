// The module that the runtime loads: hands events to the wasm, and survives its panics.
//
// A panic ends the wasm instance. The calls it was working on can never finish, so they are rejected at once, and the
// next event gets a new instance. Durable Objects keep their storage and lose only what their fields held.

import { DurableObject } from "cloudflare:workers";
import * as wasm from "../../build/index.js";
import { crossings } from "./crossings.mjs";

let instance = 0; // counts instances; 0: none prepared yet
let aborted = false;
const unfinished = new Set();

globalThis.statibeatInstanceAborted = () => {
  aborted = true;
  for (const reject of unfinished) reject(new Error("the wasm instance aborted"));
  unfinished.clear();
};

globalThis.statibeat = crossings((...answer) => {
  // Nobody in a dead instance waits for it.
  if (!aborted) wasm.settle(...answer);
});

/** Makes sure that a live instance is there and says which one it is. */
function liveInstance() {
  if (aborted) wasm.__wbg_reset_state();
  if (aborted || instance === 0) {
    aborted = false;
    instance += 1;
    wasm.prepareInstance();
  }
  return instance;
}

/** Calls into the wasm; rejects when the instance dies before the call is done. */
async function guarded(call) {
  liveInstance();
  const { promise: death, reject } = Promise.withResolvers();
  unfinished.add(reject);
  try {
    return await Promise.race([call(), death]);
  } finally {
    unfinished.delete(reject);
  }
}

/** The largest body that is taken in, in bytes, though nobody wants it. */
const LARGEST_UNREAD_BODY = 65_536;
const LONGEST_WAIT_FOR_UNREAD_BODY = 1_000;

/**
 * Takes in the body of a request that was answered without it. The runtime closes the connection of a body that nobody reads, and
 * a client that sends its next request over it gets no answer.
 */
async function takeUnreadBody(request) {
  if (request.body === null || request.bodyUsed) return;
  if (!(Number(request.headers.get("content-length") ?? NaN) <= LARGEST_UNREAD_BODY)) return;
  let timer;
  const tooLong = new Promise((resolve) => (timer = setTimeout(resolve, LONGEST_WAIT_FOR_UNREAD_BODY)));
  await Promise.race([request.arrayBuffer().catch(() => undefined), tooLong]);
  clearTimeout(timer);
}

export default {
  async fetch(request, env, ctx) {
    const id = crypto.randomUUID();
    try {
      // Given to the instance beside the bindings, so that a request it dies over still has its id.
      const response = await guarded(() => wasm.fetch(request, Object.create(env, { REQUEST_ID: { value: id } }), ctx));
      await takeUnreadBody(request);
      return response;
    } catch (error) {
      const { pathname } = new URL(request.url);
      // A path of ours is short words; any other may hold anything.
      const route = /^\/(mcp|\.well-known)[a-z/-]{0,50}$/.test(pathname) ? pathname : "none";
      console.error(JSON.stringify({ level: "error", event: "crash", request_id: id, route, message: String(error) }));
      const headers = { "cache-control": "no-store", "x-request-id": id };
      // The first is the word of OAuth with which a client keeps its credentials. `server_error` would not do: the official
      // SDK asks its person to sign in again.
      const told = { error: "temporarily_unavailable", error_description: "internal error; the next request is served again" };
      return Response.json({ ...told, request_id: id }, { status: 500, headers });
    }
  },

  scheduled(event, env, ctx) {
    return guarded(() => wasm.scheduled(event, env, ctx));
  },
};

/** The one thing that a counter stores. */
const STATE = "state";

/** The counter of one limited key. */
export class RateLimit extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    const take = await request.text();
    const stored = (await storage.get(STATE)) ?? null;
    liveInstance();
    const { reply, state, alarm_after_milliseconds } = JSON.parse(wasm.countTake(take, JSON.stringify(stored)));
    // The runtime holds the answer back until both are stored.
    if (alarm_after_milliseconds !== null) storage.setAlarm(Date.now() + alarm_after_milliseconds);
    if (state !== null) storage.put(STATE, state);
    return Response.json(reply);
  }

  /** The window is over: a counter that nobody uses takes no room. */
  alarm() {
    return this.ctx.storage.deleteAll();
  }
}
