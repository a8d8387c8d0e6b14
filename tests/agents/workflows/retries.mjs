// The same write again, on purpose or not: an identical one is published once, and one that is nearly so is shown first.

import assert from "node:assert/strict";
import { tool } from "../support/requests.mjs";

const CREATE = "create_incident";
const UPDATE = "add_incident_update";

const retries = {
  id: "11",
  title: "Retries",
  async play(job) {
    const { pages } = await job.reads("statibeat://overview");
    const page = pages.find(({ name }) => name === "Northwind Cloud Status");
    const outage = { page_id: page.id, title: "Invoices are late", description: "Invoices arrive with a delay of 50 percent.", affected_items_freetext: "Invoices" };
    const { structured: first } = await job.publishes(CREATE, outage);
    const published = await job.truth.published();
    const again = await job.does(tool(CREATE, outage));
    assert.deepEqual([again.structured.replayed, again.structured.incident_id], [true, first.incident_id]);
    const news = { page_id: page.id, incident_id: page.open_incidents[0].id, message: "We are adding capacity, which takes 50 percent of an hour." };
    const nearly = (more) => tool(UPDATE, { ...news, ...more });
    const shown = () => tool(UPDATE, { ...news, message: "Capacity was added, and deliveries catch up.", preview: true });
    assert.deepEqual(await job.truth.published(), published, "an identical retry was published again");
    await job.publishes(UPDATE, news);
    const replayed = await job.does(nearly({}));
    assert.equal(replayed.structured.replayed, true);
    await job.mistakes([
      ["incident with a trailing blank", tool(CREATE, { ...outage, description: `${outage.description} ` }), /incident \d+/, (answer) => tool(UPDATE, { page_id: page.id, incident_id: answer.number(/incident (\d+)/), message: outage.description, preview: true })],
      ["incident with a sign for a word", tool(CREATE, { ...outage, description: "Invoices arrive with a delay of 50 %." }), /incident \d+/, (answer) => tool(UPDATE, { page_id: page.id, incident_id: answer.number(/incident (\d+)/), message: "Invoices arrive late.", preview: true })],
      ["update with a trailing blank", nearly({ message: `${news.message} ` }), /preview/, shown],
      ["update with a sign for a word", nearly({ message: news.message.replace("percent", "%") }), /preview/, shown],
    ]);
    const keyed = { ...news, message: "The queue is empty again.", idempotency_key: "evaluation-1" };
    await job.publishes(UPDATE, keyed);
    await job.mistakes([["used key with another text", tool(UPDATE, { ...keyed, message: "Something else happened." }), /`message`/, () => tool(UPDATE, { ...keyed, message: "Something else happened.", idempotency_key: "evaluation-2", preview: true })]]);
    const { confirm } = await job.does(shown());
    await job.does(tool(UPDATE, { page_id: page.id, confirm }));
    const twice = await job.does(tool(UPDATE, { page_id: page.id, confirm }));
    assert.equal(twice.structured.replayed, true, "a confirm token publishes once");
  },
};

export const RETRIES = [retries];
