// `npm run demo`: the whole story on the terminal, with a real client, against the built worker and the simulator.
//
// Registers, signs in, reads, previews an incident, opens it, sends the same call again, tries to open it a second time,
// sees it, disconnects, and is refused on the very next call. Nothing is staged: every line shows what the servers answered. Uses free ports and leaves nothing behind.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { memory } from "../tests/worker/clients/support/memory.mjs";
import { signIn } from "../tests/worker/support/browser.mjs";
import { startStack } from "../tests/worker/support/stack.mjs";

const MARA = 1; // admin of two of the simulator's pages

let steps = 0;
const step = (text) => console.log(`\n${(steps += 1)}. ${text}`);
const show = (...lines) => lines.forEach((line) => console.log(`   ${line}`));
const short = (secret) => `${secret.slice(0, 14)}…`;

const newClient = () => new Client({ name: "demo", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });

async function connect(resource, provider) {
  const client = newClient();
  await client.connect(new StreamableHTTPClientTransport(resource, { authProvider: provider }));
  return client;
}

async function read(client, uri) {
  const { contents } = await client.readResource({ uri });
  return JSON.parse(contents[0].text);
}

/** Returns the structured content of a tool result; throws if the tool returned an error. */
function done(result) {
  if (result.isError) throw new Error(`the tool refused: ${result.content[0].text}`);
  return result.structuredContent;
}

async function tell(stack) {
  const resource = new URL("/mcp", stack.url);
  const provider = memory("Demo on the terminal");

  step("Without a token the server says where to get one");
  const challenge = (await fetch(resource, { method: "POST" })).headers.get("www-authenticate");
  show(challenge);

  step("The client finds the authorization server, registers itself and asks for a sign-in");
  const first = new StreamableHTTPClientTransport(resource, { authProvider: provider });
  const early = newClient().connect(first);
  await early.catch(() => {}); // it ends by asking for a sign-in
  if (!provider.kept.authorizationUrl) throw new Error("the client was not sent to a sign-in");
  show(`client_id ${short(provider.kept.client.client_id)}`, `scope     ${provider.kept.authorizationUrl.searchParams.get("scope")}`);

  step("Mara signs in to StatiBeat and allows it");
  const back = await signIn(provider.kept.authorizationUrl, { user: MARA, scopes: ["mcp.pages.read", "mcp.incidents.read", "mcp.incidents.write"] });
  show(`back at ${back.origin}${back.pathname} with a code`);

  step("The client trades the code, with its PKCE verifier, for tokens");
  await first.finishAuth(back.searchParams);
  show(`access token ${short(provider.kept.tokens.access_token)}`, `granted      ${provider.kept.tokens.scope}`);

  const client = await connect(resource, provider);
  step(`It connects as ${(await read(client, "statibeat://me")).name ?? "Mara"} and looks around`);
  const { resources } = await client.listResources();
  const { tools } = await client.listTools();
  show(`protocol  ${client.getNegotiatedProtocolVersion()}`);
  for (const { uri, title } of resources) show(`resource  ${uri}  (${title})`);
  for (const { name, annotations } of tools) show(`tool      ${name}  (${annotations.title})`);

  step("It reads which incidents are open on the first page");
  const { pages } = await read(client, "statibeat://pages");
  if (pages.length === 0) throw new Error("there is no page");
  const active = `statibeat://pages/${pages[0].id}/incidents/active`;
  const before = JSON.stringify(await read(client, active));
  show(`${active}: ${before.length} bytes`);

  step("It asks for a preview of an incident; nothing is published");
  const page_id = pages[0].id;
  const title = "Search is slow (demo)";
  const incident = { page_id, title, description: "Searches take a minute. Host db-1.internal is slow.", status: "degraded", affected_items: [{ slug: "search" }] };
  const call = (given) => client.callTool({ name: "create_incident", arguments: given });
  const { preview, warnings = [] } = done(await call({ ...incident, preview: true }));
  for (const { name, before, after } of preview.components) show(`${name}: ${before} → ${after}`);
  if (preview.recipients) show(`${preview.recipients.subscribers} subscribers would be notified`);
  for (const warning of warnings) show(`warning   ${warning}`);
  show(`token     ${short(preview.confirm)}`);

  step("The text is mended, previewed again, and published with the confirm token of that preview");
  incident.description = "Searches take up to a minute. We are looking into it.";
  const { confirm } = done(await call({ ...incident, preview: true })).preview;
  const receipt = done(await call({ page_id: incident.page_id, confirm }));
  show(`incident  ${receipt.incident_id}, audit entry ${receipt.audit_id}, ${receipt.remaining_writes} writes left in this minute`, `public    ${receipt.public_url}`);

  step("The same call once more: an answer got lost, or a model repeats itself");
  const again = done(await call(incident));
  if (!again.replayed || again.incident_id !== receipt.incident_id) throw new Error("it was not recognized");
  show(`incident  ${again.incident_id} again, replayed: ${again.replayed}; nothing was published`);

  step("Another incident on the same component, a moment later");
  const second = await call({ ...incident, title: "Search is down (demo)" });
  if (!second.isError) throw new Error("nobody noticed");
  for (const sentence of second.content[0].text.split(". ").slice(0, 2)) show(sentence);

  step("The incident stands in the resource");
  const after = JSON.stringify(await read(client, active));
  if (before.includes(title) || !after.includes(title)) throw new Error("the incident is not there");
  show(`"${title}" is there`);

  step("The connection is revoked; the very next call is refused");
  const { revocation_endpoint } = await (await fetch(`${stack.url}/.well-known/oauth-authorization-server`)).json();
  const { access_token, refresh_token } = provider.kept.tokens;
  await fetch(revocation_endpoint, { method: "POST", body: new URLSearchParams({ client_id: provider.kept.client.client_id, token: refresh_token }) });
  const refused = await fetch(resource, { method: "POST", headers: { authorization: `Bearer ${access_token}` } });
  show(`status ${refused.status}`);
  if (refused.status !== 401) throw new Error("a revoked token still works");
  await client.close();
}

const stack = await startStack();
try {
  console.log(`StatiBeat Hosted MCP at ${stack.url}, the simulated StatiBeat at ${stack.simulatorUrl}`);
  await tell(stack);
  console.log("\nThat is the whole path. `npm start` keeps it running for your own client.");
} catch (error) {
  console.error(`\nThe story ended early: ${error.message}`);
  for (const { level, message } of stack.logs) console.error(`   worker ${level}: ${message}`);
  process.exitCode = 1;
} finally {
  await stack.stop();
}
