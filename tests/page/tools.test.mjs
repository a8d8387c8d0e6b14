// Every tool over real pipes, then what surrounds a write: preview, confirmation, repeats, lost answers. Which token may do what
// is in token_permissions.rs, bad input in bad_arguments.rs.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Pipe, endAll } from "./support/program.mjs";
import { TOKENS, startSimulator } from "./support/simulator.mjs";

let simulator;
before(async () => (simulator = await startSimulator()));
after(() => {
  endAll();
  return simulator.stop();
});
afterEach(() => simulator.clearFaults());

const env = (token, more = {}) => ({ STATIBEAT_API_TOKEN: token, STATIBEAT_BASE_URL: simulator.url, ...more });

async function opened(token = TOKENS.write, more = {}) {
  const pipe = new Pipe(env(token, more));
  await pipe.handshake();
  return pipe;
}

const words = (result) => result.content.map((block) => block.text ?? "").join("\n");
const WINDOW = { starts_at: "2030-01-02T22:00:00Z", ends_at: "2030-01-02T23:00:00Z" };

/** A fresh incident and a fresh maintenance, made past the server under test. */
async function made(kind, body) {
  const headers = { authorization: `Bearer ${TOKENS.admin}`, "content-type": "application/json" };
  const answer = await fetch(`${simulator.url}/api/v1/admin/${kind}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 201);
  return (await answer.json()).id;
}

const incident = () => made("incidents", { title: "Target", description: "Made by a test." });
const maintenance = (window = WINDOW) => made("maintenances", { title: "Target", description: "Made by a test.", ...window });
const running = () => maintenance({ starts_at: new Date(Date.now() - 60_000).toISOString(), ends_at: WINDOW.ends_at });
const post = async (path) => {
  const headers = { authorization: `Bearer ${TOKENS.admin}` };
  assert.ok((await fetch(`${simulator.url}/api/v1/admin/${path}`, { method: "POST", headers })).ok, path);
};
const resolved = async () => {
  const id = await incident();
  await post(`incidents/${id}/resolve`);
  return id;
};
const pending = async () => (await simulator.read("beats/actions?status=pending")).body.items[0].id;
const enabledBeat = async () => (await simulator.read("beats?view=full")).body.items.find((beat) => beat.enabled).id;

/** Valid arguments for each tool; irreversible tools need the confirm token of a preview. */
const TOOLS = {
  create_incident: async () => ({ title: "Slow", description: "It is slow." }),
  add_incident_update: async () => ({ incident_id: await incident(), message: "We look into it." }),
  schedule_maintenance: async () => ({ title: "Work", description: "We work on it.", ...WINDOW }),
  add_maintenance_update: async () => ({ maintenance_id: await maintenance(), message: "We prepare." }),
  update_incident: async () => ({ incident_id: await incident(), title: "Better words" }),
  acknowledge_incident: async () => ({ incident_id: await incident() }),
  resolve_incident: async () => ({ incident_id: await incident(), resolution_message: "It is over." }),
  reopen_incident: async () => ({ incident_id: await resolved() }),
  delete_incident: async () => ({ incident_id: await incident() }),
  update_maintenance: async () => ({ maintenance_id: await maintenance(), ends_at: "2030-01-02T23:30:00Z" }),
  complete_maintenance: async () => ({ maintenance_id: await running() }),
  cancel_maintenance: async () => ({ maintenance_id: await maintenance(), message: "Not needed." }),
  delete_maintenance: async () => ({ maintenance_id: await maintenance() }),
  run_beat: async () => ({ beat_id: await enabledBeat() }),
  approve_beat_action: async () => ({ action_id: await pending() }),
  reject_beat_action: async () => ({ action_id: await pending() }),
};
const FOR_GOOD = ["delete_incident", "delete_maintenance", "reject_beat_action"];

test("the table has every tool that the program lists", async () => {
  const pipe = await opened();
  const { result } = await pipe.request("tools/list");
  assert.deepEqual(result.tools.map((tool) => tool.name).sort(), Object.keys(TOOLS).sort());
  const byName = Object.fromEntries(result.tools.map((tool) => [tool.name, tool]));
  for (const name of FOR_GOOD) assert.equal(byName[name].annotations.destructiveHint, true, name);
  await pipe.close();
});

for (const [name, prepare] of Object.entries(TOOLS)) {
  test(`${name}: previewed, confirmed and done once`, async () => {
    const pipe = await opened();
    const arguments_ = await prepare();
    const before = (await simulator.audit()).length;
    const shown = await pipe.call(name, { ...arguments_, preview: true });
    assert.ok(!shown.isError, words(shown));
    assert.match(words(shown), /nothing was published/);
    assert.equal((await simulator.audit()).length, before, "a preview writes nothing");
    const { confirm } = shown.structuredContent.preview;
    if (FOR_GOOD.includes(name)) assert.match(words(await pipe.call(name, arguments_)), /This write must be confirmed.*preview: true/);
    const done = await pipe.call(name, { confirm });
    assert.ok(!done.isError, words(done));
    assert.equal(done.structuredContent.page_id, 42);
    assert.equal(done.structuredContent.replayed, false);
    const entries = (await simulator.audit()).slice(before);
    assert.equal(entries.length, 1);
    assert.ok(entries[0].status < 300 && entries[0].source === "api_token");
    const handleAgain = await pipe.call(name, { ...arguments_, confirm, idempotency_key: "other" });
    assert.ok(handleAgain.isError, "the confirm token is for the call that was shown");
    await pipe.close();
  });
}

test("what is not there is StatiBeat's to say, for every tool that names something", async () => {
  const pipe = await opened(TOKENS.admin, { STATIBEAT_MCP_CONFIRM: "never" });
  for (const [name, prepare] of Object.entries(TOOLS)) {
    const arguments_ = name.endsWith("_beat_action") ? { action_id: 1 } : await prepare();
    const id = Object.keys(arguments_).find((argument) => argument.endsWith("_id"));
    if (!id) continue;
    const result = await pipe.call(name, { ...arguments_, [id]: 987_654_321 });
    assert.ok(result.isError, name);
    assert.match(words(result), /that you can see/, name);
  }
  await pipe.close();
});

test("the same call again is answered without writing; the same key with other arguments is refused", async () => {
  const pipe = await opened();
  const arguments_ = { title: "Once", description: "It is slow.", idempotency_key: "once-1" };
  const first = await pipe.call("create_incident", arguments_);
  const before = (await simulator.audit()).length;
  const again = await pipe.call("create_incident", arguments_);
  assert.equal(again.structuredContent.replayed, true);
  assert.equal(again.structuredContent.incident_id, first.structuredContent.incident_id);
  const other = await pipe.call("create_incident", { ...arguments_, title: "Twice" });
  assert.match(words(other), /different value for: `title`\. Nothing was published/);
  assert.equal((await simulator.audit()).length, before);

  const next = await opened();
  const elsewhere = await next.call("create_incident", arguments_);
  assert.equal(elsewhere.structuredContent.incident_id, first.structuredContent.incident_id, "also from another process");
  assert.equal(elsewhere.structuredContent.replayed, true);
  await Promise.all([pipe.close(), next.close()]);
});

test("what changes something may be asked for again, unless a key says that it is the same call", async () => {
  const pipe = await opened();
  const beat_id = await enabledBeat();
  const runs = [await pipe.call("run_beat", { beat_id }), await pipe.call("run_beat", { beat_id })];
  assert.notEqual(runs[0].structuredContent.run_id, runs[1].structuredContent.run_id);
  const keyed = { beat_id, idempotency_key: "run-1" };
  const [one, two] = [await pipe.call("run_beat", keyed), await pipe.call("run_beat", keyed)];
  assert.deepEqual([one.structuredContent.run_id, two.structuredContent.replayed], [two.structuredContent.run_id, true]);
  await pipe.close();
});

test("simultaneous calls of one write make one incident", async () => {
  const pipe = await opened();
  const arguments_ = { title: "Together", description: "It is slow." };
  const results = await Promise.all(Array.from({ length: 8 }, () => pipe.call("create_incident", arguments_)));
  const { body } = await simulator.read("incidents?status=active&limit=200");
  assert.equal(body.items.filter(({ title }) => title === "Together").length, 1);
  assert.equal(results.filter((result) => !result.isError && !result.structuredContent.replayed).length, 1);
  await pipe.close();
});

test("an answer that got lost is looked for; what has no name to look for is said to be open", async () => {
  const pipe = await opened();
  await simulator.fault("POST", "/api/v1/admin/incidents", "drop_after");
  const found = await pipe.call("create_incident", { title: "Lost answer", description: "It is slow." });
  assert.ok(!found.isError, words(found));
  assert.equal((await simulator.read(`incidents/${found.structuredContent.incident_id}`)).body.title, "Lost answer");
  const id = await incident();
  await simulator.fault("POST", `/api/v1/admin/incidents/${id}/resolve`, "drop_after");
  const open = await pipe.call("resolve_incident", { incident_id: id });
  assert.ok(open.isError);
  assert.match(words(open), /may or may not have been made/);
  await pipe.close();
});

test("trouble upstream is told and ends nothing", async () => {
  const pipe = await opened();
  const trouble = [
    [{ status: { code: 429, retry_after: 7 } }, /limiting requests.*7 seconds/s],
    [{ status: { code: 403 } }, /StatiBeat refused/],
    [{ status: { code: 401 } }, /does not accept the API token/],
    ["drop_before", /may or may not have been published/],
    [{ huge_body: { bytes: 2_000_000 } }, /./],
  ];
  for (const [kind, says] of trouble) {
    await simulator.fault("POST", "/api/v1/admin/incidents", kind);
    const { result, error } = await pipe.request("tools/call", {
      name: "create_incident", arguments: { title: `Trouble ${JSON.stringify(kind)}`, description: "It is slow." },
    });
    assert.match(result ? words(result) : error.message, says);
    await simulator.clearFaults();
  }
  await simulator.fault("GET", "/api/v1/admin/summary", { status: { code: 503 } }, 2);
  assert.ok((await pipe.request("resources/read", { uri: "statibeat://page/summary" })).error);
  assert.ok((await pipe.request("resources/read", { uri: "statibeat://page/summary" })).result);
  await pipe.close();
});

test("an answer that does not come in time is given up", async () => {
  const pipe = await opened(TOKENS.write, { STATIBEAT_MCP_TIMEOUT: "1" });
  await pipe.request("resources/read", { uri: "statibeat://page/summary" });
  await simulator.hold("GET", "/api/v1/admin/beats");
  const { error } = await pipe.request("resources/read", { uri: "statibeat://page/beats" });
  assert.match(error.message, /cannot be reached/);
  await pipe.close();
});
