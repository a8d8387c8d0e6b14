// `npm run conformance`: the official MCP conformance suite against the fixtures, the built worker, its authorization
// server, and the page server. `npm test` makes the same runs; this one counts them.
//
// The counts in the last line are the suite's scored scenarios on the fixtures, which run on the engine of the worker.

import { withBridge } from "../../tests/page/support/bridge.mjs";
import { TOKENS } from "../../tests/page/support/simulator.mjs";
import { startStack } from "../../tests/worker/support/stack.mjs";
import { REVISIONS, runAuthorizationSuite, runServerSuite, withFixtures, withToken } from "./suite.mjs";

const totals = {};
let allGood = true;

await withFixtures(async (url) => {
  for (const revision of REVISIONS) totals[revision] = report(`fixtures, ${revision}`, await runServerSuite("fixtures", url, revision));
});
const stack = await startStack();
try {
  await withToken(stack.url, async (url) => {
    for (const revision of REVISIONS) report(`worker, ${revision}`, await runServerSuite("worker", url, revision));
  });
  await withBridge({ STATIBEAT_API_TOKEN: TOKENS.admin, STATIBEAT_BASE_URL: stack.simulatorUrl }, async (url) => {
    for (const revision of REVISIONS) report(`page server, ${revision}`, await runServerSuite("page", url, revision));
  });
  totals.authorization = report("authorization", await runAuthorizationSuite(stack.url));
} finally {
  await stack.stop();
}
console.log(Object.entries(totals).map(([name, count]) => `${name}: ${count}`).join(", "));
process.exit(allGood ? 0 : 1);

/** Says how a run ended; hands back its count. */
function report(name, { passed, of, asExpected, summary }) {
  const count = `${passed} of ${of}`;
  console.log(`${asExpected ? "✓" : "✗"} ${name}: ${count}`);
  if (!asExpected) console.log(summary.trim());
  allGood &&= asExpected;
  return count;
}
