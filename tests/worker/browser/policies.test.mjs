// The way of a person in a real Chromium, under the policies that the pages are served with.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { findChromium, launchChromium, needsChromium } from "../support/chromium.mjs";
import { press } from "../support/people.mjs";
import { startStack } from "../support/stack.mjs";

const HOSTED = "https://client.example/meta.json";
const HOSTED_CALLBACK = "https://client.example/callback";

let stack;
let browser;
let client;
before(async () => {
  if (!findChromium()) return;
  stack = await startStack({ vars: { HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS: `${HOSTED}=${HOSTED_CALLBACK}` } });
  client = await startClient();
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await client?.stop();
  await stack?.stop();
});

/** A program on this computer: takes the answer at /callback, and has a page of its own. */
async function startClient() {
  const server = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<title>client</title><p>Done"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => new Promise((done) => server.close(done).closeAllConnections());
  return { origin: `http://127.0.0.1:${server.address().port}`, stop };
}

/** Where a client sends the browser first. */
function authorizeUrl({ clientId = "browser-test", redirectUri = `${client.origin}/callback` } = {}) {
  const url = new URL("/mcp/oauth/authorize", stack.url);
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    state: "the state",
    code_challenge: createHash("sha256").update(randomBytes(32)).digest("base64url"),
    code_challenge_method: "S256",
  });
  return url.href;
}

/** A browser of its own, with everything that it complains about. */
async function newBrowser() {
  const context = await browser.newContext();
  const complaints = [];
  context.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  context.on("weberror", (error) => complaints.push(String(error.error())));
  return { context, complaints };
}

const signIn = (page) => page.getByRole("button", { name: /Mara/ }).click();
const allow = (page) => press(page.getByRole("button", { name: "Allow", exact: true }));

/** Stands in for the client's site, which answers by hopping on to the scheme of an app. */
async function answerAsHostedClient(context) {
  const asked = [];
  await context.route("https://client.example/**", (route) => {
    asked.push(route.request().url());
    return route.fulfill({ status: 302, headers: { location: "app-of-the-client://back" } });
  });
  return asked;
}

test("a person connects a program on this computer (C11)", needsChromium, async () => {
  const { context, complaints } = await newBrowser();
  const page = await context.newPage();
  await page.goto(authorizeUrl());
  await signIn(page);
  await page.getByRole("heading", { name: /^Connect/ }).waitFor();
  assert.equal(await page.evaluate(() => document.scripts.length), 1);
  await allow(page);
  await page.waitForURL(`${client.origin}/callback?**`);
  const answer = new URL(page.url()).searchParams;
  assert.deepEqual([...answer.keys()], ["code", "state", "iss"]);
  assert.deepEqual([answer.get("state"), answer.get("iss")], ["the state", stack.url]);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a person who declines is sent back with a refusal (C11)", needsChromium, async () => {
  const { context, complaints } = await newBrowser();
  const page = await context.newPage();
  await page.goto(authorizeUrl());
  await signIn(page);
  await press(page.getByRole("button", { name: "Don't allow" }));
  await page.waitForURL(`${client.origin}/callback?**`);
  assert.equal(new URL(page.url()).searchParams.get("error"), "access_denied");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the answer reaches a site that hops on to an app's own scheme (C11)", needsChromium, async () => {
  const { context, complaints } = await newBrowser();
  await answerAsHostedClient(context);
  const page = await context.newPage();
  await page.goto(authorizeUrl({ clientId: HOSTED, redirectUri: HOSTED_CALLBACK }));
  await signIn(page);
  const arrived = context.waitForEvent("request", (request) => request.url().startsWith(HOSTED_CALLBACK));
  await allow(page);
  assert.match((await arrived).url(), /^https:\/\/client\.example\/callback\?code=sbmcp_ac_/);
  assert.deepEqual(complaints.filter((text) => text.includes("Content Security Policy")), []);
  await context.close();
});

test("a redirect in place of the leave page would have been stopped (C11)", needsChromium, async () => {
  const { context, complaints } = await newBrowser();
  const asked = await answerAsHostedClient(context);
  await context.route("**/mcp/oauth/consent", (route) =>
    route.request().method() === "POST" ? route.fulfill({ status: 303, headers: { location: HOSTED_CALLBACK } }) : route.continue());
  const page = await context.newPage();
  await page.goto(authorizeUrl({ clientId: HOSTED, redirectUri: HOSTED_CALLBACK }));
  await signIn(page);
  const complaint = context.waitForEvent("console", (message) => message.text().includes("form-action"));
  await allow(page);
  await complaint;
  assert.ok(complaints.length > 0);
  assert.deepEqual(asked, []);
  await context.close();
});

test("a popup finds its opener again (C14)", needsChromium, async () => {
  const { context, complaints } = await newBrowser();
  const opener = await context.newPage();
  await opener.goto(client.origin);
  const opened = context.waitForEvent("page");
  await opener.evaluate((url) => void window.open(url, "sign-in", "popup"), authorizeUrl());
  const popup = await opened;
  await signIn(popup);
  await allow(popup);
  await popup.waitForURL(`${client.origin}/callback?**`);
  const told = opener.evaluate(() => new Promise((done) => addEventListener("message", (event) => done(event.data), { once: true })));
  assert.equal(await popup.evaluate(() => window.opener !== null), true);
  await popup.evaluate(() => window.opener.postMessage("connected", "*"));
  assert.equal(await told, "connected");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("no page of ours shows inside another site's frame (A29)", needsChromium, async () => {
  const { context, complaints } = await newBrowser();
  const page = await context.newPage();
  await page.goto(client.origin);
  const refused = context.waitForEvent("console", (message) => message.text().includes("frame-ancestors"));
  await page.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.src = url;
    document.body.append(frame);
  }, `${stack.url}/mcp/oauth/authorize`);
  await refused;
  assert.ok(complaints.some((text) => text.includes("frame-ancestors 'none'")), complaints.join("\n"));
  await context.close();
});
