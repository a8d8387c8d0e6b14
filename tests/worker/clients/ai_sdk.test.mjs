// Vercel's AI SDK: the client of many agents that are written in TypeScript.

import { after, before, describe } from "node:test";
import { ElicitationRequestSchema, UnauthorizedError, auth, createMCPClient } from "@ai-sdk/mcp";
import { startStack } from "../support/stack.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { memory } from "./support/memory.mjs";
import { wholeFlow } from "./support/whole_flow.mjs";

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());
showLogOfFailures(() => stack);

/** Signs in where the SDK says that it must, and repeats the step, as the SDK's documentation asks of programs. */
class AiSdkClient {
  #client;

  constructor(url, person, { elicits }) {
    this.url = url;
    this.person = person;
    this.elicits = elicits;
    this.memory = memory("AI SDK");
  }

  async connect() {
    await this.#signedIn(async () => {
      this.#client = await createMCPClient({
        transport: { type: "http", url: this.url, authProvider: this.memory },
        capabilities: this.elicits ? { elicitation: {} } : {},
      });
    });
    if (this.elicits) this.#client.onElicitationRequest(ElicitationRequestSchema, ({ params }) => this.person.confirm(params));
    return this.#client.initializeResult.protocolVersion;
  }

  async list() {
    const [{ tools }, { resources }, { prompts }] = [await this.#client.listTools(), await this.#client.listResources(), await this.#client.listPrompts()];
    return { tools, resources, prompts };
  }

  read = (uri) => this.#signedIn(() => this.#client.readResource({ uri }));
  prompt = (name, given) => this.#signedIn(() => this.#client.getPrompt({ name, arguments: given }));
  call = (name, given) => this.#signedIn(() => this.#client.callTool({ name, arguments: given }));
  tokens = () => ({ ...this.memory.kept.tokens, client_id: this.memory.kept.client.client_id });
  close = () => this.#client?.close();

  async #signedIn(step) {
    try {
      return await step();
    } catch (error) {
      // The SDK wraps what goes wrong after the first call.
      if (![error, error.cause].some((each) => each instanceof UnauthorizedError)) throw error;
      const { searchParams } = new URL(await this.person.signIn(this.memory.kept.authorizationUrl));
      const callback = { authorizationCode: searchParams.get("code"), callbackState: searchParams.get("state"), callbackIssuer: searchParams.get("iss") };
      await auth(this.memory, { serverUrl: this.url, ...callback });
      return step();
    }
  }
}

const program = { topic: "Dashboards don't load", speaks: "2026-07-28", elicits: true, stepsUp: false };
describe("AI SDK", () => wholeFlow({ ...program, start: (...given) => new AiSdkClient(...given) }, () => stack));
