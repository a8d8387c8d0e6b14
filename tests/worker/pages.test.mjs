// The pages a person looks at, in a real Chromium: the whole journey by keyboard alone, on a phone, in the dark, without
// scripts, and held against axe.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { findChromium, launchChromium, needsChromium } from "./support/chromium.mjs";
import { authorizeUrl, call, connect, signInAs } from "./support/people.mjs";
import { eventually, startStack } from "./support/stack.mjs";
import { signIn } from "./support/browser.mjs";

const REDIRECT = "http://127.0.0.1:45999/callback";
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { width: 320, height: 640 };

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

/** A connection of a demo user, made without a browser. */
async function connected(user, clientId) {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const scope = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
  const answer = await signIn(authorizeUrl(stack, { clientId, redirectUri: REDIRECT, scope, challenge }), { user });
  return connect(stack, answer, { clientId, redirectUri: REDIRECT, verifier });
}

/** The last number of the address that the latest browser seems to come from. */
let address = 0;

/**
 * A browser of its own at an address of its own, so that all of them together stay below the limit of one address; with
 * everything that it complains about. The client's own address answers with an empty page.
 */
async function newBrowser(options = {}) {
  address += 1;
  const context = await browser.newContext({ extraHTTPHeaders: { "cf-connecting-ip": `192.0.2.${address}` }, ...options });
  await context.route(`${REDIRECT}**`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>client</title>" }));
  const complaints = [];
  context.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  context.on("weberror", (error) => complaints.push(String(error.error())));
  const page = await context.newPage();
  return { context, page, complaints };
}

const consentUrl = () => authorizeUrl(stack, { redirectUri: REDIRECT });
const adminUrl = () => `${stack.url}/mcp/admin`;

/** The pages and states there are, each with the way to it. The admin page has connections, calls, activity, refusals. */
const PAGES = {
  consent: async (page) => {
    await page.goto(consentUrl());
    await signInAs(page, "Mara");
    await page.getByRole("heading", { name: /^Connect/ }).waitFor();
  },
  "consent of a viewer, with no page chosen": async (page) => {
    await page.goto(consentUrl());
    await signInAs(page, "Ines");
    await page.getByLabel("Only these pages").check();
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await page.getByRole("alert").waitFor();
  },
  welcome: (page) => page.goto(adminUrl()),
  "admin page": (page) => openAdminPage(page, "Mara"),
  "admin page of somebody without connections": (page) => openAdminPage(page, "Theo"),
  confirmation: async (page) => {
    await openAdminPage(page, "Mara");
    await page.getByRole("button", { name: /^End connection/ }).first().click();
    await page.getByRole("heading", { name: /^End the connection/ }).waitFor();
  },
  "signed out": async (page) => {
    await openAdminPage(page, "Mara");
    await page.getByRole("button", { name: "Sign out" }).click();
  },
  problem: (page) => page.goto(`${stack.url}/mcp/oauth/consent?request=nothing`),
  "refused client": (page) => page.goto(authorizeUrl(stack, { clientId: "https://n8n.example/id", redirectUri: "https://n8n.example/cb" })),
};

async function openAdminPage(page, name) {
  await page.goto(adminUrl());
  await page.getByRole("link", { name: "Sign in with StatiBeat" }).click();
  await signInAs(page, name);
  await page.getByRole("heading", { name: "Hosted MCP", exact: true }).waitFor();
}

/** Two connections of Mara and one of Ines, with calls, a post, a refusal. */
async function furnish() {
  const tokens = await connected(1, "pages-test");
  await connected(1, "another-app");
  await connected(3, "pages-test");
  await call(stack, tokens, "resources/read", { uri: "statibeat://pages" });
  const incident = { page_id: 42, title: "Checkout is slow", description: "We are looking.", status: "degraded", affected_items_freetext: "Checkout" };
  await call(stack, tokens, "tools/call", { name: "create_incident", arguments: incident });
  await fetch(authorizeUrl(stack, { clientId: "https://n8n.example/id", redirectUri: "https://n8n.example/cb" }));
  await eventually(async () => (await stack.db.prepare("SELECT sum(calls) AS calls FROM call_counts").first()).calls === 2);
  return tokens;
}

const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test("every page passes axe and fits a phone, in light and in dark", needsChromium, async () => {
  await furnish();
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, open] of Object.entries(PAGES)) {
      const { context, page } = await newBrowser({ colorScheme, viewport: PHONE });
      await open(page);
      for (const details of await page.locator("summary").all()) await details.click();
      assert.equal(await sideways(page), 0, `${name} scrolls sideways at ${PHONE.width} px`);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
      assert.deepEqual(found, [], `${name}, ${colorScheme}`);
      await context.close();
    }
  }
});

test("every page reads at twice the size without scrolling sideways", needsChromium, async () => {
  for (const [name, open] of Object.entries(PAGES)) {
    const { context, page } = await newBrowser({ viewport: { width: 640, height: 800 } });
    await open(page);
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    assert.equal(await sideways(page), 0, name);
    await context.close();
  }
});

test("a person connects with one page and no posting by keyboard alone, sees it, and ends it", needsChromium, async () => {
  const { context, page, complaints } = await newBrowser();
  const press = async (key, times = 1) => {
    for (let n = 0; n < times; n += 1) await page.keyboard.press(key);
  };
  /** Goes on with Tab to the control of that accessible name. */
  const tabTo = async (name) => {
    for (let n = 0; n < 60; n += 1) {
      await press("Tab");
      const focused = await page.evaluate(() => {
        const element = document.activeElement;
        return (element.labels?.[0]?.innerText ?? element.innerText ?? "").trim();
      });
      if (focused.startsWith(name)) return;
    }
    assert.fail(`Tab does not reach ${name}`);
  };
  await page.goto(authorizeUrl(stack, { clientId: "keyboard-app", redirectUri: REDIRECT, scope: "mcp.pages.read" }));
  await signInAs(page, "Mara");
  await tabTo("All pages I can see");
  await press("ArrowDown");
  await tabTo("Northwind");
  await press("Space");
  await tabTo("Allow");
  await press("Enter");
  await page.waitForURL(`${REDIRECT}?**`);
  assert.ok(new URL(page.url()).searchParams.get("code"));
  const grant = await stack.db.prepare("SELECT scope, pages FROM grants WHERE client_id = 'keyboard-app'").first();
  assert.deepEqual(grant, { scope: "mcp.pages.read", pages: "42" });

  await connected(1, "keyboard-app");
  await page.goto(adminUrl());
  await tabTo("Sign in with StatiBeat");
  await press("Enter");
  await signInAs(page, "Mara");
  await page.getByRole("heading", { name: "keyboard-app" }).waitFor();
  const end = page.getByRole("button", { name: "End connection… (keyboard-app)" });
  await end.focus();
  await press("Enter");
  await page.getByRole("heading", { name: /^End the connection/ }).waitFor();
  await tabTo("End the connection");
  await press("Enter");
  await page.getByRole("status").waitFor();
  assert.equal(await page.getByRole("heading", { name: "keyboard-app" }).count(), 0);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("every page works without scripts", needsChromium, async () => {
  const { context, page, complaints } = await newBrowser({ javaScriptEnabled: false });
  await openAdminPage(page, "Mara");
  await page.getByRole("button", { name: /^Pause writes/ }).first().click();
  await page.getByText("Writes are paused.").waitFor();
  await page.getByRole("button", { name: /^Resume writes/ }).first().click();
  await page.getByText("The app may post again.").waitFor();
  await page.goto(consentUrl());
  await signInAs(page, "Mara");
  await page.getByRole("button", { name: "Use another account" }).click();
  await signInAs(page, "Theo");
  await page.getByText("theo@northwind.example").waitFor();
  await page.getByRole("button", { name: "Don't allow" }).click();
  await page.waitForURL(`${REDIRECT}?**`);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a connection that is ended while its client is calling stops at the next call", needsChromium, async () => {
  const tokens = await connected(1, "calling-app");
  const { context, page } = await newBrowser();
  await openAdminPage(page, "Mara");
  assert.equal((await call(stack, tokens, "ping", {})).status, 200);
  await page.getByRole("button", { name: "End connection… (calling-app)" }).click();
  await page.getByRole("button", { name: "End the connection" }).click();
  await page.getByRole("status").waitFor();
  assert.equal((await call(stack, tokens, "ping", {})).status, 401);
  await page.goBack();
  await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
  await context.close();
});

test("nothing went wrong unseen", needsChromium, () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
