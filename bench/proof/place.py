"""A place in a zone, with visits around each change of its clocks: whatever the service says of them is compared with
what the wall clock, read on its own, says.
"""

import re
from collections import Counter
from html import unescape

import msgspec

from bench.proof.wallwords import due, in_calendar, in_mail, on_page, span_on_page
from bench.proof.zonefile import clock_of
from slotkeeper.contracts import Letter
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.service import Business, Need, Resource
from slotkeeper.core.ticks import DAY_SECONDS, TICK_SECONDS, Instant, format_instant
from slotkeeper.desk import catalogue
from slotkeeper.desk.search import Search, service_slots
from slotkeeper.linking import Links
from slotkeeper.web.app import Web
from slotkeeper.web.http import Request
from slotkeeper.web.staff.days import Days
from slotkeeper.web.staff.feed import feed
from tests.builders import STAFF, a_setting, contact
from tests.laws.test_every_zone import SCHEDULE, STEP_MINUTES, wall_minutes
from tests.post import LetterBox, a_courier, work

HOUR = 3600
AWAY = "Asia/Kathmandu"
"""Where the customers are: a clock that is never changed, three quarters of an hour past the full one."""
LEADS = (24 * 60, 8 * 60, 60)
STARTS = (-90 * 60, -30 * 60, 0, 30 * 60, 90 * 60, 8 * HOUR, 24 * HOUR + 1800)
"""When visits of an hour begin, in seconds after the change: the second passes over it, the last ones' reminders do."""
BOOKED_BEFORE = 3 * DAY_SECONDS
HASTY = (-40 * 60, 10 * HOUR)
"""One more is booked so shortly before the change, for so long after it: quiet hours have often begun by then."""
ICS = re.compile(r"^(DTSTART|DTEND):(\S+)\r?$", re.MULTILINE)
TIMES = re.compile(r'<li><a href="/clinic/visit/[^"?]*[^"]*">([^<]*)</a>')


class Tally(msgspec.Struct):
    """How much was compared, and where it differed, each by what it is about: hours, reminders or words."""

    compared: Counter[str] = msgspec.field(default_factory=Counter)
    wrong: dict[str, list[str]] = msgspec.field(default_factory=dict)

    def compare(self, about: str, what: str, found: object, expected: object) -> None:
        self.compared[about] += 1
        if found != expected:
            self.wrong.setdefault(about, []).append(f"{what}: {found!r} in place of {expected!r}")

    def add(self, other: "Tally") -> None:
        self.compared += other.compared
        for about, texts in other.wrong.items():
            self.wrong.setdefault(about, []).extend(texts)


class Place:
    """A business in the zone: Ada, with hours that end and pass where clocks change, and rooms that are always open."""

    def __init__(self, zone: str) -> None:
        self.zone, self.clock, self.away = zone, clock_of(zone), clock_of(AWAY)
        quiet = {"quiet_from": "22:00", "quiet_to": "07:00"}
        self.setting = a_setting(now="2019-12-01T00:00:00Z", business=Business(name="Place", zone=zone, **quiet))
        self.setting.put("schedule", "odd", SCHEDULE)
        self.setting.put("resource", "ada", Resource(name="Ada", zone=zone, schedule_id="odd"))
        for number in range(len(STARTS) + 1):
            self.setting.put("resource", f"r{number}", Resource(name=f"r{number}", kind="room", zone=zone))
        self.setting.service("visit", needs=[Need(all_of=("ada",))], duration_minutes=20, step_minutes=STEP_MINUTES)
        for lead in LEADS:
            catalogue.put_on_shelf(self.setting.desk, STAFF, "reminderRules", None, ReminderRule(lead_minutes=lead))
        self.web = Web(self.setting.desk, seconds=lambda: 0.0)

    def examined(self, change: int) -> Tally:
        """All that is said around a change, in seconds since 1970, compared with what should be."""
        tally = Tally()
        change = -(-change // TICK_SECONDS) * TICK_SECONDS
        box = LetterBox(lambda letter: sent.append((letter, int(self.setting.clock.now))))
        sent = list[tuple[Letter, int]]()
        courier = a_courier(self.setting, box)
        self.setting.clock.now = Instant(change - BOOKED_BEFORE)
        self._hours(tally, change)
        booked = [self._book(number, change + after) for number, after in enumerate(STARTS)]
        for each in booked:
            self._reminders(tally, each)
            self._page(tally, each)
        self._calendar(tally, change, booked)
        work(courier, self.setting, _text(change + HASTY[0]))
        hasty = self._book(len(STARTS), change + HASTY[1])
        self._reminders(tally, hasty)
        work(courier, self.setting, _text(change + STARTS[-1]))
        self._mails(tally, [*booked, hasty], sent)
        return tally

    def _book(self, number: int, start: int) -> Appointment:
        return self.setting.book(
            format_instant(Instant(start)),
            "",
            end=format_instant(Instant(start + HOUR)),
            resource_ids=(f"r{number}",),
            contact=contact(zone=AWAY),
        )

    def _hours(self, tally: Tally, change: int) -> None:
        """Slots of half a day on each side, and the times on the page of the day."""
        first, last = change - DAY_SECONDS // 2, change + DAY_SECONDS // 2
        wanted = Search(first=Instant(first), last=Instant(last))
        starts = service_slots(self.setting.desk, STAFF, "visit", wanted).starts
        tally.compare("hours", f"{self.zone} slots around {_text(change)}", list(starts), self._slots(first, last))
        date = self.clock.wall(change).date()
        near = range(change - DAY_SECONDS, change + DAY_SECONDS, TICK_SECONDS)
        expected = [on_page(self.clock, at) for at in self._slots(near[0], near[-1] + 1, date.isoformat())]
        source = self._get(f"/clinic/visit?day={date}&lang=en")
        shown = [_plain(text) for text in TIMES.findall(source)]
        if expected:  # a day without any is not the one that is shown
            tally.compare("words", f"{self.zone} page of {date}", shown, expected)

    def _slots(self, first: int, last: int, date: str = "") -> list[int]:
        """Every tick at which the clock shows a step, and hours for four ticks."""
        return [
            at
            for at in range(first, last, TICK_SECONDS)
            if self._is_step(at)
            and all(self._is_open(at + number * TICK_SECONDS) for number in range(4))
            and date in ("", self.clock.wall(at).date().isoformat())
        ]

    def _is_step(self, at: int) -> bool:
        wall = self.clock.wall(at)
        return (wall.hour * 60 + wall.minute) % STEP_MINUTES == 0

    def _is_open(self, at: int) -> bool:
        weekly, special = wall_minutes()
        wall = self.clock.wall(at)
        minute, date = wall.hour * 60 + wall.minute, wall.date().isoformat()
        return minute in special[date] if date in special else (wall.weekday(), minute) in weekly

    def _reminders(self, tally: Tally, visit: Appointment) -> None:
        now = self.setting.clock.now
        owed = {each.lead_minutes: int(each.due) for each in visit.messages if each.kind == "reminder"}
        times = {lead: due(self.clock, visit.start, lead, now) for lead in LEADS}
        expected = {lead: at for lead, at in times.items() if at is not None}
        tally.compare("reminders", f"{self.zone} reminders of {_text(visit.start)}", owed, expected)

    def _mails(self, tally: Tally, visits: list[Appointment], sent: list[tuple[Letter, int]]) -> None:
        """When each confirmation and reminder left, and what it says: the place's time, and the customer's where that
        differs."""
        left = {letter.id: (at, _rows(letter.text)) for letter, at in sent}
        for visit in visits:
            booked = visit.events[0].at
            for message in visit.messages:
                reminds = message.kind == "reminder"
                at = due(self.clock, visit.start, message.lead_minutes, booked) if reminds else booked
                what = f"{self.zone} {message.kind} of {_text(visit.start)}"
                when, rows = left.get(message.id, (None, None))
                tally.compare("reminders", what, when, at)
                tally.compare("words", what, rows, self._expected_rows(visit))

    def _expected_rows(self, visit: Appointment) -> list[str]:
        span = visit.start, visit.end
        rows = [f"When: {in_mail(self.clock, self.zone, *span)}"]
        if self.zone != AWAY and any(self.clock.offset(at) != self.away.offset(at) for at in span):
            rows.append(f"Your time: {in_mail(self.away, AWAY, *span)}")
        return rows

    def _page(self, tally: Tally, visit: Appointment) -> None:
        """The page behind the link of a mail, and the file for calendars."""
        token = Links(self.setting.store).appointment_token("clinic", visit)
        page = _plain(re.sub(r"<[^>]+>", " ", self._get(f"/visit/clinic/{token}?lang=en")))
        span = span_on_page(self.clock, visit.start, visit.end)
        tally.compare("words", f"{self.zone} page of {_text(visit.start)}: {span}", f" {span} " in page, True)
        file = dict(ICS.findall(self._get(f"/visit/clinic/{token}/calendar.ics")))
        stamps = {"DTSTART": _stamp(visit.start), "DTEND": _stamp(visit.end)}
        tally.compare("words", f"{self.zone} file of {_text(visit.start)}", file, stamps)

    def _calendar(self, tally: Tally, change: int, visits: list[Appointment]) -> None:
        first, last = (self.clock.wall(change + days * DAY_SECONDS).date().isoformat() for days in (-2, 4))
        shown, _ = feed(self.setting.desk, "clinic", Days(from_=first, to=last))
        lines = {line.id: (line.start, line.end, line.offset) for line in shown.appointments}
        expected = {visit.id: in_calendar(self.clock, visit.start, visit.end) for visit in visits}
        tally.compare("words", f"{self.zone} calendar from {first}", {id: lines.get(id) for id in expected}, expected)

    def _get(self, address: str) -> str:
        path, _, query = address.partition("?")
        headers = {"accept": "text/html", "host": "book.example.com"}
        response = self.web.answer(Request("GET", path, query, headers, b"", "192.0.2.1"))
        assert response.status == 200, (address, response.status)
        return response.body.decode()


def _rows(text: str) -> list[str]:
    """The lines of a mail that tell times."""
    return [line for line in text.splitlines() if line.startswith(("When:", "Your time:"))]


def _plain(text: str) -> str:
    """Without markup for spaces: they may be of any kind and number."""
    return " ".join(unescape(text).split())


def _text(at: int) -> str:
    return format_instant(Instant(at))


def _stamp(at: int) -> str:
    return _text(at).replace("-", "").replace(":", "")
