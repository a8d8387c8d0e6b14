// The part of a KV namespace that the OAuth library uses, in D1: one table `kv` of keys, values, metadata and expiry times.

export function d1Storage(db) {
  const now = () => Math.floor(Date.now() / 1000);
  return {
    async get(key, { type } = {}) {
      const value = await db.prepare("SELECT value FROM kv WHERE key = ?1 AND (expires_at IS NULL OR expires_at > ?2)").bind(key, now()).first("value");
      return value !== null && type === "json" ? JSON.parse(value) : value;
    },
    async put(key, value, { expirationTtl, expiration, metadata } = {}) {
      const expiresAt = expiration ?? (expirationTtl === undefined ? null : now() + expirationTtl);
      const sql = "INSERT INTO kv (key, value, metadata, expires_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO UPDATE SET value = ?2, metadata = ?3, expires_at = ?4";
      await db.prepare(sql).bind(key, value, metadata === undefined ? null : JSON.stringify(metadata), expiresAt).run();
    },
    async delete(key) {
      await db.prepare("DELETE FROM kv WHERE key = ?1").bind(key).run();
    },
    /** The cursor is the last key. */
    async list({ prefix = "", cursor = "", limit = 1000 } = {}) {
      const sql = "SELECT key, metadata FROM kv WHERE key >= ?1 AND key < ?2 AND key > ?3 AND (expires_at IS NULL OR expires_at > ?4) ORDER BY key LIMIT ?5";
      const { results } = await db.prepare(sql).bind(prefix, `${prefix}\u{10ffff}`, cursor, now(), limit).all();
      const keys = results.map(({ key, metadata }) => ({ name: key, ...(metadata && { metadata: JSON.parse(metadata) }) }));
      return { keys, list_complete: results.length < limit, cursor: results.at(-1)?.key };
    },
  };
}
