// Reads and calls as models misspell them.

import { TAKEN } from "../support/job.mjs";
import { read, tool } from "../support/requests.mjs";

const spellings = {
  id: "12",
  title: "Wrong reads",
  async play(job) {
    const { pages } = await job.reads("statibeat://pages");
    const { id } = pages.find(({ name }) => name === "Northwind Cloud Status");
    const root = `statibeat://pages/${id}`;
    const page = (answer) => read(`statibeat://pages/${answer.pageId("Northwind Cloud Status")}/summary`);
    const said = (path) => (answer) => read(answer.find(new RegExp(`(${root}/${path})`)));
    const listed = (path) => (answer) => read(answer.find(/(statibeat:[^ ]+) followed by/) + answer.find(new RegExp(`one of: .*?\\b(${path})\\b`)));
    await job.reads(`${root}/summary`);
    await job.mistakes([
      ["unknown page", read("statibeat://pages/1/summary"), /Northwind Cloud Status|a page: \d/, page],
      ["page of another organization", read("statibeat://pages/77/summary"), /Northwind Cloud Status|a page: \d/, page],
      ["page by slug", read("statibeat://pages/northwind/summary"), /Northwind Cloud Status|a page: \d/, page],
      ["page by name", read("statibeat://pages/Northwind Cloud Status/summary"), /Northwind Cloud Status|a page: \d/, page],
      ["unfilled template", read("statibeat://pages/{page_id}/summary"), /Northwind Cloud Status|a page: \d/, page],
      ["placeholder", read("statibeat://pages/$1/summary"), /Northwind Cloud Status|a page: \d/, page],
      ["page alone", read(root), /summary/, listed("summary")],
      ["incidents without which", read(`${root}/incidents`), /incidents\/active/, said("incidents/active")],
      ["maintenances without which", read(`${root}/maintenances`), /maintenances\/active/, said("maintenances/active")],
      ["completed maintenances", read(`${root}/maintenances/completed`), /maintenances\/(active|upcoming)/, said("maintenances/(?:active|upcoming)")],
      ["a stage for a list", read(`${root}/incidents/open`), /incidents\/active/, said("incidents/active")],
      ["incident of another page", read(`${root}/incidents/1101`), /incidents\/active/, said("incidents/active")],
      ["incident that there is not", read(`${root}/incidents/999999`), /incidents\/active/, said("incidents/active")],
      ["maintenance that there is not", read(`${root}/maintenances/7`), /maintenances\/(active|upcoming)/, said("maintenances/(?:active|upcoming)")],
      ["unknown path", read(`${root}/status`), /summary/, listed("summary")],
      ["unknown query parameter", read(`${root}/incidents/active?limit=5`), /limit/, () => read(`${root}/incidents/active`)],
      ["another scheme", read(`https://pages/${id}/summary`), /statibeat:\/\//, () => read(`${root}/summary`)],
      ["a number beyond all", read("statibeat://pages/9007199254740993/summary"), /Northwind Cloud Status|a page: \d/, page],
      ["a slash at the end", read(`${root}/summary/`), /summary(?![/\w])/, said("summary(?![/\\w])")],
      ["scheme in capitals", read(`STATIBEAT://pages/${id}/summary`), TAKEN],
      ["percent-encoded letters", read(`statibeat://pages/${id}/s%75mmary`), TAKEN],
      ["template with an empty variable", read(`${root}/hierarchy?under_id=`), TAKEN],
    ]);
  },
};

const hostile = {
  id: "12b",
  title: "Odd and hostile input to tools",
  async play(job) {
    const { pages } = await job.reads("statibeat://pages");
    const { id: page_id } = pages.find(({ name }) => name === "Northwind Cloud Status");
    const outage = { page_id, title: "Slow search", description: "Search answers slowly." };
    const again = (more) => tool("create_incident", { ...outage, ...more, preview: true });
    await job.mistakes([
      ["number with a fraction of zero", again({ page_id: Number(`${page_id}.0`) }), TAKEN],
      ["page beyond 2^53", again({ page_id: "9007199254740993" }), /page_id/, () => again({})],
      ["null for a text", again({ title: null }), /`title`/, () => again({})],
      ["object for a text", again({ title: { text: "Slow" } }), /`title`/, () => again({})],
      ["title of two lines", again({ title: "Slow\nsearch" }), /`title`/, () => again({})],
      ["title of 300 characters", again({ title: "Slow ".repeat(60) }), /200/, () => again({})],
      ["empty description", again({ description: "  " }), /`description`/, () => again({})],
      ["one component without a list", again({ affected_items: { id: 113 } }), TAKEN],
      ["numbers for components", again({ affected_items: [113] }), /\{"id": /, (answer) => again({ affected_items: [{ id: answer.number(/\{"id": (\d+)\}/) }] })],
      ["a tool that there is not", tool("delete_incident", { page_id }), /create_incident/, () => again({})],
      ["a tool of another server", tool("post_message", { text: "x" }), /create_incident/, () => again({})],
      ["argument of another case", again({ pageId: page_id, page_id: undefined }), /`page_id`/, () => again({})],
      ["preview and confirm at once", again({ confirm: "pv_" }), /confirm/, () => again({})],
    ]);
    await job.publishes("create_incident", { ...outage, affected_items_freetext: "Search" });
  },
};

export const READS = [spellings, hostile];
