// The staff calendar: what is shown, and what happens when something is dragged, pressed or changed elsewhere.

import { columnsOf, NOBODY } from "./staff-calendar-columns.js";
import { askAbout, said as saidOf, showAppointment, showMove, showNew, UNDONE } from "./staff-calendar-dialogs.js";
import { Grid } from "./staff-calendar-grid.js";
import { list } from "./staff-calendar-list.js";
import { Live } from "./staff-calendar-live.js";
import { afterPaint, h, Messages, say } from "./staff-calendar-parts.js";
import { Problem, Server } from "./staff-calendar-server.js";
import { dateOf, firstWeekday, LONG, moment, nowIn, plus, plusDays, said, SHORT, time, weekOf } from "./staff-calendar-walls.js";

const root = document.querySelector("#calendar");
const zone = root.dataset.zone;
const words = Object.fromEntries(JSON.parse(root.dataset.words)), marks = JSON.parse(root.dataset.marks);
const isReadOnly = "readonly" in root.dataset;
const server = new Server(root.dataset.home);
const messages = new Messages(document.querySelector("#messages"));
const narrow = matchMedia("(max-width: 44rem)");
const find = (selector) => document.querySelector(selector);
const FIRST = firstWeekday(navigator.language);
const KINDS = { staff: "People", room: "Rooms", equipment: "Equipment" };
const WITH_YEAR = { ...SHORT, year: "numeric" };
const ENDED = new Set(["cancelled", "declined", "expired"]);
const USUAL = Object.keys(words).filter((status) => !ENDED.has(status));

// What is shown, kept in the address

const asked = new URLSearchParams(location.search);
const some = (name) => (asked.has(name) ? new Set(asked.get(name).split(",").filter(Boolean)) : null);
const usualView = () => (narrow.matches ? "list" : "day");
const state = {
  view: ["day", "week", "list"].includes(asked.get("view")) ? asked.get("view") : usualView(),
  date: /^\d{4}-\d{2}-\d{2}$/.test(asked.get("date") ?? "") ? asked.get("date") : dateOf(nowIn(zone)),
  kinds: some("kinds"), resources: some("resources"), services: some("services"), statuses: some("statuses"),
  isWhole: asked.get("hours") === "all", who: asked.get("who") ?? "", feed: null, tag: "", number: -1, isLate: false,
};

function remember() {
  const kept = new URLSearchParams();
  if (state.view !== usualView()) kept.set("view", state.view);
  if (state.date !== dateOf(nowIn(zone))) kept.set("date", state.date);
  for (const name of ["kinds", "resources", "services", "statuses"]) if (state[name]) kept.set(name, [...state[name]].join(","));
  if (state.isWhole) kept.set("hours", "all");
  if (state.who) kept.set("who", state.who);
  history.replaceState(null, "", kept.size ? `?${kept}` : location.pathname);
}

function range() {
  const first = state.view === "day" ? state.date : weekOf(state.date, FIRST);
  return { from: first, to: plusDays(first, state.view === "day" ? 1 : 7) };
}

const dates = ({ from, to }) => {
  const found = [];
  for (let date = from; date < to; date = plusDays(date, 1)) found.push(date);
  return found;
};

// Loading and drawing

let loading = 0;

async function load({ isFresh = false } = {}) {
  const mine = ++loading, { from, to } = range();
  const isSame = state.feed?.first === from && state.feed?.last === to;
  root.setAttribute("aria-busy", "true");
  try {
    const answer = await server.get(`${server.path("calendar.json")}?from=${from}&to=${to}`, { tag: isSame ? state.tag : "" });
    if (mine !== loading) return;
    reached(true);
    if (answer) {
      state.feed = answer.value;
      state.tag = answer.tag;
      state.number = Math.max(state.number, answer.value.number);
    }
    // What is the same on the server may have to be shown in another way: as a list and no longer as a grid.
    if (answer || isFresh) draw();
    if (isFresh) say(`${title()}: ${chosen().lines.length} appointments`);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    reached(false, problem);
  } finally {
    if (mine === loading) root.removeAttribute("aria-busy");
  }
}

/** What the filters leave of the feed. */
function chosen() {
  const { feed } = state;
  const kinds = state.kinds ?? new Set([feed.resources.some((each) => each.kind === "staff") ? "staff" : feed.resources[0]?.kind]);
  const statuses = state.statuses ?? new Set(USUAL);
  let resources = feed.resources.filter((each) => kinds.has(each.kind) && (!state.resources || state.resources.has(each.id)));
  const isShown = (line) => statuses.has(line.status) && (!state.services || state.services.has(line.serviceId ?? ""));
  const fitting = feed.appointments.filter(isShown);
  if (fitting.some((line) => !line.resourceIds?.length)) resources = [...resources, { id: NOBODY, name: "Nobody", kind: "", closed: [] }];
  const offered = resources;
  if (narrow.matches && state.view !== "list" && resources.length > 1) {
    resources = resources.filter((each) => each.id === state.who);
    if (!resources.length) resources = offered.slice(0, 1);
  }
  const ids = new Set(resources.map((each) => each.id));
  const lines = fitting.filter((line) => columnsOf(line).some((id) => ids.has(id)));
  return { resources, offered, lines };
}

const grid = new Grid(find("#grid"), {
  words, marks, isReadOnly, open, move: (id) => moveByDialog(lineOf(id)), create, drop, settle,
  drag: async (line) => {
    const room = await free(line).catch(() => null);
    if (room) grid.shade(line, room);
  },
});

function draw() {
  if (grid.isHeld) {
    state.isLate = true;
    return;
  }
  performance.clearMarks("calendar-data");
  performance.mark("calendar-data");
  const { resources, offered, lines } = chosen();
  const days = dates(range());
  const isList = state.view === "list";
  find("#grid").hidden = isList || !resources.length;
  find("#list").hidden = !isList;
  find("#title").textContent = title();
  document.title = `${title()} · ${root.dataset.name}`;
  find("#date").value = state.date;
  find(`input[name="view"][value="${state.view}"]`).checked = true;
  pick(offered, resources);
  filters();
  find("#empty").hidden = resources.length > 0;
  if (isList) {
    const names = new Map(state.feed.resources.map((each) => [each.id, each.name]));
    list(find("#list"), { dates: days, lines, names, words, marks, open });
  } else if (resources.length) {
    const hidden = state.view === "week" ? hiddenDays(days, resources, lines) : [];
    grid.show({
      view: state.view, dates: days.filter((date) => !hidden.includes(date)), resources, lines, zone,
      isWhole: state.isWhole, isNarrow: narrow.matches, snap: snap(),
    });
  }
  afterPaint(() => {
    performance.clearMeasures("calendar-drawn");
    performance.measure("calendar-drawn", "calendar-data");
  });
}

const title = () => {
  const { from, to } = range();
  return state.view === "day" ? said(from, LONG) : `${said(from, SHORT)} – ${said(plusDays(to, -1), WITH_YEAR)}`;
};

/** The days on which nobody is there and nothing stands: nobody misses them. */
function hiddenDays(days, resources, lines) {
  const isOpen = (date) => resources.some((each) => {
    let at = plus(date, 0);
    for (const [start, end] of each.closed) if (start <= at && end > at) at = end;
    return at < plus(date, 1440);
  });
  const hidden = days.filter((date) => !isOpen(date) && !lines.some((line) => dateOf(line.start) <= date && dateOf(line.end) >= date));
  return hidden.length < days.length ? hidden : [];
}

const gcd = (a, b) => (b ? gcd(b, a % b) : a);
const snap = () => Math.max(Math.min(state.feed.services.reduce((all, each) => gcd(all, each.step), 0) || 15, 15), 5);

const lineOf = (id) => state.feed?.appointments.find((each) => each.id === id);
const columnNames = () => new Map(state.feed.resources.map((each) => [each.id, each.name]));

/** Put what the server says of an appointment in the place of what was shown. */
function put(line) {
  const others = state.feed.appointments.filter((each) => each.id !== line.id);
  const { from, to } = range();
  const isHere = dateOf(line.start) < to && dateOf(line.end) >= from;
  state.feed = { ...state.feed, appointments: isHere ? [...others, line].sort((a, b) => (a.startTime < b.startTime ? -1 : 1)) : others };
  state.tag = "";
  draw();
}

function settle() {
  if (!state.isLate) return;
  state.isLate = false;
  draw();
}

// What can be done

const free = (line, { from, to } = range()) => server.get(`${server.path("appointments", line.id, "free")}?from=${from}&to=${to}`).then((answer) => answer.value);

function serving(line, column, from = column) {
  const ids = line.resourceIds ?? [];
  if (!column || column === NOBODY) return { resourceIds: [], prefer: [] };
  const kind = (id) => state.feed.resources.find((each) => each.id === id)?.kind;
  const others = ids.filter((id) => id !== column && id !== from && (ids.includes(column) || from !== column || kind(id) !== kind(column)));
  return line.serviceId ? { resourceIds: [column], prefer: others } : { resourceIds: [column, ...others], prefer: [] };
}

/** Move, and say so, with the way back. Raises a Problem when a rule says no. */
async function moveTo(line, { start, end = "", offset = "", column, from, override = "", exactly = null }) {
  const body = { revision: line.revision, start, ...(exactly ? { resourceIds: exactly } : serving(line, column, from)) };
  if (end) body.end = end;
  if (offset || (start === line.start && line.offset)) body.offset = offset || line.offset;
  if (override) body.override = { reason: override };
  const { appointment: after } = await server.post(server.path("appointments", line.id, "move"), body);
  put(after);
  if (after.revision === line.revision) return;
  const isLonger = end && start === line.start;
  messages.tell(`${line.customer || "Appointment"} ${isLonger ? `now ends at ${time(after.end)}` : `moved to ${moment(after.start, after.offset)}`}`, {
    undo: () => back(line, after, end ? line.end : ""),
  });
  grid.focus(line.id);
}

async function back(before, after, end) {
  await attempt(async () => {
    const body = { revision: after.revision, start: before.start, resourceIds: before.resourceIds ?? [] };
    if (end) body.end = end;
    if (before.offset) body.offset = before.offset;
    put((await server.post(server.path("appointments", before.id, "move"), body)).appointment);
    messages.tell(`${before.customer || "Appointment"} is back at ${moment(before.start, before.offset)}`);
    grid.focus(before.id);
  });
}

async function attempt(what) {
  try {
    await what();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    messages.tell(problem.message, { isBad: true });
    if (problem.status === 412) state.tag = "";
    load();
  }
}

async function drop(to) {
  const { line } = to;
  try {
    await moveTo(line, to);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    state.tag = "";
    if (!problem.isRefusal) {
      messages.tell(problem.status === 412 ? "It was changed elsewhere meanwhile: look again." : problem.message, { isBad: true });
      load();
      return;
    }
    problem.facts.alternatives = problem.facts.alternatives?.filter((each) => each.start !== line.start);
    askAbout(problem, "It cannot go there", {
      choose: (each) => attempt(() => moveTo(line, { ...to, start: each.start, end: to.end && each.end, offset: each.offset })),
      override: (reason) => attempt(() => moveTo(line, { ...to, override: reason })),
    });
  }
}

function moveByDialog(line) {
  if (!line || isReadOnly || !["pending", "booked"].includes(line.status)) {
    say("This appointment cannot be moved");
    return;
  }
  const service = state.feed.services.find((each) => each.id === line.serviceId);
  const ids = service ? service.resourceIds ?? [] : state.feed.resources.map((each) => each.id);
  const shown = chosen().resources.map((each) => each.id);
  const column = (line.resourceIds ?? []).find((id) => shown.includes(id)) ?? line.resourceIds?.[0] ?? "";
  showMove({ ...line, candidates: [...new Set([...(line.resourceIds ?? []), ...ids])] }, column, {
    columns: columnNames(), free: (each, from, to) => free(each, { from, to }), move: moveTo,
  });
}

function open(id) {
  showAppointment(id, {
    words, marks, isReadOnly,
    get: async (each) => (await server.get(server.path("appointments", each, "details"))).value,
    page: (each) => server.path("appointments", each),
    move: (line) => moveByDialog(line),
    note: async (line, notes) => {
      put((await server.post(server.path("appointments", line.id, "notes"), { revision: line.revision, notes })).appointment);
      say("Notes saved");
    },
    act: async (line, deed, reason) => {
      const { appointment: after } = await server.post(server.path("appointments", line.id, "deed"), { revision: line.revision, do: deed, reason });
      put(after);
      messages.tell(`${saidOf(deed)}: ${line.customer || "appointment"}`, { undo: UNDONE.has(deed) ? () => reopen(after) : null });
    },
  });
}

const reopen = (line) => attempt(async () => {
  const { appointment: after } = await server.post(server.path("appointments", line.id, "deed"), { revision: line.revision, do: "reopen" });
  put(after);
  messages.tell(`${after.customer || "Appointment"} is booked again`);
  grid.focus(after.id);
});

function create({ start, resource } = {}) {
  if (isReadOnly || !state.feed) return;
  const day = range(), soon = plus(nowIn(zone), 5);
  const usual = dateOf(soon) >= day.from && dateOf(soon) < day.to ? soon : `${state.date}T09:00`;
  const from = start ?? usual;
  const rounded = plus(from, (5 - (Number(from.slice(14, 16)) % 5)) % 5);
  showNew({ start: rounded, column: resource === NOBODY ? "" : resource ?? "" }, {
    services: state.feed.services, columns: columnNames(),
    free: (service, from_, to) => server.get(`${server.path("calendar", "free")}?service=${encodeURIComponent(service)}&from=${from_}&to=${to}`).then((answer) => answer.value),
    find: (text) => server.get(`${server.path("calendar", "customers")}?q=${encodeURIComponent(text)}`).then((answer) => answer.value),
    focus: (id) => grid.focus(id),
    book: async (order, key) => {
      const { appointment } = await server.post(server.path("appointments"), order, key);
      put(appointment);
      messages.tell(`${appointment.customer || "Appointment"} booked for ${moment(appointment.start, appointment.offset)}`);
      return appointment.id;
    },
  });
}

// The bar above, the filters, the keys

function go(to) {
  const step = state.view === "day" ? 1 : 7;
  if (to === "today") state.date = dateOf(nowIn(zone));
  else state.date = plusDays(state.date, to === "next" ? step : -step);
  changed();
}

function changed({ isFiltered = false } = {}) {
  remember();
  if (isFiltered) draw();
  else load({ isFresh: true });
}

function pick(offered, shown) {
  const who = find("#who");
  who.parentElement.hidden = !(narrow.matches && state.view !== "list" && offered.length > 1);
  who.replaceChildren(...offered.map((each) => h("option", { value: each.id }, each.name)));
  if (shown.length) who.value = shown[0].id;
}

function filters() {
  const { resources, services } = state.feed;
  const kinds = [...new Set(resources.map((each) => each.kind))];
  const usualKind = kinds.includes("staff") ? "staff" : kinds[0];
  const groups = [
    ["kinds", "Show", kinds.map((kind) => [kind, KINDS[kind]]), new Set([usualKind])],
    ["resources", "Who and what", resources.map((each) => [each.id, each.name]), new Set(resources.map((each) => each.id))],
    ["services", "Services", services.map((each) => [each.id, each.name]), new Set(services.map((each) => each.id))],
    ["statuses", "Statuses", Object.entries(words), new Set(USUAL)],
  ];
  const key = JSON.stringify(groups.map(([name, , options]) => [name, options]));
  const box = find("#filters .groups");
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    box.replaceChildren(...groups.filter(([, , options]) => options.length).map(([name, legend, options, usual]) => h(
      "fieldset", {}, h("legend", {}, legend), ...options.map(([value, label]) => h("label.check", {}, h("input", {
        type: "checkbox", name, value, change: (event) => toggle(name, value, event.target.checked, usual),
      }), label)),
    )));
  }
  for (const [name, , , usual] of groups) {
    for (const input of box.querySelectorAll(`input[name="${name}"]`)) input.checked = (state[name] ?? usual).has(input.value);
  }
  const count = groups.filter(([name]) => state[name]).length + Number(state.isWhole);
  find("#filters summary").textContent = count ? `Filters (${count})` : "Filters";
  find("#whole").checked = state.isWhole;
  find("#clear").hidden = !count;
}

function toggle(name, value, isOn, usual) {
  const set = new Set(state[name] ?? usual);
  if (isOn) set.add(value);
  else set.delete(value);
  const isUsual = set.size === usual.size && [...set].every((each) => usual.has(each));
  state[name] = isUsual ? null : set;
  changed({ isFiltered: true });
}

const shortcuts = {
  get areOn() { return localStorage.getItem("calendar-keys") !== "off"; },
  set areOn(value) { localStorage.setItem("calendar-keys", value ? "on" : "off"); },
};
const KEYS = {
  t: () => go("today"), j: () => go("next"), k: () => go("prev"), n: () => create(), "?": () => find("#keys").showModal(),
  d: () => view("day"), w: () => view("week"), l: () => view("list"), g: () => (find("#date").showPicker?.(), find("#date").focus()),
  f: () => { find("#filters").open = true; find("#filters input")?.focus(); },
};

function view(name) {
  state.view = name;
  changed();
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest('input:not([type="checkbox"], [type="radio"]), textarea, select')?.checkVisibility();
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z" && !isTyping) {
    if (messages.undo()) event.preventDefault();
    return;
  }
  if (event.key === "Escape" && find("#filters").open) {
    find("#filters").open = false;
    find("#filters summary").focus();
    return;
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || !shortcuts.areOn) return;
  const run = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!run) return;
  event.preventDefault();
  run();
});
document.addEventListener("pointerdown", (event) => { if (!event.target.closest("#filters")) find("#filters").open = false; });
for (const button of document.querySelectorAll("[data-go]")) button.addEventListener("click", () => go(button.dataset.go));
for (const input of document.querySelectorAll('input[name="view"]')) input.addEventListener("change", () => view(input.value));
find("#date").addEventListener("change", (event) => { if (event.target.value) { state.date = event.target.value; changed(); } });
find("#who").addEventListener("change", (event) => { state.who = event.target.value; changed({ isFiltered: true }); });
find("#new")?.addEventListener("click", () => create());
find("#help").addEventListener("click", () => find("#keys").showModal());
find("#keys .close").addEventListener("click", () => find("#keys").close());
find("#whole").addEventListener("change", (event) => { state.isWhole = event.target.checked; changed({ isFiltered: true }); });
find("#clear").addEventListener("click", () => {
  Object.assign(state, { kinds: null, resources: null, services: null, statuses: null, isWhole: false });
  changed({ isFiltered: true });
});
find("#single").checked = shortcuts.areOn;
find("#single").addEventListener("change", (event) => { shortcuts.areOn = event.target.checked; });
narrow.addEventListener("change", () => { if (state.feed) draw(); });
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// What changes elsewhere

function reached(isReached, problem) {
  const line = find("#reached");
  line.hidden = isReached;
  if (!isReached) line.textContent = problem?.status === 401 ? problem.message : "No connection. What you see may be old; it is tried again.";
}

await load();
new Live(server, {
  streams: "streams" in document.body.dataset, onState: reached,
  onNumber: (number) => {
    if (number === state.number) return;
    state.number = number;
    load();
  },
});
root.dataset.ready = "";
