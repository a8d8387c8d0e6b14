// A `fetch` that records every HTTP exchange, because an SDK hides most of them.

export function wire() {
  const exchanges = [];
  return {
    exchanges,
    async fetch(url, init) {
      const answer = await fetch(url, init);
      const { pathname: path } = new URL(url);
      const challenge = answer.headers.get("www-authenticate");
      exchanges.push({ verb: init?.method ?? "GET", path, status: answer.status, challenge });
      return answer;
    },
    /** Forgets what happened so far. */
    clear: () => void (exchanges.length = 0),
    /** POSTs as `path status`, in order. SDK 1.x and 2.x also try a GET, at any time. */
    posts: () => exchanges.filter(({ verb }) => verb === "POST").map(({ path, status }) => `${path} ${status}`),
    /** Answers with a challenge. */
    refusals: () => exchanges.filter(({ challenge }) => challenge),
  };
}
