// The module that the runtime loads for the floor.

import { DurableObject } from "cloudflare:workers";
import * as wasm from "../../../target/bench/floor/index.js";

export default { fetch: (request, env, ctx) => wasm.fetch(request, env, ctx) };

export class Counter extends DurableObject {
  #object = new wasm.Counter(this.ctx, this.env);

  fetch(request) {
    return this.#object.fetch(request);
  }
}
