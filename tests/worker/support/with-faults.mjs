// The worker, with what stands behind it in a test's hand: D1, the counters' objects, the random source, long waits, and
// the clock. Nothing of it is in what is shipped.
//
// A request with `x-faults` says, as JSON, what is broken from now on, and is answered here. All members may be left out:
//
//     d1       { how: "before" | "after" | "never" | "slow", on, times }   fails before or after the batch is done, never
//              answers, or answers late
//     objects  { how: "fail" | "never" | "evicted", times }
//     panics   { how: "before" | "after", on, times }   the instance dies just before or after a batch, or a request to
//              StatiBeat
//     hurry    waits and time-outs of the worker last a tenth of a second at most
//     ahead_seconds   how far the clock is ahead
//
// `on` are words of a statement of the batch, or of a request's method and path (`POST as a dry run /…`): without them each one is meant. `times`
// is how often.

import worker, { RateLimit as Counter } from "./entry.js";

const LONG = 60_000;
const SHORT = 100;
const PAUSE = 1000;
const SLOW = 60;

let faults = {};
/** The arguments of the newest request. */
let newest;

export default {
  ...worker,
  async fetch(request, env, ctx) {
    const told = request.headers.get("x-faults");
    if (told === null) {
      newest = [request.url, behind(env), ctx];
      return worker.fetch(request, behind(env), ctx);
    }
    faults = JSON.parse(told);
    return new Response(null, { status: 204 });
  },
  scheduled(event, env, ctx) {
    return worker.scheduled(event, behind(env), ctx);
  },
};

const behind = (env) => Object.create(env, { DB: { value: breakable(env.DB) } });

// D1. The prepared statements are the real ones; only what they say is remembered.

const texts = new WeakMap();

function breakable(db) {
  const prepare = (sql) => {
    const statement = db.prepare(sql);
    const bind = statement.bind.bind(statement);
    texts.set(statement, sql);
    statement.bind = (...values) => {
      const bound = bind(...values);
      texts.set(bound, sql);
      return bound;
    };
    return statement;
  };
  return Object.create(db, { prepare: { value: prepare }, batch: { value: (statements) => batch(db, statements) } });
}

async function batch(db, statements) {
  const text = statements.map((statement) => texts.get(statement)).join("\n");
  await panicIf("before", text);
  const how = meets(faults.d1, text) && faults.d1.how;
  if (how === "never" || how === "slow") await scheduler.wait(how === "never" ? LONG : SLOW);
  if (how === "before") throw new Error("D1_ERROR: planned, nothing was done"); // without a cause, as of a lost connection
  const answer = await db.batch(statements);
  if (how === "after") throw new Error("D1_ERROR: planned, the answer is lost");
  await panicIf("after", text);
  return answer;
}

function meets(fault, text) {
  if (!fault || !text.includes(fault.on ?? "") || fault.times === 0) return false;
  if (fault.times !== undefined) fault.times -= 1;
  return true;
}

// StatiBeat is broken in the simulator, over real connections; here it only marks a moment.

const realFetch = globalThis.fetch;

globalThis.fetch = async (address, init) => {
  const { pathname, searchParams } = new URL(address);
  const text = `${init?.method ?? "GET"}${searchParams.has("dry_run") ? " as a dry run" : ""} ${pathname}`;
  await panicIf("before", text);
  const answer = await realFetch(address, init);
  await panicIf("after", text);
  return answer;
};

// A panic, at this very moment: another request to the same instance finds no random source, and the code cannot go on
// without. Whatever the instance was doing never finishes.

async function panicIf(how, text) {
  if (faults.panics?.how !== how || !meets(faults.panics, text)) return;
  crypto.getRandomValues = () => {
    throw new Error("no random source");
  };
  const [url, ...rest] = newest;
  const answer = await worker.fetch(new Request(new URL("/.well-known/oauth-authorization-server", url)), ...rest);
  delete crypto.getRandomValues;
  if (answer.status !== 500) throw new Error(`the instance goes on: ${answer.status}`);
}

// Time.

const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [Date.now()]));
  }

  static now() {
    return RealDate.now() + (faults.ahead_seconds ?? 0) * 1000;
  }
};

/** A pause before something is tried again is none here. */
const shortened = (milliseconds) => (milliseconds < PAUSE ? 1 : faults.hurry ? SHORT : milliseconds);
const { setTimeout: realSetTimeout } = globalThis;
globalThis.setTimeout = (callback, milliseconds, ...rest) => realSetTimeout(callback, shortened(milliseconds), ...rest);
const realTimeout = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (milliseconds) => realTimeout(shortened(milliseconds));

/** The counters' object. Evicted, it loses its memory and keeps its storage. */
export class RateLimit extends Counter {
  async fetch(request) {
    const how = meets(faults.objects, "") && faults.objects.how;
    if (how === "fail") throw new Error("planned");
    if (how === "never") await scheduler.wait(LONG);
    if (how === "evicted") {
      await this.ctx.storage.sync();
      this.ctx.abort("evicted");
    }
    return super.fetch(request);
  }
}
