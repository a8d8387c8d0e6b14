// A person with a browser, without a browser: cookies, redirects and forms, enough to sign in and to answer the consent
// page. Takes every page as it comes and fails when it is not the one expected.

import { once } from "node:events";
import { request as send } from "node:http";

/**
 * A request as a tab makes it when it goes to an address, redirects not followed. `fetch` would say `sec-fetch-mode: cors`,
 * and a page that opens in a tab is refused to scripts.
 */
export async function navigate(url, { method = "GET", headers = {}, body } = {}) {
  const form = body && { "content-type": "application/x-www-form-urlencoded" };
  const tab = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const outgoing = send(url, { method, headers: { ...tab, ...form, ...headers } }).end(body?.toString());
  const [incoming] = await once(outgoing, "response");
  const text = Buffer.concat(await incoming.toArray());
  const raw = incoming.rawHeaders;
  const pairs = raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1]]] : []));
  return new Response(text.length > 0 ? text : null, { status: incoming.statusCode, headers: pairs });
}

/**
 * Opens an authorization URL as one of the simulator's users and answers, with `fields` besides the scopes; ends with the
 * address that the client gets.
 */
export async function signIn(authorizeUrl, { user = 1, answer = "approve", scopes, fields = [], headers } = {}) {
  const browser = new Browser(headers);
  const choice = await browser.open(authorizeUrl);
  const consent = await browser.submit(choice, [["user_id", String(user)]]);
  const asked = scopes ?? [...new Set([...tickedScopes(consent.html), ...requestedWrites(authorizeUrl)])];
  const left = await browser.submit(consent, [...asked.map((scope) => ["scope", scope]), ["pages", "all"], ["lifetime", "until-revoked"], ["earlier", "keep"], ...fields, ["answer", answer]]);
  const link = /<a [^>]*href="([^"]+)"/.exec(left.html) ?? fail("a link back to the client", left);
  return new URL(unescape(link[1]));
}

/** Keeps cookies by host and follows redirects; a page is `{ url, status, html }`. */
export class Browser {
  #cookies = new Map();
  #own;

  /** `headers` go with every request. */
  constructor(headers = {}) {
    this.#own = headers;
  }

  async open(url, init = {}) {
    let address = new URL(url);
    let request = init;
    for (let hops = 0; hops < 10; hops += 1) {
      const answer = await navigate(address, { ...request, headers: this.#headers(address, request) });
      this.#keep(address, answer);
      const location = answer.headers.get("location");
      if (!location) return { url: address, status: answer.status, html: await answer.text() };
      await answer.body?.cancel();
      address = new URL(location, address);
      request = {};
    }
    throw new Error(`too many redirects from ${url}`);
  }

  /** Sends a page's form with its hidden fields and these. */
  async submit(page, fields) {
    const form = /<form [^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(page.html) ?? fail("a form", page);
    const hidden = [...form[2].matchAll(/<input [^>]*type="hidden"[^>]*>/g)].map(([input]) => [attribute(input, "name"), attribute(input, "value")]);
    const target = new URL(unescape(form[1]), page.url);
    return this.open(target, { method: "POST", body: new URLSearchParams([...hidden, ...fields]) });
  }

  #headers(address, request) {
    const headers = { ...this.#own };
    const cookies = this.#cookies.get(address.host);
    if (cookies?.size) headers.cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    if (request.method === "POST") headers.origin = address.origin;
    return headers;
  }

  #keep(address, answer) {
    const cookies = this.#cookies.get(address.host) ?? new Map();
    this.#cookies.set(address.host, cookies);
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      if (/max-age=0\b/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
  }
}

/** The scopes to post that a client asks for. The consent page ticks them for no client that nobody vouches for: its person does. */
function requestedWrites(authorizeUrl) {
  const scopes = new URL(authorizeUrl).searchParams.get("scope") ?? "";
  return scopes.split(" ").filter((scope) => /^mcp\.\w+\.write$/.test(scope));
}

/** The scopes that a consent page proposes. */
function tickedScopes(html) {
  const boxes = [...html.matchAll(/<input [^>]*type="checkbox"[^>]*>/g)].map(([input]) => input);
  return boxes.filter((box) => attribute(box, "name") === "scope" && /\schecked\b/.test(box)).map((box) => attribute(box, "value"));
}

function attribute(tag, name) {
  return unescape(new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? "");
}

function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

function fail(wanted, page) {
  throw new Error(`no ${wanted} at ${page.url} (status ${page.status}):\n${page.html.slice(0, 2000)}`);
}
