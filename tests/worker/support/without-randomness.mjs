// The worker, but a request that asks for it finds no random source: the one thing that the code cannot go on without,
// and so a panic on demand without a test route in what is shipped.

import worker, { RateLimit } from "./entry.js";

export { RateLimit };

const refuse = () => {
  throw new Error("no random source");
};

export default {
  ...worker,
  fetch(request, env, ctx) {
    if (request.headers.has("x-panic")) crypto.getRandomValues = refuse;
    else delete crypto.getRandomValues;
    return worker.fetch(request, env, ctx);
  },
};
