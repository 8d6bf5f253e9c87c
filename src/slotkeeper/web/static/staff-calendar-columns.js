// Where things stand in the columns of days: minutes as pixels, what of the day is shown, and who stands beside whom.
//
// All times are wall times of the business. The server alone knows which instants they are.

import { between, dateOf, minuteOfDay, plus, plusDays } from "./staff-calendar-walls.js";

export const SLOT_MINUTES = 15;
const SLOT_PIXELS = 21;
/** What is shorter is drawn as if it were that long: else nobody could read its name, nor take hold of it. */
const LEAST_MINUTES = 10;
const DAY = 1440;
export const NOBODY = "-";

export const pixels = (minutes) => (minutes * SLOT_PIXELS) / SLOT_MINUTES;
export const minutesOf = (height) => (height * SLOT_MINUTES) / SLOT_PIXELS;

/** The columns that an appointment stands in. */
export const columnsOf = (line) => (line.resourceIds?.length ? line.resourceIds : [NOBODY]);

/** An appointment whose clock goes back while it lasts would end before it starts: it is drawn a slot long. */
const drawnEnd = (line) => (line.end > line.start ? line.end : plus(line.start, SLOT_MINUTES));

/** What is shown of a day, in minutes: the hours at which somebody is there or something stands; else office hours. */
export function limitsOf({ lines, resources, dates, isWhole }) {
  if (isWhole) return { first: 0, last: DAY };
  const open = resources.flatMap((each) => openMinutes(each.closed, dates));
  const taken = lines.flatMap((line) => dateOf(line.start) === dateOf(line.end)
    ? [minuteOfDay(line.start), minuteOfDay(line.end)]
    : [0, DAY]);
  const all = [...open, ...taken];
  if (!all.length) return { first: 8 * 60, last: 18 * 60 };
  const first = Math.floor((Math.min(...all) - 30) / 60) * 60, last = Math.ceil((Math.max(...all) + 30) / 60) * 60;
  return { first: Math.max(first, 0), last: Math.min(last, DAY) };
}

/** The minutes of the days at which hours begin and end, within what is not closed. */
function openMinutes(closed, dates) {
  const found = [];
  for (const date of dates) {
    const from = plus(date, 0), to = plus(plusDays(date, 1), 0);
    let at = from;
    for (const [start, end] of closed) {
      if (end <= from || start >= to) continue;
      if (start > at) found.push(between(from, at), between(from, start));
      if (end > at) at = end;
    }
    if (at < to && closed.length) found.push(between(from, at), DAY);
  }
  return found;
}

/** What of the span from `start` to `end` is seen on the date, in minutes from the first that is shown; null when nothing. */
export function seen(date, start, end, { first, last }) {
  const from = plus(date, first), to = plus(date, last);
  if (end <= from || start >= to) return null;
  return { top: start > from ? between(from, start) : 0, bottom: end < to ? between(from, end) : last - first };
}

/** The pieces that an appointment is drawn in: one for each of its dates and `columns`, as `{ line, date, column, top, bottom }`. */
export function piecesOf(line, limits, columns = columnsOf(line)) {
  const pieces = [], end = drawnEnd(line);
  for (let date = dateOf(line.start); date <= dateOf(end); date = plusDays(date, 1)) {
    const span = drawn(seen(date, line.start, end, limits), limits);
    if (span) for (const column of columns) pieces.push({ line, date, column, ...span });
  }
  return pieces;
}

function drawn(span, { first, last }) {
  if (!span || span.bottom - span.top >= LEAST_MINUTES) return span;
  const top = Math.min(span.top, last - first - LEAST_MINUTES);
  return { top, bottom: top + LEAST_MINUTES };
}

/** Give each piece of a column its `lane` of so many `lanes`: those that overlap stand side by side. */
export function inLanes(pieces) {
  const sorted = [...pieces].sort((a, b) => a.top - b.top || b.bottom - a.bottom);
  let group = [], ends = [], until = -Infinity;
  const close = () => { for (const each of group) each.lanes = ends.length; };
  for (const piece of sorted) {
    if (piece.top >= until) {
      close();
      [group, ends] = [[], []];
    }
    const free = ends.findIndex((end) => end <= piece.top);
    piece.lane = free < 0 ? ends.length : free;
    ends[piece.lane] = piece.bottom;
    group.push(piece);
    until = Math.max(until, piece.bottom);
  }
  close();
  return sorted;
}

/** Where a visit of so many minutes finds no room: all that no allowed visit would cover. */
export function taken(starts, minutes) {
  const spans = [];
  let from = "0000-01-01T00:00";
  for (const start of starts) {
    if (start > from) spans.push([from, start]);
    const end = plus(start, minutes);
    if (end > from) from = end;
  }
  spans.push([from, "9999-12-31T00:00"]);
  return spans;
}
