// Planning work, and telling customers how it goes.

import assert from "node:assert/strict";
import { at, nextGapDay, nextWeekday } from "../support/calendar.mjs";
import { TAKEN } from "../support/job.mjs";
import { prompt, tool } from "../support/requests.mjs";

const SCHEDULE = "schedule_maintenance";
const UPDATE = "add_maintenance_update";
const DAY = 24 * 60 * 60_000;

const WORK = {
  title: "Database maintenance",
  description: "We upgrade the primary database. Writes may be slow for a few minutes.",
};

/** The page, its clock and its components, from one read after the list of pages. */
async function preparesWindow(job) {
  const { pages } = await job.reads("statibeat://pages");
  const { id: page_id, time_zone: zone } = pages.find(({ name }) => name === "Northwind Cloud Status");
  const writing = await job.reads(`statibeat://pages/${page_id}/writing`);
  const database = Number(writing.components.find((line) => line.includes("Primary Database")).split(" ")[0]);
  return { page_id, zone, database, now: new Date(writing.as_of.utc) };
}

const plan = {
  id: "3",
  title: "Maintenance on Saturday from 02:00 to 04:00 in Stockholm",
  async play(job) {
    const { page_id, zone, database, now } = await preparesWindow(job);
    const day = nextWeekday(zone, now, "Saturday");
    const window = { starts_at: at(zone, day, "02:00"), ends_at: at(zone, day, "04:00") };
    const work = { page_id, ...WORK, affected_items: [{ id: database }], ...window };
    const again = (more) => tool(SCHEDULE, { ...work, ...more, preview: true });
    await job.mistakes([
      ["times without an offset", again({ starts_at: `${day} 02:00`, ends_at: `${day} 04:00` }), /offset/, () => again({})],
      ["a relative time", again({ starts_at: "next Saturday 02:00" }), /`starts_at`/, () => again({})],
      ["no end", again({ ends_at: undefined }), /`ends_at`/, () => again({})],
      ["an end before the start", again({ starts_at: window.ends_at, ends_at: window.starts_at }), /after/, () => again({})],
      ["a time zone by name", again({ time_zone: "Europe/Stockholm" }), /`time_zone`/, () => again({})],
      ["a component by name", again({ affected_items: ["Primary Database"] }), /Primary Database/, (answer) => again({ affected_items: [{ id: answer.idOf("Primary Database") }] })],
      ["a message instead of a description", again({ description: undefined, message: WORK.description }), /description/, () => again({})],
      ["the page by name", again({ page_id: "Northwind Cloud Status" }), /Northwind Cloud Status|a page: \d/, (answer) => again({ page_id: answer.pageId("Northwind Cloud Status") })],
    ]);
    const { shown } = await job.publishes(SCHEDULE, work);
    assert.match(shown, /Sat .* 02:00 .* to Sat .* 04:00/);
  },
};

const past = {
  id: "3b",
  title: "The same in the past",
  async play(job) {
    const { page_id, zone, now } = await preparesWindow(job);
    const before = nextWeekday(zone, new Date(now.getTime() - 30 * DAY), "Saturday");
    const after = nextWeekday(zone, now, "Saturday");
    const work = (day) => ({ page_id, title: "Mail relay patches", description: "E-mail may be late.", starts_at: at(zone, day, "12:00"), ends_at: at(zone, day, "14:00") });
    await job.mistakes([["a day that has passed", tool(SCHEDULE, work(before)), /now/i, () => tool(SCHEDULE, { ...work(after), preview: true })]]);
    await job.publishes(SCHEDULE, work(after));
  },
};

const gap = {
  id: "3c",
  title: "The same where clocks are put forward",
  async play(job) {
    const { page_id, zone, now } = await preparesWindow(job);
    const day = nextGapDay(zone, now);
    const work = (starts_at) => ({ page_id, ...WORK, starts_at, ends_at: at(zone, day, "05:00") });
    let starts_at;
    await job.mistakes([
      ["a time that does not exist there", tool(SCHEDULE, work(`${day}T02:30:00+01:00`)), /2:30/, (answer) => {
        starts_at = answer.find(new RegExp(`(${day}.03:30[:0]* ?\\+02:00)`));
        return tool(SCHEDULE, { ...work(starts_at), preview: true });
      }],
    ]);
    await job.publishes(SCHEDULE, work(starts_at ?? at(zone, day, "03:30")));
  },
};

const progress = {
  id: "4",
  title: "Work has started, or is delayed by an hour",
  async play(job) {
    const { pages } = await job.reads("statibeat://pages");
    const { id: page_id } = pages.find(({ name }) => name === "Northwind Cloud Status");
    const { maintenance_stages } = await job.reads(`statibeat://pages/${page_id}/writing`);
    const active = await job.reads(`statibeat://pages/${page_id}/maintenances/active`);
    const upcoming = await job.reads(`statibeat://pages/${page_id}/maintenances/upcoming`);
    const running = active.maintenances[0].id;
    const planned = upcoming.maintenances[0];
    const news = { page_id, maintenance_id: running, message: "Work has started as planned." };
    const again = (more) => tool(UPDATE, { ...news, ...more, preview: true });
    const inProgress = maintenance_stages.find(({ name }) => name === "In Progress");
    await job.mistakes([
      ["the window in an update", again({ ends_at: "2030-01-01T00:00:00Z" }), /`ends_at`/, () => again({})],
      ["stage completed by name", again({ lifecycle_stage_id: "Completed" }), /In Progress/, (answer) => again({ lifecycle_stage_id: answer.idOf("In Progress") })],
      ["stage cancelled by number", again({ lifecycle_stage_id: 14 }), /In Progress/, (answer) => again({ lifecycle_stage_id: answer.idOf("In Progress") })],
      ["stage by its name", again({ lifecycle_stage_id: "In Progress" }), TAKEN],
      ["maintenance by its title", again({ maintenance_id: "Database minor version upgrade" }), /`maintenance_id`/, (answer) => again({ maintenance_id: answer.idOf("Database minor version upgrade") })],
      ["maintenance of another page", again({ maintenance_id: 2101 }), /2101/, (answer) => again({ maintenance_id: answer.idOf("Database minor version upgrade") })],
      ["maintenance that there is not", again({ maintenance_id: 7 }), /7/, (answer) => again({ maintenance_id: answer.idOf("Database minor version upgrade") })],
      ["an incident's number", again({ maintenance_id: 1001 }), /1001/, (answer) => again({ maintenance_id: answer.idOf("Database minor version upgrade") })],
      ["a tool to move the window", tool("update_maintenance", { page_id }), /admin_url/, () => again({})],
      ["a tool to complete it", tool("complete_maintenance", { page_id }), /admin_url/, () => again({})],
    ]);
    await job.publishes(UPDATE, news);
    const early = await job.does(tool(UPDATE, { ...news, maintenance_id: planned.id, lifecycle_stage_id: inProgress.id, preview: true }));
    assert.match(early.text, /Warning/, "work that starts days early is warned about");
    await job.publishes(UPDATE, { page_id, maintenance_id: planned.id, message: "The start is delayed by an hour. We will post the new times here." });
    if (job.hasPrompts) await job.mistakes([["a prompt of the page that there is not", prompt("plan_maintenance_window", { page_id: "7", change_summary: "x" }), /Northwind Cloud Status|a page: \d/, (answer) => prompt("plan_maintenance_window", { page_id: String(answer.pageId("Northwind Cloud Status")), change_summary: "x" })]]);
  },
};

export const MAINTENANCES = [plan, past, gap, progress];
