// The built program: where it is, how it is started, and a bare client that sees every byte it writes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { program } from "../../worker/support/programs.mjs";

export const PAGE_SERVER = program("statibeat-page-mcp");

/** Runs it to its end, without a client. */
export async function run(arguments_, env = {}) {
  const child = spawn(PAGE_SERVER, arguments_, { env, stdio: ["ignore", "pipe", "pipe"] });
  const read = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].on("data", (bytes) => (read[name] += bytes));
  const [code] = await once(child, "close");
  return { code, ...read };
}

const running = new Set();

/** Ends whatever a failed test has left running, so that the failure is what is seen. */
export function endAll() {
  for (const child of running) child.kill("SIGKILL");
}

/** One running program and a client that speaks lines. */
export class Pipe {
  #waiting = new Map();
  #strays = [];
  #next = 1;

  constructor(env) {
    this.child = spawn(PAGE_SERVER, [], { env, stdio: ["pipe", "pipe", "pipe"] });
    this.lines = [];
    this.log = "";
    this.child.stderr.on("data", (bytes) => (this.log += bytes));
    running.add(this.child);
    this.child.stdin.on("error", () => {}); // the program is gone; what it left says why
    // "close" comes behind the last line, "exit" may come before it.
    this.exit = once(this.child, "close").then(([code, signal]) => {
      running.delete(this.child);
      return { code, signal };
    });
    createInterface({ input: this.child.stdout }).on("line", (line) => this.#take(line));
  }

  #take(line) {
    this.lines.push(line);
    const message = JSON.parse(line);
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (waiting) waiting(message);
    else if (this.strayed) this.strayed(message);
    else this.#strays.push(message);
  }

  raw(bytes) {
    this.child.stdin.write(bytes);
  }

  notify(method, params) {
    this.raw(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`);
  }

  /** A request; `answer` comes when it is answered. */
  begin(method, params) {
    const id = this.#next++;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.raw(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return { id, answer };
  }

  /** A message of somebody else, under an id of ours; its answer has the id it came with. */
  async pass(body) {
    let message;
    try {
      message = JSON.parse(body);
    } catch {
      this.raw(`${body}\n`);
      return this.stray();
    }
    const id = this.#next++;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.raw(`${JSON.stringify({ ...message, id })}\n`);
    return { ...(await answer), id: message.id };
  }

  /** Returns whether the request with this id was answered. */
  answered(id) {
    return this.lines.some((line) => JSON.parse(line).id === id);
  }

  request(method, params) {
    return this.begin(method, params).answer;
  }

  /** An answer that names no request of ours. */
  async stray() {
    return this.#strays.shift() ?? new Promise((resolve) => {
      this.strayed = (message) => {
        this.strayed = undefined;
        resolve(message);
      };
    });
  }

  async handshake(protocolVersion = "2025-11-25") {
    const clientInfo = { name: "pipe", version: "1" };
    const { result } = await this.request("initialize", { protocolVersion, capabilities: {}, clientInfo });
    this.notify("notifications/initialized");
    return result;
  }

  /** Calls a tool; the whole result. */
  async call(name, arguments_ = {}) {
    const { result, error } = await this.request("tools/call", { name, arguments: arguments_ });
    return result ?? { error };
  }

  async close() {
    this.child.stdin.end();
    return this.exit;
  }
}
