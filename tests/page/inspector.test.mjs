// The Inspector's command line starts the program itself, as a person who looks at a server does: in each era it can speak.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PAGE_SERVER } from "./support/program.mjs";
import { TOKENS, startSimulator } from "./support/simulator.mjs";
import { inspect as inspectServer } from "../worker/clients/support/inspector.mjs";

let simulator;
before(async () => {
  simulator = await startSimulator();
});
after(async () => {
  await simulator?.stop();
});

function inspect(era, method, ...options) {
  const settings = ["-e", `STATIBEAT_API_TOKEN=${TOKENS.read}`, "-e", `STATIBEAT_BASE_URL=${simulator.url}`];
  return inspectServer([PAGE_SERVER, "--transport", "stdio", "--protocol-era", era, ...settings, "--method", method, ...options]);
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
