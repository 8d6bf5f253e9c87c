"""How the booking pages say it: what is booked, when, by which clock, and why something could not be."""

from collections.abc import Sequence
from datetime import date
from functools import cache

import msgspec
from markupsafe import Markup

from slotkeeper.core.errors import CustomerFull, KeyReused, Refused, Taken, TooSoon
from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import local, zone_names
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.look.languages import Speech
from slotkeeper.web.visitors.choice import Day, Offered
from slotkeeper.web.visitors.guest import Guest

_NIGHT, _NOON, _EVENING = 5, 12, 18
_PARTS = (N_("Night"), N_("Morning"), N_("Afternoon"), N_("Evening"))

Words = tuple[str, str]
GONE: Words = (
    N_("This time is not free"),
    N_("It was taken while you looked, or it was never on offer. Nothing was booked."),
)
LOST: dict[type[Refused], Words] = {
    Taken: (
        N_("Somebody was just a little faster"),
        N_("We are sorry: this time was taken a moment ago, and nothing was booked. What you typed is kept."),
    ),
    TooSoon: (
        N_("It is too late for this time"),
        N_("It has passed, or it begins too soon to be booked. Nothing was booked."),
    ),
    CustomerFull: (
        N_("You have booked this already"),
        N_(
            "There are as many open appointments under your email address as this service allows. Nothing more was "
            "booked."
        ),
    ),
    KeyReused: (
        N_("This form was sent before"),
        N_(
            "It was sent before with something else in it, and that booking stands: look into your mail. To book "
            "another time, start again."
        ),
    ),
}
"""What is said of a refusal, where more can be said than that the time is gone."""

COMMON_ZONES = (
    "America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York", "America/Sao_Paulo",
    "Europe/London", "Europe/Paris", "Europe/Berlin", "Europe/Madrid", "Europe/Athens", "Africa/Cairo",
    "Africa/Johannesburg", "Asia/Riyadh", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Shanghai",
    "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland", "UTC",
)  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    """A word, what it is, and what should be known beside it."""

    word: str
    text: str
    beside: str = ""


def words_of(refused: Refused) -> Words:
    """The title and the sentence for a refusal."""
    return next((words for kind, words in LOST.items() if isinstance(refused, kind)), GONE)


def rows(guest: Guest, it: Offered, start: Instant, person: str) -> list[Row]:
    """What is to be booked. Where there is a place its clock counts, and the visitor's own is told beside it."""
    speech, say = guest.speech, guest.speech.say
    end = Instant(start + it.service.duration_minutes * 60)
    found = [
        Row(say("What"), it.service.name, speech.length(it.service.duration_minutes)),
        Row(say("When"), speech.span(start, end, it.zone), speech.zone(it.zone, start)),
    ]
    if is_elsewhere(guest.zone, it.zone, start):
        found.append(Row(say("Your clock shows"), speech.span(start, end, guest.zone), speech.zone(guest.zone, start)))
    return [*found, *(row for row in (Row(say("With"), person), Row(say("Where"), it.place)) if row.text)]


def is_elsewhere(own: str, shown: str, at: Instant) -> bool:
    """Whether the visitor's own clock is known and shows another time than the one by which times are shown."""
    return bool(own) and local(at, own).utcoffset() != local(at, shown).utcoffset()


def by_part_of_day(speech: Speech, starts: Sequence[Instant], zone: str) -> list[tuple[str, str, list[Instant]]]:
    """The starts under Morning, Afternoon and so on, each part with a name of its own; without those that have none."""
    parts: list[list[Instant]] = [[] for _ in _PARTS]
    for start in starts:
        hour = local(start, zone).hour
        parts[(hour >= _NIGHT) + (hour >= _NOON) + (hour >= _EVENING)].append(start)
    named = zip(_PARTS, parts, strict=True)
    return [(name.lower(), speech.say(name), found) for name, found in named if found]


def day_words(speech: Speech, day: date, today: date) -> str:
    """Such as `Today, November 24` or `Tuesday, December 1, 2026`."""
    near = {0: N_("Today, %(date)s"), 1: N_("Tomorrow, %(date)s")}.get((day - today).days)
    return speech.say(near) % {"date": speech.part(day, "MMMMd")} if near else speech.day(day)


def months(speech: Speech, days: Sequence[Day]) -> str:
    """Such as `November 2026`, or both when the days lie in two."""
    first, last = days[0].date, days[-1].date
    if (first.year, first.month) == (last.year, last.month):
        return speech.part(first, "yMMMM")
    return f"{speech.part(first, 'yMMM')} – {speech.part(last, 'yMMM')}"  # noqa: RUF001 - a dash between two months


def amount(day: Day, days: Sequence[Day]) -> int:
    """How much is free on the day among these, from 0 (nothing) to 3 (about as much as there ever is)."""
    most = max(len(each.starts) for each in days)
    return -(-3 * len(day.starts) // most) if most else 0


def initials(name: str) -> str:
    """The first letters of the first and the last word of a name that begin with a letter, without titles."""
    words = [word for word in name.partition(",")[0].split() if word[0].isalpha() and not word.endswith(".")]
    words = words or name.split()
    return "".join(word[0] for word in dict.fromkeys((words[0], words[-1]))).upper()


def zone_options(now: str) -> Markup:
    """The options of a choice of zones: the one in use, common ones, then all."""
    first = [now, *(name for name in COMMON_ZONES if name != now)]
    near = Markup().join(
        Markup('<option value="{}"{}>{}').format(name, Markup(" selected") if name == now else "", _named(name))
        for name in first
    )
    return near + _all_zones()


@cache
def _all_zones() -> Markup:
    return Markup("<hr>") + Markup().join(
        Markup('<option value="{}">{}').format(name, _named(name)) for name in sorted(zone_names())
    )


def _named(name: str) -> str:
    return name.replace("_", " ")
