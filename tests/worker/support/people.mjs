// Steps of a person in a real browser, with the mouse's names for things.

import { createHash, randomBytes } from "node:crypto";

/** Where a client sends the browser first; its answer goes to `redirectUri`. */
export function authorizeUrl(stack, { clientId = "pages-test", redirectUri, scope, challenge } = {}) {
  const url = new URL("/mcp/oauth/authorize", stack.url);
  const fields = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    state: "the state",
    code_challenge: challenge ?? createHash("sha256").update(randomBytes(32)).digest("base64url"),
    code_challenge_method: "S256",
  };
  url.search = new URLSearchParams(scope ? { ...fields, scope } : fields);
  return url.href;
}

/** Chooses a demo user on the simulator's sign-in page. */
export async function signInAs(page, name) {
  await page.getByRole("button", { name: new RegExp(name) }).click();
}

/** Presses a button of ours as a person does: the mouse comes to the page first, and the button takes it a moment later. */
export async function press(button, how = (ready) => ready.click()) {
  await button.hover({ force: true });
  await how(button);
}

/** A connection, made without a browser: the consent page's answer exchanged for tokens. */
export async function connect(stack, answer, { clientId = "pages-test", redirectUri, verifier }) {
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: clientId,
    code: answer.searchParams.get("code"),
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  return (await fetch(`${stack.url}/mcp/oauth/token`, { method: "POST", body })).json();
}

/** A call of the connector; the HTTP answer. */
export function call(stack, tokens, method, params) {
  return fetch(`${stack.url}/mcp`, {
    method: "POST",
    headers: { authorization: `Bearer ${tokens.access_token}`, "content-type": "application/json", "mcp-protocol-version": "2025-11-25" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
}

/** Signs in to the admin page. */
export async function openAdminPage(stack, page, name) {
  await page.goto(`${stack.url}/mcp/admin`);
  await page.getByRole("link", { name: "Sign in with StatiBeat" }).click();
  await signInAs(page, name);
  await page.getByRole("heading", { name: "Hosted MCP", exact: true }).waitFor();
}

/** Opens the page of one of Mara's connections, once signed in to the admin page. */
export async function openConnection(stack, page, clientId) {
  await page.goto(`${stack.url}/mcp/admin/connection?${new URLSearchParams({ user: "1", client: clientId })}`);
  await page.getByRole("heading", { name: /^Connection health/ }).waitFor();
}
