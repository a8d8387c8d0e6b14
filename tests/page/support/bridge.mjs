// The page server behind HTTP, for a suite that speaks nothing else: a line in for a body that came, a body out for the line
// that answers it. What HTTP itself has to check (hosts, headers) nobody checks here.

import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { Pipe } from "./program.mjs";

/** The statuses that the newest revision gives to errors over HTTP; in all others an answer is 200. */
const STATUSES = { "-32700": 400, "-32600": 400, "-32601": 404, "-32021": 400, "-32022": 400 };

/** Runs the program with these settings while `use` works with its address. */
export async function withBridge(env, use) {
  const pipe = new Pipe(env);
  const server = createServer(async (incoming, outgoing) => {
    if (incoming.method !== "POST") return outgoing.writeHead(405).end();
    const body = (await text(incoming)).replaceAll("\n", " ");
    const answer = wantsAnswer(body) ? await pipe.pass(body) : pipe.raw(`${body}\n`);
    if (!answer) return outgoing.writeHead(202).end();
    const isModern = incoming.headers["mcp-protocol-version"] === "2026-07-28";
    const status = (isModern && STATUSES[answer.error?.code]) || 200;
    outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use(`http://localhost:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
    await pipe.close();
  }
}

/** A request, or something that is no message at all. */
function wantsAnswer(body) {
  try {
    const message = JSON.parse(body);
    return message.id !== undefined && !("result" in message || "error" in message);
  } catch {
    return true;
  }
}
