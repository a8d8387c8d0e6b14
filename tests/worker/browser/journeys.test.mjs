// Whole journeys of a person in a real Chromium, once with the mouse and once with the keyboard alone, and the ways that
// journeys go astray: back, double click, two tabs, an expired page, an app that calls while it is cut off.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { findChromium, launchChromium, needsChromium } from "../support/chromium.mjs";
import { authorizeUrl, call, openAdminPage, openConnection, press, signInAs } from "../support/people.mjs";
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

const WRITES = ["mcp.incidents.write", "mcp.maintenances.write"];
const grantOf = (clientId) => stack.db.prepare("SELECT scope, pages, expires_at - created_at AS life FROM grants WHERE client_id = ?").bind(clientId).first();
const countOf = async (table, clientId) => (await stack.db.prepare(`SELECT count(*) AS n FROM ${table} WHERE client_id = ?`).bind(clientId).first()).n;
const open = (options) => newBrowser(browser, { answers: 200, ...options });
const allow = (page) => press(page.getByRole("button", { name: "Allow", exact: true }));
const incident = { page_id: 42, title: "Slow", description: "It is slow.", status: "degraded", affected_items_freetext: "API" };

/** To the consent page of an app. */
async function toConsent(page, clientId, more = {}) {
  await page.goto(authorizeUrl(stack, { clientId, redirectUri: REDIRECT, ...more }));
  await signInAs(page, "Mara");
  await page.getByRole("heading", { name: /^Connect/ }).waitFor();
}

/** Keys of a person without a mouse. */
function keyboard(page) {
  const press = async (key, times = 1) => {
    for (let n = 0; n < times; n += 1) await page.keyboard.press(key);
  };
  /** Goes on with Tab to the control of that name. */
  const tabTo = async (name) => {
    for (let n = 0; n < 100; n += 1) {
      await press("Tab");
      const focused = await page.evaluate(() => {
        const element = document.activeElement;
        return (element.labels?.[0]?.innerText ?? element.textContent ?? "").trim().replaceAll(/\s+/g, " ");
      });
      if (focused.startsWith(name)) return;
    }
    assert.fail(`Tab does not reach ${name}`);
  };
  return { press, tabTo };
}

test("with the mouse: sign in, narrow to one page, one day and no posting, approve, see it, end it", needsChromium, async () => {
  const { context, page, complaints } = await open();
  await toConsent(page, "mouse-app", { scope: ["mcp.pages.read", "mcp.incidents.read", ...WRITES].join(" ") });
  for (const scope of WRITES) await page.locator(`input[value="${scope}"]`).uncheck();
  await page.getByLabel("Only these pages").check();
  await page.getByLabel("Northwind Cloud Status", { exact: true }).check();
  await page.getByLabel("1 day", { exact: true }).check();
  await allow(page);
  await page.waitForURL(`${REDIRECT}?**`);
  assert.deepEqual(await grantOf("mouse-app"), { scope: "mcp.pages.read mcp.incidents.read", pages: "42", life: 86_400 });
  await connected(stack, 1, "mouse-app");
  await openAdminPage(stack, page, "Mara");
  await page.getByRole("link", { name: "End connection… (mouse-app)" }).click();
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("link", { name: "mouse-app", exact: true }).waitFor();
  await page.getByRole("link", { name: "End connection… (mouse-app)" }).click();
  await press(page.getByRole("button", { name: "End the connection" }));
  await page.getByRole("status").waitFor();
  assert.equal(await page.getByRole("link", { name: "End connection… (mouse-app)" }).count(), 0);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("Enter in a field of the consent page approves nothing", needsChromium, async () => {
  const { context, page, complaints } = await open();
  await toConsent(page, "enter-app", { scope: ["mcp.pages.read", ...WRITES].join(" ") });
  const fields = page.locator("form input:visible");
  const count = await fields.count();
  assert.ok(count >= 5, `${count} fields`);
  for (let n = 0; n < count; n += 1) {
    await fields.nth(n).press("Enter");
    await page.getByText("Nothing is connected yet").waitFor();
    await page.goto(page.url().includes("?") ? page.url() : `${page.url()}?request=${await page.locator("input[name=request]").first().inputValue()}`);
  }
  assert.equal(await grantOf("enter-app"), null);
  await allow(page);
  await page.waitForURL(`${REDIRECT}?**`);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("with the keyboard alone: sign in, narrow, approve, see it, pause, resume, end it, sign out", needsChromium, async () => {
  const { context, page, complaints } = await open();
  const { press, tabTo } = keyboard(page);
  await page.goto(authorizeUrl(stack, { clientId: "keyboard-app", redirectUri: REDIRECT, scope: "mcp.pages.read" }));
  await tabTo("Mara");
  await press("Enter");
  await page.getByRole("heading", { name: /^Connect/ }).waitFor();
  await tabTo("All pages I can see");
  await press("ArrowDown");
  await tabTo("Northwind");
  await press("Space");
  await tabTo("Allow");
  await press("Enter");
  await page.waitForURL(`${REDIRECT}?**`);
  assert.deepEqual(await grantOf("keyboard-app"), { scope: "mcp.pages.read", pages: "42", life: 30 * 86_400 });

  await connected(stack, 1, "keyboard-app");
  await page.goto(`${stack.url}/mcp/admin`);
  await tabTo("Sign in with StatiBeat");
  await press("Enter");
  await page.getByRole("button", { name: /Mara/ }).waitFor();
  await tabTo("Continue as Mara");
  await press("Enter");
  await page.getByRole("link", { name: "keyboard-app", exact: true }).waitFor();
  await tabTo("keyboard-app");
  await press("Enter");
  await page.getByRole("heading", { name: /^Connection health/ }).waitFor();
  for (const [control, said] of [["Pause writes (keyboard-app)", "Writes of keyboard-app are paused."], ["Resume writes (keyboard-app)", "keyboard-app may post again"]]) {
    await tabTo(control);
    await press("Enter");
    await page.getByText(said).waitFor();
  }
  await tabTo("End connection… (keyboard-app)");
  await press("Enter");
  await page.getByRole("heading", { name: /^End the connection/ }).waitFor();
  await tabTo("End the connection");
  await press("Enter");
  await page.getByRole("status").waitFor();
  await tabTo("Sign out");
  await press("Enter");
  await page.getByRole("heading", { name: "You're signed out" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a person who says no connects nothing, and their app is told", needsChromium, async () => {
  const { context, page } = await open();
  await toConsent(page, "denied-app");
  await press(page.getByRole("button", { name: "Don't allow" }));
  await page.waitForURL(`${REDIRECT}?**`);
  assert.equal(new URL(page.url()).searchParams.get("error"), "access_denied");
  assert.equal(await countOf("grants", "denied-app"), 0);
  await context.close();
});

test("going back after an answer cannot answer again", needsChromium, async () => {
  const { context, page } = await open();
  await toConsent(page, "back-app");
  const consentAddress = page.url();
  await allow(page);
  await page.waitForURL(`${REDIRECT}?**`);
  await page.goBack();
  await page.getByRole("heading", { name: /already used or has expired/ }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Allow", exact: true }).count(), 0);
  await page.goto(consentAddress);
  await page.getByRole("heading", { name: /already used or has expired/ }).waitFor();
  assert.equal(await countOf("grants", "back-app"), 1);
  await context.close();
});

test("a double click on Allow is one connection", needsChromium, async () => {
  const { context, page } = await open();
  await toConsent(page, "double-app");
  await press(page.getByRole("button", { name: "Allow", exact: true }), (button) => button.dblclick({ noWaitAfter: true }));
  await page.waitForURL(`${REDIRECT}?code=**`);
  assert.equal(await countOf("grants", "double-app"), 1);
  await context.close();
});

test("two tabs can be answered in either order (C9)", needsChromium, async () => {
  const { context, page: first } = await open();
  const second = await context.newPage();
  await toConsent(first, "tab-one");
  await second.goto(authorizeUrl(stack, { clientId: "tab-two", redirectUri: REDIRECT }));
  await second.getByRole("button", { name: /Mara/ }).click();
  await second.getByRole("heading", { name: /tab-two/ }).waitFor();
  for (const [page, app] of [[second, "tab-two"], [first, "tab-one"]]) {
    await allow(page);
    await page.waitForURL(`${REDIRECT}?code=**`);
    assert.equal(await countOf("grants", app), 1);
  }
  await context.close();
});

test("an expired consent page connects nothing and says what to do", needsChromium, async () => {
  const { context, page } = await open();
  await toConsent(page, "late-app");
  await stack.db.exec("UPDATE authorization_requests SET expires_at = 1 WHERE client_id = 'late-app'");
  await allow(page);
  await page.getByRole("heading", { name: /already used or has expired/ }).waitFor();
  await page.getByText("start connecting again from the app").waitFor();
  assert.equal(await countOf("grants", "late-app"), 0);
  await context.close();
});

test("a connection that is ended while its app is calling stops within the calls on their way", needsChromium, async () => {
  const tokens = await connected(stack, 1, "calling-app");
  const { context, page } = await open();
  await openAdminPage(stack, page, "Mara");
  let isEnded = false;
  const calling = (async () => {
    const after = [];
    for (let n = 0; n < 500 && after.length < 3; n += 1) {
      const startedAfterEnd = isEnded;
      const { status } = await call(stack, tokens, "ping", {});
      if (startedAfterEnd) after.push(status);
    }
    return after;
  })();
  await page.getByRole("link", { name: "End connection… (calling-app)" }).click();
  await press(page.getByRole("button", { name: "End the connection" }));
  await page.getByRole("status").waitFor();
  isEnded = true;
  assert.deepEqual(await calling, [401, 401, 401]);
  await page.goBack();
  await page.getByRole("heading", { name: "There's nothing here" }).waitFor();
  await context.close();
});

test("a paused app is refused what it posts, told why, and may post again when resumed", needsChromium, async () => {
  const tokens = await connected(stack, 1, "paused-app");
  const post = async () => (await (await call(stack, tokens, "tools/call", { name: "create_incident", arguments: incident })).json()).result;
  const { context, page } = await open();
  await openAdminPage(stack, page, "Mara");
  await openConnection(stack, page, "paused-app");
  await press(page.getByRole("button", { name: "Pause writes (paused-app)" }));
  await page.getByText("Writes of paused-app are paused.").waitFor();
  const refused = await post();
  assert.equal(refused.isError, true);
  assert.match(refused.content[0].text, /paused/);
  assert.equal((await call(stack, tokens, "ping", {})).status, 200);
  await press(page.getByRole("button", { name: "Resume writes (paused-app)" }));
  await page.getByText("paused-app may post again").waitFor();
  assert.notEqual((await post()).isError, true);
  await context.close();
});

test("an app whose every write is to be confirmed publishes nothing unseen, until its person has it as usual again", needsChromium, async () => {
  const tokens = await connected(stack, 1, "careful-app");
  const post = async (title) => (await (await call(stack, tokens, "tools/call", { name: "create_incident", arguments: { ...incident, title, affected_items_freetext: "Mail" } })).json()).result;
  const { context, page, complaints } = await open();
  await openAdminPage(stack, page, "Mara");
  await openConnection(stack, page, "careful-app");
  await press(page.getByRole("button", { name: "Confirm every write (careful-app)" }));
  await page.getByRole("status").waitFor();
  await page.getByText("Every write confirmed", { exact: true }).waitFor();
  const refused = await post("First");
  assert.equal(refused.isError, true);
  assert.match(refused.content[0].text, /preview/);
  await press(page.getByRole("button", { name: "Confirm writes as usual (careful-app)" }));
  await page.getByRole("button", { name: "Confirm every write (careful-app)" }).waitFor();
  const posted = await post("Second");
  assert.notEqual(posted.isError, true, posted.content[0].text);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a double click on the end of a connection says that it has ended", needsChromium, async () => {
  await connected(stack, 1, "twice-ended");
  const { context, page } = await open();
  await openAdminPage(stack, page, "Mara");
  await page.getByRole("link", { name: "End connection… (twice-ended)" }).click();
  await press(page.getByRole("button", { name: "End the connection" }), (button) => button.dblclick({ noWaitAfter: true }));
  await page.getByRole("status").waitFor();
  const rows = await stack.db.prepare("SELECT count(*) AS n FROM audit WHERE kind = 'revoke' AND client_id = 'twice-ended'").first();
  assert.equal(rows.n, 1);
  await context.close();
});

test("reloading after an action does not repeat it", needsChromium, async () => {
  await connected(stack, 1, "reload-app");
  const { context, page } = await open();
  await openAdminPage(stack, page, "Mara");
  await openConnection(stack, page, "reload-app");
  await press(page.getByRole("button", { name: "Pause writes (reload-app)" }));
  await page.getByText("Writes of reload-app are paused.").waitFor();
  const rows = () => stack.db.prepare("SELECT count(*) AS n FROM audit WHERE kind = 'pause' AND client_id = 'reload-app'").first();
  await page.reload();
  assert.equal((await rows()).n, 1);
  await context.close();
});

test("another site can neither post the admin page's forms nor the consent page's", needsChromium, async () => {
  await connected(stack, 1, "target-app");
  const { context, page } = await open();
  await openAdminPage(stack, page, "Mara");
  const token = await page.locator("input[name=token]").first().inputValue();
  await toConsent(page, "forged-app");
  const fields = Object.fromEntries(await Promise.all(["request", "person"].map(async (name) => [name, await page.locator(`input[name=${name}]`).first().inputValue()])));
  await context.route("https://evil.example/**", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>evil</title>" }));
  const forge = async (path, values) => {
    const evil = await context.newPage();
    await evil.goto("https://evil.example/");
    const arrived = evil.waitForResponse((response) => response.url().startsWith(stack.url + path));
    await evil.evaluate(([action, values]) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action });
      for (const [name, value] of Object.entries(values)) form.append(Object.assign(document.createElement("input"), { name, value }));
      document.body.append(form);
      form.submit();
    }, [stack.url + path, values]);
    return (await arrived).status();
  };
  assert.equal(await forge("/mcp/admin/action", { token, action: "revoke", connection: "1 target-app" }), 403);
  assert.equal(await forge("/mcp/oauth/consent", { ...fields, answer: "approve", pages: "all", lifetime: "1d", scope: "mcp.pages.read" }), 403);
  assert.equal(await countOf("grants", "forged-app"), 0);
  assert.equal((await stack.db.prepare("SELECT count(*) AS n FROM grants WHERE client_id = 'target-app' AND revoked_at IS NULL").first()).n, 1);
  await context.close();
});

test("after signing out, going back shows nothing of the person", needsChromium, async () => {
  await connected(stack, 1, "left-open");
  const { context, page } = await open();
  await openAdminPage(stack, page, "Mara");
  await page.getByRole("link", { name: "left-open", exact: true }).waitFor();
  await press(page.getByRole("button", { name: "Sign out" }));
  await page.getByRole("heading", { name: "You're signed out" }).waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "Sign in with StatiBeat" }).waitFor();
  assert.equal(await page.getByText("left-open").count(), 0);
  assert.equal(await page.getByText("mara@northwind.example").count(), 0);
  await context.close();
});

test("another site cannot make the Hosted MCP page say that something was done", needsChromium, async () => {
  const { context, page } = await open();
  await openAdminPage(stack, page, "Mara");
  const lie = `${stack.url}/mcp/admin?done=revoke-all`;
  await context.route("https://evil.example/**", (route) => route.fulfill({ contentType: "text/html", body: `<!doctype html><title>evil</title><a href="${lie}">look</a>` }));
  await page.goto("https://evil.example/");
  await page.getByRole("link", { name: "look" }).click();
  await page.getByRole("heading", { name: "Hosted MCP", exact: true }).waitFor();
  assert.equal(await page.getByRole("status").count(), 0);
  await context.close();
});

test("nothing went wrong unseen", needsChromium, () => {
  assert.deepEqual(stack.logs.filter((entry) => entry.level === "error"), []);
});
