// `npm run screenshots`: every page and state, on a phone and on a desktop, in light and in dark, into screenshots/.
//
// Words behind the command narrow it down: `npm run screenshots -- consent` takes only states with that in their name.

import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findChromium, launchChromium } from "../tests/worker/support/chromium.mjs";
import { WORLDS, newBrowser } from "../tests/worker/support/states.mjs";
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

/** The states that are wanted of those that one stack shows. */
async function takeAll(browser, { vars, prepare, states }) {
  const named = Object.entries(states).filter(([name]) => wanted.every((word) => name.includes(word)));
  if (named.length === 0) return;
  const stack = await startStack({ vars });
  try {
    await prepare(stack);
    for (const state of named) {
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
  for (const world of WORLDS) await takeAll(browser, world);
} finally {
  await browser.close();
}
console.log(`${taken} screenshots in ${FOLDER}`);
