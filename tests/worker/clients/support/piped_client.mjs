// A client in a program of its own, driven over pipes: a JSON line for each step, one for each result or question.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

/** Longest step, sign-in included. */
const LONGEST_STEP = 60_000;

export class PipedClient {
  #child;
  #lines;
  #errors = "";

  /** `start` is what the program is told first; its answer says which protocol version was agreed on. */
  constructor(command, args, start, person) {
    this.person = person;
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr.on("data", (text) => (this.#errors += text));
    this.#child.on("error", (error) => (this.#errors += error.message));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.start = start;
  }

  async connect() {
    return (await this.#say(this.start)).speaks;
  }

  list = () => this.#say({ do: "list" }).then(([{ tools }, { resources }, { prompts }]) => ({ tools, resources, prompts }));
  read = (uri) => this.#say({ do: "read", uri });
  prompt = (name, given) => this.#say({ do: "prompt", name, arguments: given });
  call = (name, given) => this.#say({ do: "call", name, arguments: given });
  tokens = () => this.#say({ do: "tokens" });
  /** The client's own clock passes the end of its access token. */
  expire = () => this.#say({ do: "expire" });

  async close() {
    if (this.#child.exitCode !== null) return;
    const end = once(this.#child, "exit");
    this.#child.stdin.end(`${JSON.stringify({ do: "close" })}\n`);
    await Promise.race([end, pause(5000, undefined, { ref: false })]);
    if (this.#child.exitCode === null) this.#child.kill("SIGKILL");
  }

  /** One step; answers what the program asks meanwhile. */
  async #say(step) {
    this.#child.stdin.write(`${JSON.stringify(step)}\n`);
    for (;;) {
      const message = await this.#hear(step);
      if (message.error) throw new Error(message.error);
      if (message.ask === undefined) return message.result;
      const answer = message.ask === "sign_in" ? await this.person.signIn(message.url) : this.person.confirm(message.question);
      this.#child.stdin.write(`${JSON.stringify({ answer })}\n`);
    }
  }

  async #hear(step) {
    const late = pause(LONGEST_STEP, { late: true }, { ref: false });
    const line = await Promise.race([this.#lines.next(), late]);
    if (line.late || line.done) throw new Error(`${line.late ? "no answer" : "the program ended"} during ${JSON.stringify(step)}: ${this.#errors.slice(-4000)}`);
    return JSON.parse(line.value);
  }
}
