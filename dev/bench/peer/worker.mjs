// The peer: the worker that a user would build instead of the connector, on Cloudflare's OAuth library and the official MCP server SDK. It has the
// connector's tools, resources and prompts (`SURFACE`, what the connector lists) and signs the same assertions for the same simulator.
//
// It is written for its purpose, to be measured: people sign in by naming themselves, and only the tool, resources and prompt that the bench
// calls are carried out. Its grants are in KV, as the library has them, or in D1, where a revocation holds on the next call, as in the connector.

import { OAuthProvider } from "@cloudflare/workers-oauth-provider";
import { McpServer, ResourceTemplate, createMcpHandler, fromJsonSchema } from "@modelcontextprotocol/server";
import { d1Storage } from "./d1_storage.mjs";
import { StatiBeat } from "./statibeat.mjs";

/** StatiBeat's documents of each resource that is read here, below the page's admin API. */
const DOCUMENTS = {
  "incidents/active": ["incidents?status=active&limit=50"],
  writing: [
    "status-definitions",
    "lifecycle-stages",
    "maintenance-lifecycle-stages",
    "hierarchy/items",
    "incidents?status=active&limit=50",
    "subscribers/summary",
  ],
};
const PROMPT_READS = ["incidents/active", "writing"];
const SCOPES = { incidents: "mcp.incidents.read", subscribers: "mcp.analytics.read" };
const scopeOf = (path) => SCOPES[path.split(/[/?]/)[0]] ?? "mcp.pages.read";

const contents = (uri, document) => ({ contents: [{ uri: String(uri), mimeType: "application/json", text: JSON.stringify(document) }] });

/** The same for every request of this instance. */
let prepared;

function prepare(env) {
  const surface = JSON.parse(env.SURFACE);
  const tools = surface.tools.map(({ name, title, description, annotations, inputSchema }) => ({ name, config: { title, description, annotations, inputSchema: fromJsonSchema(inputSchema) } }));
  const prompts = surface.prompts.map(({ name, title, description, arguments: given = [] }) => {
    const schema = {
      type: "object",
      properties: Object.fromEntries(given.map((one) => [one.name, { type: "string", description: one.description }])),
      required: given.filter((one) => one.required).map((one) => one.name),
    };
    return { name, config: { title, description, argsSchema: fromJsonSchema(schema) } };
  });
  const handler = createMcpHandler((context) => serve({ ...surface, tools, prompts }, context.authInfo.extra));
  const origin = env.PUBLIC_URL;
  const provider = new OAuthProvider({
    apiRoute: "/mcp",
    apiHandler: {
      fetch: (request, env, ctx) => handler.fetch(request, {
        authInfo: { token: "", clientId: ctx.props.client_id, scopes: ctx.props.scopes, extra: { statibeat: new StatiBeat(env, ctx.props), storage: env.OAUTH_KV } },
      }),
    },
    defaultHandler: { fetch: authorize },
    authorizeEndpoint: "/authorize",
    tokenEndpoint: "/token",
    scopesSupported: surface.scopes,
    resourceMetadata: { resource: `${origin}/mcp`, authorization_servers: [origin] },
  });
  return provider;
}

/** Registers a client, or lets the person in the query connect one at once. */
async function authorize(request, env) {
  const url = new URL(request.url);
  if (url.pathname === "/client") {
    const client = await env.OAUTH_PROVIDER.createClient({ clientName: "bench-client", redirectUris: [url.searchParams.get("redirect_uri")], tokenEndpointAuthMethod: "none" });
    return Response.json(client);
  }
  if (url.pathname !== "/authorize") return new Response("not found", { status: 404 });
  const asked = await env.OAUTH_PROVIDER.parseAuthRequest(request);
  const userId = url.searchParams.get("user");
  const props = { user_id: userId, client_id: asked.clientId, grant_id: crypto.randomUUID(), scopes: asked.scope };
  const done = await env.OAUTH_PROVIDER.completeAuthorization({ request: asked, userId, metadata: {}, scope: asked.scope, props, revokeExistingGrants: false });
  return Response.redirect(done.redirectTo, 302);
}

/** A server for one request: the SDK binds a server to its exchange. */
function serve({ tools, resources, templates, prompts }, { statibeat, storage }) {
  const server = new McpServer({ name: "peer", version: "1.0.0" });
  for (const { name, config } of tools) {
    server.registerTool(name, config, (given) => (name === "create_incident" ? createIncident(statibeat, storage, given) : { content: [{ type: "text", text: "not measured" }], isError: true }));
  }
  for (const { name, uri, title, description } of resources) {
    server.registerResource(name, uri, { title, description, mimeType: "application/json" }, async (uri) => contents(uri, await statibeat.read("mcp.pages.read", name === "me" ? "me" : "me/pages")));
  }
  for (const { name, uriTemplate, title, description } of templates) {
    const kind = uriTemplate.replace(/^statibeat:\/\/pages\/\{page_id\}\//, "");
    const list = kind === "writing" ? () => listPages(statibeat, title) : undefined;
    server.registerResource(name, new ResourceTemplate(uriTemplate, { list }), { title, description, mimeType: "application/json" }, async (uri, { page_id }) => contents(uri, await readPage(statibeat, page_id, kind)));
  }
  for (const { name, config } of prompts) server.registerPrompt(name, config, (given) => prompt(statibeat, config.description, given));
  return server;
}

async function listPages(statibeat, title) {
  const pages = await statibeat.pages();
  return { resources: [...pages.values()].map(({ id, name }) => ({ name: `writing_${id}`, uri: `statibeat://pages/${id}/writing`, title: `${title}: ${name}` })) };
}

async function readPage(statibeat, pageId, kind) {
  if (!DOCUMENTS[kind]) throw new Error(`${kind} is not measured`);
  const page = await statibeat.knownPage(pageId);
  const documents = await Promise.all(DOCUMENTS[kind].map((path) => statibeat.readPage(scopeOf(path), page, path)));
  return { as_of: new Date().toISOString(), page: page.name, documents };
}

async function prompt(statibeat, description, given) {
  const read = await Promise.all(PROMPT_READS.map(async (kind) => `=== ${kind}\n${JSON.stringify(await readPage(statibeat, given.page_id, kind))}`));
  const text = [description, ...Object.entries(given).map(([name, value]) => `- ${name}: ${JSON.stringify(value)}`), ...read].join("\n\n");
  return { description, messages: [{ role: "user", content: { type: "text", text } }] };
}

/** Publishes once: the same arguments again are answered with what they led to. */
async function createIncident(statibeat, storage, given) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify([statibeat.person.grant_id, given])));
  const key = `write:${new Uint8Array(digest).toHex()}`;
  const earlier = await storage.get(key, { type: "json" });
  if (earlier) return { content: [{ type: "text", text: `Created already: ${earlier.id}` }] };
  const page = (await statibeat.pages()).get(Number(given.page_id));
  if (!page?.permissions.includes("incidents.manage")) return { content: [{ type: "text", text: "You may not write on this page." }], isError: true };
  await storage.put(key, JSON.stringify({ id: null }), { expirationTtl: 86_400 });
  const open = await statibeat.readPage("mcp.incidents.read", page, DOCUMENTS["incidents/active"][0]);
  if (open.items.some(({ title }) => title === given.title)) return { content: [{ type: "text", text: "An incident with this title is open." }], isError: true };
  const { page_id, ...incident } = given;
  const { id } = await statibeat.post("mcp.incidents.write", page, "incidents", { ...incident, external_id: key.slice(0, 40) });
  await storage.put(key, JSON.stringify({ id }), { expirationTtl: 86_400 });
  return { content: [{ type: "text", text: `Created incident ${id}.` }] };
}

export default {
  fetch(request, env, ctx) {
    prepared ??= prepare(env);
    return prepared.fetch(request, env.DB ? Object.create(env, { OAUTH_KV: { value: d1Storage(env.DB) } }) : env, ctx);
  },
};
