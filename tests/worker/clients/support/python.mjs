// Virtual environments for the Python clients, with the exact packages of `../python/*.txt`, below target/.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TARGET } from "../../support/programs.mjs";
import { PipedClient } from "./piped_client.mjs";

const FOLDER = join(import.meta.dirname, "../python");
const WINDOWS = process.platform === "win32";
const PYTHON = WINDOWS ? "python" : "python3";

/**
 * Installs the packages of `<requirements>.txt`, unless they are. Returns `{ python }`, or `{ missing }` with the reason for which
 * this machine can't have them.
 */
export function install(requirements) {
  const file = join(FOLDER, `${requirements}.txt`);
  const pinned = readFileSync(file);
  const venv = join(TARGET, "python", `${requirements}-${createHash("sha256").update(pinned).digest("hex").slice(0, 12)}`);
  const python = join(venv, WINDOWS ? "Scripts/python.exe" : "bin/python");
  const done = join(venv, "installed");
  if (existsSync(done)) return { python };
  const version = run(PYTHON, ["-c", "import sys; print(sys.version_info >= (3, 10))"]);
  if (version.stdout?.trim() !== "True") return { missing: "Python 3.10 or newer is not on PATH" };
  rmSync(venv, { recursive: true, force: true });
  const made = run(PYTHON, ["-m", "venv", venv]);
  if (made.status !== 0) return { missing: `Python can't make a virtual environment: ${lastLine(made)}` };
  const installed = run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--requirement", file]);
  if (installed.status !== 0) return { missing: `the packages of ${requirements}.txt can't be installed: ${lastLine(installed)}` };
  writeFileSync(done, "");
  return { python };
}

/** A connection of the Python program with these settings. */
export function pythonClient(python, url, person, settings) {
  return new PipedClient(python, [join(FOLDER, "program.py")], { url, ...settings }, person);
}

function run(command, args) {
  return spawnSync(command, args, { encoding: "utf8", timeout: 300_000 });
}

const lastLine = ({ stderr, error }) => (stderr || error?.message || "").trim().split("\n").at(-1);
