// The official MCP conformance suite against the built program. The suite speaks HTTP alone, so a bridge stands between.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { REVISIONS, excused, requirements, runServerSuite } from "../../dev/conformance/suite.mjs";
import { withBridge } from "./support/bridge.mjs";
import { endAll } from "./support/program.mjs";
import { TOKENS, startSimulator } from "./support/simulator.mjs";

/** Scenarios that pass without tools, resources and prompts made for tests, and without HTTP. */
const PASSING = { "2026-07-28": 11, "2025-11-25": 7 };

let simulator;
before(async () => (simulator = await startSimulator()));
after(() => {
  endAll();
  return simulator?.stop();
});

for (const revision of REVISIONS) {
  test(`the page server passes the scenarios of ${revision} that need no fixtures and no HTTP`, () =>
    withBridge({ STATIBEAT_API_TOKEN: TOKENS.admin, STATIBEAT_BASE_URL: simulator.url }, async (url) => {
      const { passed, asExpected, summary } = await runServerSuite("page", url, revision);
      assert.ok(asExpected, summary);
      assert.equal(passed, PASSING[revision], summary);
    }));

  test(`every scenario of ${revision} that the page server is expected to fail exists and has its reason`, () => {
    const scored = new Set(requirements(revision));
    for (const [scenario, reason] of excused("page", revision)) {
      assert.ok(scored.has(scenario), `${scenario} is not scored`);
      assert.match(reason ?? "", /^[A-Z].{30,}\.$/, scenario);
    }
  });
}
