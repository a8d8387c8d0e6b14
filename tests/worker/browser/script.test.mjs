// The script of our pages in a real Chromium: the buttons that copy, and the times in the browser's zone; everything is there
// without it as well. And the boxes and bars that colors of the system's own leave visible.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { findChromium, launchChromium, needsChromium } from "../support/chromium.mjs";
import { openAdminPage } from "../support/people.mjs";
import { STATES, furnish, newBrowser } from "../support/states.mjs";
import { startStack } from "../support/stack.mjs";

let stack;
let browser;
before(async () => {
  if (!findChromium()) return;
  stack = await startStack();
  await furnish(stack);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

const openAll = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
const copyButtons = (page) => page.getByRole("button", { name: /^Copy / });

test("every address, command and line is copied by its button, which says so", needsChromium, async () => {
  const { context, page, complaints } = await newBrowser(browser, { permissions: ["clipboard-read", "clipboard-write"] });
  await openAdminPage(stack, page, "Mara");
  await openAll(page);
  const names = await copyButtons(page).evaluateAll((buttons) => buttons.map((button) => button.textContent));
  for (const name of ["the Resource URL", "the line for Claude Code", "the line for Cursor", "the address of the token endpoint"]) assert.ok(names.includes(`Copy ${name}`), names.join());
  assert.equal(new Set(names).size, names.length, "each has a name of its own");
  assert.equal(names.length, await page.locator(".copyable").count());
  for (const [name, text] of [["Copy the Resource URL", `${stack.url}/mcp`], ["Copy the line for Claude Code", `claude mcp add --transport http statibeat ${stack.url}/mcp`]]) {
    const button = page.getByRole("button", { name });
    await button.focus();
    await page.keyboard.press("Enter");
    await page.locator("[aria-live]", { hasText: /^Copied$/ }).waitFor({ state: "attached" });
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
    await button.waitFor();
  }
  assert.deepEqual(complaints, []);
  await context.close();
});

test("without scripts there is no button that copies, and everything to copy is there", needsChromium, async () => {
  const { context, page } = await newBrowser(browser, { javaScriptEnabled: false });
  await page.goto(`${stack.url}/`);
  assert.equal(await copyButtons(page).count(), 0);
  assert.equal(await page.getByLabel("Resource URL", { exact: true }).inputValue(), `${stack.url}/mcp`);
  await context.close();
});

test("times are in the browser's zone with UTC beside, unless the person chose a zone or runs no scripts", needsChromium, async () => {
  const timesIn = async (options, query = "") => {
    const { context, page, complaints } = await newBrowser(browser, options);
    await openAdminPage(stack, page, "Mara");
    if (query) await page.goto(`${stack.url}/mcp/admin${query}`);
    const zone = await page.locator(".zone summary").textContent();
    await page.goto(`${stack.url}/mcp/admin/activity`);
    const time = page.locator(".activity time").first();
    const [text, at] = [(await time.textContent()).replaceAll(/\s+/g, " "), await time.getAttribute("datetime")];
    assert.deepEqual(complaints, []);
    await context.close();
    return { zone, text, utc: at.slice(11, 16) };
  };
  const there = await timesIn({ timezoneId: "Asia/Tokyo" });
  assert.equal(there.zone, "Times in Asia/Tokyo");
  assert.match(there.text, /^\d+ \w{3} \d{4}, \d\d:\d\d GMT\+9 \(.*UTC\)$/);
  assert.ok(there.text.includes(`${there.utc} UTC`), there.text);
  const chosen = await timesIn({ timezoneId: "Asia/Tokyo" }, "?zone=America/New_York");
  assert.equal(chosen.zone, "Times in America/New_York");
  assert.match(chosen.text, /, \d\d:\d\d E[SD]T \(.*UTC\)$/);
  const still = await timesIn({ timezoneId: "Asia/Tokyo", javaScriptEnabled: false });
  assert.doesNotMatch(still.zone + still.text, /Tokyo|GMT\+9/);
  assert.ok(still.text.includes("UTC"), still.text);
});

test("boxes keep a visible border, and bars differ, in forced colors", needsChromium, async () => {
  for (const state of ["consent, unverified app", "admin, one connection", "admin, with connections"]) {
    const { context, page } = await newBrowser(browser, { forcedColors: "active" });
    await STATES[state](stack, page);
    const bare = await page.evaluate(() => [...document.querySelectorAll(".card, .note, .tag, button:not(.link, .unseen), .button, pre, .copy")].filter((element) => {
      const { borderTopWidth, borderTopColor } = getComputedStyle(element);
      return parseFloat(borderTopWidth) < 1 || /^rgba\(.*, 0\)$|transparent/.test(borderTopColor);
    }).map((element) => element.outerHTML.slice(0, 80)));
    assert.deepEqual(bare, [], state);
    const looks = await page.evaluate(() => [...document.querySelectorAll(".key rect")].map((rect) => getComputedStyle(rect).fill + getComputedStyle(rect).stroke));
    assert.equal(new Set(looks).size, looks.length, state);
    await context.close();
  }
});
