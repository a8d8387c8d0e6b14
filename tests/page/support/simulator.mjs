// A simulator of its own for each test file, on a port that the system chose, with its switches.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { SIMULATOR } from "../../worker/support/programs.mjs";

/** Tokens of page 42, by what they may do. */
export const TOKENS = { admin: "sb_demo_admin_42", write: "sb_demo_write_42", read: "sb_demo_read_42" };

export async function startSimulator() {
  const child = spawn(SIMULATOR, ["--port", "0"]);
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const url = line.match(/http:\S+/)[0];
  const control = async (method, name, body) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/__simulator/${name}`, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  };
  return {
    url,
    /** Plans a fault: `kind` as the simulator spells it. */
    fault: (method, path, kind, times = 1) => control("POST", "faults", { method, path, kind, times }),
    clearFaults: () => control("DELETE", "faults"),
    /** Holds the answer to the next such request; `arrived` comes when there is one, and `release` lets go of the answer. */
    hold: async (method, path) => {
      await control("DELETE", "requests");
      await control("POST", "faults", { method, path, kind: "hold", times: 1 });
      const arrived = async () => {
        const is = (request) => request.method === method && request.path.split("?")[0] === path;
        while (!(await control("GET", "requests")).items.some(is)); // each look is an answer to wait for
      };
      return { arrived, release: () => control("POST", "release") };
    },
    /** Writes that reached the page, whoever sent them. */
    audit: async () => (await control("GET", "audit")).items,
    requests: async () => (await control("GET", "requests")).items,
    forgetRequests: () => control("DELETE", "requests"),
    /** A read with the admin token, past the server under test. */
    read: async (path) => {
      const answer = await fetch(`${url}/api/v1/admin/${path}`, { headers: { authorization: `Bearer ${TOKENS.admin}` } });
      return { status: answer.status, body: await answer.json() };
    },
    /** Returns the page that the host resolves to, for the admin token. */
    context: async () => {
      const answer = await fetch(`${url}/api/v1/context`, { headers: { authorization: `Bearer ${TOKENS.admin}` } });
      return answer.json();
    },
    stop: async () => {
      child.kill();
      await once(child, "exit");
    },
  };
}
