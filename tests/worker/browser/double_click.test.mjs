// A site that opens our pages, or lies over them, places a button under the second half of a double click: in a real
// Chromium, where a button takes the pointer only a moment after the pointer has come to the page. Nothing here sleeps: the
// moment is held by stopping the page's animations, and over when the button's computed style says so.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { findChromium, launchChromium, needsChromium } from "../support/chromium.mjs";
import { authorizeUrl, openAdminPage, press, signInAs } from "../support/people.mjs";
import { REDIRECT, connected, newBrowser } from "../support/states.mjs";
import { startStack } from "../support/stack.mjs";

let stack;
let browser;
before(async () => {
  if (!findChromium()) return;
  stack = await startStack();
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await stack?.stop();
});

const count = async (sql, clientId) => (await stack.db.prepare(`SELECT count(*) AS n FROM ${sql} AND client_id = ?`).bind(clientId).first()).n;
const grants = (clientId) => count("grants WHERE revoked_at IS NULL", clientId);
const takesPointer = (button) => button.evaluate((element) => getComputedStyle(element).pointerEvents === "auto");
const allowOf = (page) => page.getByRole("button", { name: "Allow", exact: true });

/** Comes to the consent page of an app; the animations of the page stand still until `go`. */
async function heldConsent(context, page, clientId) {
  await page.goto(authorizeUrl(stack, { clientId, redirectUri: REDIRECT }));
  const go = await holdAnimations(context, page);
  await signInAs(page, "Mara");
  await page.getByRole("heading", { name: /^Connect/ }).waitFor();
  return go;
}

async function holdAnimations(context, page) {
  const session = await context.newCDPSession(page);
  await session.send("Animation.enable");
  await session.send("Animation.setPlaybackRate", { playbackRate: 0 });
  return () => session.send("Animation.setPlaybackRate", { playbackRate: 1 });
}

/** Clicks where the button is, whatever takes it. */
async function clickAt(page, button) {
  await button.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await button.boundingBox();
  await page.mouse.click(x + width / 2, y + height / 2);
}

/** The moment is over. */
async function settled(button) {
  await button.evaluate((element) => Promise.all(element.getAnimations().map((animation) => animation.finished)));
  assert.ok(await takesPointer(button), "takes the pointer after its moment");
}

for (const reducedMotion of ["no-preference", "reduce"]) {
  test(`a click right after the consent page has come allows nothing, a later one does (motion: ${reducedMotion})`, needsChromium, async () => {
    const clientId = `held-${reducedMotion}`;
    const { context, page, complaints } = await newBrowser(browser, { answers: 200, reducedMotion });
    const go = await heldConsent(context, page, clientId);
    const allow = allowOf(page);
    await clickAt(page, allow);
    assert.equal(await takesPointer(allow), false);
    await clickAt(page, allow);
    assert.equal(await grants(clientId), 0);
    await page.getByRole("heading", { name: /^Connect/ }).waitFor();
    await go();
    await settled(allow);
    await clickAt(page, allow);
    await page.waitForURL(`${REDIRECT}?code=**`);
    assert.equal(await grants(clientId), 1);
    assert.deepEqual(complaints, []);
    await context.close();
  });
}

test("a consent page that lay under another window takes no click before the pointer has come to it", needsChromium, async () => {
  const { context, page } = await newBrowser(browser);
  await page.goto(authorizeUrl(stack, { clientId: "covered-app", redirectUri: REDIRECT }));
  await page.getByRole("button", { name: /Mara/ }).press("Enter");
  await page.getByRole("heading", { name: /^Connect/ }).waitFor();
  const allow = allowOf(page);
  assert.deepEqual(await allow.evaluate((element) => element.getAnimations().length), 0, "nothing has begun");
  assert.equal(await takesPointer(allow), false);
  await clickAt(page, allow);
  assert.equal(await grants("covered-app"), 0);
  await context.close();
});

test("the keyboard allows at once", needsChromium, async () => {
  const { context, page } = await newBrowser(browser, { answers: 200 });
  await heldConsent(context, page, "keyed-app");
  await allowOf(page).press("Enter");
  await page.waitForURL(`${REDIRECT}?code=**`);
  assert.equal(await grants("keyed-app"), 1);
  await context.close();
});

test("a finger allows a moment after the page has come, without hovering", needsChromium, async () => {
  const { context, page } = await newBrowser(browser, { answers: 200, hasTouch: true, isMobile: true, viewport: { width: 390, height: 800 } });
  const go = await heldConsent(context, page, "touched-app");
  assert.equal(await takesPointer(allowOf(page)), false);
  await go();
  await settled(allowOf(page));
  await allowOf(page).tap();
  await page.waitForURL(`${REDIRECT}?code=**`);
  assert.equal(await grants("touched-app"), 1);
  await context.close();
});

test("the end of a connection takes no click right after its page has come", needsChromium, async () => {
  await connected(stack, 1, "kept-app");
  const { context, page } = await newBrowser(browser);
  await openAdminPage(stack, page, "Mara");
  await page.getByRole("link", { name: "End connection… (kept-app)" }).click();
  const end = page.getByRole("button", { name: "End the connection" });
  await end.waitFor();
  const go = await holdAnimations(context, page);
  await page.reload();
  await clickAt(page, end);
  await clickAt(page, end);
  assert.equal(await grants("kept-app"), 1);
  await go();
  await settled(end);
  await clickAt(page, end);
  await page.getByRole("status").waitFor();
  assert.equal(await grants("kept-app"), 0);
  await context.close();
});
