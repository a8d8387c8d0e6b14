// Rows that do not hold yet, by workflow: they are played, and may fail.

export const UNMET = {};
