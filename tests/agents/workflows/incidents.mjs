// Telling customers about trouble, and keeping an incident up to date.

import assert from "node:assert/strict";
import { TAKEN } from "../support/job.mjs";
import { prompt, tool } from "../support/requests.mjs";

const CREATE = "create_incident";
const UPDATE = "add_incident_update";

/** The person's report, as a model would phrase it. */
const OUTAGE = {
  title: "Checkout errors",
  description: "Since 09:40 UTC some checkouts fail with an error. Orders already placed are not affected. We are looking into the cause.",
  status: "partial_outage",
  affected_items_freetext: "Checkout",
};

/** The page that the person means, and everything that a write on it needs. */
async function preparesWrite(job) {
  const { pages } = await job.reads("statibeat://pages");
  const { id } = pages.find(({ name }) => name === "Northwind Cloud Status");
  return { page_id: id, writing: await job.reads(`statibeat://pages/${id}/writing`) };
}

/** The number at the beginning of a component's line. */
const componentId = ({ components }, name) => Number(components.find((line) => line.includes(`/ ${name} `)).split(" ")[0]);

const tellCustomers = {
  id: "1",
  title: "Checkout answers 500: tell customers",
  async play(job) {
    const { page_id, writing } = await preparesWrite(job);
    assert.ok(writing.open_incidents.length > 0, "what is open is shown before something new is published");
    const outage = { page_id, ...OUTAGE };
    const again = (more) => tool(CREATE, { ...outage, ...more, preview: true });
    await job.mistakes([
      ["page by name", tool(CREATE, { ...outage, page_id: "Northwind Cloud Status" }), /Northwind Cloud Status|a page: \d/, (answer) => again({ page_id: answer.pageId("Northwind Cloud Status") })],
      ["page by slug", tool(CREATE, { ...outage, page_id: "northwind" }), /Northwind Cloud Status|a page: \d/, (answer) => again({ page_id: answer.pageId("Northwind Cloud Status") })],
      ["no page", tool(CREATE, OUTAGE), /`page_id`/, (answer) => again({ page_id: answer.pageId("Northwind Cloud Status") })],
      ["unknown page", tool(CREATE, { ...outage, page_id: 1 }), /Northwind Cloud Status|a page: \d/, (answer) => again({ page_id: answer.pageId("Northwind Cloud Status") })],
      ["placeholder for the page", tool(CREATE, { ...outage, page_id: "$1" }), /Northwind Cloud Status|a page: \d/, (answer) => again({ page_id: answer.pageId("Northwind Cloud Status") })],
      ["page as digits in text", tool(CREATE, { ...outage, page_id: String(page_id), preview: true }), TAKEN],
      ["preview as text", tool(CREATE, { ...outage, preview: "true" }), TAKEN],
      ["status by its name", again({ status: "Partial outage" }), TAKEN],
      ["status that means resolved", again({ status: "resolved" }), /operational.*degraded.*partial_outage/s, (answer) => again({ status: answer.find(/(major_outage)/) })],
      ["archived status", again({ status: "intermittent" }), /partial_outage/, (answer) => again({ status: answer.find(/(partial_outage)/) })],
      ["components as names", again({ affected_items: ["Search"] }), /\{"id": \d+\}/, (answer) => again({ affected_items: [{ id: answer.idOf("Search") }] })],
      ["component by its name as a slug", again({ affected_items: [{ slug: "Object Storage" }] }), /Object Storage/, (answer) => again({ affected_items: [{ id: answer.idOf("Object Storage") }] })],
      ["component that there is not", again({ affected_items: [{ id: 999 }] }), /999/, (answer) => again({ affected_items: [{ id: answer.idOf("Dashboard") }] })],
      ["component with a typing error", again({ affected_items: [{ slug: "serch" }] }), /[Ss]earch/, (answer) => again({ affected_items: [{ id: answer.idOf("Search") }] })],
      ["confirm: true", tool(CREATE, { ...outage, confirm: true }), /`confirm`/, () => again({})],
      ["confirm: yes", tool(CREATE, { ...outage, confirm: "yes" }), /confirm token/, () => again({})],
      ["secret in the text", tool(CREATE, { ...outage, description: "Token sk_live_1234567890abcdef was revoked." }), /sk_live/, () => again({ description: "A credential was revoked." })],
      ["internal host in the text", tool(CREATE, { ...outage, description: "db-prod-3.internal ran out of disk." }), /db-prod-3\.internal/, () => again({ description: "A database ran out of disk." })],
      ["made-up argument", again({ severity: "high" }), /`severity`.*status/s, () => again({})],
      ["no description", again({ description: undefined }), /`description`/, () => again({})],
      ["several faults at once", again({ status: "bad", severity: 1, page_id: "42.5" }), /page_id.*severity|severity.*page_id/s, (answer) => again({ page_id: answer.pageId("Northwind Cloud Status") })],
      ["used external id", again({ external_id: "pagerduty-Q2TXAPI" }), /external_id/, () => again({})],
      ["the same trouble as an open incident", tool(CREATE, { ...outage, affected_items: [{ id: componentId(writing, "API Gateway") }] }), /add_incident_update/, (answer) => tool(UPDATE, { page_id, incident_id: answer.number(/incident (\d+)/), message: OUTAGE.description, preview: true })],
    ]);
    const done = await job.publishes(CREATE, { page_id, ...OUTAGE, status: "Partial outage" });
    const other = { ...outage, title: "Slow invoices", description: "Invoices arrive late.", affected_items_freetext: "Invoices" };
    await job.mistakes([["confirm with a changed text", (agent) => changedConfirm(agent, other), /differs|previewed/, () => tool(CREATE, { ...other, preview: true })]]);
    assert.equal(done.structured.status, "partial_outage");
  },
};

/** A call that brings the confirm token of a preview, and another text than was shown. */
async function changedConfirm(agent, write) {
  const { confirm } = await agent.send(tool(CREATE, { ...write, preview: true }));
  return tool(CREATE, { ...write, description: "Invoices are lost.", confirm });
}

const update = {
  id: "2",
  title: "An update with the right stage",
  async play(job) {
    const { page_id, writing } = await preparesWrite(job);
    const { id: incident_id } = writing.open_incidents.find(({ title }) => title.startsWith("API gateway"));
    const stage = writing.incident_stages.find(({ name }) => name === "Monitoring");
    const news = { page_id, incident_id, message: "The rollback is complete. Error rates are back to normal, and we keep watching them." };
    const again = (more) => tool(UPDATE, { ...news, ...more, preview: true });
    await job.mistakes([
      ["stage by its name", again({ lifecycle_stage_id: "Identified" }), TAKEN],
      ["stage as digits in text", again({ lifecycle_stage_id: String(stage.id) }), TAKEN],
      ["stage that there is not", again({ lifecycle_stage_id: "Fixed" }), /Monitoring/, (answer) => again({ lifecycle_stage_id: answer.idOf("Monitoring") })],
      ["the last stage by number", again({ lifecycle_stage_id: 4 }), /Monitoring/, (answer) => again({ lifecycle_stage_id: answer.idOf("Monitoring") })],
      ["the last stage by name", again({ lifecycle_stage_id: "Resolved" }), /Monitoring/, (answer) => again({ lifecycle_stage_id: answer.idOf("Monitoring") })],
      ["incident by its title", again({ incident_id: "API gateway errors in Europe" }), /`incident_id`/, (answer) => again({ incident_id: answer.idOf("API gateway errors in Europe") })],
      ["incident of another page", again({ incident_id: 1101 }), /1101/, (answer) => again({ incident_id: answer.idOf("API gateway errors in Europe") })],
      ["incident that there is not", again({ incident_id: 999999 }), /999999/, (answer) => again({ incident_id: answer.idOf("API gateway errors in Europe") })],
      ["no incident", again({ incident_id: undefined }), /`incident_id`/, (answer) => again({ incident_id: answer.idOf("API gateway errors in Europe") })],
      ["page of another name with this incident", tool(UPDATE, { ...news, page_id: 43 }), /1001/, () => again({})],
      ["components replaced, as elsewhere", again({ affected_items: [{ id: 104 }] }), /add_affected_items/, () => again({ add_affected_items: [{ id: componentId(writing, "Webhooks") }] })],
      ["text under another name", again({ message: undefined, description: news.message }), /message/, () => again({})],
      ["status by its name", again({ status: "Degraded" }), TAKEN],
      ["stage on a resolved incident", again({ incident_id: 1004, lifecycle_stage_id: stage.id }), /create_incident/, () => again({})],
    ]);
    await job.publishes(UPDATE, { ...news, lifecycle_stage_id: stage.name });
    const added = { page_id, incident_id, message: "Webhooks are affected too.", add_affected_items: [{ id: componentId(writing, "Webhooks") }] };
    const { shown } = await job.publishes(UPDATE, added);
    assert.match(shown, /Webhooks: operational → partial outage \(added\)/);
  },
};

const drafted = {
  id: "2b",
  title: "An incident drafted by a prompt",
  async play(job) {
    const { pages } = await job.reads("statibeat://pages");
    const { id } = pages.find(({ name }) => name === "Northwind Cloud Status");
    const page_id = String(id);
    const symptoms = "Checkout answers 500 since 09:40 UTC";
    const draft = (args) => prompt("draft_customer_incident", { page_id, symptoms, ...args });
    if (job.hasPrompts) {
      await job.mistakes([
        ["prompt with a page by name", draft({ page_id: "Northwind Cloud Status" }), TAKEN],
        ["prompt with an unknown page", draft({ page_id: "99" }), /Northwind Cloud Status|a page: \d/, (answer) => draft({ page_id: String(answer.pageId("Northwind Cloud Status")) })],
      ]);
    }
    const text = await job.asks(draft({}), [`statibeat://pages/${id}/writing`]);
    assert.match(text, /API gateway errors in Europe/);
    await job.publishes(CREATE, { page_id: id, ...OUTAGE, title: "Payments by card fail", affected_items_freetext: "Cards" });
  },
};

export const INCIDENTS = [tellCustomers, update, drafted];
