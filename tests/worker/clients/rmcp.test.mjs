// rmcp with its auth feature, on which Codex and Goose are built. It takes minutes to compile and is played by `npm run test:clients` only.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { ROOT, TARGET } from "../support/programs.mjs";
import { startStack } from "../support/stack.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { PipedClient } from "./support/piped_client.mjs";
import { wholeFlow } from "./support/whole_flow.mjs";

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());
showLogOfFailures(() => stack);

const folder = join(TARGET, "rmcp");
const { program, missing } = process.env.EVERY_CLIENT ? compile() : { missing: "only in `npm run test:clients`" };

/** A workspace of its own, so that no other build compiles its HTTP client. */
function compile() {
  const manifest = join(ROOT, "dev/rmcp_client/Cargo.toml");
  const built = spawnSync("cargo", ["build", "--locked", "--manifest-path", manifest, "--target-dir", folder], { encoding: "utf8" });
  if (built.status === 0) return { program: join(folder, "debug", process.platform === "win32" ? "rmcp-client.exe" : "rmcp-client") };
  if (/download|network|index/i.test(built.stderr)) return { missing: `rmcp can't be downloaded: ${built.stderr.trim().split("\n").at(-1)}` };
  throw new Error(built.stderr);
}

const flow = { topic: "Reports come out empty", speaks: "2025-11-25", elicits: false, stepsUp: false };
describe("rmcp", { skip: missing }, () =>
  wholeFlow({ ...flow, start: (url, person) => new PipedClient(program, [], { url }, person) }, () => stack));
