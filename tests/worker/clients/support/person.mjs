// The person in front of a client: signs in and answers questions, and remembers both.

import { signIn } from "../../support/browser.mjs";
import { READS, WRITES } from "./connection.mjs";

export class Person {
  /** Addresses that the client opened in the browser. */
  asked = [];
  /** Questions before a write. */
  questions = [];
  /** The scopes that the person ticks. */
  scopes = [...READS, ...WRITES];
  /** The answer to the next questions. */
  answer = { action: "accept", content: { publish: true } };

  /** Returns the address to which the browser is sent back. */
  async signIn(url) {
    this.asked.push(new URL(url));
    return (await signIn(url, { scopes: this.scopes })).href;
  }

  confirm(question) {
    this.questions.push(question);
    return this.answer;
  }

  forget() {
    this.asked.length = 0;
    this.questions.length = 0;
  }
}
