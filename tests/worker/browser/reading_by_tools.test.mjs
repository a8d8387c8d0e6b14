// The box on the consent page that lets an app read by tools: what it says, that it is not ticked, what ticking it brings,
// and that the person finds it again.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { findChromium, launchChromium, needsChromium } from "../support/chromium.mjs";
import { authorizeUrl, call, connect, openAdminPage, press, signInAs } from "../support/people.mjs";
import { REDIRECT, newBrowser } from "../support/states.mjs";
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

/** Connects an app by the consent page, after `choose`; its tools and what the Hosted MCP page says of it. */
async function connectBy(choose) {
  const { context, page, complaints } = await newBrowser(browser, { answers: 200 });
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  await page.goto(authorizeUrl(stack, { clientId: "tools-only", redirectUri: REDIRECT, scope: "mcp.pages.read", challenge }));
  await signInAs(page, "Ines");
  const box = page.getByRole("checkbox", { name: /through tools/ });
  assert.equal(await box.isChecked(), false);
  await choose(box);
  await press(page.getByRole("button", { name: "Allow", exact: true }));
  await page.waitForURL(`${REDIRECT}?code=**`);
  const tokens = await connect(stack, new URL(page.url()), { clientId: "tools-only", redirectUri: REDIRECT, verifier });
  const { tools } = (await (await call(stack, tokens, "tools/list", {})).json()).result;
  await openAdminPage(stack, page, "Ines");
  await page.getByRole("link", { name: "tools-only", exact: true }).click();
  await page.getByRole("heading", { name: /^Connection health/ }).waitFor();
  const said = await page.getByText(/through tools/).count();
  assert.deepEqual(complaints, []);
  await context.close();
  return { names: tools.map(({ name }) => name), said };
}

test("an app reads by tools only if its person ticked the box, and the Hosted MCP page says so", needsChromium, async () => {
  const left = await connectBy(async () => {});
  assert.ok(!left.names.includes("read_resource"), left.names.join());
  assert.equal(left.said, 0);
  const ticked = await connectBy((box) => box.check());
  assert.ok(ticked.names.includes("read_resource") && ticked.names.includes("list_resources"), ticked.names.join());
  assert.equal(ticked.said, 1);
});
