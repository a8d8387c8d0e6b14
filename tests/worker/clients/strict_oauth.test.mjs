// oauth4webapi checks every answer of the authorization server by the letter of its specification and raises an error otherwise.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { signIn } from "../support/browser.mjs";
import { startStack } from "../support/stack.mjs";
import { READS } from "./support/connection.mjs";
import { showLogOfFailures } from "./support/failures.mjs";
import { Person } from "./support/person.mjs";

const REDIRECT = "http://127.0.0.1:45678/callback";
const LOOPBACK = { [oauth.allowInsecureRequests]: true };
const NONE = oauth.None();

let stack;
let resource;
let server;
let client;
const person = new Person();
before(async () => {
  stack = await startStack();
  resource = new URL("/mcp", stack.url);
});
after(() => stack?.stop());
showLogOfFailures(() => stack);

test("metadata of the resource and of the authorization server pass (RFC 9728, RFC 8414)", async () => {
  const found = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, LOOPBACK));
  const issuer = new URL(found.authorization_servers[0]);
  server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...LOOPBACK }));
  assert.equal(server.authorization_response_iss_parameter_supported, true);
});

test("the challenge of a call without a token passes (RFC 6750, RFC 9728 5.1)", async () => {
  const called = oauth.protectedResourceRequest("made-up", "POST", resource, new Headers({ "content-type": "application/json" }), "{}", LOOPBACK);
  const error = await called.then((answer) => assert.fail(`${answer.status}`), (error) => error);
  assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
  const [{ scheme, parameters }] = error.cause;
  assert.equal(scheme, "bearer");
  assert.equal(parameters.error, "invalid_token");
  assert.equal(parameters.resource_metadata, new URL("/.well-known/oauth-protected-resource/mcp", stack.url).href);
});

test("a registration passes (RFC 7591)", async () => {
  const metadata = { client_name: "oauth4webapi", redirect_uris: [REDIRECT], token_endpoint_auth_method: "none" };
  client = await oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(server, metadata, LOOPBACK));
  assert.equal(client.client_secret, undefined);
});

test("authorization, tokens, refresh and revocation pass (RFC 6749, RFC 7636, RFC 9207, RFC 8707, RFC 7009)", async () => {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    response_type: "code",
    scope: READS.join(" "),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    resource: resource.href,
  });
  person.scopes = READS;
  const back = oauth.validateAuthResponse(server, client, new URL(await person.signIn(url)), state);
  const additionalParameters = { resource: resource.href };
  const exchanged = oauth.authorizationCodeGrantRequest(server, client, NONE, back, REDIRECT, verifier, { additionalParameters, ...LOOPBACK });
  const first = await oauth.processAuthorizationCodeResponse(server, client, await exchanged);
  assert.deepEqual([first.token_type, first.scope.split(" ").sort()], ["bearer", [...READS].sort()]);

  const refreshed = oauth.refreshTokenGrantRequest(server, client, NONE, first.refresh_token, { additionalParameters, ...LOOPBACK });
  const second = await oauth.processRefreshTokenResponse(server, client, await refreshed);
  assert.notEqual(second.refresh_token, first.refresh_token);

  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, NONE, second.refresh_token, LOOPBACK));
  const late = await oauth.refreshTokenGrantRequest(server, client, NONE, second.refresh_token, LOOPBACK);
  await assert.rejects(oauth.processRefreshTokenResponse(server, client, late), (error) => {
    assert.ok(error instanceof oauth.ResponseBodyError, error);
    assert.deepEqual([error.status, error.error], [400, "invalid_grant"]);
    return true;
  });
});

test("a person who denies is reported as the specification says (RFC 6749 4.1.2.1)", async () => {
  const state = oauth.generateRandomState();
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    response_type: "code",
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()),
    code_challenge_method: "S256",
    state,
  });
  const back = await signIn(url, { answer: "deny" });
  assert.throws(() => oauth.validateAuthResponse(server, client, back, state), (error) => {
    assert.ok(error instanceof oauth.AuthorizationResponseError, error);
    assert.equal(error.error, "access_denied");
    return true;
  });
});
