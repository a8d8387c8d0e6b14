// An answer as a model sees it: text to search, and the document in it. What a script needs next is taken from here; where the
// answer does not say it, the row fails with the answer's own words.

import assert from "node:assert/strict";

export class Answer {
  /** `body` is the JSON-RPC message; `bytes` its size as compact JSON. */
  constructor(request, body) {
    const { result, error } = body;
    this.request = request;
    this.bytes = Buffer.byteLength(JSON.stringify(body));
    this.failed = Boolean(error ?? result.isError);
    this.text = error ? JSON.stringify(error) : texts(result).join("\n");
    this.structured = result?.structuredContent;
  }

  /** The JSON document of a read. */
  get document() {
    return JSON.parse(this.text);
  }

  /** Confirm token of a preview; undefined where none was given. */
  get confirm() {
    return this.structured?.preview?.confirm;
  }

  /** The pattern's first group. */
  find(pattern) {
    const found = pattern.exec(this.text);
    assert.ok(found, `the answer does not say ${pattern}: ${this.text}`);
    return found[1];
  }

  /** The number in the pattern's first group. */
  number(pattern) {
    return Number(this.find(pattern));
  }

  /** The id of a page: where it was named otherwise, the one that is meant; else the one of that name. */
  pageId(name) {
    const meant = /number of a page: (\d+)/.exec(this.text);
    return meant ? Number(meant[1]) : this.idOf(name);
  }

  /** The number that stands right before a name, as in `42 "Northwind"`, or else right behind it, as in `Monitoring (3)`. */
  idOf(name) {
    const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const before = new RegExp(`(?<![\\w-])(\\d+)\\W{1,4}(?:[\\w ]+ / )*${quoted}\\b`).exec(this.text);
    return before ? Number(before[1]) : this.number(new RegExp(`${quoted}\\W{1,4}(\\d+)\\b`));
  }
}

function texts({ content, contents, messages }) {
  const parts = content ?? contents ?? messages.map((message) => message.content);
  return parts.map((part) => part.text ?? part.resource?.text ?? "");
}
