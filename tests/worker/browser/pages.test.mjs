// Every page and state that a person can meet, in a real Chromium: held against axe in light and dark, narrow, enlarged,
// without scripts, with its headers and its names for those who do not see it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { findChromium, launchChromium, needsChromium } from "../support/chromium.mjs";
import { openAdminPage, openConnection, press, signInAs } from "../support/people.mjs";
import { STATES, WORLDS, newBrowser } from "../support/states.mjs";
import { startStack } from "../support/stack.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** The narrowest screen that pages must fit, WCAG 1.4.10; also 1280 px at 400 %. */
const NARROW = { width: 320, height: 640 };

const stacks = [];
let stack;
let browser;
before(async () => {
  if (!findChromium()) return;
  browser = await launchChromium();
  for (const { vars, large, prepare } of WORLDS) {
    stacks.push(await startStack({ vars, large }));
    await prepare(stacks.at(-1));
  }
  [stack] = stacks;
});
after(async () => {
  await browser?.close();
  for (const stack of stacks) await stack.stop();
});

const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Returns the violations that axe finds, one line each. */
async function violations(page, runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((runOnly) => globalThis.axe.run({ runOnly }), runOnly);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
}

/** Classes of the page that the style sheet does not know. */
const unstyled = (page) => page.evaluate(() => {
  const selectors = (rules) => [...rules].flatMap((rule) => [rule.selectorText ?? "", ...(rule.cssRules ? selectors(rule.cssRules) : [])]);
  const known = new Set([...document.styleSheets].flatMap((sheet) => selectors(sheet.cssRules)).join(" ").match(/\.[\w-]+/g));
  const used = [...document.querySelectorAll("[class]")].flatMap((element) => [...element.classList]);
  return [...new Set(used)].filter((name) => !known.has(`.${name}`));
});

/** The fields that Enter is pressed in: of each form the first of each kind, in the order of the page. */
const fieldsOf = (page) => page.evaluate(() => {
  const fields = [...document.forms].flatMap((form, place) => [...form.elements].map((field) => ({ place, name: field.name, type: field.type, field })));
  const typed = fields.filter(({ type, field }) => !/submit|button|hidden|fieldset/.test(type) && field.checkVisibility());
  const keys = typed.map(({ place, name, type }) => `${place} ${name} ${type}`);
  return typed.filter((_, n) => keys.indexOf(keys[n]) === n).map(({ place, name }) => ({ place, name }));
});
const ticksOf = (page) => page.evaluate(() => [...document.querySelectorAll("input")].map((input) => `${input.name} ${input.value} ${input.checked}`).filter((line) => !/^(request|person|token) /.test(line)));
/** The rows that an approval, an end, a block or another action would change. */
const decisions = async ({ db }) => {
  const rows = await db.prepare("SELECT (SELECT count(*) FROM grants WHERE revoked_at IS NULL) AS live, (SELECT count(*) FROM audit) AS audited, (SELECT count(*) FROM page_blocks) AS blocks, (SELECT count(*) FROM authorization_requests) AS requests, (SELECT group_concat(scope) FROM grants) AS scopes").first();
  return JSON.stringify(rows);
};

/** Checks of every page and state, in the order of one visit; each sets the page up for itself. */
const checks = [];
let visited;

/**
 * A test of a check in every state: what it does with a page, the navigations that it was answered with, and the world it stands in.
 * All of them share one visit.
 */
function everywhere(check) {
  const found = [];
  checks.push({ check, found });
  return async () => {
    await (visited ??= visitAll());
    assert.deepEqual(found, []);
  };
}

/** Goes to every state once, in each world at the same time, and gathers what each check finds there. */
const visitAll = () => Promise.all(WORLDS.map(async ({ states }, place) => {
  const stack = stacks[place];
  for (const [name, open] of Object.entries(states)) {
    const { context, page } = await newBrowser(browser);
    const served = [];
    page.on("response", (response) => response.request().isNavigationRequest() && response.url().startsWith(stack.url) && served.push(response));
    await open(stack, page).catch((error) => {
      throw new Error(`${name} cannot be opened`, { cause: error });
    });
    for (const { check, found } of checks) {
      await check(page, { served, stack }).catch((error) => found.push(`${name}: ${error.message}`));
    }
    await context.close();
  }
}));

/** Names of fields that Enter was pressed in. */
const tried = new Set();

/** Presses Enter in a field, and waits for the page that its form leads to if it sends it; some send nothing, as a list that opens. */
async function pressEnter(page, input) {
  const answered = page.waitForResponse((response) => response.request().isNavigationRequest(), { timeout: 0 }).catch(() => undefined);
  await page.evaluate(() => {
    sessionStorage.removeItem("sent");
    addEventListener("submit", () => sessionStorage.setItem("sent", "yes"));
  });
  await input.press("Enter");
  // A page that is gone meanwhile was left for the next one.
  const isSent = await page.evaluate(() => sessionStorage.getItem("sent") === "yes").catch(() => true);
  const answer = isSent && await answered;
  if (answer && answer.status() !== 204) await page.waitForLoadState();
}

test("every page and state is served with headers that let nothing in and nothing stay (A29)", needsChromium, everywhere(async (page, { served }) => {
  const last = served.filter((response) => response.status() < 300 || response.status() >= 400).at(-1);
  const headers = await last.allHeaders();
  const policy = headers["content-security-policy"] ?? "";
  for (const part of ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]) assert.ok(policy.includes(part), policy);
  assert.doesNotMatch(policy, /unsafe|https?:/);
  assert.match(policy, /; script-src 'sha256-[^ ;]+';/);
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["x-frame-options"], "DENY");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.match(headers["referrer-policy"], /^(no-referrer|same-origin)$/);
  assert.equal(headers["access-control-allow-origin"], undefined);
  assert.equal(await page.evaluate(() => document.scripts.length - 1 + document.querySelectorAll("img, iframe, object, embed, link").length), 0);
}));

test("every page and state has a language, a title, one main part, one first heading, and a name for every control", needsChromium, everywhere(async (page) => {
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.match(await page.title(), /\S – StatiBeat$/);
  assert.equal(await page.getByRole("main").count(), 1);
  assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
  assert.deepEqual(await unstyled(page), [], "classes without a rule");
  const tree = await page.locator("body").ariaSnapshot();
  const nameless = tree.split("\n").filter((line) => /^\s*- (button|link|checkbox|radio|textbox|combobox|group|region|img)( \[[^\]]*\])*:?$/.test(line));
  assert.deepEqual(nameless.filter((line) => !line.includes("group")), [], tree);
}));

test("nothing moves, and so nothing needs to stop for those who asked for less motion", needsChromium, everywhere(async (page) => {
  const moving = await page.evaluate(() => {
    const keyframes = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => rule instanceof CSSKeyframesRule);
    // The delay before a button takes the pointer is an animation of that alone.
    const isVisible = (frame) => [...frame.style].some((property) => property !== "pointer-events");
    const moves = (name) => keyframes.some((rule) => rule.name === name && [...rule.cssRules].some(isVisible));
    return [...document.querySelectorAll("*")].filter((element) => {
      const style = getComputedStyle(element);
      return style.animationName.split(", ").some(moves) || parseFloat(style.transitionDuration) > 0;
    }).length;
  });
  assert.equal(moving, 0);
}));

test("every page and state reads at twice the size without scrolling sideways or losing a control", needsChromium, everywhere(async (page) => {
  await page.setViewportSize({ width: 640, height: 800 });
  const before = await page.getByRole("button").count();
  await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
  assert.equal(await sideways(page), 0);
  assert.equal(await page.getByRole("button").count(), before);
  const cut = await page.getByRole("button").evaluateAll((buttons) => buttons.filter((button) => {
    const { left, right, width } = button.getBoundingClientRect();
    return width === 0 || left < 0 || right > 640;
  }).map((button) => button.textContent));
  assert.deepEqual(cut, []);
  await page.evaluate(() => document.documentElement.style.removeProperty("font-size"));
}));

test("every page and state passes axe and fits 320 px, light", needsChromium, everywhere(async (page) => {
  await page.setViewportSize(NARROW);
  await page.emulateMedia({ colorScheme: "light" });
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  assert.equal(await sideways(page), 0, `scrolls sideways at ${NARROW.width} px`);
  assert.deepEqual(await violations(page), []);
}));

// The page is the same: only what colors can break is asked again.
test("every page and state passes axe and fits 320 px, dark", needsChromium, everywhere(async (page) => {
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await sideways(page), 0, `scrolls sideways at ${NARROW.width} px`);
  assert.deepEqual(await violations(page, { type: "rule", values: ["color-contrast", "link-in-text-block"] }), []);
}));

test("Enter in any field of any form of any page decides nothing and keeps what was ticked", needsChromium, everywhere(async (page, { stack }) => {
  for (const field of await fieldsOf(page)) {
    const input = page.locator("form").nth(field.place).locator(`[name="${field.name}"]:visible`).first();
    // An earlier Enter in a search form may have led to another page.
    if ((await input.count()) === 0) continue;
    if ((await input.getAttribute("type")) === "checkbox") await input.check();
    const before = [await ticksOf(page), await decisions(stack)];
    await pressEnter(page, input);
    assert.deepEqual([await ticksOf(page), await decisions(stack)], before, `Enter in ${field.name}`);
    tried.add(field.name);
  }
}));

test("Enter was pressed in every kind of field", needsChromium, async () => {
  await (visited ??= visitAll());
  for (const name of ["scope", "page", "pages", "lifetime", "connection", "search", "owners", "sort", "end", "from", "outcome"]) assert.ok(tried.has(name), `no Enter in ${name}: ${[...tried]}`);
});

test("consent fits a screen of 1280 × 900, for the first time and where the app is connected already", needsChromium, async () => {
  const names = ["consent, first approval", "consent, unverified app", "consent, listed app", "consent, everything asked, viewer"];
  for (const name of names) {
    const { context, page } = await newBrowser(browser, { viewport: { width: 1280, height: 900 } });
    await STATES[name](stack, page);
    const isSecond = await page.getByText("already connected since").count() > 0;
    assert.equal(isSecond, name !== "consent, first approval", name);
    assert.ok(await page.evaluate(() => document.documentElement.scrollHeight) <= 900, name);
    await context.close();
  }
});

test("controls with the same words are told apart by their names", needsChromium, async () => {
  const { context, page } = await newBrowser(browser);
  await openAdminPage(stack, page, "Mara");
  const names = await page.getByRole("button").evaluateAll((buttons) => buttons.map((button) => button.textContent.trim()));
  assert.deepEqual(names.filter((name, place) => names.indexOf(name) !== place), []);
  await context.close();
});

test("focus is always visible", needsChromium, async () => {
  const { context, page } = await newBrowser(browser);
  await openAdminPage(stack, page, "Mara");
  const reached = new Set();
  for (let n = 0; n < 80; n += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      return element === document.body ? null : { name: element.outerHTML.slice(0, 120), outline: parseFloat(getComputedStyle(element).outlineWidth) };
    });
    if (!focused) break;
    reached.add(focused.name);
    assert.ok(focused.outline >= 2, focused.name);
  }
  assert.ok(reached.size > 20, `${reached.size}`);
  await context.close();
});

test("every page works without scripts", needsChromium, async () => {
  const { context, page, complaints } = await newBrowser(browser, { javaScriptEnabled: false });
  await openAdminPage(stack, page, "Mara");
  await openConnection(stack, page, "pages-test");
  await press(page.getByRole("button", { name: /^Pause writes/ }).first());
  await page.getByText("Writes of pages-test are paused.").waitFor();
  await press(page.getByRole("button", { name: /^Resume writes/ }).first());
  await page.getByText("pages-test may post again").waitFor();
  await STATES["consent, unverified app"](stack, page);
  await press(page.getByRole("button", { name: "Use another account" }));
  await signInAs(page, "Theo");
  await page.getByText("theo@northwind.example").waitFor();
  await press(page.getByRole("button", { name: "Don't allow" }));
  await page.getByRole("heading", { name: "Not connected" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});
