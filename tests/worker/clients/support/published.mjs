// Outcomes of writes: POSTs that reached StatiBeat, and audit rows.

/** Returns the POSTs that reached the simulator since the previous call. */
export async function takePosts(stack) {
  const requests = `${stack.simulatorUrl}/__simulator/requests`;
  const { items } = await (await fetch(requests)).json();
  await fetch(requests, { method: "DELETE" });
  return items.filter(({ method, path }) => method === "POST" && path.startsWith("/api/v1/orgs/") && !path.endsWith("?dry_run=true")).map(({ path }) => path);
}

/** Returns `outcome detail` of the tool calls audited since the previous call, in order. */
export async function takeRecord(stack) {
  const seen = (stack.seenRows ??= new Set());
  const { results } = await stack.db.prepare("SELECT id, outcome, detail FROM audit WHERE kind = 'write' ORDER BY rowid").all();
  const fresh = results.filter(({ id }) => !seen.has(id));
  fresh.forEach(({ id }) => seen.add(id));
  return fresh.map(({ outcome, detail }) => (detail ? `${outcome} ${detail}` : outcome));
}
