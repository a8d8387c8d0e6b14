// Breaks the worker's dependencies while three clients keep calling: an official SDK with its OAuth provider, a plain HTTP
// client, and a browser at the Hosted MCP page.

import assert from "node:assert/strict";
import { Connection, READS, WRITES } from "../clients/support/connection.mjs";
import { SDK_1 } from "../clients/support/sdks.mjs";
import { Browser } from "./browser.mjs";
import { Client } from "./client.mjs";
import { startStack } from "./stack.mjs";

const SUMMARY = "statibeat://pages/42/summary";
const INCIDENTS = "/api/v1/orgs/7/pages/42/admin/incidents?limit=200";
export const HEALTH_TOKEN = "a-monitor-s-token-of-this-test-alone-0123456789";
const JSON_TYPE = { "content-type": "application/json" };

/** Longer than a write is held and than a circuit stays open. */
export const LATER = 130;

/** A stack whose parts fail on command, and the truth about what is in it. */
export class BreakableStack {
  #ahead = 0;
  #broken = {};

  static async start(vars = {}) {
    const own = new BreakableStack();
    own.stack = await startStack({ main: "with-faults.mjs", vars: { HOSTED_MCP_HEALTH_TOKEN: HEALTH_TOKEN, ...vars } });
    return own;
  }

  /** Breaks something: `statibeat` is for the simulator, everything else for what stands in front of the bundle. */
  async break({ statibeat = [], ...worker }) {
    this.#broken = worker;
    await this.#tell();
    for (const fault of [statibeat].flat()) await this.#post("faults", { path: "/api/v1/**", times: 1000, ...fault });
  }

  async mend() {
    this.#broken = {};
    await this.#tell();
    await this.#simulator("faults", { method: "DELETE" });
  }

  /** Moves the clocks of the worker and of StatiBeat. */
  async wait(seconds = LATER) {
    this.#ahead += seconds;
    await this.#tell();
    await this.#post("clock", { ahead_seconds: this.#ahead });
  }

  /** Moves the clocks to the next minute's beginning, where the limits of a minute begin anew. */
  waitForMinute() {
    return this.wait(60 - ((Math.floor(Date.now() / 1000) + this.#ahead) % 60));
  }

  /** Returns the parts that the readiness check reports as failed. */
  async health() {
    const answer = await fetch(`${this.stack.url}/mcp/health`, { headers: { "x-health-token": HEALTH_TOKEN, "cache-control": "no-cache" } });
    const { status, ...parts } = await answer.json();
    assert.equal(answer.status, status === "ready" ? 200 : 503);
    return Object.keys(parts).filter((part) => parts[part] === "failed");
  }

  /** Returns the number of incidents with this title at StatiBeat. */
  async published(title) {
    const answer = await fetch(this.stack.simulatorUrl + INCIDENTS, { headers: { authorization: "Bearer sb_demo_admin_42" } });
    return (await answer.json()).items.filter((incident) => incident.title === title).length;
  }

  /** Returns the requests that StatiBeat received since the previous call. */
  async takeRequests() {
    const { items } = await (await this.#simulator("requests")).json();
    await this.#simulator("requests", { method: "DELETE" });
    return items;
  }

  count(sql, ...values) {
    return this.stack.db.prepare(`SELECT count(*) AS count FROM ${sql}`).bind(...values).first("count");
  }

  async #tell() {
    const told = JSON.stringify({ ...this.#broken, ahead_seconds: this.#ahead });
    assert.equal((await fetch(this.stack.url, { headers: { "x-faults": told } })).status, 204);
  }

  async #post(name, body) {
    const answer = await this.#simulator(name, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });
    assert.equal(answer.status, 204, await answer.text());
  }

  #simulator(name, init) {
    return fetch(`${this.stack.simulatorUrl}/__simulator/${name}`, init);
  }
}

/** Everybody who calls. Each method answers what its caller sees. */
export class Callers {
  #stack;
  #browser = new Browser();
  #plain;
  #tokens;
  #registered;

  static async ready(stack) {
    const callers = new Callers();
    callers.#stack = stack;
    callers.sdk = await Connection.ready(SDK_1, stack, { scopes: [...READS, ...WRITES] });
    callers.sdk.kept.authorizationUrl = undefined;
    callers.#registered = structuredClone(callers.sdk.kept.client);
    callers.#plain = new Client(stack, "plain-client", [...READS, ...WRITES].join(" "));
    callers.#tokens = await callers.#plain.connect();
    await callers.#signIn();
    return callers;
  }

  async #signIn() {
    const welcome = await this.page();
    const [, address] = /href="([^"]*sign-in[^"]*)"/.exec(welcome.html);
    const choice = await this.#browser.open(new URL(address, welcome.url));
    await this.#browser.submit(choice, [["user_id", "1"]]);
  }

  read() {
    return this.#plain.call(this.#tokens.access_token, "resources/read", { uri: SUMMARY });
  }

  write(title) {
    const write = { page_id: 42, title, description: "We look into it.", affected_items_freetext: title, idempotency_key: title };
    return this.#plain.call(this.#tokens.access_token, "tools/call", { name: "create_incident", arguments: write });
  }

  async refresh() {
    const answer = await this.#plain.refresh(this.#tokens.refresh_token);
    if (answer.status === 200) this.#tokens = answer.body;
    return answer;
  }

  page() {
    return this.#browser.open(`${this.#stack.url}/mcp/admin`);
  }

  /** The SDK reads with an access token that has just run out: it has to refresh first. */
  async readBySdk() {
    this.sdk.wire.clear();
    await this.sdk.expireAccessToken();
    return this.sdk.read(SUMMARY);
  }

  /** Checks that all clients work as before: none is asked to sign in or register again. */
  async haveLostNothing() {
    assert.equal((await this.read()).status, 200);
    assert.equal((await this.refresh()).status, 200);
    assert.match((await this.page()).html, /<h1[^>]*>Hosted MCP<\/h1>[^]*plain-client/);
    await this.readBySdk();
    assert.deepEqual(this.sdk.wire.posts(), ["/mcp 401", "/mcp/oauth/token 200", "/mcp 200"]);
    assert.equal(this.sdk.kept.authorizationUrl, undefined, "the SDK asked for a sign-in");
    assert.deepEqual(this.sdk.kept.client, this.#registered);
  }
}

/** An answer in a few words, as the table in docs/operations.md has it. */
export function inWords({ status, headers, body, html }) {
  const wait = headers?.get("retry-after");
  const [, heading] = /<h1[^>]*>([^<]*)/.exec(html ?? "") ?? [];
  const { result, error } = body ?? {};
  const tool = result?.content?.[0].text.replace(/ \(Audit entry .*\)$/, "");
  const text = heading ?? error?.message?.replace(/^try again later: /, "") ?? error ?? (result?.isError && tool);
  const isFine = status === 200 && !result?.isError && !error;
  if (isFine) return tool?.startsWith("Created") ? "published" : "works";
  return [status === 200 ? "" : `${status}${wait ? `, wait ${wait} s` : ""}: `, `"${text}"`].join("");
}
