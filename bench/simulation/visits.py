"""What happened to each appointment, read from its documents as plain JSON, and whether it could."""

from collections.abc import Iterable, Mapping
from typing import Any

from bench.simulation.claims import Claims, Span, Where, Wrong, places
from bench.simulation.owed import LEADS_MINUTES, Message, Messages
from slotkeeper.contracts import Key

CLAIMING = frozenset({"pending", "booked", "checkedIn", "completed"})
LASTING = {"changed", "attending"}
"""Events after which an appointment is where it was, and as it was."""

TOLD = frozenset({"pending", "booked", "moved", "declined", "cancelled", "expired"})
"""Events that the customer is told of by mail."""


class Visit:
    """An appointment. `told` are the numbers of its events in the business's feed, `ticket` names the request that made
    it."""

    __slots__ = ("end", "events", "id", "messages", "published", "start", "status", "ticket", "told")

    def __init__(self, id: str, ticket: str) -> None:
        self.id = id
        self.ticket = ticket
        self.status = ""
        self.start = self.end = 0
        self.events: list[dict[str, Any]] = []
        self.messages: set[str] = set()
        self.published = 0
        self.told: list[int] = []


class Visits:
    """All appointments of a business, whose part of every key begins with `business`."""

    def __init__(self, business: str, claims: Claims, messages: Messages) -> None:
        self.by_id: dict[str, Visit] = {}
        self.by_ticket: dict[str, Visit] = {}
        self._business = business
        self._claims = claims
        self._messages = messages
        self._feed = 0

    def written(self, said: dict[str, Any], now: float) -> None:
        """Take note of an appointment as it is now. Raises `Wrong`."""
        visit = self.by_id.get(said["id"]) or self._opened(said)
        events = said["events"]
        if events[: len(visit.events)] != visit.events or len(events) != said.get("revision", 1):
            raise Wrong(f"the events of {visit.id} were rewritten")
        fresh = events[len(visit.events) :]
        if not fresh and (said["status"], said["start"], said["end"]) != (visit.status, visit.start, visit.end):
            raise Wrong(f"{visit.id} changed without an event")
        visit.status, visit.start, visit.end = said["status"], said["start"], said["end"]
        visit.events, visit.published = events, said.get("published", 0)
        new = self._messages.written(visit.id, said["messages"], now)
        visit.messages.update(message.id for message in new)
        if fresh:
            self._check_owed(visit, fresh, said["messages"], new)
            self._claims.owe(visit.id, self._where(said))
            if said.get("overrode"):
                self._claims.may_overlap.add(visit.id)

    def held(self, said: Mapping[str, Any]) -> None:
        """Take note of a hold."""
        calendars = said["resourceIds"]
        span = (said["claimStart"], said["claimEnd"], said["expires"])
        self._claims.owe(said["id"], self._spread(calendars, span, said.get("tallies", ())))

    def published(self, number: int, said: Mapping[str, Any]) -> None:
        """Take note of an event in the feed. Raises `Wrong` for a gap, a repeat, or one that never happened."""
        if number != self._feed + 1 or said["number"] != number:
            raise Wrong(f"event {number} follows event {self._feed} in the feed")
        self._feed = number
        visit = self.by_id[said["appointmentId"]]
        visit.told.append(number)
        event = visit.events[said["revision"] - 1]
        same = all(said.get(name) == event.get(name) for name in ("type", "at", "start", "end"))
        if said["revision"] != len(visit.told) or not same:
            raise Wrong(f"event {number} is not the next one of {visit.id}")

    def counted(self, number: int) -> None:
        """Raises `Wrong` unless so many events are in the feed."""
        if number != self._feed:
            raise Wrong(f"{self._feed} events are in the feed, counted are {number}")

    def check_published(self, ids: Iterable[str]) -> None:
        """Raises `Wrong` unless each says itself how many of its events are in the feed."""
        for id in ids:
            visit = self.by_id[id]
            if visit.published != len(visit.told):
                raise Wrong(f"{id} says that {visit.published} of its events are in the feed, {len(visit.told)} are")

    def check_over(self, visit: Visit) -> None:
        """Raises `Wrong` unless all that the visit owed is done: for when it is over."""
        if len(visit.told) != len(visit.events):
            raise Wrong(f"{len(visit.told)} of {len(visit.events)} events of {visit.id} are in the feed")
        self._messages.check_done(visit.messages)

    def documents(self, visit: Visit) -> list[Key]:
        """The keys of all that is kept of a visit but its claims: itself, its messages and its events."""
        business = self._business
        own = Key(f"{business}/appointment/{visit.id}", "appointment")
        notes = [Key(f"{business}/notification/{id}", "notification") for id in visit.messages]
        return [own, *notes, *(Key(f"{business}/event", f"{number:012d}") for number in visit.told)]

    def forget(self, visit: Visit) -> None:
        """Drop a visit that is over."""
        del self.by_id[visit.id]
        self.by_ticket.pop(visit.ticket, None)
        self._messages.forget(visit.messages)
        self._claims.owe(visit.id, {})
        self._claims.may_overlap.discard(visit.id)

    def _opened(self, said: Mapping[str, Any]) -> Visit:
        ticket = said.get("details", {}).get("ticket", "")
        visit = self.by_id[said["id"]] = Visit(said["id"], ticket)
        if ticket:
            if ticket in self.by_ticket:
                raise Wrong(f"request {ticket} made both {self.by_ticket[ticket].id} and {visit.id}")
            self.by_ticket[ticket] = visit
        return visit

    def _check_owed(
        self, visit: Visit, fresh: list[dict[str, Any]], said: Iterable[Mapping[str, Any]], new: list[Message]
    ) -> None:
        """Whether the change leaves the right reminders owed, and the customer told of it."""
        last = fresh[-1]
        if last["type"] not in LASTING:
            self._check_reminders(visit, last, said, new)
        notices = {message.kind for message in new if message.kind != "reminder"}
        untold = [each["type"] for each in fresh if each["type"] in TOLD and each["type"] not in notices]
        if untold and not (untold == ["booked"] and len(visit.events) > 1):
            raise Wrong(f"{visit.id} owes no notice that it is {untold[0]}")

    def _check_reminders(
        self, visit: Visit, event: Mapping[str, Any], said: Iterable[Mapping[str, Any]], new: list[Message]
    ) -> None:
        dues: list[int] = []
        if visit.status == "booked":
            dues = [due for lead in LEADS_MINUTES if (due := visit.start - lead * 60) > event["at"]]
        fresh = {message.id for message in new if message.kind == "reminder"}
        if sorted(message.due for message in new if message.id in fresh) != dues:
            raise Wrong(f"{visit.id} owes {len(fresh)} reminders after it is {event['type']}, and not {len(dues)}")
        for each in said:
            is_owed = each.get("state", "waiting") in ("waiting", "claimed")
            if each["kind"] == "reminder" and is_owed and each["id"] not in fresh:
                raise Wrong(f"reminder {each['id']} of {visit.id} is still owed after it is {event['type']}")

    def _where(self, said: Mapping[str, Any]) -> Where:
        if said["status"] not in CLAIMING:
            return {}
        span = (
            said["start"] - said.get("bufferBefore", 0),
            said["end"] + said.get("bufferAfter", 0),
            said.get("expires", 0),
        )
        return self._spread(said["calendars"], span, said.get("tallies", ()))

    def _spread(self, calendars: Iterable[str], span: Span, tallies: Iterable[tuple[str, str]]) -> Where:
        sheets = (
            key for calendar in calendars for key in places(f"{self._business}/sheet/{calendar}", span[0], span[1])
        )
        return dict.fromkeys([*sheets, *(Key(*tally) for tally in tallies)], span)
