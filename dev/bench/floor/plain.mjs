// The floor in plain JavaScript, so that the cost of wasm itself can be seen. The same routes as floor/lib.rs.

import { DurableObject } from "cloudflare:workers";

export default {
  async fetch(request, env) {
    const [, reads, objects, fetches, writes = 0] = new URL(request.url).pathname.split("/").map(Number);
    let length = 0;
    for (let left = reads; left > 0; left -= 1) {
      const [answer] = await env.DB.batch([env.DB.prepare("SELECT name FROM floor WHERE id = ?1").bind(1)]);
      length += answer.results[0].name.length;
    }
    for (let left = objects; left > 0; left -= 1) {
      length += (await (await env.COUNTER.getByName("one").fetch("https://counter/")).text()).length;
    }
    for (let left = fetches; left > 0; left -= 1) {
      length += (await (await fetch(env.UPSTREAM)).arrayBuffer()).byteLength;
    }
    for (let left = writes; left > 0; left -= 1) {
      const [answer] = await env.DB.batch([env.DB.prepare("UPDATE floor SET times = times + 1 WHERE id = ?1").bind(1)]);
      length += answer.meta.changes;
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
