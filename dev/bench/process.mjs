// CPU time and memory of a worker's process, from /proc. Without /proc everything is NaN.

import { existsSync, readFileSync, readdirSync } from "node:fs";

/** Clock ticks per second in /proc (USER_HZ, 100 on every Linux). */
const TICKS = 100;

/** The process ids of the workerds that this process started. */
function workerds() {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && new RegExp(`^\\d+ \\(workerd\\) \\S ${process.pid} `).test(readFileSync(`/proc/${name}/stat`, "utf8"));
    } catch {
      return false; // it exited meanwhile
    }
  });
}

/** Starts something that starts one workerd, and answers what it started and how to measure that workerd. */
export async function measured(start) {
  const before = new Set(workerds());
  const started = await start();
  const pid = workerds().find((one) => !before.has(one));
  return {
    started,
    /** Milliseconds of CPU time so far, of all threads. */
    cpu() {
      if (!pid) return NaN;
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
    },
    /** Resident memory in MB. */
    memory() {
      return pid ? Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024 : NaN;
    },
  };
}
