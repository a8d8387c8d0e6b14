-- A large organization in the local database, for `npm start -- --large` and the tests of long lists: 600 connections of 200 people
-- to 60 pages, with their activity. People, pages and roles are those of the simulator's `seed/large.rs`. Running it again adds nothing.

INSERT OR IGNORE INTO grants (id, user_id, user_name, client_id, client_name, client_trust, redirect_host, is_loopback, resource, scope,
  pages, created_at, expires_at, activated_at, last_used_at)
WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 599),
  seed AS (SELECT n, n % 200 AS person, (n % 200 + n / 200 * 2) % 6 AS app FROM n)
SELECT 'large-' || n, 1001 + person,
  json_extract('["Ada","Bruno","Chiara","Daan","Elif","Farid","Greta","Hugo","Ingrid","Jonas","Kaja","Liam","Mei","Nadia","Oscar","Priya","Quentin","Rosa","Stefan","Tove"]', '$[' || (person % 20) || ']')
    || ' ' || json_extract('["Almeida","Berg","Costa","Dahl","Eriksen","Fischer","Garcia","Haas","Ito","Jansen"]', '$[' || (person / 20) || ']'),
  json_extract('["cursor","claude-code","vscode","codex","windsurf","status-notes"]', '$[' || app || ']'),
  json_extract('["Cursor","Claude Code","VS Code","Codex","Windsurf","Status Notes"]', '$[' || app || ']'),
  CASE app WHEN 5 THEN 'unverified' ELSE 'preregistered' END, 'localhost', 1, 'http://localhost:8686/mcp',
  'mcp.pages.read mcp.incidents.read mcp.incidents.write', NULL,
  unixepoch() - 86400 * 40 - n * 600, NULL, unixepoch() - 86400 * 40 - n * 600, unixepoch() - n * 1800
FROM seed;

INSERT OR IGNORE INTO refresh_tokens (token_hash, grant_id, generation, created_at, expires_at)
SELECT id, id, 1, unixepoch(), unixepoch() + 86400 * 30 FROM grants WHERE id LIKE 'large-%';

-- Each connection has accessed the three pages on which its person has a role.
INSERT OR IGNORE INTO page_access (page_id, user_id, client_id, seen_at)
SELECT 1001 + ((g.user_id - 1001) * 7 + k.value * 13) % 60, g.user_id, g.client_id, g.created_at
FROM grants g JOIN json_each('[0,1,2]') k WHERE g.id LIKE 'large-%';

INSERT OR IGNORE INTO audit (id, created_at, kind, outcome, user_id, user_name, client_id, client_name, grant_id, page_id, tool, target_id,
  title, request_id, key_hash)
SELECT 'write-' || g.id || '-' || k.value, g.last_used_at - k.value * 3600, 'write', 'done', g.user_id, g.user_name, g.client_id, g.client_name,
  g.id, 1001 + ((g.user_id - 1001) * 7) % 60, 'create_incident', 5000 + k.value, 'Checkout is slow', 'large', 'large'
FROM grants g JOIN json_each('[0,1,2]') k WHERE g.id LIKE 'large-%';
