// A real Chromium or Chrome of this machine, if there is one.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** Where the browser is: `CHROMIUM`, or the first one found. */
export function findChromium() {
  const onPath = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [process.env.CHROMIUM, ...onPath, ...PLACES].find((path) => path && existsSync(path));
}

/** The options of a test that needs a browser: skipped, with the way to get one, where there is none. */
export const needsChromium = { skip: findChromium() ? false : "no Chromium here: `apt-get install chromium`, or name one in CHROMIUM" };

/** Starts the browser. Root inside a container has no sandbox to put it in. */
export function launchChromium() {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: findChromium(), args: isRoot ? ["--no-sandbox"] : [] });
}
