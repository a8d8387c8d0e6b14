// The Inspector's command line starts the program itself, as a person who looks at a server does: in each era it can speak.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PAGE_SERVER } from "./support/program.mjs";
import { TOKENS, startSimulator } from "./support/simulator.mjs";

const PACKAGE = new URL("../../node_modules/@modelcontextprotocol/inspector/", import.meta.url).pathname;

let simulator;
let folder;
let program;
before(async () => {
  simulator = await startSimulator();
  folder = await mkdtemp(join(tmpdir(), "inspector-")); // stands for the home folder, where it keeps its catalog
  program = join(PACKAGE, JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8")).bin["mcp-inspector"]);
});
after(async () => {
  await simulator?.stop();
  if (folder) await rm(folder, { recursive: true });
});

/** One run; the answer is its exit code, what it printed and the result in it. */
function inspect(era, method, ...options) {
  const settings = ["-e", `STATIBEAT_API_TOKEN=${TOKENS.read}`, "-e", `STATIBEAT_BASE_URL=${simulator.url}`];
  const args = [program, "--cli", PAGE_SERVER, "--transport", "stdio", "--protocol-era", era, ...settings];
  const env = { PATH: process.env.PATH, HOME: folder, USERPROFILE: folder, MCP_CATALOG_PATH: join(folder, "mcp.json") };
  return new Promise((done) => {
    execFile(process.execPath, [...args, "--format", "json", "--method", method, ...options], { env }, (error, stdout, stderr) => {
      let result;
      try {
        result = JSON.parse(stdout);
      } catch {
        // The code and the texts say what it was.
      }
      done({ code: error ? error.code : 0, output: `${stdout}\n${stderr}`, result: result?.result ?? result });
    });
  });
}

for (const era of ["legacy", "auto", "modern"]) {
  test(`the inspector lists tools strictly and reads over the pipe, in the era "${era}"`, async () => {
    const listed = await inspect(era, "tools/list", "--strict");
    assert.equal(listed.code, 0, listed.output);
    assert.equal(listed.result.tools.length, 16);
    const read = await inspect(era, "resources/read", "--uri", "statibeat://page/summary");
    assert.equal(read.code, 0, read.output);
    assert.match(read.output, /Northwind Cloud Status/);
  });
}
