// `mcp-remote` with its own sign-in: a client that knows only stdio and gives the bridge nothing but the Resource URL.

import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe } from "node:test";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport, getDefaultEnvironment } from "@modelcontextprotocol/client/stdio";
import { eventually, startStack } from "../support/stack.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { wholeFlow } from "./support/whole_flow.mjs";

const BRIDGE = join(dirname(createRequire(import.meta.url).resolve("mcp-remote/package.json")), "dist/proxy.js");

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());
showLogOfFailures(() => stack);

class BridgeClient {
  #client = new Client({ name: "behind a bridge", version: "1.0.0" });
  #output = "";

  constructor(url, person) {
    this.url = url;
    this.person = person;
    this.folder = mkdtempSync(join(tmpdir(), "bridge-"));
  }

  async connect() {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [BRIDGE, this.url, "--transport", "http-only"],
      // No browser can be found in this PATH.
      env: { ...getDefaultEnvironment(), PATH: this.folder, MCP_REMOTE_CONFIG_DIR: this.folder },
      stderr: "pipe",
    });
    transport.stderr.on("data", (text) => this.#hear(text));
    await this.#client.connect(transport);
    return this.#client.getNegotiatedProtocolVersion();
  }

  async list() {
    const [{ tools }, { resources }, { prompts }] = [await this.#client.listTools(), await this.#client.listResources(), await this.#client.listPrompts()];
    return { tools, resources, prompts };
  }

  read = (uri) => this.#client.readResource({ uri });
  prompt = (name, given) => this.#client.getPrompt({ name, arguments: given });
  call = (name, given) => this.#client.callTool({ name, arguments: given });
  tokens = () => ({ ...this.#stored("tokens.json"), client_id: this.#stored("client_info.json").client_id });

  async close() {
    await this.#client.close();
    rmSync(this.folder, { recursive: true });
  }

  /** The bridge says which address it opens; the person goes there, and the browser goes back to the bridge. */
  #hear(text) {
    this.#output += text;
    const [found, url] = /Please authorize this client by visiting:\n(\S+)\n/.exec(this.#output) ?? [];
    if (!found) return;
    this.#output = "";
    // A person whose browser finds nobody there yet reloads the page.
    const goBack = (back) => eventually(() => fetch(back).catch(() => undefined));
    this.person.signIn(url).then(goBack).catch((error) => console.error(`sign-in: ${error.stack}`));
  }

  #stored(end) {
    const name = readdirSync(this.folder, { recursive: true }).find((file) => file.endsWith(end));
    return JSON.parse(readFileSync(join(this.folder, name), "utf8"));
  }
}

const program = { topic: "Uploads stop half-way", speaks: "2025-11-25", elicits: false, stepsUp: true };
describe("mcp-remote", { skip: process.platform === "win32" && "it would open a browser" }, () =>
  wholeFlow({ ...program, start: (...given) => new BridgeClient(...given) }, () => stack));
