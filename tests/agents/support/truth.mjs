// Reads StatiBeat directly, not through the connector: published writes and their content.

import assert from "node:assert/strict";

/** The page whose token the simulator hands out; every workflow publishes there. */
const PAGE = "/api/v1/orgs/7/pages/42/admin";

export class Truth {
  #url;

  constructor(stack) {
    this.#url = stack.simulatorUrl;
  }

  /** Paths of the writes that came to something, oldest first. */
  async published() {
    const { items } = await this.#get("/__simulator/audit");
    return items.filter(({ status }) => status < 300).map(({ path }) => path);
  }

  /** An incident or a maintenance with its updates. */
  target(kind, id) {
    return this.#get(`${PAGE}/${kind}s/${id}`);
  }

  /** Status key by component id; `under_maintenance` wins. */
  async statuses() {
    const { items } = await this.#get(`${PAGE}/hierarchy/items`);
    return Object.fromEntries(items.map(({ id, status, under_maintenance }) => [id, under_maintenance ? "under_maintenance" : status]));
  }

  async #get(path) {
    const answer = await fetch(this.#url + path, { headers: { authorization: "Bearer sb_demo_admin_42" } });
    const text = await answer.text();
    assert.equal(answer.status, 200, `${path}: ${text}`);
    return JSON.parse(text);
  }
}

/** Holds what a preview showed against what was published. */
export async function checkPreview(truth, { preview, before, published }) {
  const { target, components, public_text } = preview;
  const id = published[`${target.kind}_id`];
  const found = await truth.target(target.kind, id);
  const shown = (name) => target[name]?.after;
  assert.deepEqual([target.title, shown("stage"), shown("state")], [found.title, found.lifecycle_stage.name, found.state]);
  if (target.status) assert.equal(shown("status"), found.status);
  if (target.id) assert.equal(target.id, id);
  const messages = found.updates.map(({ message }) => message);
  for (const [name, text] of Object.entries(public_text)) {
    assert.ok(name === "message" ? messages.includes(text) : found[name] === text, `${name}: ${text}: ${JSON.stringify(found)}`);
  }
  const foretold = { ...before, ...Object.fromEntries(components.map((component) => [component.id, component.after])) };
  assert.deepEqual(foretold, await truth.statuses());
}
