// The same days as a list: for small phones, for reading aloud, and for whoever prefers lines to boxes.

import { h } from "./staff-calendar-parts.js";
import { dateOf, LONG, said, spanOf } from "./staff-calendar-walls.js";

/** Put the lines into the element, under their dates. */
export function list(element, { dates, lines, names, words, marks, open }) {
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  const days = dates.map((date) => [date, lines.filter((line) => dateOf(line.start) === date)]);
  const shown = days.filter(([, found]) => found.length);
  element.replaceChildren(
    ...shown.map(([date, found]) => h(
      "section.cal-day", {}, h("h2", {}, said(date, LONG)), h("ul", {}, ...found.map((line) => item(line, { names, words, marks, open }))),
    )),
    ...(shown.length ? [] : [h("p.cal-nothing", {}, "No appointments here. Other days or filters may have some.")]),
  );
  if (focused) element.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
}

function item(line, { names, words, marks, open }) {
  const serving = (line.resourceIds ?? []).map((id) => names.get(id) ?? id).join(", ");
  return h("li", {}, h(
    `button.cal-line.is-${line.status}${line.overrode ? ".is-overridden" : ""}`,
    { type: "button", "data-id": line.id, click: () => open(line.id) },
    h("span.when", {}, spanOf(line)),
    h("span.name", {}, line.customer || "No name"),
    h("span.what", {}, [line.service, serving].filter(Boolean).join(" · ")),
    h("span.cal-state", {}, marks[line.status] && h("span.sign", { "aria-hidden": "true" }, marks[line.status]), words[line.status],
      line.overrode && h("span.cal-tag.warn", {}, "Overridden"), line.isAttending && h("span.cal-tag.ok", {}, "Will come")),
  ));
}
