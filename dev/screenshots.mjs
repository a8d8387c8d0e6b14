// `npm run screenshots`: every page and state, on a phone and on a desktop, in light and in dark, into screenshots/.
//
// Words behind the command narrow it down: `npm run screenshots -- consent` takes only states with that in their name.

import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findChromium, launchChromium } from "../tests/worker/support/chromium.mjs";
import { STATES, furnish, newBrowser } from "../tests/worker/support/states.mjs";
import { startStack } from "../tests/worker/support/stack.mjs";

const FOLDER = fileURLToPath(new URL("../screenshots/", import.meta.url));
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };
const wanted = process.argv.slice(2);

if (!findChromium()) {
  console.error("error: no Chromium here: `apt-get install chromium`, or name one in CHROMIUM");
  process.exit(1);
}

/** The state's name as a file's. */
const fileName = (name, size, colorScheme) => `${name.replaceAll(/[^a-z0-9]+/gi, "-").replace(/-$/, "")}.${size}.${colorScheme}.png`;

/** Takes one state in one dress. */
async function take(browser, stack, [name, open], size, colorScheme) {
  const { context, page } = await newBrowser(browser, { viewport: SIZES[size], colorScheme });
  await open(stack, page);
  await page.screenshot({ path: `${FOLDER}${fileName(name, size, colorScheme)}`, fullPage: true });
  await context.close();
}

/** All states of a stack; those for which the connector must be off have one of their own. */
async function takeAll(browser, options, states, prepare) {
  const stack = await startStack(options);
  try {
    await prepare(stack);
    for (const state of states.filter(([name]) => wanted.every((word) => name.includes(word)))) {
      for (const size of Object.keys(SIZES)) {
        for (const colorScheme of ["light", "dark"]) await take(browser, stack, state, size, colorScheme);
      }
      console.log(state[0]);
      taken += 4;
    }
  } finally {
    await stack.stop();
  }
}

let taken = 0;
if (wanted.length === 0) rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const browser = await launchChromium();
try {
  await takeAll(browser, {}, Object.entries(STATES), furnish);
  const unavailable = ["admin, unavailable", (stack, page) => page.goto(`${stack.url}/mcp/admin`)];
  await takeAll(browser, { vars: { HOSTED_MCP_ENABLED: "false" } }, [unavailable], async () => {});
} finally {
  await browser.close();
}
console.log(`${taken} screenshots in ${FOLDER}`);
