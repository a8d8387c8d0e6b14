// The worker, whose calls out of the wasm are counted. A request with `x-crossings` is answered with the counts since the last one, by the
// name of what was called, and begins anew.

let counts = {};

const { Instance } = WebAssembly;

/** An instance whose imported functions are counted. */
WebAssembly.Instance = function (module, imports) {
  const counted = (name, call) => (...given) => {
    counts[name] = (counts[name] ?? 0) + 1;
    return call(...given);
  };
  const wrap = ([name, call]) => [name, typeof call === "function" ? counted(name, call) : call];
  const entries = Object.entries(imports).map(([part, functions]) => [part, Object.fromEntries(Object.entries(functions).map(wrap))]);
  return new Instance(module, Object.fromEntries(entries));
};

// Only now, for the instance is made while it loads.
const { default: worker, RateLimit } = await import("./entry.js");

export { RateLimit };

export default {
  ...worker,
  fetch(request, env, ctx) {
    if (!request.headers.has("x-crossings")) return worker.fetch(request, env, ctx);
    const told = counts;
    counts = {};
    return Response.json(told);
  },
};
