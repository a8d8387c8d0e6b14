// What became of writes: those that reached StatiBeat, and those on record.

/** Posts that reached the simulator since the last time this was asked. */
export async function takePosts(stack) {
  const requests = `${stack.simulatorUrl}/__simulator/requests`;
  const { items } = await (await fetch(requests)).json();
  await fetch(requests, { method: "DELETE" });
  return items.filter(({ method, path }) => method === "POST" && path.startsWith("/api/v1/orgs/") && !path.endsWith("?dry_run=true")).map(({ path }) => path);
}

/** How the calls of a tool ended since the last time this was asked, as `outcome detail`, in order. */
export async function takeRecord(stack) {
  const seen = (stack.seenRows ??= new Set());
  const { results } = await stack.db.prepare("SELECT id, outcome, detail FROM audit WHERE kind = 'write' ORDER BY rowid").all();
  const fresh = results.filter(({ id }) => !seen.has(id));
  fresh.forEach(({ id }) => seen.add(id));
  return fresh.map(({ outcome, detail }) => (detail ? `${outcome} ${detail}` : outcome));
}
