// The official SDK in both generations. Everything that a story may know about the difference stands here.
//
// `speaks` is the revision that must come out of the negotiation. `finish` hands the answer of the authorization to
// the transport that asked for it: 2.x checks all of it, 1.x only takes the code.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Transport1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const HANDSHAKE_VERSION = "2025-11-25";
const NEWEST_VERSION = "2026-07-28";
const WHO = { name: "story", version: "1.0.0" };

export const SDK_1 = {
  name: "SDK 1.x",
  speaks: HANDSHAKE_VERSION,
  newClient: () => new Client1(WHO),
  newTransport: (resource, options) => new Transport1(resource, options),
  finish: (transport, answer) => transport.finishAuth(answer.get("code")),
  revision: (_, transport) => transport.protocolVersion,
};

const sdk2 = (name, speaks, versionNegotiation) => ({
  name,
  speaks,
  newClient: () => new Client(WHO, versionNegotiation && { versionNegotiation }),
  newTransport: (resource, options) => new StreamableHTTPClientTransport(resource, options),
  finish: (transport, answer) => transport.finishAuth(answer),
  revision: (client) => client.getNegotiatedProtocolVersion(),
});

const PIN = { mode: { pin: NEWEST_VERSION } };

/** 2.x, modern only, with a person at it: `answer` gets each question and says what they do. */
export const asking = (answer) => ({
  ...sdk2(`SDK 2.x pinned to ${NEWEST_VERSION}, with a person`, NEWEST_VERSION, PIN),
  newClient() {
    const client = new Client(WHO, { versionNegotiation: PIN, capabilities: { elicitation: {} } });
    client.setRequestHandler("elicitation/create", (request) => answer(request.params));
    return client;
  },
});

export const SDK_2_AUTO = sdk2("SDK 2.x in auto mode", NEWEST_VERSION, { mode: "auto" });

export const SDK_2_PINNED = sdk2(`SDK 2.x pinned to ${NEWEST_VERSION}`, NEWEST_VERSION, PIN);

/** The three ways in which 2.x can be told to negotiate. */
export const SDK_2 = [
  sdk2("SDK 2.x as it comes", HANDSHAKE_VERSION),
  SDK_2_AUTO,
  SDK_2_PINNED,
];
