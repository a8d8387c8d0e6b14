// An SDK's OAuth client provider that keeps registration, tokens and code verifier in a plain object, `kept`.

export const REDIRECT = "http://127.0.0.1:45678/callback";

export function memory(clientName) {
  const kept = {};
  return {
    kept,
    redirectUrl: REDIRECT,
    clientMetadata: { client_name: clientName, redirect_uris: [REDIRECT], token_endpoint_auth_method: "none" },
    state: () => (kept.state = crypto.randomUUID()),
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    discoveryState: () => kept.discovery,
    saveDiscoveryState: (discovery) => void (kept.discovery = discovery),
    redirectToAuthorization: (url) => void (kept.authorizationUrl = url),
    invalidateCredentials(what) {
      if (what === "all" || what === "client") delete kept.client;
      if (what === "all" || what === "tokens") delete kept.tokens;
      if (what === "all" || what === "discovery") delete kept.discovery;
    },
  };
}
