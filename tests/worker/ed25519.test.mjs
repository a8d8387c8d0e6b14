// Ed25519 as the runtime computes it for the worker (src/cloudflare/crossings.mjs), by the vectors that the native implementation passes too.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";

const read = (path) => readFile(new URL(path, import.meta.url), "utf8");
const { keys, signatures } = JSON.parse(await read("../tables/ed25519.json"));

/** Answers with what the functions under test make of bytes in hexadecimal. */
const MAIN = `
  import { derivePublicKey, verifySignature } from "./crossings.mjs";
  const bytes = (text) => Uint8Array.fromHex(text);
  export default {
    async fetch(request) {
      const { key, signature, message, seed } = await request.json();
      if (seed) return Response.json((await derivePublicKey(bytes(seed))).bytes.toHex());
      return Response.json((await verifySignature(bytes(key), bytes(signature), bytes(message))).value);
    },
  };`;

let runtime;
before(async () => {
  const [, compatibilityDate] = /^compatibility_date = "(.+)"/m.exec(await read("../../wrangler.toml"));
  const module = (path, contents) => ({ type: "ESModule", path, contents });
  const modules = [module("main.mjs", MAIN), module("crossings.mjs", await read("../../src/cloudflare/crossings.mjs"))];
  const options = { host: "127.0.0.1", port: 0, cf: false, log: new Log(LogLevel.ERROR), modules, modulesRoot: ".", compatibilityDate };
  runtime = new Miniflare(convertV4MiniflareOptions(options));
});
after(() => runtime?.dispose());

const ask = async (question) => (await runtime.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(question) })).json();

for (const { name, key, seed } of keys) test(`${name}: the seed has that public key`, async () => assert.equal(await ask({ seed }), key));

for (const { name, holds, ...question } of signatures) {
  test(`${name}: the signature ${holds ? "holds" : "does not hold"}`, async () => assert.equal(await ask(question), holds));
}

test("signature or key of another length does not hold", async () => {
  const { key, signature, message } = signatures[0];
  for (const bad of [{ key: key.slice(2) }, { key: `${key}00` }, { key: "" }, { signature: signature.slice(2) }, { signature: "" }]) {
    assert.equal(await ask({ key, signature, message, ...bad }), false, JSON.stringify(bad));
  }
});
