// The workspace's programs, as `cargo build` leaves them.

import { join } from "node:path";

export const ROOT = new URL("../../../", import.meta.url).pathname;
export const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");

/** Path of a program of a debug build. */
export const program = (name) => join(TARGET, "debug", process.platform === "win32" ? `${name}.exe` : name);

/** The simulator; `npm run bench` has an optimized one. */
export const SIMULATOR = process.env.STATIBEAT_SIMULATOR ?? program("simulator");
