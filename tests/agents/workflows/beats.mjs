// Stages of Beats, their reasons, and their pending posts.

import assert from "node:assert/strict";
import { prompt, read, tool } from "../support/requests.mjs";

const health = {
  id: "5",
  title: "Unhealthy Beats and pending approvals on all pages",
  async play(job) {
    const { pages } = await job.reads("statibeat://overview");
    assert.equal(pages.length, 2);
    for (const page of pages) {
      assert.ok(page.unhealthy_beats.length > 0);
      await job.reads(`statibeat://pages/${page.id}/beats`);
    }
    const [first] = pages;
    await job.mistakes([
      ["Beats of no page", read("statibeat://beats"), /pages\/\d+\/beats|pages\/\{page_id\}\/beats/, () => read(`statibeat://pages/${first.id}/beats`)],
      ["Beats of a page by name", read("statibeat://pages/northwind/beats"), /Northwind Cloud Status|a page: \d/, (answer) => read(`statibeat://pages/${answer.pageId("Northwind Cloud Status")}/beats`)],
      ["pending actions under another path", read(`statibeat://pages/${first.id}/beats/pending`), /beats\/actions\/pending/, () => read(`statibeat://pages/${first.id}/beats/actions/pending`)],
    ]);
  },
};

const failure = {
  id: "6",
  title: "Why a Beat failed last night",
  async play(job) {
    const { pages } = await job.reads("statibeat://overview");
    const page = pages.find(({ name }) => name === "Northwind Cloud Status");
    const { beats } = await job.reads(`statibeat://pages/${page.id}/beats`);
    assert.ok(!beats.some(({ name }) => name.includes("Checkout")), "no such Beat is seen in the list");
    const beat = beats.find(({ name }) => name === "Gateway health");
    const events = await job.reads(`statibeat://pages/${page.id}/beats/${beat.id}/events`);
    assert.ok(JSON.stringify(events).includes("502"));
    const investigate = (args) => prompt("investigate_beat_failure", { page_id: String(page.id), ...args });
    await job.asks(investigate({ beat_id: String(beat.id) }), [`statibeat://pages/${page.id}/beats/failures`]);
    const list = `statibeat://pages/${page.id}/beats`;
    await job.mistakes([
      ["Beat by its name", read(`${list}/Gateway health/events`), /beats/, () => read(list)],
      ["Beat that there is not", read(`${list}/599/events`), new RegExp(`599[^]*${list}`), (answer) => read(answer.find(new RegExp(`(${list})(?!/)`)))],
      ["Beat of another page", read(`${list}/551/events`), new RegExp(`551[^]*${list}`), (answer) => read(answer.find(new RegExp(`(${list})(?!/)`)))],
      ...(job.hasPrompts ? [["prompt for a Beat that there is not", investigate({ beat_id: "599" }), /599/, () => investigate({ beat_id: String(beat.id) })]] : []),
    ]);
  },
};

const approval = {
  id: "7",
  title: "Review a pending action, and approve it",
  async play(job) {
    const { pages } = await job.reads("statibeat://overview");
    const page = pages.find(({ waiting_for_a_person: waiting }) => waiting.length > 0);
    const pending = `statibeat://pages/${page.id}/beats/actions/pending`;
    const action = page.waiting_for_a_person.find(({ kind }) => kind === "post_update");
    const review = (id) => prompt("review_pending_beat_action", { page_id: String(page.id), action_id: String(id) });
    const text = await job.asks(review(action.id), [`statibeat://pages/${page.id}/beats/actions/${action.id}`]);
    assert.match(text, /API gateway errors in Europe/, "the incident that it would update is shown");
    assert.doesNotMatch(text, /IGNORE ALL PREVIOUS/, "nothing of another Beat's evidence is shown");
    assert.ok(action.review_url, "a person is told where to approve");
    await job.mistakes([
      ["a tool that approves", tool("approve_beat_action", { page_id: page.id, action_id: action.id }), /review_url/, () => read(pending)],
      ["action that there is not", read(`statibeat://pages/${page.id}/beats/actions/9999`), new RegExp(`9999[^]*${pending}`), (answer) => read(answer.find(new RegExp(`(${pending})`)))],
      ...(job.hasPrompts ? [["prompt for an action that there is not", review(9999), /9999/, () => review(action.id)]] : []),
    ]);
  },
};

export const BEATS = [health, failure, approval];
