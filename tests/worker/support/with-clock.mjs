// The worker, with two things in a test's hand that nothing shipped has: the clock, and the end of an object's life.
//
// A request with `x-ahead-seconds` moves the clock for itself and whatever follows; `x-hold-clock` makes it stand still. A
// rate limiter's object that is asked with `x-evict` is ended by the runtime as if it had been idle: its memory is gone,
// its storage stays.

import worker, { RateLimit as Counter } from "./entry.js";

const RealDate = Date;
let aheadMilliseconds = 0;
let heldAt;

globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [Date.now()]));
  }

  static now() {
    return (heldAt ?? RealDate.now()) + aheadMilliseconds;
  }
};

export default {
  ...worker,
  fetch(request, env, ctx) {
    const ahead = request.headers.get("x-ahead-seconds");
    if (ahead !== null) aheadMilliseconds = Number(ahead) * 1000;
    if (request.headers.has("x-hold-clock")) heldAt = RealDate.now();
    return worker.fetch(request, env, ctx);
  },
};

export class RateLimit extends Counter {
  async fetch(request) {
    if (!request.headers.has("x-evict")) return super.fetch(request);
    await this.ctx.storage.sync();
    this.ctx.abort("evicted");
  }
}
