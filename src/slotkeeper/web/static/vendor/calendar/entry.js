// What the staff calendar needs of @event-calendar/core; `make vendor` makes one file of it.
export { createCalendar, destroyCalendar, Interaction, ResourceTimeGrid } from "@event-calendar/core";
export { flushSync } from "svelte";
