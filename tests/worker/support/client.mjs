// An MCP client as the authorization server sees it: what it sends, and nothing it knows of answers.

import { createHash, randomBytes } from "node:crypto";
import { signIn } from "./browser.mjs";

export const REDIRECT = "http://127.0.0.1:45678/callback";

/** One client of one stack. Every request comes from an address of its own, so that no limit by address is met. */
export class Client {
  #url;

  constructor(stack, id = "concurrent-client", scope = "mcp.pages.read") {
    this.#url = stack.url;
    this.id = id;
    this.scope = scope;
  }

  /**
   * Signs this user in; returns the parameters that redeem the new code. `fields` are further fields of the consent form.
   */
  async authorize(user = 1, fields = []) {
    const code_verifier = randomBytes(32).toString("base64url");
    const url = new URL("/mcp/oauth/authorize", this.#url);
    url.search = new URLSearchParams({
      client_id: this.id,
      redirect_uri: REDIRECT,
      response_type: "code",
      code_challenge: createHash("sha256").update(code_verifier).digest("base64url"),
      code_challenge_method: "S256",
      scope: this.scope,
    });
    const back = await signIn(url, { user, fields, headers: fromAnywhere() });
    return { grant_type: "authorization_code", code: back.searchParams.get("code"), redirect_uri: REDIRECT, code_verifier };
  }

  /** A pair of tokens of this user. */
  async connect(user = 1, fields = []) {
    const { status, body } = await this.token(await this.authorize(user, fields));
    if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  token(fields) {
    return this.#post("/mcp/oauth/token", fields);
  }

  refresh(refresh_token) {
    return this.token({ grant_type: "refresh_token", refresh_token });
  }

  revoke(token) {
    return this.#post("/mcp/oauth/revoke", { token });
  }

  /** The status of a harmless call: whether the token works. */
  async ping(accessToken) {
    return (await this.call(accessToken, "ping")).status;
  }

  /** A call of the connector: status, headers, and the message. */
  async call(accessToken, method, params) {
    const answer = await fetch(`${this.#url}/mcp`, {
      method: "POST",
      headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json", "mcp-protocol-version": "2025-11-25" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    return parsed(answer);
  }

  async #post(path, fields) {
    const body = new URLSearchParams({ client_id: this.id, ...fields });
    return parsed(await fetch(this.#url + path, { method: "POST", headers: fromAnywhere(), body }));
  }
}

async function parsed(answer) {
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : undefined };
}

function fromAnywhere() {
  return { "cf-connecting-ip": `10.${[...randomBytes(3)].join(".")}` };
}
