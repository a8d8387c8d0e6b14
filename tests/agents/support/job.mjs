// One workflow played by one client: the calls of a job done without mistakes, and beside them the mistakes that models make on
// their first try, each with the next try that its answer leads to.

import assert from "node:assert/strict";
import { Agent } from "./agent.mjs";
import { inWords, read, tool } from "./requests.mjs";
import { Truth, checkPreview } from "./truth.mjs";

export class Job {
  #context;
  #agent;

  /** `context` is the running test: each mistake becomes a test below it. */
  static async begin(context, stack, { kind }) {
    const job = new Job();
    job.#context = context;
    job.#agent = await Agent.connect(stack, kind);
    job.truth = new Truth(stack);
    job.hasPrompts = job.#agent.hasPrompts;
    job.costs = { calls: 0, bytes: 0, mistakes: 0, failed: 0, mistakeBytes: 0 };
    for (const request of job.#agent.discovery) await job.does(request);
    return job;
  }

  /** Does a call of the job; it works, and its cost counts. */
  async does(request) {
    const answer = await this.#agent.send(request);
    assert.ok(!answer.failed, `${inWords(request)}: ${answer.text}`);
    this.costs.calls += 1;
    this.costs.bytes += answer.bytes;
    return answer;
  }

  /** The JSON document of a resource. */
  async reads(uri) {
    return (await this.does(read(uri))).document;
  }

  /** A prompt's texts; a client without prompts reads these resources instead. */
  async asks(prompt, uris) {
    if (this.hasPrompts) return (await this.does(prompt)).text;
    const texts = [];
    for (const uri of uris) texts.push((await this.does(read(uri))).text);
    return texts.join("\n");
  }

  /** Previews a write, publishes what was shown, and holds what is on the page against it. */
  async publishes(name, args) {
    const before = await this.truth.statuses();
    const { structured, text, confirm } = await this.does(tool(name, { ...args, preview: true }));
    assert.ok(confirm, text);
    const done = await this.does(tool(name, { page_id: args.page_id, confirm }));
    assert.equal(done.structured.replayed, false, done.text);
    await checkPreview(this.truth, { preview: structured.preview, before, published: done.structured });
    return Object.assign(done, { shown: text });
  }

  /**
   * Rows of `[name, first try, pattern of the refusal, next try]`. The first try is refused and publishes nothing; its answer says
   * what the pattern wants, and `next` makes the next try from that answer alone, which must work. Where the pattern is `TAKEN`,
   * the first try is imprecise and works. A first try that needs an earlier answer is a function of the client.
   */
  async mistakes(rows) {
    for (const [name, first, says, next] of rows) {
      await this.#context.test(name, async () => {
        const costs = await this.#mistake(first, says, next);
        for (const [cost, amount] of Object.entries(costs)) this.costs[cost] += amount;
      });
    }
  }

  async #mistake(first, says, next) {
    const before = await this.truth.published();
    const request = typeof first === "function" ? await first(this.#agent) : first;
    const answer = await this.#agent.guess(request);
    if (says === TAKEN) {
      assert.ok(!answer.failed, answer.text);
      return { mistakes: 1, mistakeBytes: answer.bytes };
    }
    assert.ok(answer.failed, `it was not refused: ${answer.text}`);
    assert.match(answer.text, says);
    assert.equal(answer.confirm, undefined, "a refused call has a confirm token");
    assert.deepEqual(await this.truth.published(), before, "a refused call was published");
    const second = await this.#agent.send(next(answer));
    assert.ok(!second.failed, `the next try fails: ${inWords(second.request)}: ${second.text}`);
    return { mistakes: 1, failed: 1, mistakeBytes: answer.bytes + second.bytes };
  }
}

/** An imprecise first try that works all the same. */
export const TAKEN = Symbol("taken");
