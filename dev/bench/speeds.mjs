// Measures every operation of each target and of its floor in turns: what the machine does meanwhile hits all of a round.

import { operations } from "./operations.mjs";
import { median, run } from "./load.mjs";

/** Numbers of callers at once. */
export const CALLERS = [8, 32];

/**
 * `targets` are, by name, objects of `started` (a target of operations.mjs) and `cpu()`; `floors` are, by name, objects of `url` and `cpu()`. Of each operation, `found`
 * has for each of them: `latencies` alone, and for each round their median (`medians`), their 99th percentile, CPU milliseconds per request alone (`cpus`) and
 * requests per second by callers (`perSecond`).
 */
export async function speeds({ targets, floors, rounds, readers, turn, log = () => {} }) {
  const supplies = {};
  for (const [name, { started }] of Object.entries(targets)) supplies[name] = await operations(started, rounds, readers);
  const [first] = Object.values(supplies);
  const measured = [];
  for (const [index, { name, steps, perRound }] of first.entries()) {
    const runners = Object.fromEntries(Object.entries(targets).map(([target, { cpu }]) => [target, { ...supplies[target][index], cpu }]));
    for (const [floor, { url, cpu }] of Object.entries(floors)) runners[floor] = { next: () => ({ url: `${url}/${steps.join("/")}` }), cpu };
    const found = Object.fromEntries(Object.keys(runners).map((runner) => [runner, { latencies: [], medians: [], cpus: [], perSecond: Object.fromEntries(CALLERS.map((callers) => [callers, []])) }]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const [runner, { next, wanted, check, cpu }] of Object.entries(runners)) {
        const request = { next, wanted, check };
        const isLimited = perRound && runner in targets;
        const before = cpu();
        const alone = await run({ ...request, ...(isLimited ? { requests: perRound } : { milliseconds: perRound ? turn / 3 : turn }) });
        // The first round warms up.
        if (round > 0) {
          found[runner].latencies.push(...alone.latencies);
          found[runner].medians.push(median(alone.latencies));
          found[runner].cpus.push((cpu() - before) / alone.latencies.length);
        }
        if (perRound) continue;
        for (const clients of CALLERS) {
          const { perSecond } = await run({ ...request, clients, milliseconds: turn });
          if (round > 0) found[runner].perSecond[clients].push(perSecond);
        }
      }
    }
    measured.push({ name, isLimited: Boolean(perRound), found });
    log(name, Object.entries(found).map(([runner, { medians }]) => `${runner} ${median(medians).toFixed(2)} ms`).join(", "));
  }
  return measured;
}
