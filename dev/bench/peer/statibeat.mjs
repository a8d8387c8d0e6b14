// StatiBeat's API on behalf of a person, each request under its own assertion (docs/upstream.md), as the connector sends them.

const PKCS8_HEAD = "302e020100300506032b657004220420";

/** Imported once per instance. */
let signingKey;

/** Page lists by person, as of a moment ago: where a page's organization is looked up for a minute. Access is checked by StatiBeat. */
const lists = new Map();
const LIST_LIFETIME = 60_000;
const MOST_LISTS = 1000;

const base64url = (bytes) => bytes.toBase64({ alphabet: "base64url", omitPadding: true });
const encode = (value) => base64url(new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)));

async function sign(key, claims) {
  const [kid, seed] = key.split(":");
  const pkcs8 = () => new Uint8Array([...Uint8Array.fromHex(PKCS8_HEAD), ...Uint8Array.fromBase64(seed, { alphabet: "base64url" })]);
  signingKey ??= crypto.subtle.importKey("pkcs8", pkcs8(), "Ed25519", false, ["sign"]);
  const input = `${encode({ alg: "EdDSA", typ: "statibeat-obo+jwt", kid })}.${encode(claims)}`;
  const signature = await crypto.subtle.sign("Ed25519", await signingKey, new TextEncoder().encode(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

export class StatiBeat {
  constructor(env, person) {
    this.env = env;
    this.person = person;
  }

  read(scope, path) {
    return this.#send("GET", scope, `/api/v1/${path}`);
  }

  readPage(scope, page, path) {
    return this.#send("GET", scope, `/api/v1/orgs/${page.organization_id}/pages/${page.id}/admin/${path}`, page.id);
  }

  post(scope, page, path, body) {
    return this.#send("POST", scope, `/api/v1/orgs/${page.organization_id}/pages/${page.id}/admin/${path}`, page.id, JSON.stringify(body));
  }

  /** The pages that the person can see now, by id. */
  async pages() {
    const { items } = await this.read("mcp.pages.read", "me/pages");
    const pages = new Map(items.map((page) => [page.id, page]));
    if (lists.size >= MOST_LISTS) lists.clear();
    lists.set(this.person.user_id, { pages, at: Date.now() });
    return pages;
  }

  /** A page that the person could see within the last minute. */
  async knownPage(id) {
    const known = lists.get(this.person.user_id);
    const pages = known && Date.now() - known.at < LIST_LIFETIME ? known.pages : await this.pages();
    const page = pages.get(Number(id));
    if (!page) throw new Error(`no page ${id}`);
    return page;
  }

  async #send(method, scope, path, pageId, body) {
    const { UPSTREAM, ISSUER, ASSERTION_KEY } = this.env;
    const { user_id, client_id, grant_id } = this.person;
    const iat = Math.floor(Date.now() / 1000);
    const bodyHash = body && { bh: base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body)))) };
    const assertion = await sign(ASSERTION_KEY, {
      iss: ISSUER,
      aud: UPSTREAM,
      sub: user_id,
      client_id,
      grant_id,
      scope,
      ...(pageId && { page_id: pageId }),
      act: { sub: "hosted-mcp" },
      iat,
      exp: iat + 60,
      jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
      htm: method,
      htu: UPSTREAM + path.split("?")[0],
      ...bodyHash,
    });
    const headers = {
      authorization: `Bearer ${assertion}`,
      accept: "application/json",
      "x-statibeat-source": "hosted_mcp",
      "x-statibeat-client-id": client_id,
      "x-statibeat-connection-id": grant_id,
      "x-request-id": crypto.randomUUID(),
      ...(body && { "content-type": "application/json" }),
    };
    const answer = await fetch(UPSTREAM + path, { method, headers, body, redirect: "manual", signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(`StatiBeat answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`);
    return answer.json();
  }
}
