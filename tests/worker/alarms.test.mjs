// Each alarm of docs/operations.md rings: what it is about is made to happen, and what it looks for is there.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Client } from "./support/client.mjs";
import { eventually } from "./support/stack.mjs";
import { BreakableStack, HEALTH_TOKEN } from "./support/trouble.mjs";

const DOCUMENT = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

let trouble;
let stack;
let client;
after(() => stack?.stop());

async function start(vars) {
  await stack?.stop();
  trouble = await BreakableStack.start(vars);
  ({ stack } = trouble);
  client = new Client(stack);
}

const rung = [];

/** A test of the alarm with this name. */
function alarm(name, ring) {
  rung.push(name);
  test(`the alarm rings: ${name}`, async () => {
    await ring();
    await trouble.mend();
  });
}

const lines = () => stack.logs.map(({ message }) => message).filter((line) => line.startsWith("{")).map(JSON.parse);
const event = (name, fits = () => true) => eventually(() => lines().find((line) => line.event === name && fits(line)));
const note = (words) => event("request", ({ notes = [] }) => notes.some((text) => text.includes(words)));
const health = (token) => fetch(`${stack.url}/mcp/health`, { headers: { "x-health-token": token } });

describe("with a configuration that lacks something", () => {
  before(() => start({ HOSTED_MCP_UPSTREAM_URL: undefined }));

  alarm("health 404", async () => {
    assert.equal((await health(HEALTH_TOKEN)).status, 404);
    await event("switched_off");
    await event("configuration", ({ message }) => message.includes("HOSTED_MCP_UPSTREAM_URL"));
  });
});

describe("with another key than StatiBeat signs with", () => {
  before(() => start({ HOSTED_MCP_IDENTITY_KEYS: `simulator-1:${randomBytes(32).toString("base64url")}` }));

  alarm("log: a note `identity token`", async () => {
    await assert.rejects(client.connect());
    await note("identity token");
  });
});

describe("with an entry that cannot be read", () => {
  before(() => start({ HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS: "some-client=nowhere" }));

  alarm("log: event `configuration` names `HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS`", async () => {
    assert.deepEqual(await trouble.health(), []);
    await event("configuration", ({ message }) => message.includes("HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS"));
  });

  alarm("health 403", async () => assert.equal((await health("an older token")).status, 403));

  const parts = { database: { d1: { how: "before" } }, counters: { objects: { how: "fail" } }, upstream: { statibeat: { kind: "drop_before" } } };
  for (const [part, faults] of Object.entries(parts)) {
    alarm(`readiness: \`${part}\` failed`, async () => {
      await trouble.break(faults);
      assert.deepEqual(await trouble.health(), [part]);
      await note(`health: ${part}: `);
    });
  }

  alarm("log: a note `refused the connector's credential`", async () => {
    const { access_token } = await client.connect();
    await trouble.break({ statibeat: { kind: { status: { code: 401 } } } });
    assert.equal((await client.call(access_token, "resources/read", { uri: "statibeat://pages" })).status, 502);
    await note("refused the connector's credential");
  });

  alarm("log: a note `goes uncounted`", async () => {
    await trouble.break({ objects: { how: "fail" } });
    assert.equal(await client.ping("never-ours"), 401);
    await note("goes uncounted");
  });

  alarm("log: no event `purge` within two hours, or one of level `error`", async () => {
    await stack.runPurge();
    await event("purge", ({ level }) => level === "info");
    await trouble.break({ d1: { how: "before" } });
    await stack.runPurge();
    await event("purge", ({ level, message }) => level === "error" && message.includes("planned"));
  });

  alarm("log: event `crash`", async () => {
    await trouble.break({ panics: { how: "after", on: "FROM refresh_tokens r JOIN grants", times: 1 } });
    const { status, headers } = await client.refresh((await client.connect()).refresh_token);
    assert.equal(status, 500);
    await event("crash", ({ request_id }) => request_id === headers.get("x-request-id"));
  });

  alarm("audit: `refresh_repeat`, more than ten in an hour for one client", async () => {
    const { refresh_token } = await client.connect();
    for (let sent = 0; sent <= 11; sent += 1) assert.equal((await client.refresh(refresh_token)).status, 200);
    assert.equal(await trouble.count("audit WHERE kind = 'refresh_repeat'"), 11);
  });

  alarm("audit: `refresh_reuse` or `code_replay`, several in an hour", async () => {
    const { refresh_token } = await client.connect();
    await client.ping((await client.refresh(refresh_token)).body.access_token);
    assert.equal((await client.refresh(refresh_token)).body.error, "invalid_grant");
    assert.equal(await trouble.count("audit WHERE kind = 'refresh_reuse'"), 1);
    const redemption = await client.authorize();
    await client.token(redemption);
    await trouble.wait(11);
    assert.equal((await client.token(redemption)).body.error, "invalid_grant");
    assert.equal(await trouble.count("audit WHERE kind = 'code_replay'"), 1);
  });
});

test("every alarm about health, log and audit rings here, but the one that only the platform can", () => {
  const [, table] = /^## Alarms$([^]*?)^## /m.exec(DOCUMENT);
  const documented = [...table.matchAll(/^\| ((?:health|readiness|log|audit)[^|]*) \|/gm)].map(([, name]) => name);
  assert.deepEqual(documented.toSorted(), [...rung, "health without an answer, or 5xx without JSON"].toSorted());
});
