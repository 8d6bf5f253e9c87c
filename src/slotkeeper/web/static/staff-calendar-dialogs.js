// The dialogs: an appointment and all that can be done with it, a new one, a move, and what to do when a rule says no.

import { field, h, say } from "./staff-calendar-parts.js";
import { clockOf, dateOf, moment, plusDays, time } from "./staff-calendar-walls.js";

const DEEDS = {
  confirm: ["Confirm", "Confirmed", "primary"], decline: ["Decline", "Declined", "bad"], checkIn: ["Check in", "Checked in", "primary"],
  complete: ["Complete", "Completed", ""], noShow: ["No-show", "Marked as no-show", ""], cancel: ["Cancel it…", "Cancelled", "bad"],
  reopen: ["Book again", "Booked again", ""],
};
const ASKS_WHY = new Set(["cancel", "decline"]);
export const UNDONE = new Set(["checkIn", "complete", "noShow", "cancel"]);
export const said = (deed) => DEEDS[deed][1];

/** A dialog that is open, until it is closed. Then the focus is where it was opened from, be it drawn anew since, or
 * where `returnTo` puts it. */
export function dialog(title, ...content) {
  const heading = h("h2", { id: `d-${crypto.randomUUID().slice(0, 8)}` }, title);
  const close = h("button.plain.close", { type: "button", "aria-label": "Close", click: () => element.close() }, "×");
  const element = h("dialog.cal-sheet", { "aria-labelledby": heading.id }, h("header", {}, heading, close), ...content);
  const before = document.activeElement;
  element.returnTo = () => {
    const id = before?.dataset.id;
    const there = before?.isConnected ? before : id && document.querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (there) there.focus();
  };
  element.addEventListener("close", () => { element.remove(); element.returnTo(); });
  document.body.append(element);
  element.showModal();
  return element;
}

/** What went wrong, said above the form and next to the field that it is about. */
function complaint() {
  const box = h("div.errors", { role: "alert", hidden: true });
  return Object.assign(box, {
    tell(problem, fields = {}) {
      const name = (problem.facts?.field ?? "").split(".").pop();
      for (const each of Object.values(fields)) each.complain("");
      const at = fields[name];
      if (at) {
        at.complain(problem.message.replace(/^[\w.]+: /, ""));
        at.input.focus();
      }
      box.replaceChildren(h("p", {}, at ? "Something needs another look." : problem.message));
      box.hidden = false;
    },
    clear() { box.hidden = true; },
  });
}

/** What a rule says, what is in the way, free times nearby, and for staff the way around it: a reason. */
export function refusal(problem, { choose, override }) {
  const { alternatives = [], conflictingAppointment: rival } = problem.facts;
  const reason = field("Reason for the override", h("input", { name: "reason", maxlength: 500, autocomplete: "off" }), {
    hint: "It is kept in the history, and the appointment is marked.",
  });
  const go = () => {
    const text = reason.input.value.trim();
    reason.complain(text ? "" : "Say why.");
    if (text) override(text);
    else reason.input.focus();
  };
  return h("div.cal-refusal", { role: "group", "aria-label": "Not free" },
    h("p.cal-why", {}, sentence(problem.message)),
    rival && h("p", {}, "In the way: ", h("strong", {}, rival.customer || "another appointment"), rival.service ? `, ${rival.service}` : "",
      `, ${moment(rival.start, rival.offset)}–${time(rival.end)}`),
    alternatives.length > 0 && h("p", {}, "Free nearby:"),
    h("div.cal-chips", {}, ...alternatives.map((each) => h(
      "button.cal-chip", { type: "button", click: () => choose(each) }, moment(each.start, each.offset),
    ))),
    override && h("details", {}, h("summary", {}, "Do it all the same"), reason,
      h("button.bad", { type: "button", click: go }, "Override")));
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** Ask what to do about a refusal, such as of what was dropped. */
export function askAbout(problem, title, { choose, override }) {
  const element = dialog(title, refusal(problem, {
    choose: (each) => { element.close(); choose(each); },
    override: (reason) => { element.close(); override(reason); },
  }));
  element.querySelector(".cal-chip, summary")?.focus();
  say(`${title}. ${problem.message}`);
}

/** One appointment. `calls`: get, act(line, deed, reason), note(line, text), move(line). */
export async function showAppointment(id, calls) {
  const body = h("div.cal-body", { "aria-busy": "true" }, h("p.meta", {}, "One moment…"));
  const element = dialog("Appointment", body);
  element.dataset.appointment = id;
  const draw = async () => {
    try {
      const about = await calls.get(id);
      if (!element.isConnected) return;
      element.querySelector("h2").textContent = about.appointment.customer || "No name";
      body.replaceChildren(...contents(about, element, calls, draw));
    } catch (problem) {
      body.replaceChildren(h("p.wrong", {}, problem.message));
    }
    body.removeAttribute("aria-busy");
  };
  await draw();
  return { element, draw };
}

function contents(about, element, calls, draw) {
  const line = about.appointment;
  const errors = complaint();
  const attempt = async (what) => {
    errors.clear();
    try {
      await what();
      if (element.isConnected) await draw();
    } catch (problem) {
      errors.tell(problem);
    }
  };
  // What can be undone is said at the foot of the page, which a dialog covers: so it is closed.
  const act = (deed, reason) => attempt(async () => { await calls.act(line, deed, reason); element.close(); });
  const why = h("div.cal-why", { hidden: true });
  const deeds = about.deeds.map((deed) => h(`button${DEEDS[deed][2] === "primary" ? "" : DEEDS[deed][2] === "bad" ? ".bad" : ".plain"}`, {
    type: "button", "data-deed": deed,
    click: () => (ASKS_WHY.has(deed) ? askWhy(why, deed, (reason) => act(deed, reason)) : act(deed, "")),
  }, DEEDS[deed][0]));
  if (about.isMovable) deeds.push(h("button.plain", { type: "button", click: () => { element.close(); calls.move(line); } }, "Move…"));
  const notes = field("Notes", h("textarea", { rows: 3, maxlength: 2000, value: about.notes, readonly: calls.isReadOnly }));
  return [
    h("p.cal-state", {}, h(`span.cal-tag.is-${line.status}`, {}, [calls.marks[line.status], calls.words[line.status]].filter(Boolean).join(" ")),
      line.overrode && h("span.cal-tag.warn", {}, "Overridden"), line.isAttending && h("span.cal-tag.ok", {}, "Says they will come"),
      line.until && h("span.cal-tag.warn", {}, `Lapses ${moment(line.until)}`)),
    h("dl.cal-facts", {}, ...rows(about)),
    errors, h("div.cal-deeds", {}, ...deeds), why,
    h("form", { submit: (event) => { event.preventDefault(); attempt(() => calls.note(line, notes.input.value)); } }, notes,
      !calls.isReadOnly && h("button.plain", {}, "Save notes")),
    h("details.cal-history", {}, h("summary", {}, "History"), h("ol", {}, ...about.history.map((each) => h("li", {},
      h("strong", {}, each.what), h("span.meta", {}, ` ${each.at}, ${each.by}`),
      each.reason && h("p", {}, `“${each.reason}”`), each.warning && h("p.warn", {}, `Overridden: ${each.warning}`))))),
    h("p.meta", {}, h("a", { href: calls.page(line.id) }, "Open as a page")),
  ];
}

function rows({ appointment: line, with: names, email, phone, details }) {
  const facts = [
    ["When", `${moment(line.start, line.offset)}–${dateOf(line.end) === dateOf(line.start) ? time(line.end) : moment(line.end)}`],
    ["Service", line.service], ["With", names.join(", ")],
    ["Mail", email && h("a", { href: `mailto:${email}` }, email)], ["Phone", phone && h("a", { href: `tel:${phone.replace(/[^\d+]/g, "")}` }, phone)],
    ["Around it", [line.before && `${line.before} minutes before`, line.after && `${line.after} minutes after`].filter(Boolean).join(", ")],
    ...Object.entries(details),
  ];
  return facts.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}

function askWhy(element, deed, go) {
  const reason = field("Reason", h("input", { maxlength: 500, autocomplete: "off" }), { hint: "The customer is told. Leave it empty if there is none to give." });
  element.replaceChildren(h("form", { submit: (event) => { event.preventDefault(); element.hidden = true; go(reason.input.value.trim()); } },
    reason, h("button.bad", {}, deed === "cancel" ? "Cancel the appointment" : "Decline")));
  element.hidden = false;
  reason.input.focus();
}

/** Fields for a time and for who serves, which say whether it is free. `ask(date)` tells where there is room. */
function place({ start, column, columns, ask }) {
  const date = field("Date", h("input", { type: "date", name: "date", required: true, value: dateOf(start) }));
  const clock = field("Time", h("input", { type: "time", name: "time", required: true, step: 300, value: clockOf(start) }));
  const who = field("With", h("select", { name: "who" }));
  const hint = h("p.hint.cal-free", { role: "status" });
  const near = h("div.cal-chips");
  let asked = 0;
  const value = () => ({ start: `${date.input.value}T${clock.input.value.slice(0, 5)}`, column: who.input.value });
  const set = (wall) => { date.input.value = dateOf(wall); clock.input.value = clockOf(wall); look(); };
  const look = async () => {
    const mine = ++asked;
    if (!date.input.value || !clock.input.value) return;
    const room = await ask(date.input.value, plusDays(date.input.value, 1)).catch(() => null);
    if (mine !== asked || !room) return;
    const { start: wanted, column: chosen } = value();
    const starts = chosen ? (room.resources[chosen] ?? []) : room.anyone;
    const isFree = starts.includes(wanted);
    hint.textContent = isFree ? "✓ Free" : starts.length ? "✕ Not free. Free near it:" : "✕ Nothing is free on that day.";
    hint.classList.toggle("ok", isFree);
    const distance = (each) => Math.abs(Date.parse(`${each}Z`) - Date.parse(`${wanted}Z`));
    const closest = isFree ? [] : [...starts].sort((a, b) => distance(a) - distance(b)).slice(0, 4).sort();
    near.replaceChildren(...closest.map((each) => h("button.cal-chip", { type: "button", click: () => set(each) }, time(each))));
  };
  const offer = (ids) => {
    const kept = who.input.value || column || "";
    who.input.replaceChildren(h("option", { value: "" }, "Anyone who is free"), ...ids.map((id) => h("option", { value: id }, columns.get(id) ?? id)));
    who.input.value = ids.includes(kept) ? kept : "";
    look();
  };
  for (const each of [date, clock, who]) each.input.addEventListener("change", look);
  return { element: h("div.place", {}, h("div.cal-pair", {}, date, clock), who, hint, near), fields: { start: clock, date, resourceIds: who }, value, set, offer, look };
}

/** Move an appointment without dragging it. `calls`: free(line, from, to), move(line, where). */
export function showMove(line, column, { columns, free, move }) {
  const where = place({ start: line.start, column, columns, ask: (from, to) => free(line, from, to) });
  const errors = complaint();
  const refused = h("div");
  const send = async (more = {}) => {
    errors.clear();
    refused.replaceChildren();
    const { start, column: chosen } = where.value();
    try {
      await move(line, { start, column: chosen, ...more });
      element.close();
    } catch (problem) {
      if (!problem.isRefusal) errors.tell(problem, where.fields);
      else refused.replaceChildren(refusal(problem, {
        choose: (each) => { where.set(each.start); send({ offset: each.offset }); }, override: (reason) => send({ override: reason }),
      }));
    }
  };
  const element = dialog(`Move ${line.customer || "appointment"}`, h("form.cal-body", { novalidate: true, submit: (event) => { event.preventDefault(); send(); } },
    errors, where.element, refused, h("div.row", {}, h("button", {}, "Move"), h("button.plain", { type: "button", click: () => element.close() }, "Leave it"))));
  where.offer(line.candidates);
  where.fields.date.input.focus();
}

/** Book. `calls`: services, columns, free(service, from, to), find(text), book(order, key) which gives the id, focus(id). */
export function showNew({ start, column }, { services, columns, free, find, book, focus }) {
  const key = crypto.randomUUID();
  const fitting = services.filter((each) => !column || (each.resourceIds ?? []).includes(column));
  const offered = fitting.length ? fitting : services;
  const service = field("Service", h("select", { name: "service" }, ...offered.map((each) => h("option", { value: each.id }, `${each.name}, ${each.minutes} min`))));
  const where = place({ start, column, columns, ask: (from, to) => free(service.input.value, from, to) });
  const chosen = () => services.find((each) => each.id === service.input.value);
  service.input.addEventListener("change", () => where.offer(chosen()?.resourceIds ?? []));
  const customer = whoFor(find);
  const notes = field("Notes", h("textarea", { name: "notes", rows: 2, maxlength: 2000 }));
  const errors = complaint();
  const refused = h("div");
  let isSending = false;
  const send = async (more = {}) => {
    if (isSending) return;
    isSending = true;
    errors.clear();
    refused.replaceChildren();
    const { start: at, column: who } = where.value();
    try {
      const id = await book({ serviceId: service.input.value, start: at, resourceIds: who ? [who] : [], notes: notes.input.value.trim(), ...customer.value(), ...more },
        more.override || more.offset ? crypto.randomUUID() : key);
      element.returnTo = () => focus(id);
      element.close();
    } catch (problem) {
      const fields = { ...where.fields, ...customer.fields, serviceId: service, notes };
      if (!problem.isRefusal) errors.tell(problem, fields);
      else refused.replaceChildren(refusal(problem, {
        choose: (each) => { where.set(each.start); send({ offset: each.offset }); },
        override: (reason) => send({ override: { reason } }),
      }));
      refused.firstChild?.scrollIntoView({ block: "nearest" });
    } finally {
      isSending = false;
    }
  };
  const element = dialog("New appointment", services.length
    ? h("form.cal-body", { novalidate: true, submit: (event) => { event.preventDefault(); send(); } },
      errors, service, where.element, customer.element, notes, refused,
      h("div.row", {}, h("button", {}, "Book"), h("button.plain", { type: "button", click: () => element.close() }, "Leave it")))
    : h("p.cal-body", {}, "There is no service yet that could be booked. Add one under Set up."));
  if (services.length) where.offer(chosen()?.resourceIds ?? []);
  service.input.focus();
}

/** Who it is for: somebody who is known, found by what is typed, or somebody new. WAI-ARIA, combobox pattern. */
function whoFor(find) {
  const id = `l-${crypto.randomUUID().slice(0, 8)}`;
  const input = h("input", { name: "name", role: "combobox", autocomplete: "off", maxlength: 200, "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": id });
  const name = field("Customer", input, { hint: "Type a name, a mail address or a number: who is known is offered." });
  const found = h("ul.cal-found", { id, role: "listbox", "aria-label": "People who are known", hidden: true });
  const email = field("Mail address", h("input", { name: "email", type: "email", maxlength: 254, autocomplete: "off" }));
  const phone = field("Phone", h("input", { name: "phone", type: "tel", maxlength: 40, autocomplete: "off" }));
  let known = null, asked = 0, at = -1, people = [];
  const show = (isOpen) => {
    found.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) input.removeAttribute("aria-activedescendant");
  };
  const mark = (number) => {
    at = number;
    [...found.children].forEach((each, index) => each.setAttribute("aria-selected", String(index === at)));
    if (at >= 0) input.setAttribute("aria-activedescendant", `${id}-${at}`);
  };
  const take = (person) => {
    known = person;
    input.value = person.name;
    email.input.value = person.email;
    phone.input.value = person.phone;
    for (const each of [email, phone]) each.input.readOnly = true;
    show(false);
    say(`${person.name} chosen`);
  };
  input.addEventListener("input", async () => {
    if (known) for (const each of [email, phone]) { each.input.readOnly = false; each.input.value = ""; }
    known = null;
    const mine = ++asked, text = input.value.trim();
    people = text.length > 1 ? await find(text).catch(() => []) : [];
    if (mine !== asked) return;
    found.replaceChildren(...people.map((person, index) => h("li", {
      id: `${id}-${index}`, role: "option", "aria-selected": "false", pointerdown: (event) => { event.preventDefault(); take(person); },
    }, h("strong", {}, person.name), " ", h("span.meta", {}, [person.email, person.phone].filter(Boolean).join(" · ")))));
    at = -1;
    show(people.length > 0);
  });
  input.addEventListener("keydown", (event) => {
    if (found.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) mark((at + step + people.length) % people.length);
    else if (event.key === "Enter" && at >= 0) take(people[at]);
    else if (event.key === "Escape") show(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  input.addEventListener("blur", () => show(false));
  return {
    element: h("div.cal-who-for", {}, h("div.cal-combo", {}, name, found), h("div.cal-pair", {}, email, phone)), fields: { name, email, phone },
    value: () => (known ? { customerId: known.id } : { name: input.value.trim(), email: email.input.value.trim(), phone: phone.input.value.trim() }),
  };
}
