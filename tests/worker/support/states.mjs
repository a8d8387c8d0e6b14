// Every page and every state of it that a person can meet, each with the way to it; for the accessibility checks and the
// screenshots. `furnish` first, so that there is something to see.

import { createHash, randomBytes } from "node:crypto";
import { signIn } from "./browser.mjs";
import { authorizeUrl, call, connect, openAdminPage, openConnection, press, signInAs } from "./people.mjs";
import { eventually } from "./stack.mjs";

export const REDIRECT = "http://127.0.0.1:45999/callback";
const CLAUDE = { clientId: "https://claude.ai/oauth/mcp-oauth-client-metadata", redirectUri: "https://claude.ai/api/mcp/auth_callback" };
const UNKNOWN = { clientId: "https://n8n.example/id", redirectUri: "https://n8n.example/cb" };

/**
 * A browser of its own at an address of its own, so that all of them together stay below the limit of one address; with
 * everything that it complains about. Where clients take their answers, nothing answers: the page before stays.
 */
let addresses = 0;
export async function newBrowser(browser, { answers = 204, ...options } = {}) {
  addresses += 1;
  const context = await browser.newContext({ extraHTTPHeaders: { "cf-connecting-ip": `10.0.${addresses >> 8}.${addresses & 255}` }, ...options });
  const answer = answers === 204 ? { status: 204 } : { contentType: "text/html", body: "<!doctype html><title>client</title>" };
  await context.route(`${REDIRECT}**`, (route) => route.fulfill(answer));
  await context.route("https://claude.ai/**", (route) => route.fulfill(answer));
  const complaints = [];
  context.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  context.on("weberror", (error) => complaints.push(String(error.error())));
  return { context, page: await context.newPage(), complaints };
}

/** A connection of a demo user, made without a browser; with these fields of the consent page besides the usual ones. */
export async function connected(stack, user, clientId, { scope = "mcp.pages.read mcp.incidents.read mcp.incidents.write", fields, ...client } = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const redirectUri = client.redirectUri ?? REDIRECT;
  addresses += 1;
  const headers = { "cf-connecting-ip": `10.0.${addresses >> 8}.${addresses & 255}` };
  const answer = await signIn(authorizeUrl(stack, { clientId, redirectUri, scope, challenge }), { user, headers, fields });
  return connect(stack, answer, { clientId, redirectUri, verifier });
}

/** Connections of two people, with calls, posts and refusals, and one that ended. */
export async function furnish(stack) {
  const tokens = await connected(stack, 1, "pages-test");
  const claude = await connected(stack, 1, CLAUDE.clientId, { redirectUri: CLAUDE.redirectUri, scope: "mcp.pages.read mcp.analytics.read" });
  await connected(stack, 3, "pages-test");
  const ended = await connected(stack, 1, "left-behind");
  await fetch(`${stack.url}/mcp/oauth/revoke`, { method: "POST", body: new URLSearchParams({ client_id: "left-behind", token: ended.refresh_token }) });
  const info = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "Pages <i>Test</i>", version: "1.4.0" } };
  await call(stack, tokens, "initialize", info);
  await call(stack, tokens, "resources/read", { uri: "statibeat://pages" });
  const incident = { page_id: 42, title: "Checkout is slow", description: "We are looking.", status: "degraded", affected_items_freetext: "Checkout" };
  await call(stack, tokens, "tools/call", { name: "create_incident", arguments: incident });
  await call(stack, tokens, "resources/read", { uri: "statibeat://pages/42/analytics/summary" });
  await call(stack, claude, "resources/read", { uri: "statibeat://pages" });
  await eventually(async () => (await stack.db.prepare("SELECT sum(calls) AS calls FROM usage").first()).calls === 5);
  await stack.db.exec(pastCalls());
  return tokens;
}

/** Two weeks of calls, so that the picture has something to show. */
function pastCalls() {
  const today = Math.floor(Date.now() / 86_400_000);
  const rows = Array.from({ length: 12 }, (_, n) => [[today - 1 - n, "answered", (n * 7) % 23], [today - 1 - n, "refused", n % 4], [today - 1 - n, "failed", n % 5 === 2 ? 2 : 0]]);
  const values = rows.flat().filter(([, , calls]) => calls > 0).map(([day, outcome, calls]) => `('1', 'pages-test', ${day}, '${outcome}', ${calls})`);
  return `INSERT INTO usage (user_id, client_id, day, outcome, calls) VALUES ${values.join(", ")}`;
}

const heading = (page, name) => page.getByRole("heading", { name }).first().waitFor();
const button = (page, name) => press(page.getByRole("button", { name }).first());
const link = (page, name) => page.getByRole("link", { name }).first().click();

async function consent(stack, page, { name = "Mara", ...request } = {}) {
  await page.goto(authorizeUrl(stack, { redirectUri: REDIRECT, ...request }));
  await signInAs(page, name);
}

async function consentShown(stack, page, request) {
  await consent(stack, page, request);
  await heading(page, /^Connect/);
}

/** A simulator's switch. */
export const simulator = (stack, path, body, method = "POST") =>
  fetch(`${stack.simulatorUrl}/__simulator/${path}`, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });

/** Name of the page or state, and the way to it. */
export const STATES = {
  "consent, unverified app": consentShown,
  "consent, listed app": (stack, page) => consentShown(stack, page, CLAUDE),
  "consent, first approval": (stack, page) => consentShown(stack, page, { ...CLAUDE, name: "Theo" }),
  "consent, everything asked, viewer": (stack, page) =>
    consentShown(stack, page, { name: "Ines", scope: "mcp.pages.read mcp.beats.read mcp.incidents.read mcp.incidents.write mcp.maintenances.read mcp.maintenances.write mcp.analytics.read" }),
  "consent, no page chosen": async (stack, page) => {
    await consentShown(stack, page);
    await page.getByLabel("Only these pages").check();
    await button(page, "Allow");
    await page.getByRole("alert").waitFor();
  },
  "consent, connected": async (stack, page) => {
    await consentShown(stack, page, { clientId: "interim-app" });
    await press(page.getByRole("button", { name: "Allow", exact: true }));
    await heading(page, "Connected");
  },
  "consent, not connected": async (stack, page) => {
    await consentShown(stack, page);
    await button(page, "Don't allow");
    await heading(page, "Not connected");
  },
  "consent, other account": async (stack, page) => {
    await consentShown(stack, page);
    await page.context().route(`**/connector/sign-in?**`, (route) => route.fulfill({ status: 204 }));
    await button(page, "Use another account");
    await heading(page, "Choose an account");
  },
  "problem, bad link": (stack, page) => page.goto(authorizeUrl(stack, UNKNOWN)),
  "problem, link used": (stack, page) => page.goto(`${stack.url}/mcp/oauth/consent?request=nothing`),
  "problem, other browser": async (stack, page) => {
    await consentShown(stack, page);
    await page.context().clearCookies();
    await page.reload();
    await heading(page, /another browser/);
  },
  "problem, sign-in canceled": async (stack, page) => {
    await page.goto(authorizeUrl(stack, { redirectUri: REDIRECT }));
    await button(page, "Cancel");
    await heading(page, "Not connected");
  },
  "problem, sign-in failed": (stack, page) => page.goto(`${stack.url}/mcp/admin/callback?state=x`),
  "problem, account disabled": async (stack, page) => {
    await page.goto(authorizeUrl(stack, { redirectUri: REDIRECT }));
    await simulator(stack, "users/3", { disabled: true });
    await signInAs(page, "Ines");
    await heading(page, /account can.t connect apps/);
    await simulator(stack, "users/3", { disabled: false });
  },
  "problem, no page": async (stack, page) => {
    await consent(stack, page, { name: "Sam" });
    await heading(page, /no status page/);
  },
  "problem, other person": async (stack, page) => {
    await consentShown(stack, page);
    await page.locator("input[name=person]").first().evaluate((field) => (field.value = "2"));
    await button(page, "Allow");
    await heading(page, /another account/);
  },
  "problem, foreign form": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await page.locator("input[name=token]").first().evaluate((field) => (field.value = "x"));
    await button(page, "Sign out");
    await heading(page, /can.t be used/);
  },
  "problem, nothing there": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await page.goto(`${stack.url}/mcp/admin/action?action=revoke&client=nothing`);
  },
  "problem, upstream down": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await simulator(stack, "faults", { path: "/api/v1/me/pages", times: 3, kind: { status: { code: 503 } } });
    await page.goto(`${stack.url}/mcp/admin`);
    await simulator(stack, "faults", undefined, "DELETE");
  },
  "problem, too often": async (stack, page) => {
    // A minute may end while they are counted: then the count begins anew.
    const address = `${stack.url}/mcp/admin/sign-in`;
    for (let n = 0; n < 200; n += 1) {
      const answer = await page.request.get(address, { maxRedirects: 0 });
      if (answer.status() === 429 && (await page.goto(address)).status() === 429) break;
    }
    await heading(page, "Too many attempts");
  },
  "admin, welcome": (stack, page) => page.goto(`${stack.url}/mcp/admin`),
  "admin, with connections": (stack, page) => openAdminPage(stack, page, "Mara"),
  "admin, everything open": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    for (const summary of await page.locator("summary").all()) await summary.click();
  },
  "admin, one connection": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await openConnection(stack, page, "pages-test");
  },
  "admin, narrow?": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await openConnection(stack, page, "pages-test");
    await link(page, /^Narrow…/);
    await heading(page, /^Narrow what/);
  },
  "admin, activity": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await page.goto(`${stack.url}/mcp/admin/activity`);
  },
  "admin, no blocks": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await page.goto(`${stack.url}/mcp/admin/blocks`);
  },
  "admin, empty": (stack, page) => openAdminPage(stack, page, "Theo"),
  "admin, viewer": (stack, page) => openAdminPage(stack, page, "Ines"),
  "admin, nothing found": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await page.goto(`${stack.url}/mcp/admin/activity?outcome=failed`);
  },
  "admin, paused": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await openConnection(stack, page, "pages-test");
    await button(page, /^Pause writes/);
    await page.getByRole("status").waitFor();
    await stack.db.exec("UPDATE connections SET writes_paused_at = NULL");
  },
  "admin, end one?": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await link(page, /^End connection/);
    await heading(page, /^End the connection/);
  },
  "admin, end all?": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await link(page, /^End all/);
    await heading(page, /^End all/);
  },
  "admin, block?": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await link(page, /^Block…/);
    await heading(page, /^Block/);
  },
  "admin, blocked": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await link(page, /^Block…/);
    await heading(page, /^Block/);
    await button(page, /^Block/);
    await page.getByRole("link", { name: /^Unblock/ }).first().waitFor();
    await stack.db.exec("DELETE FROM page_blocks");
  },
  "admin, signed out": async (stack, page) => {
    await openAdminPage(stack, page, "Mara");
    await button(page, "Sign out");
    await heading(page, "You're signed out");
  },
};

/** States that the connector has only with other settings, with those. */
export const WORLDS = [
  { vars: {}, prepare: furnish, states: STATES },
  {
    vars: { HOSTED_MCP_READ_BRIDGE: "on" },
    prepare: (stack) => connected(stack, 1, "tools-only", { fields: [["resource_tools", "on"]] }),
    states: {
      "consent, reading by tools offered": consentShown,
      "admin, reading by tools": (stack, page) => openAdminPage(stack, page, "Mara"),
    },
  },
  {
    vars: {},
    large: true,
    prepare: async () => {},
    states: {
      "admin, large organization": (stack, page) => openAdminPage(stack, page, "Ada"),
      "admin, large organization, last part by person": async (stack, page) => {
        await openAdminPage(stack, page, "Ada");
        await page.goto(`${stack.url}/mcp/admin?search=jansen&sort=person`);
      },
      "admin, large organization, activity": async (stack, page) => {
        await openAdminPage(stack, page, "Ada");
        await page.goto(`${stack.url}/mcp/admin/activity`);
      },
      "admin, block many?": async (stack, page) => {
        await openAdminPage(stack, page, "Ada");
        const boxes = page.locator("input[name=connection]");
        for (let n = 0; n < 12; n += 1) await boxes.nth(n).check();
        await button(page, /^Block the ticked ones/);
        await heading(page, /^Block 1/);
      },
    },
  },
  {
    vars: { HOSTED_MCP_ENABLED: "false" },
    prepare: async () => {},
    states: { "admin, unavailable": (stack, page) => page.goto(`${stack.url}/mcp/admin`) },
  },
];
