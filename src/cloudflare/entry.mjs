// The module that the runtime loads: hands events to the wasm, and survives its panics.
//
// A panic ends the wasm instance. Its unfinished calls can never finish, so they are rejected at once, and the next event gets a new
// instance. Durable Objects keep their storage and lose only their fields.

import { DurableObject } from "cloudflare:workers";
import * as wasm from "../../build/index.js";
import { crossings, headText } from "./crossings.mjs";

/** The number of instances prepared so far. */
let instance = 0;
let aborted = false;
/** The number of calls into the wasm so far. */
let calls = 0;
/** The functions that settle the calls that are not done, by number. */
const unfinished = new Map();

globalThis.statibeatInstanceAborted = () => {
  aborted = true;
  for (const { reject } of unfinished.values()) reject(new Error("the wasm instance aborted"));
  unfinished.clear();
};

globalThis.statibeat = crossings(
  (...answer) => {
    // An instance that died has no use for the results of its operations.
    if (aborted) return;
    try {
      wasm.settle(...answer);
    } catch (error) {
      // The death of the instance has rejected its calls already.
      if (!aborted) throw error;
    }
  },
  (number, make) => {
    const { resolve, reject } = unfinished.get(number);
    unfinished.delete(number);
    try {
      resolve(make());
    } catch (error) {
      reject(error);
    }
  },
);

/** Prepares a new instance if there is none or if the last one died. */
function liveInstance() {
  if (aborted) wasm.__wbg_reset_state();
  if (aborted || instance === 0) {
    aborted = false;
    instance += 1;
    wasm.prepareInstance();
  }
}

/**
 * Calls into the wasm with a new number. Returns what the call came to if that is there at once, and otherwise a promise of it, which
 * rejects when the instance dies before.
 */
function called(call) {
  liveInstance();
  const { promise, resolve, reject } = Promise.withResolvers();
  calls = (calls + 1) >>> 0;
  const number = calls;
  let ready;
  unfinished.set(number, { resolve: (response) => resolve((ready = response)), reject });
  try {
    call(number);
  } catch (error) {
    unfinished.delete(number);
    reject(error);
  }
  return ready ?? promise;
}

/** Largest unread body that is taken in, in bytes. */
const LARGEST_UNREAD_BODY = 65_536;
/** Time limit for that, in milliseconds. */
const LONGEST_WAIT_FOR_UNREAD_BODY = 1_000;

/**
 * Takes in the body of a request that was answered without it. The runtime closes the connection of an unread body, and a client
 * that sends its next request over it gets no response.
 */
async function takeUnreadBody(request) {
  if (request.body === null || request.bodyUsed) return;
  if (!(Number(request.headers.get("content-length") ?? NaN) <= LARGEST_UNREAD_BODY)) return;
  let timer;
  const tooLong = new Promise((resolve) => (timer = setTimeout(resolve, LONGEST_WAIT_FOR_UNREAD_BODY)));
  await Promise.race([request.arrayBuffer().catch(() => undefined), tooLong]);
  clearTimeout(timer);
}

/** The response to a request over which the instance died. */
function crashResponse(request, id, error) {
  const { pathname } = new URL(request.url);
  // A path of ours is short words; any other may hold secrets.
  const route = /^\/(mcp|\.well-known)[a-z/-]{0,50}$/.test(pathname) ? pathname : "none";
  console.error(JSON.stringify({ level: "error", event: "crash", request_id: id, route, message: String(error) }));
  const headers = { "cache-control": "no-store", "x-request-id": id };
  // RFC 6749 4.1.2.1. With `server_error`, the official SDK would drop its tokens and ask its person to sign in again.
  const told = { error: "temporarily_unavailable", error_description: "internal error; the next request is served again" };
  return Response.json({ ...told, request_id: id }, { status: 500, headers });
}

/** Waits for the response, and for the body that it left unread; a 500 if the instance dies over it. Never rejects. */
async function finished(pending, request, id) {
  try {
    const response = await pending;
    await takeUnreadBody(request);
    return response;
  } catch (error) {
    return crashResponse(request, id, error);
  }
}

export default {
  fetch(request, env, ctx) {
    // The id is made here, so that a request over which the instance dies still has one.
    const id = crypto.randomUUID();
    let pending;
    try {
      pending = called((number) => wasm.handleRequest(number, headText(id, request), request, env, ctx));
    } catch (error) {
      return crashResponse(request, id, error);
    }
    // Nothing is left to wait for: a promise would only cost.
    if (pending instanceof Response && request.body === null) return pending;
    const response = finished(pending, request, id);
    // The runtime drops a request whose client hangs up. A write would then have no recorded outcome, and the wasm would keep what the
    // request waited for. So the request may go on, for at most 30 seconds (https://developers.cloudflare.com/workers/runtime-apis/context/).
    ctx.waitUntil(response);
    return response;
  },

  scheduled(event, env, ctx) {
    return called((number) => {
      const { resolve, reject } = unfinished.get(number);
      wasm.scheduled(event, env, ctx).then(resolve, reject).finally(() => unfinished.delete(number));
    });
  },
};

/** Key of the counter's state in its storage. */
const STATE = "state";

/** The counter of one limited key. */
export class RateLimit extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    const take = await request.text();
    const stored = (await storage.get(STATE)) ?? null;
    liveInstance();
    const { reply, state, alarm_after_milliseconds } = JSON.parse(wasm.countTake(take, JSON.stringify(stored)));
    // The runtime holds the response back until both are stored (output gate).
    if (alarm_after_milliseconds !== null) storage.setAlarm(Date.now() + alarm_after_milliseconds);
    if (state !== null) storage.put(STATE, state);
    return Response.json(reply);
  }

  /** Called when the window is over: an unused counter takes no storage. */
  alarm() {
    return this.ctx.storage.deleteAll();
  }
}
