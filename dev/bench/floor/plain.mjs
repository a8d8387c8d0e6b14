// The floor in plain JavaScript, so that the cost of wasm itself can be seen. The same routes as floor/lib.rs.

import { DurableObject } from "cloudflare:workers";

const TRIPS = {
  async r(env) {
    const [answer] = await env.DB.batch([env.DB.prepare("SELECT name FROM floor WHERE id = ?1").bind(1)]);
    return answer.results[0].name.length;
  },
  async w(env) {
    const [answer] = await env.DB.batch([env.DB.prepare("UPDATE floor SET times = times + 1 WHERE id = ?1").bind(1)]);
    return answer.meta.changes;
  },
  o: async (env) => (await (await env.COUNTER.getByName("one").fetch("https://counter/")).text()).length,
  f: async (env) => (await (await fetch(env.UPSTREAM)).arrayBuffer()).byteLength,
};

export default {
  async fetch(request, env) {
    let length = 0;
    for (const step of new URL(request.url).pathname.split("/")) {
      const lengths = await Promise.all([...step].map((trip) => TRIPS[trip](env)));
      length += lengths.reduce((sum, one) => sum + one, 0);
    }
    return new Response(String(length));
  },
};

export class Counter extends DurableObject {
  async fetch() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return new Response(String(count));
  }
}
