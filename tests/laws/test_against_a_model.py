"""Any sequence of actions has the outcome that a plain model says, and leaves the claims that it says."""

import random
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import HoldGone, Refused
from slotkeeper.core.hours import Opening, Schedule, Weekly
from slotkeeper.core.rules import RULES, Facts, Member, Needed, able, chosen
from slotkeeper.core.service import Need, Pool, Resource
from slotkeeper.core.sheet import Claim, live
from slotkeeper.core.ticks import Instant, Tick, format_instant
from slotkeeper.desk import booking, catalogue, changing, holds, search
from slotkeeper.doctor import examine
from slotkeeper.documents import sheet_of
from slotkeeper.ledger import Draft
from tests.builders import STAFF, Setting, a_setting, at, hours, order
from tests.laws.model import Claimed, Model, Offer, Person

STEPS = 2_500
SEEDS = range(20)
"""50,000 steps in all."""

START = "2026-10-21T06:00:00Z"
"""Four days before the clocks go back in Berlin, in the night from Saturday to Sunday."""

SPAN = 6 * 86_400
DOCTORS, ROOMS = ("d0", "d1", "d2"), ("r0", "r1")
WORK = tuple((day, 9 * 60, 17 * 60) for day in (0, 1, 2, 3, 4))
NIGHT = tuple((day, 22 * 60, 30 * 60) for day in range(7))
YORK = tuple((day, 8 * 60, 12 * 60) for day in range(7))

OFFERS = {
    "visit": Offer(30, ((DOCTORS, 1),)),
    "exam": Offer(45, ((DOCTORS, 1), (ROOMS, 1)), before=5, after=10, notice=60, horizon_days=5),
    "pair": Offer(20, ((DOCTORS, 2),), step=20, day_limit=2, customer_limit=2),
    "night": Offer(60, ((("n0",), 1),), step=30),
}


class Play:
    """One run: each step acts on the desk and on the model, and holds one against the other."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.setting = _a_hospital()
        self.model = Model(zone="Europe/Berlin", people=_people(), offers=OFFERS, now=self.setting.clock.now)
        self.appointments: dict[str, Appointment] = {}
        self.holds: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()

    def step(self) -> None:
        acts = [self.book] * 6 + [self.hold] * 3 + [self.book_hold] * 3 + [self.move] * 5 + [self.cancel] * 3
        acts += [self.confirm, self.decline, self.away, self.back, self.wait, self.search, self.freely, self.release]
        act = self.dice.choice(acts)
        act()
        self.counts[act.__name__] += 1

    def book(self, hold: Any = None) -> None:
        name = hold.service_id if hold else self.a_service()
        start = hold.start if hold else self.a_start()
        pinned = tuple(hold.resource_ids) if hold else self.some_pins(name)
        customer = f"c{self.dice.randrange(3)}"
        ignoring = hold.id if hold else ""
        expected = self.model.verdict(name, start, customer=customer, pinned=pinned, ignoring=ignoring)
        if hold and (hold.id not in self.holds or hold.expires <= self.model.now):
            expected = "hold-gone"
        wish = order(
            format_instant(Instant(start)),
            service_id=name,
            customer_id=customer,
            resource_ids=() if hold else pinned,
            hold_id=ignoring,
        )
        made = self.tried(expected, lambda: booking.book(self.setting.desk, STAFF, wish))
        if made is not None:
            self.settled(name, start, pinned, made.appointment.resource_ids, ignoring)
            if hold:
                self.forget(hold.id)
                del self.holds[hold.id]
            self.remember(made.appointment, name)

    def hold(self) -> None:
        name, start = self.a_service(), self.a_start()
        pinned = self.some_pins(name)
        expected = self.model.verdict(name, start, pinned=pinned)
        wish = holds.HoldOrder(service_id=name, start=Instant(start), resource_ids=pinned, seconds=1800)
        made = self.tried(expected, lambda: holds.hold(self.setting.desk, STAFF, wish))
        if made is not None:
            self.settled(name, start, pinned, made.resource_ids, "")
            self.holds[made.id] = made
            offer = OFFERS[name]
            first, last = start - offer.before * 60, made.end + offer.after * 60
            self.model.claims += [Claimed(made.id, who, first, last, made.expires) for who in made.resource_ids]
            self.model.visits[made.id] = (name, "", start, made.expires)

    def book_hold(self) -> None:
        if self.holds:
            self.book(self.dice.choice(list(self.holds.values())))

    def release(self) -> None:
        held = [hold for hold in self.holds.values() if hold.expires > self.model.now]
        if held:
            hold = self.dice.choice(held)
            holds.release_hold(self.setting.desk, STAFF, hold.id)
            self.forget(hold.id)
            del self.holds[hold.id]

    def move(self) -> None:
        before = self.an_appointment()
        if before is None or not before.service_id:
            return
        start = self.a_start() if self.dice.random() < 0.5 else before.start + self.dice.randrange(-6, 7) * 300
        expected, pinned = self.move_verdict(before, start)
        wish = changing.Move(id=before.id, start=Instant(start))
        after = self.tried(expected, lambda: changing.move(self.setting.desk, STAFF, wish))
        if after is not None:
            self.settled(before.service_id, start, pinned, after.resource_ids, before.id)
            self.forget(before.id)
            self.remember(after, before.service_id)

    def move_verdict(self, before: Appointment, start: int) -> tuple[str, tuple[str, ...]]:
        """Those who serve stay if they can; else anyone will do."""
        if self.is_over(before) or before.status not in ("pending", "booked"):
            return "wrong-state", ()
        asked: dict[str, Any] = {"customer": before.customer_id, "ignoring": before.id}
        verdict = self.model.verdict(before.service_id, start, pinned=before.resource_ids, **asked)
        if verdict == "ok":
            return "ok", before.resource_ids
        return self.model.verdict(before.service_id, start, **asked), ()

    def cancel(self) -> None:
        self.act("cancel", ("pending", "booked"))

    def confirm(self) -> None:
        self.act("confirm", ("pending",))

    def decline(self) -> None:
        self.act("decline", ("pending",))

    def act(self, action: Any, allowed: tuple[str, ...]) -> None:
        before = self.an_appointment()
        if before is None:
            return
        expected = "ok" if before.status in allowed and not self.is_over(before) else "wrong-state"
        request = changing.Request(id=before.id)
        after = self.tried(expected, lambda: changing.act(self.setting.desk, STAFF, action, request))
        if after is not None:
            self.forget(before.id)
            self.appointments[after.id] = after
            if after.is_claiming:
                self.remember(after, after.service_id)

    def away(self) -> None:
        who = self.dice.choice([*DOCTORS, "r0"])
        start = self.a_start()
        end = start + self.dice.randrange(1, 60) * 700
        made = catalogue.add_time_off(self.setting.desk, STAFF, who, Instant(start), Instant(end))
        self.model.absences[made.id] = (who, start - start % 300, -(-end // 300) * 300)

    def back(self) -> None:
        if self.model.absences:
            id = self.dice.choice(list(self.model.absences))
            who, _, _ = self.model.absences.pop(id)
            catalogue.remove_time_off(self.setting.desk, STAFF, who, id)

    def wait(self) -> None:
        self.setting.clock.forward(minutes=self.dice.randrange(40), seconds=self.dice.randrange(60))
        self.model.now = self.setting.clock.now

    def freely(self) -> None:
        start = self.a_start() + self.dice.randrange(-400, 400)
        end = start + self.dice.randrange(60, 100_000)
        who = tuple(self.dice.sample(["d0", "r0", "r1", "n0"], self.dice.randrange(0, 3)))
        neighbours = [claim for claim in self.model.live() if claim.resource in self.model.people]
        if neighbours and self.dice.random() < 0.4:
            neighbour = self.dice.choice(neighbours)
            start, end, who = neighbour.end, neighbour.end + self.dice.randrange(60, 900), (neighbour.resource,)
        customer = f"c{self.dice.randrange(4)}"
        free = all(self.model.is_free(each, start, end) for each in who or [f"customer/{customer}"])
        wish = order(
            format_instant(Instant(start)), format_instant(Instant(end)), resource_ids=who, customer_id=customer
        )
        made = self.tried("ok" if free else "taken", lambda: booking.book(self.setting.desk, STAFF, wish))
        if made is not None:
            self.remember(made.appointment, "")

    def search(self) -> None:
        """Every offered slot can be booked and every slot that can be booked is offered, over one day."""
        name = self.a_service()
        pinned = self.some_pins(name)
        first = self.a_start() // 86_400 * 86_400
        wanted = search.Search(first=Instant(first), last=Instant(first + 86_400), resource_ids=pinned)
        offers = search.service_slots(self.setting.desk, STAFF, name, wanted).starts
        every = range(first, first + 86_400, 300)
        assert offers == [start for start in every if self.model.verdict(name, start, pinned=pinned) == "ok"]

    def check(self) -> None:
        """The claims that stand in the sheets are those of the model, and the doctor has no complaint."""
        now = Instant(self.model.now)
        sheets = self.setting.store.walk("clinic/sheet/")
        stands = {
            (doc.key.part.removeprefix("clinic/sheet/"), *claim[:3])
            for doc in sheets
            for claim in map(_as_tuple, live(sheet_of(doc), now))
        }
        expected = {(claim.resource, claim.owner, claim.start, claim.end) for claim in self.model.live()}
        assert stands == expected
        assert examine(self.setting.store, now).complaints == []

    def tried(self, expected: str, act: Any) -> Any:
        """What the act returns; None when it was refused, as the model says it must be."""
        try:
            answer = act()
        except (Refused, HoldGone) as refused:
            outcome, answer = refused.code, None
        else:
            outcome = "ok"
        assert outcome == expected, f"{outcome}, the model says {expected}"
        return answer

    def settled(self, name: str, start: int, pinned: tuple[str, ...], chosen: tuple[str, ...], ignoring: str) -> None:
        """Each of those chosen could serve, and nobody left out of the same group was less loaded."""
        offer = OFFERS[name]
        assert all(self.model.able(offer, who, start, ignoring) for who in chosen)
        assert set(pinned) <= set(chosen)
        for ids, count in offer.needs:
            took = [who for who in chosen if who in ids]
            assert len(took) == count
            left = [who for who in ids if who not in took and self.model.able(offer, who, start, ignoring)]
            free_choice = [who for who in took if who not in pinned]
            if left and free_choice:
                least = min(self.model.load(who, start, ignoring) for who in left)
                assert max(self.model.load(who, start, ignoring) for who in free_choice) <= least

    def remember(self, appointment: Appointment, name: str) -> None:
        self.appointments[appointment.id] = appointment
        expires = appointment.expires or None
        self.model.claims += [
            Claimed(appointment.id, calendar, appointment.claim_start, appointment.claim_end, expires)
            for calendar in appointment.calendars
        ]
        if name:
            self.model.visits[appointment.id] = (name, appointment.customer_id, appointment.start, expires)

    def forget(self, owner: str) -> None:
        self.model.claims = [claim for claim in self.model.claims if claim.owner != owner]
        self.model.visits.pop(owner, None)

    def is_over(self, appointment: Appointment) -> bool:
        return bool(appointment.expires) and appointment.expires <= self.model.now

    def a_service(self) -> str:
        return self.dice.choice(list(OFFERS))

    def a_start(self) -> int:
        if self.dice.random() < 0.3:
            return self.an_offer()
        first = self.setting.clock.now // 300 * 300
        start = first + self.dice.randrange(-12, SPAN // 300) * 300
        return start if self.dice.random() < 0.1 else start // 900 * 900

    def an_offer(self) -> int:
        """The start of some slot of the next days, so that a good part of the attempts goes through."""
        first = Instant(self.setting.clock.now)
        wanted = search.Search(first=first, last=Instant(first + SPAN // 2))
        offers = search.service_slots(self.setting.desk, STAFF, self.a_service(), wanted).starts
        return self.dice.choice(offers) if offers else first

    def some_pins(self, name: str) -> tuple[str, ...]:
        if self.dice.random() < 0.6:
            return ()
        ids, _ = OFFERS[name].needs[0]
        return (self.dice.choice(ids),)

    def an_appointment(self) -> Appointment | None:
        return self.dice.choice(list(self.appointments.values())) if self.appointments else None


def _as_tuple(claim: Claim) -> tuple[str, int, int]:
    return claim.owner, claim.start, claim.end


def _people() -> dict[str, Person]:
    doctors = {"d0": Person("Europe/Berlin", WORK), "d1": Person("Europe/Berlin", WORK)}
    others = {"d2": Person("America/New_York", YORK), "n0": Person("Europe/Berlin", NIGHT)}
    return doctors | others | dict.fromkeys(ROOMS, Person("UTC"))


def _a_hospital() -> Setting:
    setting = a_setting(now=START)
    setting.put("schedule", "work", hours())
    setting.put("schedule", "york", hours("08:00", "12:00", "mon tue wed thu fri sat sun"))
    night = (Opening(from_="22:00", to="06:00"),)
    every = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), night)
    setting.put("schedule", "night", Schedule(name="Night", weekly=Weekly(**every)))
    for id, zone, schedule in (
        ("d0", "Europe/Berlin", "work"),
        ("d1", "Europe/Berlin", "work"),
        ("d2", "America/New_York", "york"),
        ("n0", "Europe/Berlin", "night"),
        ("r0", "UTC", None),
        ("r1", "UTC", None),
    ):
        setting.put("resource", id, Resource(name=id, zone=zone, schedule_id=schedule))
    setting.put("pool", "doctors", Pool(name="Doctors", resource_ids=DOCTORS))
    setting.put("pool", "rooms", Pool(name="Rooms", resource_ids=ROOMS))
    both = [Need(any_of="doctors"), Need(any_of="rooms")]
    setting.service("visit")
    setting.service(
        "exam",
        needs=both,
        duration_minutes=45,
        buffer_before_minutes=5,
        buffer_after_minutes=10,
        notice_minutes=60,
        horizon_days=5,
    )
    setting.service(
        "pair",
        needs=[Need(any_of="doctors", count=2)],
        duration_minutes=20,
        step_minutes=20,
        day_limit=2,
        customer_limit=2,
        needs_confirmation=True,
        confirm_within_minutes=600,
    )
    setting.service("night", needs=[Need(all_of=("n0",))], duration_minutes=60, step_minutes=30)
    return setting


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_every_step_is_as_the_model_says(seed: int) -> None:
    play = Play(seed)
    for number in range(STEPS):
        play.step()
        if number % 250 == 0:
            play.check()
    play.check()
    assert play.counts.total() == STEPS
    assert min(play.counts[name] for name in ("book", "hold", "book_hold", "move", "cancel", "search")) > 50


def test_a_few_steps_are_as_the_model_says() -> None:
    play = Play(seed=99)
    for _ in range(400):
        play.step()
    play.check()


def test_the_clocks_change_within_the_span() -> None:
    assert at(START) < at("2026-10-25T01:00:00Z") < at(START) + SPAN


def _no_after_buffer(facts: Facts, member: Member) -> int:
    short = replace(facts.service, buffer_after_minutes=0)
    return able(replace(facts, service=short), member)


def _touching_is_overlap(claim: Claim, start: Instant, end: Instant) -> bool:
    return claim.start <= end and start <= claim.end


def _holds_last_forever(claim: Claim, now: Instant) -> bool:
    return True


def _first_comes_first(facts: Facts, start: Tick) -> tuple[str, ...]:
    """Takes the first who could, however loaded."""
    blind = [Needed(tuple(Member(m.id, able(facts, m), 0) for m in n.members), n.count) for n in facts.needs]
    return chosen(replace(facts, needs=tuple(blind)), start)


def _nothing_is_left(draft: Draft, business: str, before: Appointment) -> None:
    """Forgets to take out the old claims."""


BROKEN: list[tuple[str, Any]] = [
    ("slotkeeper.core.rules.able", _no_after_buffer),
    ("slotkeeper.core.sheet.Claim.overlaps", _touching_is_overlap),
    ("slotkeeper.core.sheet.Claim.is_live", _holds_last_forever),
    ("slotkeeper.desk.placing.chosen", _first_comes_first),
    ("slotkeeper.desk.changing.leave", _nothing_is_left),
    ("slotkeeper.core.rules.with_notice", lambda facts: facts.window.full),
    ("slotkeeper.desk.facts._full_days", lambda *_: 0),
    ("slotkeeper.desk.facts._customer_is_full", lambda *_: False),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "broken"), BROKEN, ids=[name.rsplit(".", 1)[1] for name, _ in BROKEN])
def test_a_broken_build_is_caught(name: str, broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name, broken)
    if name.startswith("slotkeeper.core.rules.with"):
        monkeypatch.setattr("slotkeeper.core.rules.RULES", tuple(_with(broken, RULES)))
    play = Play(seed=7)

    with pytest.raises(AssertionError):  # noqa: PT012 - whichever step finds it
        for number in range(STEPS):
            play.step()
            if number % 50 == 0:
                play.check()


def _with(broken: Any, rules: Any) -> Any:
    return [(broken, *rest) if rule.__name__ == "with_notice" else (rule, *rest) for rule, *rest in rules]
