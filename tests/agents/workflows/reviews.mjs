// Review of open incidents, and analytics.

import assert from "node:assert/strict";
import { prompt, read, tool } from "../support/requests.mjs";

const UPDATE = "add_incident_update";

const accuracy = {
  id: "8",
  title: "Is an incident accurate, and resolve it",
  async play(job) {
    const { pages } = await job.reads("statibeat://overview");
    const page = pages.find(({ name }) => name === "Northwind Cloud Status");
    const { id } = page.open_incidents.find(({ title }) => title.startsWith("API gateway"));
    const uri = `statibeat://pages/${page.id}/incidents/${id}`;
    const { incident } = await job.reads(uri);
    assert.match(incident.admin_url, /^https?:/, "a person is told where to resolve it");
    const active = `statibeat://pages/${page.id}/incidents/active`;
    const review = (args) => prompt("review_existing_incident_state", { page_id: String(page.id), ...args });
    await job.asks(review({ incident_id: String(id) }), [`statibeat://pages/${page.id}/beats/failures`]);
    const news = { page_id: page.id, incident_id: id, message: "Error rates have been normal for an hour. We keep watching." };
    const monitoring = (answer) => tool(UPDATE, { ...news, lifecycle_stage_id: answer.idOf("Monitoring"), preview: true });
    await job.mistakes([
      ["a tool that resolves", tool("resolve_incident", { page_id: page.id, incident_id: id }), /admin_url/, () => read(uri)],
      ["the last stage", tool(UPDATE, { ...news, lifecycle_stage_id: 4 }), /https?:.*admin/s, monitoring],
      ["resolved as a stage", tool(UPDATE, { ...news, lifecycle_stage_id: "Resolved" }), /https?:.*admin/s, monitoring],
      ["resolved as a status", tool(UPDATE, { ...news, status: "resolved" }), /operational/, () => tool(UPDATE, { ...news, preview: true })],
      ["an argument that resolves", tool(UPDATE, { ...news, resolved: true }), /`resolved`/, () => tool(UPDATE, { ...news, preview: true })],
      ["incident of another page", read(`statibeat://pages/${page.id}/incidents/1101`), new RegExp(`1101[^]*${active}`), (answer) => read(answer.find(new RegExp(`(${active})`)))],
      ["incident by its title", read(`statibeat://pages/${page.id}/incidents/API gateway errors in Europe`), /incidents\/active/, () => read(active)],
      ...(job.hasPrompts ? [["prompt for an incident that there is not", review({ incident_id: "999999" }), /999999/, () => review({ incident_id: String(id) })]] : []),
    ]);
    await job.publishes(UPDATE, news);
  },
};

const figures = {
  id: "9",
  title: "Visitors and notified subscribers of last week",
  async play(job) {
    const { pages } = await job.reads("statibeat://pages");
    const { id } = pages.find(({ name }) => name === "Northwind Cloud Status");
    const uri = `statibeat://pages/${id}/analytics/summary`;
    await job.reads(`${uri}?window_days=7`);
    await job.mistakes([
      ["days under another name", read(`${uri}?days=7`), /window_days/, (answer) => read(`${uri}?${answer.find(/(window_days)/)}=7`)],
      ["a year", read(`${uri}?window_days=365`), /90/, (answer) => read(`${uri}?window_days=${answer.number(/(90)/)}`)],
      ["a week in words", read(`${uri}?window_days=week`), /90/, () => read(`${uri}?window_days=7`)],
      ["a shorter path", read(`statibeat://pages/${id}/analytics`), /analytics\/summary/, () => read(uri)],
    ]);
  },
};

const degraded = {
  id: "10",
  title: "Components that are not operational, on all pages",
  async play(job) {
    const { pages } = await job.reads("statibeat://overview");
    assert.ok(pages.every(({ not_operational }) => not_operational.length > 0));
    const [{ id }] = pages;
    const hierarchy = `statibeat://pages/${id}/hierarchy`;
    await job.mistakes([
      ["components under another name", read(`statibeat://pages/${id}/components`), /hierarchy/, () => read(hierarchy)],
      ["branch by its name", read(`${hierarchy}?under_id=Dashboard`), /under_id/, () => read(hierarchy)],
      ["branch that there is not", read(`${hierarchy}?under_id=999`), /999/, () => read(hierarchy)],
    ]);
  },
};

export const REVIEWS = [accuracy, figures, degraded];
