// The grid of days and columns: the appointments, what is closed or taken, and the line of the present.
//
// A column is drawn from what stands in it, and drawn anew when that differs. All times are wall times: what is dragged moves by
// so many minutes on the wall clock, and the server alone decides whether it may.

import { inLanes, limitsOf, minutesOf, piecesOf, pixels, seen, SLOT_MINUTES, taken } from "./staff-calendar-columns.js";
import { Drag } from "./staff-calendar-drag.js";
import { h } from "./staff-calendar-parts.js";
import { between, dateOf, LONG, minuteOfDay, nowIn, plus, said, SHORT, spanOf, time } from "./staff-calendar-walls.js";

/** How far from its lower edge an appointment is taken hold of to make it longer, in pixels; of a short one, the lower third. */
const HANDLE = 8;
/** With more columns than these, each of a week is narrower. */
const MANY = 14;

export class Grid {
  #root;
  #calls;
  #main = h("div.cal-main", { role: "region", "aria-label": "Calendar grid", tabindex: 0 });
  #columns = [];
  #shown = null;
  #frame = "";
  #drag;
  #dragged = null;
  #dropped = new Set();

  /** `calls`: open(id), move(id), create({start, resource}), drag(line), drop(to), which ends once it is decided, and settle()
   * when nothing is held any more; and what is the same for all that is shown. */
  constructor(root, calls) {
    this.#root = root;
    this.#calls = calls;
    root.append(this.#main);
    root.addEventListener("keydown", (event) => this.#walk(event));
    root.addEventListener("focusin", (event) => this.#rove(event.target.closest(".cal-event")));
    root.addEventListener("click", (event) => this.#press(event));
    this.#drag = new Drag(this.#main, {
      take: (event) => this.#take(event), begin: (held) => this.#begin(held), over: (held, x, y) => this.#over(held, x, y),
      end: (held) => this.#end(held), cancel: () => this.#forget(this.#dragged), free: () => calls.settle(),
    });
    setInterval(() => this.#drawNow(), 20_000);
  }

  get isHeld() {
    return this.#drag.isHeld;
  }

  /** Show `lines` in the columns of `resources` on `dates`. */
  show(shown) {
    const stop = this.#stop(), isFocused = stop && stop === document.activeElement;
    const id = stop?.dataset.id, at = stop ? this.#events(id).indexOf(stop) : 0;
    const before = this.#shown;
    this.#shown = { ...shown, ...limitsOf(shown), today: dateOf(nowIn(shown.zone)) };
    const { view, dates, resources, isNarrow, first, last, today } = this.#shown;
    const frame = JSON.stringify([view, dates, resources.map(({ id, name }) => [id, name]), isNarrow, first, last, today]);
    if (frame !== this.#frame) this.#build(before);
    this.#frame = frame;
    this.#fill();
    this.#drawNow();
    for (const each of this.#dropped) this.#preview(each);
    const same = id ? this.#events(id) : [], again = same[at] ?? same[0];
    // Whoever looks elsewhere in the grid is left there.
    if (isFocused && again !== document.activeElement) (again ?? this.#main).focus({ preventScroll: true });
    this.#rove(again ?? this.#events()[0]);
  }

  focus(id) {
    const stop = this.#stop();
    (stop?.dataset.id === id ? stop : this.#events(id)[0])?.focus();
  }

  /** Shade where `line` finds no room, and say whether it does where it is; once it is dragged no more, do nothing. */
  shade(line, room) {
    if (this.#dragged?.line !== line) return;
    this.#dragged.room = room;
    for (const column of this.#columns) {
      const spans = taken(room.resources[column.id] ?? [], room.minutes);
      column.element.append(...this.#shades(column.date, spans, "cal-shade.taken"));
    }
    this.#judge();
  }

  // What is drawn

  /** Make heads, hours and empty columns, and stay at the hour that was looked at: at first, about now. */
  #build(before) {
    const { view, dates, resources, first, last, zone } = this.#shown;
    const hour = before ? minutesOf(this.#main.scrollTop) + before.first : minuteOfDay(nowIn(zone)) - 60;
    this.#columns = dates.flatMap((date) => resources.map(({ id }) => ({
      date, id, key: "", element: h(this.#marked("div.cal-column", date)),
    })));
    this.#main.replaceChildren(
      h("div.cal-heads", {}, this.#heads()), h("div.cal-hours", {}, this.#hours()),
      h("div.cal-columns", { role: "group", "aria-label": "Appointments" }, this.#columns.map((each) => each.element)),
    );
    this.#main.classList.toggle("is-week", view === "week");
    this.#main.style.setProperty("--columns", this.#columns.length);
    this.#main.style.setProperty("--width", this.#width());
    this.#main.style.setProperty("--height", `${pixels(last - first)}px`);
    this.#main.scrollTop = pixels(hour - first);
  }

  #heads() {
    const { view, dates, resources } = this.#shown, isWeek = view === "week";
    const dated = isWeek ? dates.map((date) => h(this.#marked("div.cal-date", date), {}, h("time", { datetime: date }, said(date, SHORT)))) : [];
    for (const each of dated) each.style.gridColumn = `span ${resources.length}`;
    const named = dates.flatMap((date) => resources.map(({ name }) => h(this.#marked("div.cal-head", date), { title: name }, name)));
    return [h(`div.cal-corner${isWeek ? ".is-tall" : ""}`), ...dated, ...named];
  }

  #hours() {
    const { dates, first, last } = this.#shown, hours = [];
    for (let minute = first + 60; minute < last; minute += 60) hours.push(h("span", {}, time(plus(dates[0], minute))));
    return hours;
  }

  #width() {
    const { view, isNarrow } = this.#shown;
    if (isNarrow && view === "day") return "minmax(0, 1fr)";
    return `minmax(${view === "week" && this.#columns.length > MANY ? 5.5 : 7.5}rem, 1fr)`;
  }

  #marked(name, date) {
    return date === this.#shown.today ? `${name}.is-today` : name;
  }

  /** Draw what stands in the columns, where that is not what stands there already. */
  #fill() {
    const { lines, resources } = this.#shown;
    const pieces = Map.groupBy(lines.flatMap((line) => piecesOf(line, this.#shown)), (each) => `${each.date} ${each.column}`);
    const known = new Map(resources.map((each) => [each.id, each]));
    for (const column of this.#columns) {
      const { closed, away = [] } = known.get(column.id), own = pieces.get(`${column.date} ${column.id}`) ?? [];
      const key = JSON.stringify([closed, away, own]);
      if (key === column.key) continue;
      column.key = key;
      column.element.replaceChildren(
        ...this.#shades(column.date, closed, "cal-shade.closed"),
        ...away.flatMap((each) => this.#shades(column.date, [[each.start, each.end]], "cal-shade.away", each.reason || "Away")),
        ...inLanes(own).map((piece) => this.#event(piece)),
      );
    }
  }

  #shades(date, spans, classes, text = "") {
    return spans.flatMap(([start, end]) => {
      const span = seen(date, start, end, this.#shown);
      return span ? [put(h(`div.${classes}`, {}, text && h("span", {}, text)), span)] : [];
    });
  }

  #event({ line, lane, lanes, ...span }) {
    const { isReadOnly, marks } = this.#calls;
    const isMovable = !isReadOnly && (line.status === "pending" || line.status === "booked");
    const classes = [
      `is-${line.status}`, span.bottom - span.top < SLOT_MINUTES && "is-short", line.overrode && "is-overridden", isMovable && "can-move", isMovable && line.serviceId && "can-stretch",
    ].filter(Boolean).join(".");
    const mark = marks[line.status];
    const sign = (text, kind = "") => h(`span.sign${kind}`, { "aria-hidden": "true" }, text);
    const element = h(
      `button.cal-event.${classes}`, { type: "button", "data-id": line.id, tabindex: -1, "aria-label": this.#named(line) },
      h("span.name", {}, mark && sign(mark), line.overrode && sign("!", ".warn"), line.customer || "No name"),
      h("span.about", {}, `${spanOf(line)} ${line.service ?? ""}`),
      (line.overrode || line.isAttending || line.hasNotes) && h("span.cal-tags", {},
        line.overrode && h("span.cal-tag.warn", {}, "Overridden"), line.isAttending && h("span.cal-tag.ok", {}, "Will come"),
        line.hasNotes && h("span.cal-tag", {}, "Notes")),
    );
    if (lanes > 1) {
      element.style.insetInlineStart = `${(lane / lanes) * 100}%`;
      element.style.insetInlineEnd = `${(1 - (lane + 1) / lanes) * 100}%`;
    }
    return put(element, span);
  }

  /** All that is shown of it, in words. */
  #named(line) {
    const facts = [
      line.customer || "No name", spanOf(line), line.service, this.#calls.words[line.status], line.overrode && "overridden",
      line.isAttending && "will come", line.hasNotes && "has notes", said(dateOf(line.start), LONG),
    ];
    return facts.filter(Boolean).join(", ");
  }

  #drawNow() {
    if (!this.#shown) return;
    this.#root.querySelectorAll(".cal-now").forEach((each) => each.remove());
    const { first, last, zone } = this.#shown, now = nowIn(zone), top = minuteOfDay(now) - first;
    if (top < 0 || top > last - first) return;
    const todays = this.#columns.filter((each) => each.date === dateOf(now));
    todays.forEach(({ element }, at) => element.append(put(h(`div.cal-now${at ? "" : ".first"}`), { top, bottom: top })));
  }

  // What is dragged

  /** The column under the point, or the nearest, and the wall time there. */
  #at(x, y) {
    const { first, last, snap } = this.#shown;
    let nearest = null, least = Infinity;
    for (const column of this.#columns) {
      const box = column.element.getBoundingClientRect(), apart = Math.max(box.left - x, x - box.right, 0);
      if (apart < least) [nearest, least] = [{ column, top: box.top }, apart];
    }
    const minute = Math.floor((first + minutesOf(y - nearest.top)) / snap) * snap;
    return { column: nearest.column.id, wall: plus(nearest.column.date, Math.min(Math.max(minute, first), last - snap)) };
  }

  #take(event) {
    const element = event.target.closest("button.cal-event"), line = this.#lineOf(element);
    if (!line) return null;
    const { bottom, height } = element.getBoundingClientRect();
    const isEdge = element.classList.contains("can-stretch") && bottom - event.clientY <= Math.min(HANDLE, height / 3);
    return { line, canMove: element.classList.contains("can-move"), isMove: !isEdge, from: this.#at(event.clientX, event.clientY) };
  }

  #begin({ line, isMove, from }) {
    this.#dragged = { line, isMove, column: from.column, room: null, to: null, preview: [] };
    this.#root.dataset.drop = "unknown";
    this.#root.dataset.dragged = isMove ? "whole" : "edge";
    this.#root.style.removeProperty("--drop");
    for (const each of this.#events(line.id)) each.classList.add("cal-ghost");
    this.#calls.drag(line);
  }

  #over({ line, isMove, from }, x, y) {
    const at = this.#at(x, y), by = between(from.wall, at.wall), dragged = this.#dragged;
    const end = plus(line.end, by), least = plus(line.start, this.#shown.snap);
    const to = isMove
      ? { start: plus(line.start, by), end, column: at.column }
      : { start: line.start, end: end > least ? end : least, column: from.column };
    if (JSON.stringify(to) === JSON.stringify(dragged.to)) return;
    dragged.to = to;
    this.#preview(dragged);
    this.#judge();
  }

  #preview(dragged) {
    const { line, to, preview } = dragged;
    for (const each of preview) each.remove();
    for (const each of this.#events(line.id)) each.classList.add("cal-ghost");
    dragged.preview = piecesOf({ ...line, start: to.start, end: to.end }, this.#shown, [to.column]).flatMap((piece) => {
      const column = this.#columns.find((each) => each.date === piece.date && each.id === piece.column);
      if (!column) return [];
      const element = put(h(`div.cal-event.cal-preview.is-${line.status}`, {}, h("span.name", {}, line.customer || "No name")), piece);
      column.element.append(element);
      return [element];
    });
  }

  #judge() {
    const { line, isMove, column, room, to } = this.#dragged;
    if (!room || !to) return;
    const isHere = isMove && to.start === line.start && to.column === column;
    const isFree = isMove ? (room.resources[to.column] ?? []).includes(to.start) : !room.latestEnd || to.end <= room.latestEnd;
    this.#root.dataset.drop = isFree || isHere ? "free" : "taken";
    const text = `${time(to.start)}–${time(to.end)} ${isFree || isHere ? "free" : "not free"}`;
    this.#root.style.setProperty("--drop", JSON.stringify(text));
  }

  /** Let it go. It is seen where it was dropped until that is decided. */
  async #end({ line, isMove }) {
    const dragged = this.#dragged, { to, column } = dragged;
    const isSame = !to || (isMove ? to.start === line.start && to.column === column : to.end === line.end);
    if (isSame) return this.#forget(dragged);
    this.#dropped.add(dragged);
    this.#calm();
    try {
      await this.#calls.drop({ line, ...to, end: isMove ? "" : to.end, from: column });
    } finally {
      this.#forget(dragged);
    }
  }

  /** Show it where it stands, and nowhere else. By the time that is decided, another may be dragged. */
  #forget(dragged) {
    this.#dropped.delete(dragged);
    if (dragged === this.#dragged) this.#calm();
    for (const each of dragged.preview) each.remove();
    for (const each of this.#events(dragged.line.id)) each.classList.remove("cal-ghost");
  }

  /** Nothing is dragged any more. */
  #calm() {
    this.#dragged = null;
    delete this.#root.dataset.drop;
    delete this.#root.dataset.dragged;
    this.#root.querySelectorAll(".cal-shade.taken").forEach((each) => each.remove());
  }

  // What is pressed

  #press(event) {
    const element = event.target.closest(".cal-event");
    if (element) this.#calls.open(element.dataset.id);
    else if (event.target.closest(".cal-column")) {
      const { wall, column } = this.#at(event.clientX, event.clientY);
      this.#calls.create({ start: wall, resource: column });
    }
  }

  #lineOf(element) {
    return element && this.#shown.lines.find((each) => each.id === element.dataset.id);
  }

  /** The buttons of all appointments, or of this one, which has one in each of its columns. */
  #events(id) {
    return [...this.#root.querySelectorAll(`button.cal-event${id ? `[data-id="${CSS.escape(id)}"]` : ""}`)];
  }

  /** The one that is reached by Tab. */
  #stop() {
    return this.#root.querySelector('button.cal-event[tabindex="0"]');
  }

  /** One of all appointments is reached by Tab, the others from there by the arrow keys. */
  #rove(event) {
    if (!event) return;
    const stop = this.#stop();
    if (stop) stop.tabIndex = -1;
    event.tabIndex = 0;
  }

  #walk(event) {
    const from = event.target.closest(".cal-event");
    if (!from || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key.toLowerCase() === "m") {
      event.preventDefault();
      this.#calls.move(from.dataset.id);
      return;
    }
    const next = nearest(this.#events(), from, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

/** Put the element where its minutes are. */
function put(element, { top, bottom }) {
  element.style.top = `${pixels(top)}px`;
  element.style.height = `${pixels(bottom - top)}px`;
  return element;
}

/** The one that lies nearest in the direction of the arrow key; null when none does. */
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
