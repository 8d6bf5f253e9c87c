// The grid of days and columns: the library draws appointments and lets them be dragged; what is closed or taken, the
// line of the present and the roles that screen readers go by are put into it here.
//
// The library knows no zones. All times are wall times, and where it hands back dates of the browser's own zone they
// are not read: a move is the old wall time and a number of minutes.

import { createCalendar, flushSync, Interaction, ResourceTimeGrid } from "./calendar.js";
import { afterPaint, h } from "./staff-calendar-parts.js";
import { between, dateOf, LANGUAGE, LONG, minuteOfDay, nowIn, plus, plusDays, said, SHORT, spanOf, time } from "./staff-calendar-walls.js";

const SLOT_MINUTES = 15;
const SLOT_PIXELS = 21;
const PIXELS = SLOT_PIXELS / SLOT_MINUTES;
const DAY = 1440;
const MANY = 120;
export const NOBODY = "-";
const VIEWS = { day: "resourceTimeGridDay", week: "resourceTimeGridWeek" };
const CELLS = ".ec-body .ec-day";

const clockText = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const minutesOf = ({ years = 0, months = 0, days = 0, seconds = 0 }) => (years || months ? NaN : days * DAY + seconds / 60);

export class Grid {
  #root;
  #calls;
  #calendar = null;
  #shown = null;
  #lines = new Map();
  #painted = [];
  #drag = null;
  #drawing = 0;

  /** `calls`: open(id), move(id), create({start, resource}), drag(line), drop(to), and what is the same for all that is shown. */
  constructor(root, calls) {
    this.#root = root;
    this.#calls = calls;
    root.addEventListener("keydown", (event) => this.#walk(event));
    root.addEventListener("focusin", (event) => this.#rove(event.target));
    addEventListener("pointercancel", () => { this.#stop(); this.#drag = null; });
    setInterval(() => this.#paintNow(), 20_000);
  }

  get isDragging() {
    return this.#drag !== null;
  }

  /** Show `lines` in the columns of `resources` on `dates`; only what differs is drawn anew. */
  show(shown) {
    const focused = this.#root.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const limits = this.#limits(shown);
    const options = {
      view: VIEWS[shown.view], date: shown.dates[0], resources: shown.resources.map(({ id, name }) => ({ id, title: name })),
      slotMinTime: clockText(limits.first), slotMaxTime: clockText(limits.last), highlightedDates: [dateOf(nowIn(shown.zone))],
      hiddenDays: shown.hidden, datesAboveResources: shown.view === "week", columnWidth: this.#columnWidth(shown), snapDuration: { minutes: shown.snap },
    };
    if (this.#calendar) this.#update(shown, options);
    else this.#create(shown, options);
    this.#shown = { ...shown, ...limits, options };
    flushSync();
    this.#patch();
    this.#paint();
    if (focused) this.focus(focused);
  }

  focus(id) {
    this.#root.querySelector(`.cal-open[data-id="${CSS.escape(id)}"]`)?.focus();
  }

  /** Shade where the appointment that is dragged finds no room, and say whether it does where it is. */
  shade(room) {
    if (!this.#drag) return;
    this.#drag.room = room;
    const spans = (column) => taken(room.resources[column] ?? [], room.minutes);
    for (const [cell, date, column] of this.#cells()) this.#spans(cell, date, spans(column), "cal-shade taken");
    this.#judge();
  }

  #create(shown, options) {
    this.#lines = new Map(shown.lines.map((line) => [line.id, line]));
    this.#calendar = createCalendar(this.#root, [ResourceTimeGrid, Interaction], {
      ...options,
      ...this.#rules(),
      events: shown.lines.length > MANY ? [] : shown.lines.map((line) => this.#event(line)),
    });
    if (shown.lines.length <= MANY) return;
    this.#shown = { ...shown, ...this.#limits(shown), options };
    flushSync();
    this.#drawAll(shown);
  }

  /** Draw all appointments; of many, those first that are within sight, so that nobody waits for what they do not see,
   * and the others some at a time after that has been painted, so that nobody who presses a key waits for them. */
  #drawAll({ lines, dates }) {
    const mine = ++this.#drawing;
    const draw = (some) => this.#calendar.setOption("events", some.map((line) => this.#event(line)));
    if (lines.length <= MANY) return draw(lines);
    const near = this.#near();
    const isNear = (line) => (line.resourceIds?.length ? line.resourceIds : [NOBODY]).some((id) =>
      near.has(`${dateOf(line.start)} ${id}`) || (dateOf(line.start) !== dateOf(line.end) && dates.length > 1));
    const waiting = lines.filter((line) => !isNear(line)).map((line) => line.id);
    draw(lines.filter(isNear));
    const later = () => afterPaint(() => setTimeout(drawMore));
    const drawMore = () => {
      if (mine !== this.#drawing) return;
      if (this.#drag) return setTimeout(drawMore, 300);
      waiting.splice(0, MANY);
      const left = new Set(waiting);
      draw([...this.#lines.values()].filter((line) => !left.has(line.id)));
      flushSync();
      this.#patch();
      if (waiting.length) later();
    };
    later();
  }

  /** The columns within sight, as `date id`. */
  #near() {
    const box = this.#root.querySelector(".ec-main").getBoundingClientRect();
    const near = new Set();
    for (const [cell, date, column] of this.#cells()) {
      const { left, right } = cell.getBoundingClientRect();
      if (right > box.left && left < box.right) near.add(`${date} ${column}`);
    }
    return near;
  }

  #update(shown, options) {
    for (const [name, value] of Object.entries(options)) {
      if (JSON.stringify(value) !== JSON.stringify(this.#shown.options?.[name])) this.#calendar.setOption(name, value);
    }
    const lines = new Map(shown.lines.map((line) => [line.id, line]));
    const changed = shown.lines.filter((line) => JSON.stringify(line) !== JSON.stringify(this.#lines.get(line.id)));
    const gone = [...this.#lines.keys()].filter((id) => !lines.has(id));
    if (changed.length + gone.length > 40) {
      this.#lines = lines;
      this.#shown = { ...shown, ...this.#limits(shown), options };
      flushSync();
      this.#drawAll(shown);
    } else {
      for (const id of gone) this.#calendar.removeEventById(id);
      for (const line of changed) {
        if (this.#lines.has(line.id)) this.#calendar.updateEvent(this.#event(line));
        else this.#calendar.addEvent(this.#event(line));
      }
    }
    this.#lines = lines;
  }

  #rules() {
    return {
      allDaySlot: false, dayHeaderFormat: SHORT, dragScroll: true, editable: true,
      eventContent: ({ event }) => ({ domNodes: this.#content(event) }),
      eventDidMount: ({ event, el }) => plain(el, event.id),
      eventDragStart: (info) => this.#start(info, "move"), eventResizeStart: (info) => this.#start(info, "resize"),
      eventDragStop: () => this.#stop(), eventResizeStop: () => this.#stop(),
      eventDrop: (info) => this.#dropped(info), eventResize: (info) => this.#resized(info),
      eventClick: ({ event, jsEvent }) => { jsEvent.preventDefault?.(); this.#calls.open(event.id); },
      dateClick: ({ dateStr, resource }) => this.#calls.create({ start: dateStr.slice(0, 16), resource: resource?.id }),
      dragConstraint: (info) => this.#over(info), resizeConstraint: (info) => this.#over(info),
      // The library would write each time in words, which nobody reads, and ask for the layout once for each column.
      eventTimeFormat: () => "",
      resourceLabelDidMount: ({ el }) => Object.defineProperty(el, "innerText", { get: () => el.textContent }),
      eventLongPressDelay: 450, firstDay: this.#calls.firstDay, headerToolbar: { start: "", center: "", end: "" }, locale: LANGUAGE,
      nowIndicator: false, resourceLabelContent: ({ resource }) => ({ domNodes: [h("span.who", { title: resource.title }, resource.title)] }),
      scrollTime: clockText(Math.max(minuteOfDay(nowIn(this.#calls.zone)) - 60, 0)),
      slotDuration: { minutes: SLOT_MINUTES }, slotEventOverlap: false, slotHeight: SLOT_PIXELS,
      slotLabelFormat: { hour: "2-digit", minute: "2-digit" }, slotLabelInterval: "01:00",
      timeZone: "UTC",
    };
  }

  #event(line) {
    const isMovable = !this.#calls.isReadOnly && (line.status === "pending" || line.status === "booked");
    return {
      id: line.id, start: `${line.start}:00`, end: `${drawnEnd(line)}:00`, title: line.customer ?? "",
      resourceIds: line.resourceIds?.length ? line.resourceIds : [NOBODY],
      startEditable: isMovable, durationEditable: isMovable && Boolean(line.serviceId),
      classNames: [`is-${line.status}`, ...(line.overrode ? ["is-overridden"] : []), ...(line.isAttending ? ["is-attending"] : [])],
      extendedProps: { line },
    };
  }

  #content({ display, extendedProps: { line } }) {
    if (!line) return [];
    const mark = this.#calls.marks[line.status];
    const isHelper = display === "preview";
    const sign = (text, kind = "") => h(`span.sign${kind}`, { "aria-hidden": "true" }, text);
    const parts = [
      h("span.name", {}, mark && sign(mark), line.overrode && sign("!", ".warn"), line.customer || "No name"),
      !isHelper && h("span.about", {}, `${spanOf(line)} ${line.service ?? ""}`),
      (line.overrode || line.isAttending || line.hasNotes) && h("span.cal-tags", {},
        line.overrode && h("span.cal-tag.warn", {}, "Overridden"), line.isAttending && h("span.cal-tag.ok", {}, "Will come"),
        line.hasNotes && h("span.cal-tag", {}, "Notes")),
    ].filter(Boolean);
    if (isHelper) return parts;
    // The article around it listens for the same keys: it would be opened twice.
    const only = (press) => { if (press.key === "Enter" || press.key === " ") press.stopPropagation(); };
    return [h("button.cal-open", { type: "button", "data-id": line.id, tabindex: "-1", "aria-label": this.#named(line), keydown: only }, ...parts)];
  }

  /** All that is shown of it, in words. */
  #named(line) {
    const facts = [
      line.customer || "No name", spanOf(line), line.service, this.#calls.words[line.status], line.overrode && "overridden",
      line.isAttending && "will come", line.hasNotes && "has notes", said(dateOf(line.start), LONG),
    ];
    return facts.filter(Boolean).join(", ");
  }

  // What is dragged

  #start({ event, jsEvent }, kind) {
    const under = this.#calendar.dateFromPoint(jsEvent.clientX, jsEvent.clientY);
    const line = this.#lines.get(event.id);
    this.#drag = { kind, line, column: under?.resource?.id ?? line.resourceIds?.[0], room: null, now: null };
    this.#root.dataset.drop = "unknown";
    this.#calls.drag(line);
  }

  #over({ delta, endDelta, newResource }) {
    const drag = this.#drag;
    if (!drag) return true;
    drag.now = {
      start: plus(drag.line.start, drag.kind === "move" ? minutesOf(delta) : 0),
      end: plus(drag.line.end, minutesOf(drag.kind === "move" ? delta : endDelta)),
      column: newResource?.id ?? drag.column,
    };
    this.#judge();
    return true;
  }

  #judge() {
    const { kind, room, now, line } = this.#drag;
    if (!room || !now) return;
    const isHere = kind === "move" && now.start === line.start && now.column === this.#drag.column;
    const isFree = kind === "move"
      ? (room.resources[now.column] ?? []).includes(now.start)
      : !room.latestEnd || now.end <= room.latestEnd;
    this.#root.dataset.drop = isFree || isHere ? "free" : "taken";
    const text = `${time(now.start)}–${time(now.end)} ${isFree || isHere ? "free" : "not free"}`;
    this.#root.style.setProperty("--drop", JSON.stringify(text));
  }

  #stop() {
    delete this.#root.dataset.drop;
    this.#root.querySelectorAll(".cal-shade.taken").forEach((each) => each.remove());
  }

  #dropped(info) {
    const { line, column } = this.#drag;
    this.#drag = null;
    const to = { start: plus(line.start, minutesOf(info.delta)), column: info.newResource?.id ?? column };
    if (to.start !== line.start || to.column !== column) this.#calls.drop({ line, ...to, from: column, revert: info.revert });
  }

  #resized(info) {
    const { line, column } = this.#drag;
    this.#drag = null;
    this.#calls.drop({ line, start: line.start, end: plus(line.end, minutesOf(info.endDelta)), column, from: column, revert: info.revert });
  }

  // What is painted into the cells

  /** The cells in their order, each with its date and its column. */
  #cells() {
    const { dates, resources } = this.#shown;
    const columns = resources.length ? resources.map((each) => each.id) : [""];
    return [...this.#root.querySelectorAll(CELLS)].map((cell, at) => [
      cell, dates[Math.floor(at / columns.length)], columns[at % columns.length],
    ]);
  }

  #paint() {
    this.#painted.forEach((each) => each.remove());
    this.#painted = [];
    const known = new Map(this.#shown.resources.map((each) => [each.id, each]));
    for (const [cell, date, column] of this.#cells()) {
      const resource = known.get(column);
      if (!resource) continue;
      this.#painted.push(...this.#spans(cell, date, resource.closed, "cal-shade closed"));
      for (const away of resource.away ?? []) {
        const drawn = this.#spans(cell, date, [[away.start, away.end]], "cal-shade away");
        drawn[0]?.append(h("span", {}, away.reason || "Away"));
        this.#painted.push(...drawn);
      }
    }
    this.#paintNow();
  }

  #spans(cell, date, spans, classes) {
    const { first, last } = this.#shown;
    const from = plus(date, first), to = plus(date, last);
    const drawn = [];
    for (const [start, end] of spans) {
      if (end <= from || start >= to) continue;
      const top = start > from ? between(from, start) : 0, bottom = between(from, end < to ? end : to);
      if (bottom <= top) continue;
      const span = h("div", { class: classes });
      span.style.top = `${top * PIXELS}px`;
      span.style.height = `${(bottom - top) * PIXELS}px`;
      drawn.push(span);
    }
    cell.append(...drawn);
    return drawn;
  }

  #paintNow() {
    if (!this.#shown) return;
    this.#root.querySelectorAll(".cal-now").forEach((each) => each.remove());
    const now = nowIn(this.#shown.zone), at = minuteOfDay(now) - this.#shown.first;
    if (at < 0 || minuteOfDay(now) > this.#shown.last) return;
    let isFirst = true;
    for (const [cell, date] of this.#cells()) {
      if (date !== dateOf(now)) continue;
      const line = h(`div.cal-now${isFirst ? ".first" : ""}`);
      line.style.top = `${at * PIXELS}px`;
      cell.append(line);
      isFirst = false;
    }
  }

  // What the library leaves to be done for those who do not see it, or have no mouse

  /** It claims to be a table, and is none: buttons stand in what should be rows. A group of buttons is what it is. */
  #patch() {
    const grid = this.#root.querySelector(".ec");
    grid.setAttribute("role", "group");
    grid.setAttribute("aria-label", "Appointments");
    for (const each of grid.querySelectorAll('[role="row"], [role="rowgroup"], [role="cell"], [role="columnheader"]')) {
      for (const name of ["role", "aria-colindex", "aria-colspan"]) each.removeAttribute(name);
    }
    for (const each of grid.querySelectorAll(".ec-header [aria-label]")) each.removeAttribute("aria-label");
    const main = grid.querySelector(".ec-main");
    main?.setAttribute("tabindex", "0");
    main?.setAttribute("role", "region");
    main?.setAttribute("aria-label", "Calendar grid");
    grid.querySelector(".ec-toolbar")?.remove();
    for (const each of grid.querySelectorAll(".ec-event[role]")) plain(each);
    const events = this.#buttons();
    const current = events.find((each) => each === document.activeElement) ?? events[0];
    for (const each of events) each.tabIndex = each === current ? 0 : -1;
  }

  #buttons() {
    return [...this.#root.querySelectorAll(".cal-open")];
  }

  /** One of all appointments is reached by Tab, the others from there by the arrow keys. */
  #rove(target) {
    const button = target.closest?.(".cal-open");
    if (!button) return;
    for (const each of this.#root.querySelectorAll('.cal-open[tabindex="0"]')) each.tabIndex = -1;
    button.tabIndex = 0;
  }

  #walk(event) {
    const from = event.target.closest(".cal-open");
    if (!from || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key.toLowerCase() === "m") {
      event.preventDefault();
      this.#calls.move(from.dataset.id);
      return;
    }
    const next = nearest(this.#buttons(), from, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // What of the day is shown

  #limits({ lines, resources, dates, isWhole }) {
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

  #columnWidth({ view, resources, dates, isNarrow }) {
    if (isNarrow && view === "day") return "minmax(0, 1fr)";
    return `minmax(${view === "week" && resources.length * dates.length > 14 ? 5.5 : 7.5}rem, 1fr)`;
  }
}

/** Where a visit finds no room: all that no allowed visit would cover. */
function taken(starts, minutes) {
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

/** An article that is pressed is no button to everybody: there is a real one in it. */
function plain(article, id) {
  article.removeAttribute("role");
  article.removeAttribute("tabindex");
  if (id) article.dataset.event = id;
}

/** An appointment whose clock goes back while it lasts would end before it starts: it is drawn a slot long. */
const drawnEnd = (line) => (line.end > line.start ? line.end : plus(line.start, SLOT_MINUTES));

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

function nearest(all, from, key) {
  const sign = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[key];
  if (!sign) return null;
  const here = from.getBoundingClientRect();
  const apart = (box) => [(box.left + box.right - here.left - here.right) / 2, box.top - here.top];
  let best = null, least = Infinity;
  for (const each of all) {
    const [x, y] = apart(each.getBoundingClientRect());
    const along = x * sign[0] + y * sign[1], aside = Math.abs(sign[0] ? y : x);
    if (each === from || along < 4) continue;
    const distance = along + aside * 8;
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}
