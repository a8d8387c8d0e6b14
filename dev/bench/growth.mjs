// Does it slow down as it fills? Copies of one grant and its tokens, under other names, until there are as many as wanted.

import { connect, call } from "./operations.mjs";
import { median, run } from "./load.mjs";

/** Rows in one statement. */
const CHUNK = 25_000;

const ACCESS = "SELECT g.id FROM access_tokens a JOIN grants g ON g.id = a.grant_id WHERE a.token_hash = ?1";
const REFRESH = `SELECT g.id FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id
  LEFT JOIN refresh_tokens s ON s.grant_id = r.grant_id AND s.generation = r.generation + 1 WHERE r.token_hash = ?1`;

/** For each size: `grants`, the latency `ratio` to the first size, and rows read by the two look-ups. */
export async function growth(stack, most) {
  const { access_token: token } = await connect(stack);
  const { id } = await stack.db.prepare("SELECT id FROM grants ORDER BY created_at DESC LIMIT 1").first();
  const hashes = {
    access: (await stack.db.prepare("SELECT token_hash FROM access_tokens WHERE grant_id = ?1").bind(id).first()).token_hash,
    refresh: (await stack.db.prepare("SELECT token_hash FROM refresh_tokens WHERE grant_id = ?1").bind(id).first()).token_hash,
  };
  const sizes = [];
  let there = 0;
  for (const grants of [1_000, 100_000, 1_000_000].filter((size) => size <= most)) {
    for (; there < grants; there += Math.min(CHUNK, grants - there)) await copy(stack.db, id, there, Math.min(CHUNK, grants - there));
    const medians = [];
    for (let round = 0; round < 5; round += 1) {
      const { latencies } = await run({ next: () => call(stack, token, "tools/list"), requests: 20 });
      medians.push(median(latencies));
    }
    const rows = async (sql, hash) => (await stack.db.prepare(sql).bind(hash).all()).meta.rows_read;
    sizes.push({ grants, median: median(medians), access: await rows(ACCESS, hashes.access), refresh: await rows(REFRESH, hashes.refresh) });
    console.log(grants, "grants:", sizes.at(-1));
  }
  return sizes.map((size) => ({ ...size, ratio: size.median / sizes[0].median }));
}

async function copy(db, id, from, count) {
  const renamed = { grants: ["id"], access_tokens: ["token_hash", "grant_id"], refresh_tokens: ["token_hash", "grant_id"] };
  for (const [table, names] of Object.entries(renamed)) {
    const { results } = await db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
    const columns = results.map(({ name }) => name);
    const values = columns.map((name) => (names.includes(name) ? `t.${name} || '-' || n.i` : `t.${name}`));
    const sql = `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${from + count})
      INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values.join(", ")} FROM n, ${table} t WHERE t.${table === "grants" ? "id" : "grant_id"} = ?1`;
    await db.prepare(sql).bind(id).run();
  }
}
