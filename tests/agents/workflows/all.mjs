// The workflows in the order of the evaluation that they come from.

import { BEATS } from "./beats.mjs";
import { INCIDENTS } from "./incidents.mjs";
import { MAINTENANCES } from "./maintenances.mjs";
import { READS } from "./reads.mjs";
import { RETRIES } from "./retries.mjs";
import { REVIEWS } from "./reviews.mjs";

/** The workflows of a group are played one after another in the same StatiBeat. */
export const GROUPS = [INCIDENTS, MAINTENANCES, BEATS, REVIEWS, RETRIES, READS];
