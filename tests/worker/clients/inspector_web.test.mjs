// The Inspector in the browser, as a person uses it who looks at a server for the first time: the server is added by its Resource
// URL, and everything else (registration, sign-in, consent, lists, a read, a prompt, a preview, its publication) is done by hand.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchChromium, needsChromium } from "../support/chromium.mjs";
import { press, signInAs } from "../support/people.mjs";
import { eventually, freePorts, startStack } from "../support/stack.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { takePosts } from "./support/published.mjs";

const LAUNCHER = new URL("../../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js", import.meta.url).pathname;
const TITLE = "Published from the Inspector";
const TOOLS = ["create_incident", "add_incident_update", "schedule_maintenance", "add_maintenance_update"];
// Takes longer than `npm test` may wait for one client.
const whereWanted = process.env.EVERY_CLIENT ? needsChromium : { skip: "only in `npm run test:clients`" };

let stack;
let inspector;
let browser;
let page;
before(async () => {
  if (whereWanted.skip) return;
  stack = await startStack();
  inspector = await startInspector();
  browser = await launchChromium();
  page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
  page.setDefaultTimeout(20_000);
});
after(async () => {
  await browser?.close();
  await inspector?.stop();
  await stack?.stop();
});
showLogOfFailures(() => stack);

test("connects from the Resource URL, with its own registration and sign-in", whereWanted, async () => {
  await page.goto(inspector.url);
  await addServer(`${stack.url}/mcp`);
  // The switch is a box that its own track covers.
  await page.getByRole("switch", { name: /"statibeat"/ }).click({ force: true });
  await signInAs(page, "Mara");
  await page.getByRole("heading", { name: "Connect MCP Inspector to StatiBeat?" }).waitFor();
  await page.getByRole("checkbox", { name: /mcp\.incidents\.write/ }).check();
  await press(page.getByRole("button", { name: "Allow", exact: true }));
  await page.getByText("Connected", { exact: true }).waitFor();
  assert.equal(new URL(page.url()).origin, new URL(inspector.url).origin);
});

test("lists the tools, reads a resource and gets a prompt", whereWanted, async () => {
  await openTab("Tools");
  for (const tool of TOOLS) await page.getByRole("button", { name: new RegExp(`^${tool}`) }).waitFor();
  await openTab("Resources");
  await page.getByRole("button", { name: "Accessible pages" }).click();
  await page.getByText(/"Northwind EU Status"/).first().waitFor();
  await openTab("Prompts");
  await page.getByRole("button", { name: /^Review an incident/ }).click();
  await page.getByRole("textbox", { name: "page_id" }).fill("northwind");
  await page.getByRole("textbox", { name: "incident_id" }).fill("1001");
  await page.keyboard.press("Escape"); // closes the suggestions
  await page.getByRole("button", { name: "Get Prompt" }).click();
  await page.getByText(/Review this incident as a customer reads it now/).first().waitFor();
});

test("previews an incident and publishes it with the confirm token", whereWanted, async () => {
  await takePosts(stack);
  await openTool("create_incident");
  await page.getByRole("textbox", { name: "page_id" }).fill("42");
  await page.getByRole("textbox", { name: "title", exact: true }).fill(TITLE);
  await page.getByRole("textbox", { name: "description", exact: true }).fill("We are looking into it.");
  await page.getByRole("checkbox", { name: "preview" }).check();
  await page.getByRole("button", { name: "Execute Tool" }).click();
  const shown = await page.getByText(/This is a preview: nothing was published/).first().innerText();
  assert.ok(shown.includes(TITLE), shown);
  assert.deepEqual(await takePosts(stack), []);
  const [, token] = /confirm: "([^"]+)"/.exec(shown);
  await page.getByRole("button", { name: "Close results" }).click();
  await openTool("add_incident_update"); // empties the form
  await openTool("create_incident");
  await page.getByRole("textbox", { name: "page_id" }).fill("42");
  await page.getByRole("textbox", { name: "confirm", exact: true }).fill(token);
  await page.getByRole("button", { name: "Execute Tool" }).click();
  await page.getByText(/^Created incident \d+ on "Northwind Cloud Status"/).first().waitFor();
  assert.deepEqual(await takePosts(stack), ["/api/v1/orgs/7/pages/42/admin/incidents"]);
});

test("nothing went wrong unseen", whereWanted, () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});

async function startInspector() {
  const folder = await mkdtemp(join(tmpdir(), "inspector-")); // stands for the home folder
  const catalog = join(folder, "mcp.json");
  await writeFile(catalog, JSON.stringify({ mcpServers: {} }));
  const [port, sandbox, apps] = await freePorts(3);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    USERPROFILE: folder,
    CLIENT_PORT: String(port),
    MCP_SANDBOX_PORT: String(sandbox),
    MCP_APP_ORIGIN_PORT: String(apps),
    MCP_AUTO_OPEN_ENABLED: "false",
    MCP_CATALOG_PATH: catalog,
    MCP_STORAGE_DIR: join(folder, "storage"),
    MCP_INSPECTOR_SECRET_STORE: "memory",
  };
  const program = spawn(process.execPath, [LAUNCHER, "--web"], { env });
  let output = "";
  for (const stream of [program.stdout, program.stderr]) stream.on("data", (text) => (output += text));
  const stop = async () => {
    if (program.exitCode === null && program.kill()) await once(program, "exit");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [url] = await eventually(() => /http:\/\/\S+\?MCP_INSPECTOR_API_TOKEN=\w+/.exec(output), { every: 100 });
    return { url, stop };
  } catch (error) {
    await stop();
    throw new Error(output, { cause: error });
  }
}

async function addServer(url) {
  await page.getByRole("button", { name: "Add Servers" }).click();
  await page.getByRole("menuitem", { name: "+ Add manually" }).click();
  await page.getByRole("textbox", { name: "Server ID" }).fill("statibeat");
  await page.getByRole("textbox", { name: "Transport" }).click();
  await page.getByRole("option", { name: "streamable-http" }).click();
  await page.getByRole("textbox", { name: "URL" }).fill(url);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

async function openTab(name) {
  await page.getByRole("radiogroup").getByText(name, { exact: true }).first().click();
}

async function openTool(name) {
  await openTab("Tools");
  await page.getByRole("button", { name: new RegExp(`^${name}`) }).click();
  await page.getByRole("button", { name: "Execute Tool" }).waitFor();
}
