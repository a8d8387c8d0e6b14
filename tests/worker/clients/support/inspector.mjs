// The Inspector's command line, as a person uses it to look at a server.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PACKAGE = new URL("../../../../node_modules/@modelcontextprotocol/inspector/", import.meta.url).pathname;
const PROGRAM = join(PACKAGE, JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")).bin["mcp-inspector"]);

/** One run; the answer is its exit code, what it printed and the result in it. */
export async function inspect(options) {
  const folder = await mkdtemp(join(tmpdir(), "inspector-")); // stands for the home folder, where it keeps its catalog
  const env = { PATH: process.env.PATH, HOME: folder, USERPROFILE: folder, MCP_CATALOG_PATH: join(folder, "mcp.json") };
  const run = await new Promise((done) => {
    execFile(process.execPath, [PROGRAM, "--cli", ...options, "--format", "json"], { env }, (error, stdout, stderr) => {
      let result;
      try {
        result = JSON.parse(stdout);
      } catch {
        // The code and the texts say what it was.
      }
      done({ code: error ? error.code : 0, output: `${stdout}\n${stderr}`, result: result?.result ?? result });
    });
  });
  await rm(folder, { recursive: true });
  return run;
}
