// The official Python SDK from its registry, in both generations, and FastMCP on top of it. FastMCP takes long to install and is played
// by `npm run test:clients` only.

import { after, before, describe } from "node:test";
import { startStack } from "../support/stack.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { install, pythonClient } from "./support/python.mjs";
import { wholeFlow } from "./support/whole_flow.mjs";

let stack;
before(async () => (stack = await startStack()));
after(() => stack?.stop());
showLogOfFailures(() => stack);

const programs = [
  { requirements: "mcp-2", name: "Python mcp 2.x", topic: "Checkout is slow", speaks: "2026-07-28", elicits: true, stepsUp: true },
  { requirements: "mcp-2", name: "Python mcp 2.x with a handshake", topic: "Mails arrive late", mode: "legacy", speaks: "2025-11-25", elicits: false, stepsUp: true },
  { requirements: "mcp-1", name: "Python mcp 1.x", topic: "Search finds nothing", speaks: "2025-11-25", elicits: false, stepsUp: true },
  { requirements: "fastmcp", name: "FastMCP", topic: "Invoices are missing", speaks: "2026-07-28", elicits: true, stepsUp: true, isSlow: true },
];

for (const { requirements, mode, isSlow, ...program } of programs) {
  const { python, missing } = isSlow && !process.env.EVERY_CLIENT ? { missing: "only in `npm run test:clients`" } : install(requirements);
  describe(program.name, { skip: missing }, () => {
    const start = (url, person, { elicits }) => pythonClient(python, url, person, { program: requirements, name: program.name, mode, elicits });
    wholeFlow({ ...program, start }, () => stack);
  });
}
