// One client and its connection, from the Resource URL alone to a client that is ready to work.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { signIn } from "../../support/browser.mjs";
import { memory } from "./memory.mjs";
import { wire } from "./wire.mjs";

/** The simulator's admin of pages 42 and 43. */
const MARA = 1;

export const READS = ["mcp.pages.read", "mcp.beats.read", "mcp.incidents.read", "mcp.maintenances.read", "mcp.analytics.read"];
export const WRITES = ["mcp.incidents.write", "mcp.maintenances.write"];

/** The error with which either SDK says that a person must sign in first. */
export const UNAUTHORIZED = { message: "Unauthorized" };

/** A client, what it keeps, and what it sent; made anew for every story. */
export class Connection {
  constructor(sdk, stack) {
    this.sdk = sdk;
    this.stack = stack;
    this.resource = new URL("/mcp", stack.url);
    this.memory = memory(sdk.name);
    this.wire = wire();
    this.complaints = [];
  }

  get kept() {
    return this.memory.kept;
  }

  /** Begins as a person does who pasted the Resource URL; ends where the SDK wants a browser. */
  async begin() {
    this.#renew();
    await assert.rejects(this.client.connect(this.transport), UNAUTHORIZED);
    assert.ok(this.kept.authorizationUrl, "nobody was asked to sign in");
  }

  /** Sign-in and consent; without `scopes` the boxes stay as the page proposes them. */
  async approve({ user = MARA, scopes, fields } = {}) {
    const answer = await signIn(this.kept.authorizationUrl, { user, scopes, fields });
    assert.equal(answer.origin + answer.pathname, this.memory.redirectUrl);
    assert.equal(answer.searchParams.get("state"), this.kept.state);
    await this.sdk.finish(this.transport, answer.searchParams);
  }

  /** Connects with the tokens kept. */
  async connect() {
    this.#renew();
    this.complaints.length = 0;
    await this.client.connect(this.transport);
    return this.client;
  }

  /** All three, for stories that begin later. */
  static async ready(sdk, stack, consent) {
    const connection = new Connection(sdk, stack);
    await connection.begin();
    await connection.approve(consent);
    await connection.connect();
    return connection;
  }

  /** A resource's one JSON document. */
  async read(uri) {
    const { contents } = await this.client.readResource({ uri });
    assert.equal(contents.length, 1, uri);
    assert.equal(contents[0].uri, uri);
    assert.equal(contents[0].mimeType, "application/json");
    return JSON.parse(contents[0].text);
  }

  /** Every entry of a list, over all its pages; `member` is also the name of the method's result. */
  async list(method, member) {
    const entries = [];
    let cursor;
    do {
      const answer = await this.client[method](cursor === undefined ? undefined : { cursor });
      entries.push(...answer[member]);
      cursor = answer.nextCursor;
    } while (cursor !== undefined);
    return entries;
  }

  /** Lets the access token run out now instead of later. */
  async expireAccessToken() {
    const hash = createHash("sha256").update(this.kept.tokens.access_token).digest("base64url");
    const { meta } = await this.stack.db.prepare("UPDATE access_tokens SET expires_at = created_at WHERE token_hash = ?").bind(hash).run();
    assert.equal(meta.changes, 1);
  }

  /** RFC 7009, at the address that the client has discovered. */
  async revoke() {
    const { revocation_endpoint } = this.kept.discovery.authorizationServerMetadata;
    const body = new URLSearchParams({ token: this.kept.tokens.refresh_token, client_id: this.kept.client.client_id });
    const answer = await fetch(revocation_endpoint, { method: "POST", body });
    assert.equal(answer.status, 200);
  }

  async close() {
    await this.client?.close();
  }

  /** A client that has connected, or failed to, does not connect again. */
  #renew() {
    this.client = this.sdk.newClient();
    this.client.onerror = (error) => this.complaints.push(error.message);
    this.transport = this.sdk.newTransport(this.resource, { authProvider: this.memory, fetch: this.wire.fetch });
  }
}
