"""Two spans are refused exactly when they overlap: Allen's 13 relations, in any notation, of any length, anywhere."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import count, product
from typing import Any

import pytest

from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import Instant, day_of, format_instant, parse_instant
from slotkeeper.documents import sheet_key
from slotkeeper.web.app import Rules
from slotkeeper.web.limits import Quota
from tests.builders import at
from tests.web.asking import Asker, Reply, a_web

pytestmark = pytest.mark.slow

RELATIONS: dict[str, tuple[float, float, bool]] = {
    "before": (-2, -1, False),
    "meets": (-1, 0, False),
    "overlaps": (-0.5, 0.5, True),
    "finished by": (-0.5, 1, True),
    "contains": (-0.5, 1.5, True),
    "starts": (0, 0.5, True),
    "equals": (0, 1, True),
    "started by": (0, 1.5, True),
    "during": (0.25, 0.75, True),
    "finishes": (0.5, 1, True),
    "overlapped by": (0.5, 1.5, True),
    "met by": (1, 2, False),
    "after": (2, 3, False),
}
"""For each of Allen's relations the second span, in lengths of the first from its start, and whether they overlap."""

NOTATIONS = ("Z", ".000Z", "+02:00", "-05:00", "+05:30")

SPANS = {
    "an hour": ("2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"),
    "off the tick": ("2026-11-24T09:01:07Z", "2026-11-24T09:14:23Z"),
    "across midnight": ("2026-11-24T23:30:00Z", "2026-11-25T00:30:00Z"),
    "across midnight in Berlin": ("2026-11-24T22:30:00Z", "2026-11-24T23:30:00Z"),
    "longer than a day": ("2026-11-24T12:00:00Z", "2026-11-26T18:00:00Z"),
    "of a week": ("2026-11-24T00:00:00Z", "2026-12-01T00:00:00Z"),
    "across the end of summer time": ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"),
    "within the hour that comes twice": ("2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z"),
    "across the start of summer time": ("2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"),
    "across the end of a year": ("2026-12-31T20:00:00Z", "2027-01-01T04:00:00Z"),
}

QUICK = ("an hour", "longer than a day")
NAMES = [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in SPANS]

FAR = "2027-09-01T00:00:00Z"

_numbers = count()


def written(instant: Instant, notation: str) -> str:
    """The instant in one of the notations."""
    if "Z" in notation:
        return format_instant(instant).removesuffix("Z") + notation
    hours, minutes = notation[1:].split(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if notation[0] == "-" else 1)
    return datetime.fromtimestamp(instant, timezone(offset)).isoformat()


def body(user: str, start: Instant, end: Instant, one: str, other: str) -> dict[str, Any]:
    """What the reviewed design is sent."""
    details = {"description": "check-up", "location": "room 2"}
    return {"userId": user, "startTime": written(start, one), "endTime": written(end, other), "details": details}


class Judge:
    """Asks one web layer about pairs of spans, each pair in a calendar of its own."""

    def __init__(self) -> None:
        self.web: Asker = a_web(Rules(key_quota=Quota("key", 10**9)))

    def refused(self, span: tuple[Instant, Instant], relation: str, notations: tuple[str, str]) -> bool:
        """Whether the second span is refused beside the first; the refusal tells the first one's times."""
        user = f"user-{next(_numbers)}"
        made = self.post(body(user, *span, *notations))
        assert made.status == 201
        reply = self.second(user, span, relation, notations)
        if reply.status == 409:
            rival = reply.json["conflictingAppointment"]
            assert (rival["startTime"], rival["endTime"]) == tuple(map(format_instant, span))
            assert reply.json["error"]
        return reply.status == 409

    def refused_after_cancel(self, span: tuple[Instant, Instant], relation: str, notations: tuple[str, str]) -> bool:
        user = f"user-{next(_numbers)}"
        made = self.post(body(user, *span, *notations))
        gone = self.web.post(f"/appointments/{made.json['appointmentId']}/cancel")
        assert (made.status, gone.status) == (201, 200)
        return self.second(user, span, relation, notations).status == 409

    def refused_after_move(
        self, span: tuple[Instant, Instant], relation: str, notations: tuple[str, str], *, is_back: bool
    ) -> bool:
        """The first one moves to the span from elsewhere, or from the span to elsewhere."""
        user, far = f"user-{next(_numbers)}", at(FAR)
        elsewhere = far, Instant(far + span[1] - span[0])
        first, then = (elsewhere, span) if is_back else (span, elsewhere)
        made = self.post(body(user, *first, *notations))
        wish = {"startTime": written(then[0], notations[1]), "endTime": written(then[1], notations[0])}
        moved = self.web.post(f"/appointments/{made.json['appointmentId']}/reschedule", wish)
        assert (made.status, moved.status) == (201, 200)
        return self.second(user, span, relation, notations).status == 409

    def second(self, user: str, span: tuple[Instant, Instant], relation: str, notations: tuple[str, str]) -> Reply:
        start, end = related(span, relation)
        reply = self.post(body(user, start, end, *reversed(notations)))
        assert reply.status in (201, 409)
        return reply

    def post(self, sent: dict[str, Any]) -> Reply:
        return self.web.post("/appointments", sent)


def related(span: tuple[Instant, Instant], relation: str) -> tuple[Instant, Instant]:
    """The span that stands in the relation to the first one, in whole seconds."""
    first, last, _ = RELATIONS[relation]
    length = span[1] - span[0]
    return Instant(round(span[0] + first * length)), Instant(round(span[0] + last * length))


def span_of(name: str) -> tuple[Instant, Instant]:
    start, end = SPANS[name]
    return at(start), at(end)


def cases(name: str) -> Iterator[tuple[tuple[Instant, Instant], str, tuple[str, str]]]:
    """The span with each relation, in each pair of notations."""
    for relation, one, other in product(RELATIONS, NOTATIONS, NOTATIONS):
        yield span_of(name), relation, (one, other)


def wrong(judge: Judge, name: str) -> list[tuple[str, tuple[str, str]]]:
    """The relations and notations in which a span is judged wrongly."""
    return [
        (relation, notations)
        for span, relation, notations in cases(name)
        if judge.refused(span, relation, notations) != RELATIONS[relation][2]
    ]


def wrong_after(judge: Judge, name: str) -> list[tuple[str, str]]:
    """The relations in which a span is judged wrongly once it was cancelled, or has moved."""
    span, found = span_of(name), []
    for number, (relation, (_, _, is_overlap)) in enumerate(RELATIONS.items()):
        notations = NOTATIONS[number % 5], NOTATIONS[(number + 2) % 5]
        outcomes = {
            "cancel": judge.refused_after_cancel(span, relation, notations) is False,
            "move away": judge.refused_after_move(span, relation, notations, is_back=False) is False,
            "move here": judge.refused_after_move(span, relation, notations, is_back=True) is is_overlap,
        }
        found += [(relation, what) for what, is_right in outcomes.items() if not is_right]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_two_spans_are_refused_exactly_when_they_overlap(name: str) -> None:
    assert wrong(Judge(), name) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_was_cancelled_or_moved_away_stands_in_nobodys_way(name: str) -> None:
    assert wrong_after(Judge(), name) == []


def test_the_thirteen_relations_are_thirteen() -> None:
    span = span_of("an hour")
    signs = {
        tuple((one > other) - (one < other) for one in related(span, relation) for other in span)
        for relation in RELATIONS
    }
    assert len(RELATIONS) == len(signs) == 13
    assert all(
        (related(span, name)[0] < span[1] and span[0] < related(span, name)[1]) == yes
        for name, (_, _, yes) in RELATIONS.items()
    )


def _touching_is_overlap(claim: Claim, start: Instant, end: Instant) -> bool:
    return claim.start <= end and start <= claim.end


def _only_if_it_starts_within(claim: Claim, start: Instant, end: Instant) -> bool:
    """The reviewed design asked for appointments that start between the two times."""
    return start <= claim.start < end


def _offsets_are_ignored(text: str) -> Instant:
    return parse_instant(text[:19] + "Z")


def _only_the_first_day(business: str, calendars: Any, start: Instant, end: Instant) -> Any:
    return [sheet_key(business, calendar, day_of(start)) for calendar in calendars]


BROKEN: list[tuple[str, Any, str]] = [
    ("slotkeeper.core.sheet.Claim.overlaps", _touching_is_overlap, "an hour"),
    ("slotkeeper.core.sheet.Claim.overlaps", _only_if_it_starts_within, "an hour"),
    ("slotkeeper.web.bodies.parse_instant", _offsets_are_ignored, "an hour"),
    ("slotkeeper.desk.refusing.sheet_keys", _only_the_first_day, "longer than a day"),
]


@pytest.mark.parametrize(("name", "broken", "span"), BROKEN, ids=[broken.__name__ for _, broken, _ in BROKEN])
def test_a_wrong_judgement_is_caught(monkeypatch: pytest.MonkeyPatch, name: str, broken: Any, span: str) -> None:
    monkeypatch.setattr(name, broken)

    with pytest.raises(AssertionError):
        assert wrong(Judge(), span) == []


def test_claims_that_are_left_behind_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slotkeeper.desk.changing.leave", lambda *_: None)

    with pytest.raises(AssertionError):
        assert wrong_after(Judge(), "an hour") == []
