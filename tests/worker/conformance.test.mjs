// The official MCP conformance suite, in the newest revision of either era: on the fixtures, which have everything that
// it asks for, on the built worker as it is, and on the worker's authorization server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { REVISIONS, excused, requirements, runAuthorizationSuite, runScenario, runServerSuite, withFixtures, withToken } from "../../dev/conformance/suite.mjs";
import { startStack } from "./support/stack.mjs";

/** Scenarios that pass on the fixtures. In 2025-11-25 the other eight need what no stateless server has. */
const ON_FIXTURES = { "2026-07-28": 37, "2025-11-25": 22 };
/** Scenarios that the worker passes without tools, resources and prompts made for tests. */
const ON_WORKER = { "2026-07-28": 12, "2025-11-25": 8 };

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());

for (const revision of REVISIONS) {
  test(`the fixtures pass the scenarios of ${revision} that a stateless server can pass`, () =>
    withFixtures(async (url) => check(await runServerSuite("fixtures", url, revision), ON_FIXTURES[revision])));

  test(`the worker passes the scenarios of ${revision} that need no fixtures`, () =>
    withToken(stack.url, async (url) => check(await runServerSuite("worker", url, revision), ON_WORKER[revision])));

  test(`every scenario of ${revision} that is expected to fail exists and has its reason`, () => {
    const scored = new Set(requirements(revision));
    for (const target of ["fixtures", "worker"]) {
      for (const [scenario, reason] of excused(target, revision)) {
        assert.ok(scored.has(scenario), `${target}: ${scenario} is not scored`);
        assert.match(reason ?? "", /^[A-Z].{30,}\.$/, `${target}: ${scenario}`);
      }
    }
  });
}

test("the worker passes the scenario about headers, which the suite does not score and the specification demands", () =>
  withToken(stack.url, async (url) => {
    const { asExpected, summary } = await runScenario(url, "http-header-validation");
    assert.ok(asExpected, summary);
  }));

for (const scenario of ["sep-2640-skills-enumeration", "sep-2640-skills-manifest"]) {
  test(`the worker passes the scenario ${scenario} of the extension for skills`, () =>
    withToken(stack.url, async (url) => {
      const { asExpected, summary } = await runScenario(url, scenario);
      assert.ok(asExpected, summary);
      assert.doesNotMatch(summary, /SKIPPED/);
    }));
}

/** X7 */
test("the authorization server passes every scenario there is", async () => check(await runAuthorizationSuite(stack.url), 3));

function check({ passed, asExpected, summary }, expected) {
  assert.ok(asExpected, summary);
  assert.equal(passed, expected, summary);
}
