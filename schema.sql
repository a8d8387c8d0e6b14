-- The whole database of StatiBeat Hosted MCP (D1, which is SQLite).
--
-- Secrets are never stored: a column ending in `_hash` holds base64url(SHA-256(secret)), and the secret itself exists
-- only with its owner. Times are whole seconds since the Unix epoch and end in `_at`. Ids of ours are random text.
-- Every statement can be run again without harm.

-- One authorization request whose person has signed in, until the person's answer.
-- Inserted by the sign-in callback; before that nothing is stored, for the request travels sealed in its browser's cookie.
-- The consent endpoint, a refusal or a revoke consumes it. Dies an hour after expiry: until then `state_hash` keeps the same
-- sign-in from being used again.
-- `request` is kept in clear: it holds nothing that gives access. The challenge is a hash, the redirect URI and scopes are
-- public, and a `state` is worth nothing without the code, whose verifier never comes here before redemption. Encrypting it
-- would protect less than what stands beside it (who signed in), and need another cipher and key for each handle.
CREATE TABLE IF NOT EXISTS authorization_requests (
  state_hash    TEXT    PRIMARY KEY,           -- of the `state` that traveled through StatiBeat's sign-in; works once
  consent_hash  TEXT    NOT NULL UNIQUE,       -- of the handle that the consent form carries; made at sign-in
  browser_hash  TEXT    NOT NULL,              -- of the cookie that this browser got at sign-in
  client_id     TEXT    NOT NULL,
  request       TEXT    NOT NULL,              -- JSON: client, redirect URI, state, challenge and scopes
  user_id       TEXT    NOT NULL,
  user_name     TEXT    NOT NULL,
  user_email    TEXT    NOT NULL,
  grant_id      TEXT    NOT NULL,              -- the id an approval will have
  created_at    INTEGER NOT NULL,              -- the end of the sign-in
  expires_at    INTEGER NOT NULL,              -- ten minutes after the authorization endpoint was called
  consumed_at   INTEGER,                       -- approved, denied, refused or revoked: nothing can follow
  approved_as   TEXT                           -- hash of the code it was approved with; later statements of that batch select on it
) STRICT;
CREATE INDEX IF NOT EXISTS authorization_requests_by_expiry ON authorization_requests (expires_at);             -- purge
CREATE INDEX IF NOT EXISTS authorization_requests_by_connection ON authorization_requests (user_id, client_id); -- revoke a connection

-- One approval by one person of one client. Written by the consent endpoint; active once its code is redeemed; ended by
-- `revoked_at`, which nothing ever clears. A *connection* is all grants of one (user, client).
-- `pages` and `expires_at` are the person's choice on the consent page; tokens never outlive `expires_at`.
-- Dies 90 days after revocation or after its last token expired; one that was never activated dies with its code.
CREATE TABLE IF NOT EXISTS grants (
  id              TEXT    PRIMARY KEY,
  user_id         TEXT    NOT NULL,
  user_name       TEXT    NOT NULL,
  client_id       TEXT    NOT NULL,
  client_name     TEXT    NOT NULL,            -- as the consent page showed it
  client_trust TEXT    NOT NULL CHECK (client_trust IN ('listed', 'preregistered', 'registered', 'unverified')),
  redirect_host   TEXT    NOT NULL,
  is_loopback     INTEGER NOT NULL,            -- 1: its redirect URI is on a loopback address, where any program can claim its client id
  resource        TEXT    NOT NULL,            -- the one protected resource its tokens are for (RFC 8707)
  scope           TEXT    NOT NULL,            -- space-separated, never widened
  unticked_scope  TEXT    NOT NULL DEFAULT '', -- reads left unticked at this approval or the last that offered them, and scopes taken by a narrowing: not proposed again
  pages           TEXT,                        -- space-separated page ids; NULL: whatever the person can see, now and later
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER,                     -- NULL: until revoked
  resource_tools     INTEGER NOT NULL DEFAULT 0,  -- 1: the person lets the client read resources by tools
  activated_at    INTEGER,                     -- first redemption of its code
  last_used_at    INTEGER,                     -- written at most every five minutes
  narrowed_at     INTEGER,                     -- when its person last narrowed `scope`, `pages` or `expires_at`; nothing widens them
  revoked_at      INTEGER,
  revoke_reason   TEXT    CHECK (revoke_reason IN ('client', 'user', 'admin', 'code_replay', 'refresh_reuse', 'user_disabled'))
) STRICT;
CREATE INDEX IF NOT EXISTS grants_by_connection ON grants (user_id, client_id);                 -- list, revoke
CREATE INDEX IF NOT EXISTS grants_by_revocation ON grants (revoked_at) WHERE revoked_at IS NOT NULL; -- purge

-- One authorization code. Written with its grant by the consent endpoint; redeemed once by the token endpoint.
-- Dies 24 hours after expiry, because a late replay must still be recognized.
CREATE TABLE IF NOT EXISTS codes (
  code_hash       TEXT    PRIMARY KEY,
  grant_id        TEXT    NOT NULL UNIQUE REFERENCES grants (id) ON DELETE CASCADE,
  redirect_uri    TEXT    NOT NULL,            -- the exact URI of the request, loopback port included
  code_challenge  TEXT    NOT NULL,            -- PKCE S256 (RFC 7636)
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL,
  redeemed_at     INTEGER,
  redeem_nonce    TEXT,                        -- random, of the one request that won; later statements of its batch select on it
  failed_attempts INTEGER NOT NULL DEFAULT 0   -- wrong verifiers; five end the code
) STRICT;
CREATE INDEX IF NOT EXISTS codes_by_expiry ON codes (expires_at);                               -- purge

-- One generation of a grant's refresh token. The successor is derived from the token, a stored random salt and a key,
-- so that a repeated request inside the window gets the same one. UNIQUE keeps a family from forking.
-- Written by the token endpoint. Dies an hour after expiry (reuse is detectable as long as the token could still be used);
-- the newest of a family stays as long as its grant.
CREATE TABLE IF NOT EXISTS refresh_tokens (
  token_hash   TEXT    PRIMARY KEY,
  grant_id     TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
  generation   INTEGER NOT NULL,               -- 1, 2, …
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  used_at      INTEGER,                        -- first call with an access token that came with it
  rotated_at   INTEGER,                        -- its own first use; never moves
  rotate_salt  TEXT,                           -- base64url, random, written once by the first use
  rotate_kid   TEXT,                           -- which rotation key derived the successor
  reuse_count  INTEGER NOT NULL DEFAULT 0,     -- repeated uses that got the same successor
  reused_at    INTEGER,                        -- the last of them
  UNIQUE (grant_id, generation)
) STRICT;
CREATE INDEX IF NOT EXISTS refresh_tokens_by_expiry ON refresh_tokens (expires_at);             -- purge

-- One access token. Written by the token endpoint; deleted when its owner revokes just it. Lives only while its grant is
-- not revoked. Dies an hour after expiry.
CREATE TABLE IF NOT EXISTS access_tokens (
  token_hash  TEXT    PRIMARY KEY,
  grant_id    TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
  generation  INTEGER NOT NULL,                -- of the refresh token that it came with
  scope       TEXT    NOT NULL,                -- a subset of the grant's
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS access_tokens_by_expiry ON access_tokens (expires_at);               -- purge
CREATE INDEX IF NOT EXISTS access_tokens_by_grant ON access_tokens (grant_id);                  -- cascade

-- One connection (a person and a client): what its person decided about its writes, and its diagnostics for the admin page.
-- Pause and confirmation are written on the admin page and cleared when the connection is revoked; they survive a grant that
-- expires, so that connecting again does not undo them. The diagnostics are written after the answer to a call or a rejected
-- refresh has left, and with an approval. Dies with the connection's last grant, unless its person decided something.
CREATE TABLE IF NOT EXISTS connections (
  user_id               TEXT    NOT NULL,
  client_id             TEXT    NOT NULL,
  writes_paused_at      INTEGER,                 -- NULL: not paused
  confirm_writes        TEXT    CHECK (confirm_writes IN ('always', 'when-supported', 'never')),
                                                 -- NULL: as the environment says; else the stricter of the two counts
  last_call_at          INTEGER,                 -- to the minute
  reported_name         TEXT,                    -- of the client, as MCP's `clientInfo` reports it; one short line
  reported_version      TEXT,
  protocol_version      TEXT,                    -- of MCP, at the last call
  failure_reason        TEXT,                    -- a word of ours: why a call last got no result
  failed_at             INTEGER,
  failure_missing       TEXT,                    -- the scope, permission, page or argument whose lack was the reason
  refresh_failures      INTEGER NOT NULL DEFAULT 0,
  refresh_failure_reason TEXT,                   -- a word of ours: why a refresh was last rejected
  refresh_failed_at     INTEGER,
  requested_scope       TEXT,                    -- what the client requested at the newest approval
  PRIMARY KEY (user_id, client_id)               -- looked up with every bearer token
) STRICT, WITHOUT ROWID;

-- One page that a connection has accessed: listed at its approval, or reached by a call. Tells a page's admins whose clients
-- access it; grants nothing. Dies with the connection's last grant.
CREATE TABLE IF NOT EXISTS page_access (
  page_id    INTEGER NOT NULL,
  user_id    TEXT    NOT NULL,
  client_id  TEXT    NOT NULL,
  seen_at    INTEGER NOT NULL,
  PRIMARY KEY (page_id, user_id, client_id)
) STRICT, WITHOUT ROWID;

-- One block by an admin of a page: a person's client that may not reach the page, whatever its grant says. Written and deleted
-- on the admin page. Outlives the connection, so that connecting again does not undo it. Few, and never purged.
-- A client on a loopback address can come back under any client id, so its block covers every such client of the person.
CREATE TABLE IF NOT EXISTS page_blocks (
  user_id      TEXT    NOT NULL,
  client_id    TEXT    NOT NULL,
  page_id      INTEGER NOT NULL,
  is_loopback  INTEGER NOT NULL,                 -- 1: covers all of the person's clients on a loopback address
  user_name    TEXT    NOT NULL,                 -- as it was; the connection may be gone
  client_name  TEXT    NOT NULL,                 -- likewise
  blocked_at   INTEGER NOT NULL,
  blocked_by   TEXT    NOT NULL,                 -- the admin's user id
  blocked_by_name TEXT NOT NULL,                 -- and name, as it was
  PRIMARY KEY (user_id, client_id, page_id)      -- looked up with every bearer token
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS page_blocks_by_page ON page_blocks (page_id);                        -- admin page

-- Which grants are blocked on which pages: the one definition of what a block covers, for the look-up of a bearer token, the
-- lease of a write and the admin page.
CREATE VIEW IF NOT EXISTS blocked_grants AS
  SELECT g.id AS grant_id, g.user_id, g.client_id, b.page_id
  FROM grants g JOIN page_blocks b
    ON b.user_id = g.user_id AND (b.client_id = g.client_id OR b.is_loopback = 1 AND g.is_loopback = 1);

-- Usage: the calls of one connection on one UTC day by outcome, for the admin page's chart. Counted after the answer has
-- left. Dies after 35 days.
CREATE TABLE IF NOT EXISTS usage (
  user_id    TEXT    NOT NULL,
  client_id  TEXT    NOT NULL,
  day        INTEGER NOT NULL,                   -- days since the Unix epoch
  outcome    TEXT    NOT NULL CHECK (outcome IN ('answered', 'refused', 'failed')),
  calls      INTEGER NOT NULL,
  PRIMARY KEY (user_id, client_id, day, outcome)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS usage_by_day ON usage (day);                                         -- purge

-- One client that was refused at authorization or registration, and the host it wanted its answer sent to, for operators
-- alone. Whoever writes here is not signed in: trust none of it. Written at a limited rate by address; rows are parted by the
-- sender's network, each part keeps its few seen last, so that one sender cannot push out the others. Dies 90 days after it was
-- last seen.
CREATE TABLE IF NOT EXISTS refused_clients (
  step          TEXT    NOT NULL CHECK (step IN ('authorization', 'registration')),
  client        TEXT    NOT NULL,                -- the client id; the name that a registration gave
  host          TEXT    NOT NULL,                -- of the redirect URI
  redirect_uri  TEXT    NOT NULL,                -- scheme, host and path of the newest
  has_query     INTEGER NOT NULL,                -- 1: its query, user or fragment was left out
  part          INTEGER NOT NULL,                -- of the sender's network: one of 32
  times         INTEGER NOT NULL,
  first_at      INTEGER NOT NULL,
  last_at       INTEGER NOT NULL,
  PRIMARY KEY (step, client, host)
) STRICT, WITHOUT ROWID;

-- One browser signed in to the Hosted MCP admin page; has nothing to do with tokens.
-- Written by the page's own sign-in; ended by sign-out, the next sign-in of the same browser, StatiBeat keeping the person
-- out, or either expiry. All but expiry join the batch of an audit row. Dies an hour after expiry.
-- The token that its forms carry is derived from the cookie and a key, so nothing of it is stored.
CREATE TABLE IF NOT EXISTS sessions (
  cookie_hash   TEXT    PRIMARY KEY,
  user_id       TEXT    NOT NULL,
  user_name     TEXT    NOT NULL,
  user_email    TEXT    NOT NULL,
  created_at    INTEGER NOT NULL,
  last_seen_at  INTEGER NOT NULL,              -- idle expiry counts from here
  expires_at    INTEGER NOT NULL               -- absolute expiry
) STRICT;
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at);                         -- purge

-- One write that a client asked for, by its idempotency key: what was asked, who is at it, and what came of it.
-- Written, together with the attempt's audit row, before anything is sent; finished together with it. An attempt that never
-- finishes leaves the row running; when its hold is over, the next attempt takes the row over and first finds out by
-- `external_id` whether the write was done. Deleted by an attempt that knows that nothing was sent. Dies after 24 hours.
CREATE TABLE IF NOT EXISTS idempotency (
  grant_id       TEXT    NOT NULL,
  key_hash       TEXT    NOT NULL,             -- of the client's key, or of the arguments where it gave none
  tool           TEXT    NOT NULL,
  page_id        INTEGER NOT NULL,
  digest         TEXT    NOT NULL,             -- of the canonical arguments, page and tool included
  fields         TEXT    NOT NULL,             -- JSON: digest per field, to say which one differs
  external_id    TEXT    NOT NULL,             -- what the upstream knows the write by; never changes once it may have been sent
  outcome        TEXT    NOT NULL CHECK (outcome IN ('running', 'done', 'unknown')),
  owner          TEXT    NOT NULL,             -- audit id of the attempt that holds the row; only it may finish it
  takeovers      INTEGER NOT NULL DEFAULT 0,   -- attempts that took the row from one that did not finish
  held_until_at  INTEGER NOT NULL,             -- nobody else touches the row before
  result         TEXT,                         -- JSON of what the upstream made, without the texts, once done
  started_at     INTEGER NOT NULL,
  finished_at    INTEGER,
  PRIMARY KEY (grant_id, key_hash)
) STRICT;
CREATE INDEX IF NOT EXISTS idempotency_by_start ON idempotency (started_at);                    -- purge
CREATE INDEX IF NOT EXISTS idempotency_by_digest ON idempotency (digest);                       -- the same through another connection

-- One previewed call, kept until its confirm token brings it back, so that nothing is retyped to publish it. `arguments` holds
-- text for customers, possibly of an incident that nobody has announced yet. Written in the batch of the preview's audit row;
-- never updated: that a token works once is the business of `used_nonces`. A grant keeps its 20 newest. Dies ten minutes after the
-- preview, with the next preview of the same grant or the next purge.
CREATE TABLE IF NOT EXISTS previews (
  token_hash  TEXT    PRIMARY KEY,             -- of the confirm token
  grant_id    TEXT    NOT NULL,
  tool        TEXT    NOT NULL,
  page_id     INTEGER NOT NULL,
  arguments   TEXT    NOT NULL,                -- JSON: as the client gave them, the idempotency key included
  key_hash    TEXT    NOT NULL,                -- of the write, as in `idempotency`
  digest      TEXT    NOT NULL,                -- likewise: what is published must still come to it
  shown       TEXT    NOT NULL,                -- JSON: the duplicates that the preview showed
  expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS previews_by_grant ON previews (grant_id, expires_at);                -- the newest of a grant
CREATE INDEX IF NOT EXISTS previews_by_expiry ON previews (expires_at);                         -- purge

-- One nonce that was used: the hash of a confirm token or the nonce of a question, written in the batch that acquires the lease of
-- its write, or the hash of a one-time token with which StatiBeat called the admin API; or `cancelled`, a grant and the digest of a
-- write, whose question the client closed without an answer: until it dies, a preview's confirm token publishes that write without
-- another question. Dies when the token would have expired anyway.
CREATE TABLE IF NOT EXISTS used_nonces (
  nonce       TEXT    PRIMARY KEY,
  expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS used_nonces_by_expiry ON used_nonces (expires_at);                   -- purge

-- What was done through the connector, one row per attempt: writes, approvals, connections that were not made after sign-in,
-- revocations of connections and of single access tokens, replays and repeats of tokens, changes on the Hosted MCP page, and
-- the opening and closing of its sessions (not their expiry). Never reads, never customer text beyond a title. A row belongs to a page, and has a title, only once the caller was found to reach that
-- page: until then anybody may name any page. Refused calls beyond a limit leave one row that counts them. A write's row is appended before anything is sent, with the outcome `unknown`, which
-- its end replaces once; what is found out later stands beside it. Kept as long as the environment's policy says.
CREATE TABLE IF NOT EXISTS audit (
  id           TEXT    PRIMARY KEY,
  created_at   INTEGER NOT NULL,
  kind         TEXT    NOT NULL,               -- what was attempted: write, approval, revoke, refresh_reuse, session_open, …
  outcome      TEXT    NOT NULL,               -- done, replayed, refused, limited, failed, unknown, …
  user_id      TEXT,                           -- NULL when a sign-in established nobody
  user_name    TEXT    NOT NULL DEFAULT '',    -- as it was; empty where no grant or session names the person
  client_id    TEXT    NOT NULL,
  client_name  TEXT    NOT NULL,
  grant_id     TEXT,                           -- NULL where there was none: a sign-in, a session of the admin page
  page_id      INTEGER,                        -- of a write: once the caller was found to reach the page
  asked_page_id INTEGER,                       -- the page that a call named which ended before its claim; for operators only
  tool         TEXT,
  target_id    TEXT,                           -- the incident or maintenance it made or touched; of a changed connection, its person
  owner_name   TEXT,                           -- of a changed connection: its person's name, as it was
  title        TEXT,
  public_url   TEXT,                           -- of that incident or maintenance, as StatiBeat returned it with a write that is done
  admin_url    TEXT,                           -- likewise, in StatiBeat's own interface
  request_id   TEXT    NOT NULL,
  detail       TEXT,                           -- bounded: a reason of ours, never free text from outside
  calls        INTEGER,                        -- of a row that stands for refused calls which have no row of their own: how many
  key_hash     TEXT,                           -- a write's key in `idempotency`; ties its attempts together
  resolution   TEXT,                           -- of an unknown outcome: what a later attempt found out
  resolved_at  INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS audit_unresolved ON audit (grant_id, key_hash) WHERE outcome = 'unknown'; -- later resolution
CREATE INDEX IF NOT EXISTS audit_by_user ON audit (user_id, created_at DESC);                           -- admin page
CREATE INDEX IF NOT EXISTS audit_by_page ON audit (page_id, created_at DESC);                           -- admin page
CREATE INDEX IF NOT EXISTS audit_by_time ON audit (created_at);                                 -- retention
