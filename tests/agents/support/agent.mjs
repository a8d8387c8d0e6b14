// An assistant's client, scripted. It sends what it is told, counts what that costs, and knows only what it was answered: an
// id, a confirm token or a URI that stands in no earlier answer is an error of the script.

import assert from "node:assert/strict";
import { READS, WRITES } from "../../worker/clients/support/connection.mjs";
import { Client } from "../../worker/support/client.mjs";
import { Answer } from "./answer.mjs";
import { inWords, tool } from "./requests.mjs";

const HANDSHAKE = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "evaluation", version: "1" } };

/** The two kinds of clients: `lists` is what each asks for before its model sees anything, `discovery` the calls by
 * which its model then learns what can be read. */
export const KINDS = {
  "resources and prompts": {
    lists: ["initialize", "tools/list", "resources/list", "resources/templates/list", "prompts/list"],
    discovery: [],
    consent: [],
    params: ({ uri, ...request }) =>
      uri ? ["resources/read", { uri }]
      : request.prompt ? ["prompts/get", { name: request.prompt, arguments: request.arguments }]
      : ["tools/call", { name: request.tool, arguments: request.arguments }],
  },
  "tools only": {
    lists: ["initialize", "tools/list"],
    discovery: [tool("list_resources", {})],
    consent: [["resource_tools", "on"]],
    params: ({ uri, ...request }) => ["tools/call", uri ? { name: "read_resource", arguments: { uri } } : { name: request.tool, arguments: request.arguments }],
  },
};

export class Agent {
  #client;
  #token;
  #kind;
  #seen = "";

  /** Connects in the name of the simulator's admin of two pages, and asks for the lists. */
  static async connect(stack, kind) {
    const agent = new Agent();
    agent.#kind = KINDS[kind];
    agent.#client = new Client(stack, `evaluation-${kind.replaceAll(" ", "-")}`, [...READS, ...WRITES].join(" "));
    agent.#token = (await agent.#client.connect(1, agent.#kind.consent)).access_token;
    agent.discovery = agent.#kind.discovery;
    agent.hasPrompts = agent.#kind.lists.includes("prompts/list");
    agent.fixed = {};
    for (const method of agent.#kind.lists) agent.fixed[method] = await agent.#list(method);
    return agent;
  }

  /** Bytes of everything before the first call. */
  get fixedBytes() {
    return Object.values(this.fixed).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Sends a request whose ids, tokens and URIs have been seen. */
  async send(request) {
    this.#requireSeen(request);
    return this.guess(request);
  }

  /** Sends a request that a model made up. */
  async guess(request) {
    const [method, params] = this.#kind.params(request);
    const { status, body } = await this.#client.call(this.#token, method, params);
    assert.equal(status, 200, `${inWords(request)}: ${JSON.stringify(body)}`);
    this.#seen += JSON.stringify(body);
    return new Answer(request, body);
  }

  /** Asks for a list in all its parts; answers its bytes. */
  async #list(method) {
    let bytes = 0;
    let params = method === "initialize" ? HANDSHAKE : {};
    do {
      const { body } = await this.#client.call(this.#token, method, params);
      assert.ok(body.result, `${method}: ${JSON.stringify(body)}`);
      this.#seen += JSON.stringify(body);
      bytes += Buffer.byteLength(JSON.stringify(body));
      params = { cursor: body.result.nextCursor };
    } while (params.cursor);
    return bytes;
  }

  #requireSeen(request) {
    const { uri, arguments: args = {} } = request;
    for (const text of uri ? [uri] : handles(args)) {
      const isSeen = text.startsWith("statibeat:") ? this.#isKnownUri(text) : new RegExp(`(?<!\\w)${text}(?!\\w)`).test(this.#seen);
      assert.ok(isSeen, `no answer so far has said ${text}, which ${inWords(request)} needs`);
    }
  }

  /** A URI that was seen, or a template that was seen with seen values. */
  #isKnownUri(uri) {
    if (new RegExp(`${escaped(uri)}(?![\\w/?{])`).test(this.#seen)) return true;
    const templates = this.#seen.match(/statibeat:\/\/[^\s"\\),;]*\{[^\s"\\),;]*/g) ?? [];
    const withoutQuery = templates.map((template) => template.split("?")[0]);
    return [...templates, ...withoutQuery].some((template) => {
      const pattern = template.split(/\{\w+\}/).map(escaped).join("([\\w:.+-]+)");
      const values = new RegExp(`^${pattern}$`).exec(uri)?.slice(1);
      return values?.every((value) => this.#seen.includes(value) || /^\d{4}-|^\d{1,2}$/.test(value));
    });
  }
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The values of arguments that only the server can know. */
function handles(value, name = "") {
  if (Array.isArray(value)) return value.flatMap((item) => handles(item, name));
  if (typeof value === "object" && value !== null) return Object.entries(value).flatMap(([key, item]) => handles(item, key));
  return /(^|_)id$|^confirm$/.test(name) && name !== "external_id" ? [String(value)] : [];
}
