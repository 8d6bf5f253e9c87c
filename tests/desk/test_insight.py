"""The figures of a business against counting by hand, and the laws between them."""

import random
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Change, Put
from slotkeeper.core.appointment import Appointment, Status
from slotkeeper.core.errors import Invalid
from slotkeeper.core.reminders import LEASE_SECONDS, Message, MessageState
from slotkeeper.core.service import Need, Resource
from slotkeeper.core.ticks import Instant, format_instant
from slotkeeper.core.zones import local
from slotkeeper.desk import catalogue, insight
from slotkeeper.desk.changing import Request, act
from slotkeeper.desk.insight import Asked, Insight
from slotkeeper.documents import appointment_key, appointment_put, encoded, kind_key
from tests.builders import MONDAY, STAFF, Setting, a_clinic, at, contact
from tests.post import LetterBox, a_courier, caught, work

FIRST, LAST = date(2026, 11, 23), date(2026, 11, 29)
WEEK = Asked(first=FIRST, last=LAST)
STATUSES: tuple[Status, ...] = (
    "pending", "booked", "checkedIn", "completed", "declined", "cancelled", "noShow", "expired",
)  # fmt: skip


def figures(setting: Setting, asked: Asked = WEEK) -> Insight:
    return insight.insight(setting.desk, STAFF, asked)


def put(setting: Setting, *found: Appointment) -> None:
    for each in found:
        key = appointment_key("clinic", each.id)
        doc = setting.store.read([key]).get(key)
        setting.store.commit(Change({key: doc.version if doc else 0}, [appointment_put("clinic", each)]))


def a_busy_clinic(seed: int) -> tuple[Setting, list[Appointment]]:
    """Appointments at random, also at night, on one another, and from week to week."""
    drawn, setting = random.Random(seed), a_clinic()
    setting.clock.now = at("2026-11-26T12:00:00Z")
    found = []
    for number in range(120):
        start = Instant(at("2026-11-20T00:00:00Z") + drawn.randrange(0, 12 * 288) * 300)
        found.append(
            Appointment(
                id=f"apt_{number}",
                status=drawn.choice(STATUSES),
                start=start,
                end=Instant(start + drawn.choice((300, 1800, 2700, 86_400))),
                service_id=drawn.choice(("visit", "exam", "")),
                resource_ids=tuple(drawn.sample(("d0", "d1", "d2", "r0"), drawn.choice((1, 2)))),
                created=Instant(start - drawn.randrange(0, 40 * 86_400)),
                expires=Instant(start - drawn.randrange(-9, 9) * 86_400) if drawn.random() < 0.3 else Instant(0),
            )
        )
    put(setting, *found)
    return setting, found


def by_hand(setting: Setting, found: list[Appointment], id: str) -> tuple[int, int]:
    """The minutes that are booked within the hours of a doctor and without, minute by minute."""
    within = without = 0
    zone, now = "Europe/Berlin", setting.clock.now
    first = at("2026-11-22T23:00:00Z")
    for tick in range(7 * 288):
        start = Instant(first + tick * 300)
        wall = local(start, zone)
        is_open = id.startswith("r") or (wall.weekday() < 5 and 9 <= wall.hour < 17)
        is_booked = any(
            id in each.resource_ids and each.start < start + 300 and each.end > start and is_kept(each, now)
            for each in found
        )
        within += 5 * (is_booked and is_open)
        without += 5 * (is_booked and not is_open)
    return within, without


def is_kept(each: Appointment, now: Instant) -> bool:
    is_lapsed = each.status == "pending" and each.expires != 0 and each.expires <= now
    return each.status in ("pending", "booked", "checkedIn", "completed") and not is_lapsed


@pytest.mark.parametrize("seed", range(4))
def test_the_figures_are_those_of_counting_by_hand(seed: int) -> None:
    setting, found = a_busy_clinic(seed)
    inside = [each for each in found if FIRST <= local(each.start, "Europe/Berlin").date() <= LAST]

    it = figures(setting)

    assert it.total == len(inside)
    for load in it.loads:
        assert (load.booked_minutes, load.outside_minutes) == by_hand(setting, found, load.id)
        assert load.open_minutes == (7 * 1440 if load.kind == "room" else 5 * 8 * 60)
    for day in it.dates:
        there = [each for each in inside if local(each.start, "Europe/Berlin").date() == day]
        assert sum(count for (date_, _, _), count in it.bookings.items() if date_ == day) == len(there)
    kept = [local(each.start, "Europe/Berlin") for each in inside if is_kept(each, setting.clock.now)]
    for weekday in range(7):
        for hour in range(24):
            there_ = [wall for wall in kept if (wall.weekday(), wall.hour) == (weekday, hour)]
            assert it.busy[weekday][hour] == len(there_)
    leads = sorted(each.start - each.created for each in inside)
    assert it.median_lead_minutes == leads[(len(leads) - 1) // 2] // 60


@pytest.mark.parametrize("broken", ["", "counts twice", "forgets a part"])
@pytest.mark.parametrize("seed", range(2))
def test_the_parts_are_as_much_as_the_whole(seed: int, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    setting, _ = a_busy_clinic(seed)
    if broken == "counts twice":
        monkeypatch.setattr(insight, "LEAD_HOURS", (1, 24))
        monkeypatch.setattr(insight._Count, "lead_counts", lambda self: [len(self.leads), 1, 0])
    if broken == "forgets a part":
        come_to = insight._Count._come_to
        monkeypatch.setattr(
            insight._Count,
            "_come_to",
            lambda self, it, status: None if status == "noShow" else come_to(self, it, status),
        )

    with caught(broken or "whole", broken or None):
        whole = figures(setting)
        assert sum(whole.leads) == whole.total
        assert sum(each.total for each in whole.outcomes) == whole.total
        parts = [figures(setting, replace(WEEK, service_id=id)) for id in ("visit", "exam")]
        bare = sum(count for (_, id, _), count in whole.bookings.items() if not id)
        assert sum(each.total for each in parts) + bare == whole.total
        days = [figures(setting, Asked(first=day, last=day)) for day in whole.dates]
        assert sum(each.total for each in days) == whole.total
        for number, load in enumerate(whole.loads):
            same = [each.loads[number] for each in days]
            assert sum(each.open_minutes for each in same) == load.open_minutes
            assert sum(each.booked_minutes for each in same) == load.booked_minutes
            assert 0 <= load.share <= 1


def test_what_stands_outside_the_range_does_not_count() -> None:
    setting = a_clinic()
    setting.book("2026-11-23T08:00:00Z")
    setting.book("2026-11-27T15:30:00Z")
    setting.book("2026-11-30T08:00:00Z")

    assert figures(setting).total == 2
    assert figures(setting, Asked(first=FIRST, last=FIRST)).total == 1


def test_buffers_and_what_was_called_off_are_no_use_of_time() -> None:
    setting = a_clinic(doctors=1)
    setting.book("2026-11-23T08:00:00Z", "exam")
    gone = setting.book("2026-11-24T08:00:00Z", "exam")
    act(setting.desk, STAFF, "cancel", Request(id=gone.id))

    doctor = figures(setting).loads[0]

    assert (doctor.booked_minutes, doctor.open_minutes, doctor.outside_minutes) == (45, 5 * 480, 0)
    assert doctor.share == 45 / 2400


def test_time_off_is_no_time_to_be_used() -> None:
    setting = a_clinic(doctors=1)
    catalogue.add_time_off(setting.desk, STAFF, "d0", at("2026-11-24T08:00:00Z"), at("2026-11-24T16:00:00Z"), "ill")

    assert figures(setting).loads[0].open_minutes == 4 * 480


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 22), 24)]
)
def test_a_day_on_which_clocks_change_is_as_long_as_it_is(day: date, hours: int) -> None:
    setting = a_clinic()

    room = next(each for each in figures(setting, Asked(first=day, last=day)).loads if each.id == "r0")

    assert room.open_minutes == hours * 60


def test_rates_are_of_what_could_have_been() -> None:
    setting = a_clinic()
    starts = [f"2026-11-23T{hour:02}:00:00Z" for hour in range(8, 14)]
    made = [setting.book(start) for start in starts]
    act(setting.desk, STAFF, "cancel", Request(id=made[0].id))
    setting.clock.now = at("2026-11-23T12:00:00Z")
    act(setting.desk, STAFF, "noShow", Request(id=made[1].id))

    [visit] = figures(setting).outcomes

    assert (visit.came, visit.missed, visit.cancelled, visit.to_come, visit.turned_down) == (2, 1, 1, 2, 0)
    assert visit.missed_share == 1 / 3
    assert visit.cancelled_share == 1 / 6


def test_reminders_are_as_punctual_as_the_courier_was() -> None:
    setting, box = a_clinic(), LetterBox()
    setting.book("2026-11-24T09:00:00Z", contact=contact())
    setting.book("2026-11-25T09:00:00Z", contact=contact())
    work(a_courier(setting, box), setting, "2026-11-24T08:30:00Z")
    punctual = figures(setting).punctuality
    setting.clock.now = at("2026-11-25T08:10:00Z")
    overdue = figures(setting).punctuality
    work(a_courier(setting, box), setting, "2026-11-25T08:30:00Z")

    late = figures(setting).punctuality

    assert len(box.reminders()) == 4
    assert (punctual.sent, punctual.late, punctual.overdue, punctual.p99_seconds) == (2, 0, 0, 0)
    assert (overdue.sent, overdue.overdue) == (2, 2)
    assert (late.sent, late.late, late.failed, late.overdue) == (4, 2, 0, 0)
    assert late.p99_seconds == 86_400 - 50 * 60


def test_what_was_given_up_is_told() -> None:
    setting = a_clinic()
    made = setting.book("2026-11-24T09:00:00Z")
    dead = Message(id="m", kind="reminder", channel="email", due=made.start, state="dead", attempts=9)
    slow = replace(dead, id="n", state="sent", first_due=made.start, due=Instant(made.start + LEASE_SECONDS + 61))
    event = replace(dead, id="o", kind="booked")
    put(setting, replace(made, messages=(dead, slow, event, replace(dead, id="p"))))

    it = figures(setting).punctuality

    assert (it.sent, it.late, it.failed, it.overdue, it.p50_seconds) == (1, 1, 2, 0, 61)


def test_the_store_is_asked_no_more_often_for_more_days_or_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    setting, asked = a_clinic(), list[str]()
    for name in ("read", "read_ranges", "list"):
        whole = getattr(setting.store, name)

        def counting(*others: object, _whole: object = whole, _name: str = name, **named: object) -> object:
            asked.append(_name)
            return _whole(*others, **named)  # type: ignore[operator] # a method of the store

        monkeypatch.setattr(setting.store, name, counting)

    figures(setting)
    few = list(asked)
    asked.clear()
    for number in range(60):
        setting.put("resource", f"x{number}", Resource(name=f"X {number}", zone="Europe/Berlin", schedule_id="week"))
    asked.clear()
    figures(setting, Asked(first=FIRST, last=FIRST + timedelta(days=91)))

    assert asked == few == ["read", "read_ranges", "list"]


@pytest.mark.parametrize("last", [FIRST - timedelta(days=1), FIRST + timedelta(days=92)])
def test_the_range_is_bounded(last: date) -> None:
    with pytest.raises(Invalid, match="1 to 92 days") as caught:
        figures(a_clinic(), Asked(first=FIRST, last=last))
    assert caught.value.field == "to"


def test_another_business_is_not_counted() -> None:
    setting = a_clinic()
    setting.book("2026-11-24T09:00:00Z")
    foreign = replace(setting.book("2026-11-24T10:00:00Z"), id="apt_foreign")
    key = appointment_key("other", foreign.id)
    place = appointment_put("other", foreign).places
    setting.store.commit(Change({key: 0}, [Put(key, encoded(foreign), place)]))

    assert figures(setting).total == 2


def test_a_service_that_needs_all_is_counted_for_each() -> None:
    setting = a_clinic()
    setting.service("pair", needs=[Need(all_of=("d0", "d1"))])
    setting.book("2026-11-24T09:00:00Z", "pair")

    used = {each.id: each.booked_minutes for each in figures(setting, replace(WEEK, resource_id="d1")).loads}

    assert used == {"d1": 30}


# At the very edge.

NOW = at(MONDAY)


def an_appointment(start: str, seconds: int = 1800, **others: object) -> Appointment:
    made = Appointment(
        id="apt_1",
        status="booked",
        start=at(start),
        end=Instant(at(start) + seconds),
        service_id="visit",
        resource_ids=("d0",),
        created=at("2026-11-01T00:00:00Z"),
    )
    return replace(made, **others)


@pytest.mark.parametrize(
    ("start", "inside"),
    [
        ("2026-11-22T22:59:59Z", 0),
        ("2026-11-22T23:00:00Z", 1),
        ("2026-11-29T22:59:59Z", 1),
        ("2026-11-29T23:00:00Z", 0),
    ],
)
def test_the_days_are_from_midnight_to_midnight_of_the_place(start: str, inside: int) -> None:
    setting = a_clinic()
    put(setting, an_appointment(start))

    assert figures(setting).total == inside


@pytest.mark.parametrize(
    ("expires", "status"),
    [(0, "pending"), (1, "expired"), (NOW - 1, "expired"), (NOW, "expired"), (NOW + 1, "pending")],
)
def test_what_was_not_confirmed_in_time_is_expired_before_it_is_swept_up(expires: Instant, status: Status) -> None:
    setting = a_clinic()
    put(setting, an_appointment("2026-11-24T09:00:00Z", status="pending", expires=expires))

    it = figures(setting)

    assert it.bookings == {(date(2026, 11, 24), "visit", status): 1}
    assert it.loads[0].booked_minutes == (30 if status == "pending" else 0)
    assert sum(map(sum, it.busy)) == (status == "pending")


@pytest.mark.parametrize("status", STATUSES)
def test_what_became_of_an_appointment_is_told_from_its_end_on(status: Status) -> None:
    setting = a_clinic()
    put(setting, an_appointment("2026-11-24T09:00:00Z", status=status))
    over = {"declined": "turned_down", "expired": "turned_down", "cancelled": "cancelled", "noShow": "missed"}

    def told() -> list[str]:
        [outcome] = figures(setting).outcomes
        return [name for name in ("came", "missed", "cancelled", "turned_down", "to_come") if getattr(outcome, name)]

    setting.clock.now = at("2026-11-24T09:29:59Z")
    assert told() == [over.get(status, "came" if status == "completed" else "to_come")]
    setting.clock.now = at("2026-11-24T09:30:00Z")
    assert told() == [over.get(status, "to_come" if status == "pending" else "came")]


@pytest.mark.parametrize(("days", "minutes"), [(7, 480), (8, 480), (30, 480), (31, 0)])
def test_what_began_long_ago_and_lasts_uses_time_still(days: int, minutes: int) -> None:
    """A span without a service lasts up to 31 days."""
    setting, day = a_clinic(), date(2026, 11, 24)
    since = Instant(at("2026-11-23T23:00:00Z") - days * 86_400)
    put(setting, an_appointment(format_instant(since), 31 * 86_400))

    it = figures(setting, Asked(first=day, last=day))

    assert (it.loads[0].booked_minutes, it.total) == (minutes, 0)


def test_what_is_long_past_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    setting, pages = a_clinic(), list[int]()
    old = [an_appointment(f"2026-0{month}-01T09:00:00Z", id=f"apt_{month}") for month in range(1, 10)]
    put(setting, *old, an_appointment("2026-11-24T09:00:00Z"))
    whole = setting.store.list

    def counting(*which: Any, **how: Any) -> Any:
        page = whole(*which, **how)
        pages.append(len(page.docs))
        return page

    monkeypatch.setattr(setting.store, "list", counting)

    assert figures(setting).total == sum(pages) == 1


def test_it_is_read_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    setting, _ = a_busy_clinic(0)
    whole = figures(setting)
    monkeypatch.setattr(insight, "PAGE", 7)

    assert figures(setting) == whole


def test_who_was_never_open_has_used_no_share_of_it() -> None:
    setting = a_clinic(doctors=1)
    catalogue.add_time_off(setting.desk, STAFF, "d0", at("2026-11-22T00:00:00Z"), at("2026-12-01T00:00:00Z"))
    put(setting, an_appointment("2026-11-24T09:00:00Z"))

    doctor = figures(setting).loads[0]

    assert (doctor.open_minutes, doctor.outside_minutes, doctor.share) == (0, 30, 0.0)


def test_shares_of_nothing_are_none() -> None:
    outcome = insight.Outcome(service_id="visit", turned_down=1)

    assert (outcome.total, outcome.missed_share, outcome.cancelled_share) == (1, 0.0, 0.0)


def test_what_was_turned_down_could_not_be_cancelled() -> None:
    outcome = insight.Outcome(service_id="visit", came=1, cancelled=1, turned_down=2)

    assert (outcome.total, outcome.cancelled_share) == (4, 0.5)


def test_resources_are_told_in_the_order_of_their_names_and_of_their_ids_where_those_are_equal() -> None:
    setting = a_clinic(doctors=1, rooms=1)
    for id, name in (("0", "Room 10"), ("2", "Room 2"), ("1", "Room 2")):
        zone = "Europe/Rome" if id == "1" else "Europe/Berlin"
        setting.put("resource", id, Resource(name=name, kind="room", zone=zone))

    assert [each.id for each in figures(setting).loads] == ["d0", "r0", "1", "2", "0"]


def test_where_nobody_was_reminded_nobody_waited() -> None:
    it = figures(a_clinic()).punctuality

    assert (it.sent, it.late, it.p50_seconds, it.p99_seconds) == (0, 0, 0, 0)


def test_whose_schedule_is_gone_was_never_open() -> None:
    setting = a_clinic()
    key = kind_key("clinic", "schedule", "week")
    setting.store.commit(Change({key: 1}, deletes=[key]))

    assert figures(setting).loads[0].open_minutes == 0


def a_reminder(**facts: object) -> Message:
    return replace(Message(id="m", kind="reminder", channel="email", due=at("2026-11-23T05:00:00Z")), **facts)


@pytest.mark.parametrize(("delay", "seconds", "late"), [(-5, 0, 0), (0, 0, 0), (60, 60, 0), (61, 61, 1)])
def test_a_reminder_is_late_after_more_than_a_minute(delay: int, seconds: int, late: int) -> None:
    """It keeps the end of the claim under which it was sent."""
    setting, due = a_clinic(), at("2026-11-23T05:00:00Z")
    sent = a_reminder(state="sent", first_due=due, due=Instant(due + delay + LEASE_SECONDS))
    put(setting, an_appointment("2026-11-24T09:00:00Z", messages=(sent,)))

    it = figures(setting).punctuality

    assert (it.sent, it.late, it.p50_seconds, it.p99_seconds) == (1, late, seconds, seconds)


def test_a_reminder_that_was_sent_before_delays_were_noted_counts_as_punctual() -> None:
    setting = a_clinic()
    put(setting, an_appointment("2026-11-24T09:00:00Z", messages=(a_reminder(state="sent"),)))

    it = figures(setting).punctuality

    assert (it.sent, it.late, it.p99_seconds) == (1, 0, 0)


@pytest.mark.parametrize("state", ["waiting", "claimed"])
@pytest.mark.parametrize(
    ("due", "first_due", "overdue"), [(-60, 0, 1), (-59, 0, 0), (0, 0, 0), (59, 0, 0), (600, -60, 1), (-90, -59, 0)]
)
def test_a_reminder_is_overdue_a_minute_after_it_was_to_go(
    state: MessageState, due: int, first_due: int, overdue: int
) -> None:
    """What is tried again is due later, and was to go when it was tried first."""
    setting = a_clinic()
    now = setting.clock.now
    first = Instant(now + first_due) if first_due else Instant(0)
    note = a_reminder(state=state, due=Instant(now + due), first_due=first)
    put(setting, an_appointment("2026-11-24T09:00:00Z", messages=(note,)))

    it = figures(setting).punctuality

    assert (it.overdue, it.sent, it.failed) == (overdue, 0, 0)


@pytest.mark.parametrize(
    ("hours", "stretch"), [(0, 0), (1, 1), (23, 1), (24, 2), (72, 3), (168, 4), (336, 5), (672, 6)]
)
def test_lead_times_are_counted_in_stretches(hours: int, stretch: int) -> None:
    setting, start = a_clinic(), at("2026-11-24T09:00:00Z")
    put(setting, an_appointment("2026-11-24T09:00:00Z", created=Instant(start - hours * 3600)))

    it = figures(setting)

    assert [at for at, count in enumerate(it.leads) if count] == [stretch]
    assert it.median_lead_minutes == hours * 60


def test_who_no_longer_serves_is_told_of_while_they_were_booked() -> None:
    setting = a_clinic(doctors=2)
    for id in ("d0", "d1"):
        setting.put("resource", id, Resource(name=f"Dr {id}", zone="Europe/Berlin", active=False))
    put(setting, an_appointment("2026-11-24T09:00:00Z"))

    assert [each.id for each in figures(setting).loads] == ["d0", "r0", "r1"]
