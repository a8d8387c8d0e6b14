// `npm run screenshots`: every page and state, on a phone and on a desktop, in light and in dark, into screenshots/.
//
// Words behind the command narrow it down: `npm run screenshots -- consent` takes only states with that in their name.
// `npm run screenshots -- --documents` takes the pictures of the README instead, into docs/images/.

import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findChromium, launchChromium } from "../tests/worker/support/chromium.mjs";
import { WORLDS, newBrowser } from "../tests/worker/support/states.mjs";
import { startStack } from "../tests/worker/support/stack.mjs";

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };
/** States that the README shows, with the names of their files and the part of the page that they show. */
const README_PICTURES = {
  "consent, first approval": { file: "consent.png", viewport: { width: 1000, height: 760 } },
  "admin, large organization": { file: "hosted-mcp.png", viewport: { width: 1000, height: 760 } },
};
const words = process.argv.slice(2);
const forDocuments = words.includes("--documents");
const FOLDER = fileURLToPath(new URL(forDocuments ? "../docs/images/" : "../screenshots/", import.meta.url));
const isWanted = (name) => (forDocuments ? name in README_PICTURES : words.every((word) => name.includes(word)));

if (!findChromium()) {
  console.error("error: no Chromium here: `apt-get install chromium`, or name one in CHROMIUM");
  process.exit(1);
}

/** The state's name as a file's. */
const fileName = (name, size, colorScheme) => `${name.replaceAll(/[^a-z0-9]+/gi, "-").replace(/-$/, "")}.${size}.${colorScheme}.png`;

/** Opens one state and writes its picture. */
async function take(browser, stack, open, file, { viewport, colorScheme, fullPage = true }) {
  const { context, page } = await newBrowser(browser, { viewport, colorScheme });
  await open(stack, page);
  await page.screenshot({ path: `${FOLDER}${file}`, fullPage });
  await context.close();
  taken += 1;
}

async function takeState(browser, stack, [name, open]) {
  if (forDocuments) {
    const { file, viewport } = README_PICTURES[name];
    return take(browser, stack, open, file, { viewport, colorScheme: "light", fullPage: false });
  }
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"]) await take(browser, stack, open, fileName(name, size, colorScheme), { viewport, colorScheme });
  }
}

/** Takes the wanted states among those that one stack shows. */
async function takeAll(browser, { vars, large, prepare, states }) {
  const named = Object.entries(states).filter(([name]) => isWanted(name));
  if (named.length === 0) return;
  const stack = await startStack({ vars, large });
  try {
    await prepare(stack);
    for (const state of named) {
      await takeState(browser, stack, state);
      console.log(state[0]);
    }
  } finally {
    await stack.stop();
  }
}

const names = WORLDS.flatMap(({ states }) => Object.keys(states));
if (!names.some(isWanted)) {
  console.error(`error: no state has "${words.join(" ")}" in its name. The states:\n  ${names.join("\n  ")}`);
  process.exit(1);
}
let taken = 0;
if (words.length === 0) rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const browser = await launchChromium();
try {
  for (const world of WORLDS) await takeAll(browser, world);
} finally {
  await browser.close();
}
console.log(`${taken} screenshots in ${FOLDER}`);
