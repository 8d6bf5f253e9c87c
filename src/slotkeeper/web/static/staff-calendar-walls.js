// Wall times such as "2026-11-24T09:30". They belong to no zone here: the server alone knows which instants they are.

const MINUTE = 60_000;

const read = (wall) => Date.parse(`${wall.length > 10 ? wall : `${wall}T00:00`}Z`);
const written = (time) => new Date(time).toISOString().slice(0, 16);

export const dateOf = (wall) => wall.slice(0, 10);
export const clockOf = (wall) => wall.slice(11, 16);
export const plus = (wall, minutes) => written(read(wall) + minutes * MINUTE);
export const between = (from, to) => (read(to) - read(from)) / MINUTE;
export const plusDays = (date, days) => dateOf(plus(date, days * 1440));
export const minuteOfDay = (wall) => between(dateOf(wall), wall);
export const weekday = (date) => new Date(read(date)).getUTCDay();

/** The first date of the week, which begins on `first` (0: Sunday). */
export const weekOf = (date, first) => plusDays(date, -((weekday(date) - first + 7) % 7));

/** The weekday on which weeks begin where the reader is. */
export function firstWeekday(language) {
  try {
    const locale = new Intl.Locale(language).maximize();
    return (locale.getWeekInfo?.() ?? locale.weekInfo).firstDay % 7;
  } catch {
    return 1;
  }
}

/** What the wall clock of the zone shows now. */
export function nowIn(zone) {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).formatToParts(new Date());
  const part = (type) => parts.find((each) => each.type === type).value;
  return `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}`;
}

// The page's language, in the form of the reader's country where that is the same: 24 November, and not November 24.
const page = document.documentElement.lang || "en";
export const LANGUAGE = navigator.language.split("-")[0] === page.split("-")[0] ? navigator.language : page;

const forms = new Map();

/** The date in words; `form` is what Intl.DateTimeFormat takes. What was said once is remembered: a week says the same
 * few dates and times hundreds of times. */
export function said(wall, form) {
  if (!forms.has(form)) forms.set(form, { writer: new Intl.DateTimeFormat(LANGUAGE, { ...form, timeZone: "UTC" }), said: new Map() });
  const { writer, said: known } = forms.get(form);
  if (!known.has(wall)) {
    if (known.size > 2_000) known.clear();
    known.set(wall, writer.format(read(wall)));
  }
  return known.get(wall);
}

export const LONG = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
export const SHORT = { weekday: "short", day: "numeric", month: "short" };

const CLOCK = { hour: "2-digit", minute: "2-digit" };

/** Such as "09:30", or "09:30 am" where clocks have twelve hours. */
export const time = (wall) => said(`2000-01-01T${clockOf(wall)}`, CLOCK);

/** Such as "Tue 24 Nov, 09:30". */
export const moment = (wall, offset = "") => `${said(wall, SHORT)}, ${time(wall)}${offset ? ` (UTC${offset})` : ""}`;

/** Such as "09:30–10:00". */
export function spanOf(line) {
  const end = dateOf(line.end) === dateOf(line.start) ? time(line.end) : moment(line.end);
  return `${time(line.start)}${line.offset ? ` (UTC${line.offset})` : ""}–${end}`;
}
