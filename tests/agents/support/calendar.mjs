// Dates as a person in a zone means them, in the form that the tools take.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** RFC 3339 with the offset in force there, for a wall-clock time such as `02:00` on a day of the zone. */
export function at(zone, day, time) {
  for (const minutes of offsets(zone, day)) {
    const sign = minutes < 0 ? "-" : "+";
    const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) => String(part).padStart(2, "0"));
    const text = `${day}T${time}:00${sign}${hours}:${rest}`;
    if (wallClock(zone, new Date(text)) === `${day} ${time}`) return text;
  }
  return undefined;
}

/** The next day of that name after a moment, at least a day away. */
export function nextWeekday(zone, from, name) {
  for (let days = 1; ; days += 1) {
    const moment = new Date(from.getTime() + days * DAY);
    const weekday = moment.toLocaleDateString("en-US", { timeZone: zone, weekday: "long" });
    if (weekday === name && days > 1) return dayOf(zone, moment);
  }
}

/** The next day on which clocks of the zone are put forward, and its local times that do not exist begin at two. */
export function nextGapDay(zone, from) {
  for (let days = 1; days < 400; days += 1) {
    const day = dayOf(zone, new Date(from.getTime() + days * DAY));
    if (at(zone, day, "02:30") === undefined) return day;
  }
  return undefined;
}

const dayOf = (zone, moment) => moment.toLocaleDateString("sv-SE", { timeZone: zone });
const wallClock = (zone, moment) => moment.toLocaleString("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });

function offsets(zone, day) {
  const noon = new Date(`${day}T12:00:00Z`);
  const around = [-1, 0, 1].map((days) => new Date(noon.getTime() + days * DAY));
  return new Set(around.map((moment) => (new Date(`${wallClock(zone, moment).replace(" ", "T")}:00Z`) - moment) / MINUTE));
}
