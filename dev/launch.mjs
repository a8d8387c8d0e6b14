// Entry point of the npm commands: checks that Rust is installed, then runs `cargo xtask`.
//
// Uses no package and runs on old Node.js versions, so that anything missing is reported in one clear sentence.

import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";

if (spawnSync("cargo", ["--version"], { stdio: "ignore" }).error) {
  console.error("error: Rust is not installed, or cargo is not on PATH. Install it with rustup, then run this again.");
  process.exit(1);
}

// As `cargo xtask`, but showing how the tool itself is built: the first time takes some minutes. Wrangler's builds come from a
// running xtask, which is used again: Windows could not replace it, and nobody waits for it to be compiled.
const [program, ...options] = process.env.STATIBEAT_XTASK ? [process.env.STATIBEAT_XTASK] : ["cargo", "run", "--locked", "--bin", "xtask", "--"];
const command = spawn(program, [...options, ...process.argv.slice(2)], { stdio: "inherit" });

// Ctrl-C reaches both processes from the terminal; what is sent to this one alone is passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => command.kill(signal));

command.on("exit", (code, signal) => process.exit(code === null ? 128 + constants.signals[signal] : code));

// npm passes a request to end on to its shell only, which tells nobody: notice that the shell is gone.
if (process.env.npm_lifecycle_event) {
  const shell = process.ppid;
  setInterval(() => process.ppid !== shell && command.kill("SIGTERM"), 500);
}
