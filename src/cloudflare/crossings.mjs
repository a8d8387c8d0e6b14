// The JavaScript side of what the wasm asks of the runtime (crossing.rs). A call between the two costs, and a promise that is awaited in
// the wasm costs many: so each question comes as one text or as bytes, is awaited here with its time limit, and is answered once.

const NOTHING = new Uint8Array();

/** `reason` is a variant of the wasm's `CrossingError`. */
class Unanswered extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** Settles as `work` does, or with a time-out. */
function within(milliseconds, work) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const timer = setTimeout(() => reject(new Unanswered("Timeout")), milliseconds);
  work.then(resolve, reject).finally(() => clearTimeout(timer));
  return promise;
}

/** The length of a body, where it is sure to be that: of a compressed or chunked one, the announcement says nothing. */
function framedLength(headers) {
  const announced = headers.get("content-length");
  if (announced === null || headers.has("content-encoding") || headers.has("transfer-encoding")) return undefined;
  return /^\d+$/.test(announced) ? Number(announced) : undefined;
}

/** The whole body of a request or response, of at most `limit` bytes. */
async function wholeBody(source, limit) {
  if (source.body === null) return NOTHING;
  const length = framedLength(source.headers);
  if (length > limit) throw new Unanswered("TooLarge");
  // Only where the length is known, for the runtime has no limit.
  if (length !== undefined) {
    const bytes = new Uint8Array(await source.arrayBuffer());
    if (bytes.length > limit) throw new Unanswered("TooLarge");
    return bytes;
  }
  const pieces = [];
  let size = 0;
  const reader = source.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    size += piece.value.length;
    if (size > limit) {
      // Nobody waits for the end of the rest.
      reader.cancel().catch(() => {});
      throw new Unanswered("TooLarge");
    }
    pieces.push(piece.value);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

async function runBatch(db, text, milliseconds) {
  const statements = JSON.parse(text).map(([sql, values]) => {
    const statement = db.prepare(sql);
    // Binding nothing is an error of its own.
    return values.length === 0 ? statement : statement.bind(...values);
  });
  const results = await within(milliseconds, db.batch(statements));
  return { value: results.map(({ results }) => results) };
}

/** A private key in PKCS #8 (RFC 8410 7) is this and then the seed. */
const PKCS8_HEAD = Uint8Array.fromHex("302e020100300506032b657004220420");

/** The key that was last signed with, as it is imported once, and its seed. */
let signingKey = { seed: "" };

async function signature(seed, text) {
  if (signingKey.seed !== seed) {
    const pkcs8 = new Uint8Array([...PKCS8_HEAD, ...Uint8Array.fromBase64(seed)]);
    signingKey = { seed, imported: crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]) };
  }
  const signed = await crypto.subtle.sign("Ed25519", await signingKey.imported, new TextEncoder().encode(text));
  return new Uint8Array(signed).toBase64({ alphabet: "base64url", omitPadding: true });
}

const BEARER = "Bearer ";

/** Appends the signature to the bearer token among the headers. */
async function signBearer(headers, seed) {
  const header = headers.find(([name]) => name === "authorization");
  header[1] += `.${await signature(seed, header[1].slice(BEARER.length))}`;
}

async function send(head, body, seed, milliseconds, limit) {
  const [method, url, headers] = JSON.parse(head);
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), milliseconds);
  // The bytes are the wasm's own and change once it goes on.
  const sent = body.length === 0 ? null : body.slice();
  const key = seed.toBase64();
  try {
    if (key !== "") await signBearer(headers, key);
    const init = { method, headers, redirect: "manual", signal: controller.signal, ...(sent && { body: sent }) };
    const answer = await fetch(url, init);
    const bytes = await wholeBody(answer, limit);
    return { value: [answer.status, [...answer.headers]], bytes };
  } catch (error) {
    // The runtime reports what the signal cut off in several ways; the signal itself is sure.
    const isLate = controller.signal.aborted;
    // Closes an answer that was not read to its end.
    controller.abort();
    throw isLate ? new Unanswered("Timeout") : error;
  } finally {
    clearTimeout(timer);
  }
}

async function askCounter(namespace, key, take, milliseconds) {
  // An object needs an absolute URL; nobody looks at it.
  const ask = async () => (await namespace.getByName(key).fetch("https://rate-limit/", { method: "POST", body: take })).json();
  return { value: await within(milliseconds, ask().catch(ask)) };
}

/** Every import of the wasm. `settle(id, now, text, bytes)` is the wasm's own. */
export function crossings(settle) {
  let newest = 0;
  /** Starts what answers a question, and returns the question's number, which no other instance of the wasm uses. */
  const start = (work) => {
    newest = (newest + 1) >>> 0;
    const id = newest;
    work().then(
      ({ value = null, bytes = NOTHING }) => settle(id, Date.now(), JSON.stringify({ Ok: value }), bytes),
      (error) => {
        const reason = error instanceof Unanswered ? error.reason : { Failed: String(error?.message ?? error) };
        settle(id, Date.now(), JSON.stringify({ Err: reason }), NOTHING);
      },
    );
    return id;
  };
  return {
    readHead: ({ method, url, headers }, env) => JSON.stringify({ request_id: env.REQUEST_ID, now: Date.now(), method, url, headers: [...headers] }),
    readVariables(env) {
      const variables = {};
      // Also what is inherited: each request's environment stands on the worker's own.
      for (const name in env) if (typeof env[name] === "string") variables[name] = env[name];
      return JSON.stringify(variables);
    },
    readBody: (request, limit) => start(async () => ({ bytes: await wholeBody(request, limit) })),
    runBatch: (...question) => start(() => runBatch(...question)),
    send: (...question) => start(() => send(...question)),
    askCounter: (...question) => start(() => askCounter(...question)),
    sleep: (milliseconds) => start(() => new Promise((resolve) => setTimeout(resolve, milliseconds, {}))),
    respond: (status, headers, body) => new Response(body.length === 0 ? null : body.slice(), { status, headers: JSON.parse(headers) }),
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
