// The JavaScript side of the runtime operations that the wasm starts (crossing.rs). A call between the two costs, and a promise that is
// awaited in the wasm costs many: so the arguments of an operation come as one text or as bytes, it is awaited here with its time limit,
// and its result goes back in one call.

const NOTHING = new Uint8Array();

/** `reason` is a variant of the wasm's `CrossingError`. */
class OperationError extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** Settles as `work` does, or rejects after the timeout. */
function within(milliseconds, work) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const timer = setTimeout(() => reject(new OperationError("Timeout")), milliseconds);
  const stopping = (settle) => (result) => {
    clearTimeout(timer);
    settle(result);
  };
  work.then(stopping(resolve), stopping(reject));
  return promise;
}

/** The length of a body; undefined if it is compressed or chunked, because its `content-length` is then another one. */
function framedLength(headers) {
  const announced = headers.get("content-length");
  if (announced === null || headers.has("content-encoding") || headers.has("transfer-encoding")) return undefined;
  return /^\d+$/.test(announced) ? Number(announced) : undefined;
}

/** The whole body of a request or response, of at most `limit` bytes. */
async function wholeBody(source, limit) {
  const length = framedLength(source.headers);
  if (length > limit) throw new OperationError("TooLarge");
  // Only if the length is known: `arrayBuffer` has no limit.
  if (length !== undefined) {
    const bytes = new Uint8Array(await source.arrayBuffer());
    if (bytes.length > limit) throw new OperationError("TooLarge");
    return bytes;
  }
  if (source.body === null) return NOTHING;
  const pieces = [];
  let size = 0;
  const reader = source.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    size += piece.value.length;
    if (size > limit) {
      // The rest is not awaited.
      reader.cancel().catch(() => {});
      throw new OperationError("TooLarge");
    }
    pieces.push(piece.value);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

async function runBatch(db, text, milliseconds) {
  const statements = JSON.parse(text).map(([sql, values]) => {
    const statement = db.prepare(sql);
    // `bind` without values is an error.
    return values.length === 0 ? statement : statement.bind(...values);
  });
  const results = await within(milliseconds, db.batch(statements));
  return { value: results.map(({ results }) => results) };
}

/** The bytes before the seed in a private key in PKCS #8 (RFC 8410 7). */
const PKCS8_HEAD = Uint8Array.fromHex("302e020100300506032b657004220420");

const ENCODER = new TextEncoder();

/** The key of the last signature with its seed: a key is imported once. */
let signingKey = { seed: "" };

async function importedKey(seed) {
  if (signingKey.seed === seed) return signingKey.key;
  const pkcs8 = new Uint8Array([...PKCS8_HEAD, ...Uint8Array.fromBase64(seed)]);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  signingKey = { seed, key };
  return key;
}

/** Verifies an Ed25519 signature; false also for a key that the runtime does not take. */
export async function verifySignature(key, signature, message) {
  // The bytes are the wasm's own and change once it goes on.
  const [keyBytes, signatureBytes, messageBytes] = [key, signature, message].map((bytes) => bytes.slice());
  try {
    const imported = await crypto.subtle.importKey("raw", keyBytes, "Ed25519", false, ["verify"]);
    return { value: await crypto.subtle.verify("Ed25519", imported, signatureBytes, messageBytes) };
  } catch {
    return { value: false };
  }
}

/** The public key of an Ed25519 seed, which WebCrypto has only in the form of a JSON Web Key. */
export async function derivePublicKey(seed) {
  const pkcs8 = new Uint8Array([...PKCS8_HEAD, ...seed]);
  const { x } = await crypto.subtle.exportKey("jwk", await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]));
  return { bytes: Uint8Array.fromBase64(x, { alphabet: "base64url" }) };
}

const BEARER = "Bearer ";

async function send(head, body, seed, milliseconds, limit) {
  const [method, url, headers] = JSON.parse(head);
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), milliseconds);
  // The bytes are in the wasm's memory, which changes once it goes on.
  const sent = body.length === 0 ? undefined : body.slice();
  const seedText = seed.toBase64();
  try {
    if (seedText !== "") {
      // Only a promise that is not there yet is awaited: each costs.
      const key = signingKey.seed === seedText ? signingKey.key : await importedKey(seedText);
      const signed = await crypto.subtle.sign("Ed25519", key, ENCODER.encode(headers.authorization.slice(BEARER.length)));
      headers.authorization += `.${new Uint8Array(signed).toBase64({ alphabet: "base64url", omitPadding: true })}`;
    }
    const answer = await fetch(url, { method, headers, redirect: "manual", signal: controller.signal, body: sent });
    const bytes = await wholeBody(answer, limit);
    return { value: [answer.status, answer.headers.get("retry-after")], bytes };
  } catch (error) {
    // The runtime throws different errors after an abort; only the signal tells for sure.
    const isLate = controller.signal.aborted;
    // Closes a response that was not read to its end.
    controller.abort();
    throw isLate ? new OperationError("Timeout") : error;
  } finally {
    clearTimeout(timer);
  }
}

async function askCounter(namespace, key, take, milliseconds) {
  // `fetch` of a Durable Object takes an absolute URL; the object ignores it.
  const ask = async () => (await namespace.getByName(key).fetch("https://rate-limit/", { method: "POST", body: take })).json();
  return { value: await within(milliseconds, ask().catch(ask)) };
}

/** Refuses what is no UTF-8, and keeps a byte order mark. */
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A response's body. A text costs the runtime less than its bytes, which the wasm overwrites once it goes on; an icon is no text. */
function responseBody(bytes) {
  if (bytes.length === 0) return null;
  try {
    return DECODER.decode(bytes);
  } catch {
    return bytes.slice();
  }
}

/** A request's head as the wasm takes it: lines, none of which holds a line break. */
export function headText(id, { method, url, headers }) {
  let text = `${id}\n${Date.now()}\n${method}\n${url}`;
  for (const [name, value] of headers) text += `\n${name}\n${value}`;
  return text;
}

/** The imports of the wasm. `settle(id, now, text, bytes)` is the export that takes results; `finish(number, make)` takes a request's response. */
export function crossings(settle, finish) {
  let newest = 0;
  /** Starts an operation; returns its number, which no other instance of the wasm uses. */
  const start = (work) => {
    newest = (newest + 1) >>> 0;
    const id = newest;
    work().then(
      ({ value = null, bytes = NOTHING }) => settle(id, Date.now(), JSON.stringify({ Ok: value }), bytes),
      (error) => {
        const reason = error instanceof OperationError ? error.reason : { Failed: String(error?.message ?? error) };
        settle(id, Date.now(), JSON.stringify({ Err: reason }), NOTHING);
      },
    );
    return id;
  };
  return {
    readVariables(env) {
      const variables = {};
      // Inherited ones too: the environment of a request inherits from the worker's.
      for (const name in env) if (typeof env[name] === "string") variables[name] = env[name];
      return JSON.stringify(variables);
    },
    readBody: (request, limit) => start(async () => ({ bytes: await wholeBody(request, limit) })),
    runBatch: (...given) => start(() => runBatch(...given)),
    send: (...given) => start(() => send(...given)),
    verifySignature: (...given) => start(() => verifySignature(...given)),
    derivePublicKey: (...given) => start(() => derivePublicKey(...given)),
    askCounter: (...given) => start(() => askCounter(...given)),
    sleep: (milliseconds) => start(() => new Promise((resolve) => setTimeout(resolve, milliseconds, {}))),
    finish: (number, status, headers, body) => finish(number, () => new Response(responseBody(body), { status, headers: JSON.parse(headers) })),
    writeLine: (level, line) => (level === "info" ? console.log(line) : console[level](line)),
    writePoint(env, point) {
      try {
        env.METRICS.writeDataPoint(JSON.parse(point));
      } catch (error) {
        return String(error?.message ?? error);
      }
    },
  };
}
