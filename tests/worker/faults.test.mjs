// One thing behind the worker fails at a time, and recovers, while real clients keep calling. Each row says what they see
// meanwhile; afterwards everybody goes on as if nothing had been: nothing lost, nothing twice, nobody signed out.
//
// The rows are also the table in docs/operations.md; `FAULTS=write` writes it there.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { showLogOfFailures } from "./clients/support/failures.mjs";
import { BreakableStack, Callers, LATER, inWords } from "./support/trouble.mjs";

const DOCUMENT = new URL("../../docs/operations.md", import.meta.url);

let trouble;
let callers;
before(async () => {
  trouble = await BreakableStack.start();
  callers = await Callers.ready(trouble.stack);
});
after(() => trouble?.stack.stop());
showLogOfFailures(() => trouble?.stack);

const WORKS = "works";
const UNREACHED = (wait = 5) => `503, wait ${wait} s: "StatiBeat cannot be reached."`;
const UNREAD = '503, wait 5 s: "StatiBeat\'s answer could not be read."';
const NOT_NOW = '503, wait 5 s: "temporarily_unavailable"';
const NOTHING_ANSWERS = "503: \"Something isn't responding\"";
const TRY_LATER = '503, wait 5 s: "try again later"';
const UNCOUNTED = '"The rate limit of writes cannot be checked at the moment, so nothing was published. Try again later."';
const UNRECORDED =
  '"The write cannot be recorded at the moment, so nothing was published. Try again later. No audit entry could be recorded for this call."';
const UNCONFIRMED =
  '"StatiBeat did not confirm the write: it may or may not have been published, and it is not visible at StatiBeat yet. Call again with the same arguments: the server checks first and publishes nothing twice."';

/** StatiBeat is of no use to anybody, in these words. */
const statibeat = (kind, words, rest) => ({ faults: { statibeat: { kind }, ...rest }, read: words, write: words.replace(/"$/, ' Nothing was published."'), refresh: NOT_NOW, page: NOTHING_ANSWERS, health: ["upstream"] });
const d1 = (how, rest) => ({ faults: { d1: { how }, ...rest }, read: TRY_LATER, write: TRY_LATER, refresh: NOT_NOW, page: NOTHING_ANSWERS, health: ["database"] });
const fine = { read: WORKS, write: "published", refresh: WORKS, page: WORKS, health: [] };
/** A write itself, not its dry run. */
const post = (kind) => ({ method: "POST", path: "/api/v1/orgs/*/pages/*/admin/incidents", kind });

/** Failures, with the expected responses and the log line that shows them to operators. */
const ROWS = {
  "StatiBeat answers 500": { ...statibeat({ status: { code: 500 } }, UNREACHED()), log: /500 Internal Server Error/ },
  "StatiBeat answers 503 with Retry-After": { ...statibeat({ status: { code: 503, retry_after: 7 } }, UNREACHED(7)), log: /503 Service Unavailable/ },
  "StatiBeat answers 429": { ...statibeat({ status: { code: 429, retry_after: 7 } }, '503, wait 7 s: "StatiBeat is limiting requests."'), health: [], log: /limiting requests/ },
  "StatiBeat does not answer": { ...statibeat("hold", UNREACHED(), { hurry: true }), log: /no answer in time/ },
  "StatiBeat closes the connection": { ...statibeat("drop_before", UNREACHED()), log: /StatiBeat is not available/ },
  "StatiBeat's responses end too early": { ...statibeat("cut_body", UNREACHED()), log: /StatiBeat is not available/ },
  "StatiBeat answers 200 with an HTML page": { ...statibeat({ html: { code: 200 } }, UNREAD), log: /response is invalid/ },
  "A proxy answers 502 with an HTML page": { ...statibeat({ html: { code: 502 } }, UNREACHED()), log: /502 Bad Gateway/ },
  "StatiBeat publishes, and its response is lost": { ...fine, faults: { statibeat: post("drop_after") }, log: /"upstream":{[^}]*"failed":1/ },
  "The same, and the write cannot be looked up": {
    ...fine,
    faults: { statibeat: [post("drop_after"), { path: "/api/v1/orgs/*/pages/*/admin/incidents/external/*", kind: { status: { code: 500 } } }] },
    write: UNCONFIRMED,
    log: /"outcome_unknown"/,
  },
  "StatiBeat answers a write with 500 and publishes nothing": { ...fine, faults: { statibeat: post({ status: { code: 500 } }) }, write: UNCONFIRMED, log: /"outcome_unknown"/ },
  "D1 fails": { ...d1("before"), log: /planned, nothing was done/ },
  "D1 commits, and its response is lost": { ...d1("after"), log: /planned, the answer is lost/ },
  "D1 does not answer": { ...d1("never", { hurry: true }), log: /database: no answer in time/ },
  "D1 is slow": { ...fine, faults: { d1: { how: "slow" } }, log: /"d1":{[^}]*"slowest_ms":[6-9]\d/ },
  "D1 fails when a write acquires its lease": { ...fine, faults: { d1: { how: "before", on: "INSERT INTO idempotency" } }, write: UNRECORDED, log: /was not posted/ },
  "D1 stores a write's lease, and its response is lost": { ...fine, faults: { d1: { how: "after", on: "INSERT INTO idempotency" } }, write: UNRECORDED, log: /was not posted/ },
  "D1 fails when the outcome of a write is stored": { ...fine, faults: { d1: { how: "before", on: "UPDATE idempotency SET outcome" } }, log: /the end of audit row .* is not recorded: done/ },
  "D1 rotates a refresh token, and its response is lost": { ...fine, faults: { d1: { how: "after", on: "UPDATE refresh_tokens SET rotated_at", times: 1 } }, log: /token endpoint: .*answer is lost/ },
  "Durable Objects fail": { ...fine, faults: { objects: { how: "fail" } }, write: UNCOUNTED, health: ["counters"], log: /rate limiter: .*was not posted/ },
  "Durable Objects do not answer": { ...fine, faults: { objects: { how: "never" }, hurry: true }, write: UNCOUNTED, health: ["counters"], log: /rate limiter: no answer in time/ },
  "A Durable Object is evicted": { ...fine, faults: { objects: { how: "evicted", times: 1 } } },
};

describe("while one thing fails", () => {
  for (const [name, row] of Object.entries(ROWS)) {
    test(`${name}: everybody is told the truth and goes on afterwards`, async () => {
      const logged = trouble.stack.logs.length;
      const seen = await whatIsSeen(row.faults, name);
      const { read, write, refresh, page, health } = row;
      assert.deepEqual(seen, { read, write, refresh, page, health });
      const lines = trouble.stack.logs.slice(logged).map(({ message }) => message);
      if (row.log) assert.ok(lines.some((line) => row.log.test(line)), `no line like ${row.log}`);
      await recovers(name);
    });
  }
});

/** Each step meets a connector that knows nothing of trouble yet. */
async function whatIsSeen(faults, title) {
  const seen = {};
  const step = async (act) => {
    await trouble.break(faults);
    const answer = await act();
    await trouble.mend();
    await trouble.wait(10);
    assert.equal((await callers.read()).status, 200, "it did not recover by itself");
    return answer;
  };
  for (const name of ["read", "write", "refresh", "page"]) seen[name] = inWords(await step(() => callers[name](title)));
  seen.health = await step(() => trouble.health());
  await step(() => callers.readBySdk().catch((error) => assert.match(error.message, /try again/)));
  return seen;
}

/** A client that repeats its write, as it was told to, finds it published once; and nobody has lost anything. */
async function recovers(...titles) {
  await trouble.wait(LATER);
  for (const title of titles) {
    assert.match(inWords(await callers.write(title)), /^(published|works)$/);
    assert.equal(await trouble.published(title), 1);
    const isOnRecord = "audit WHERE kind = 'write' AND title = ? AND outcome IN ('done', 'replayed')";
    assert.ok((await trouble.count(isOnRecord, title)) >= 1);
  }
  assert.equal(await trouble.count("idempotency WHERE outcome <> 'done'"), 0);
  await callers.haveLostNothing();
  assert.equal(await trouble.count("grants WHERE revoked_at IS NOT NULL"), 0);
}

test("a failing StatiBeat is not called for a while, then probed", async () => {
  await trouble.break({ statibeat: { kind: { status: { code: 500 } } } });
  for (let call = 0; call < 3; call += 1) {
    await callers.read(); // the page itself
    await callers.page(); // the person's list of pages, on which all else depends
  }
  await trouble.takeRequests();
  const answers = [await callers.read(), await callers.write("left alone"), await callers.refresh(), await callers.page()];
  assert.deepEqual(answers.map(({ status }) => status), [503, 503, 503, 503]);
  assert.deepEqual(await trouble.takeRequests(), []);
  await trouble.mend();
  await trouble.wait(6);
  assert.equal((await callers.read()).status, 200);
  await recovers("left alone");
});

test("everybody calls at once while one thing after another fails, and nothing is lost or doubled", async () => {
  const titles = [];
  for (const [round, { faults }] of Object.values(ROWS).filter((_, at) => at % 2).entries()) {
    const title = `storm ${round}`;
    titles.push(title);
    await trouble.break({ ...faults, hurry: true });
    const calls = [callers.read(), callers.write(title), callers.refresh(), callers.page(), callers.readBySdk().catch((error) => error)];
    const [read, write, refresh] = await Promise.all(calls);
    for (const { status } of [read, write, refresh]) assert.ok([200, 503].includes(status), `${status} in round ${round}`);
    await trouble.mend();
    await trouble.wait(30);
  }
  await recovers(...titles);
});

/** The table in docs/operations.md. */
const TABLE = [
  "| What fails | A read | A write | A refresh | The Hosted MCP page | Health check |",
  "|---|---|---|---|---|---|",
  ...Object.entries(ROWS).map(([name, { read, write, refresh, page, health }]) => `| ${[name, read, write, refresh, page, health.length ? `\`${health}\` failed` : "ready"].join(" | ")} |`),
].join("\n");

test("docs/operations.md says what users see", () => {
  const text = readFileSync(DOCUMENT, "utf8");
  const shown = /(?<=^## What users see when something fails$[^]*?\n)\| What fails[^]*?(?=\n\n)/m;
  assert.match(text, shown);
  if (process.env.FAULTS === "write") writeFileSync(DOCUMENT, text.replace(shown, () => TABLE));
  else assert.equal(shown.exec(text)[0], TABLE);
});

test("nothing of it was our own fault", () => {
  assert.deepEqual(trouble.stack.logs.filter(({ level }) => level === "error"), []);
});
