"""The languages of the pages: which one a reader is given, its words, and how it writes dates, times and lengths.

Words come from the catalogues in `web/locale`, forms from CLDR by Babel.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_timezone_name
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from slotkeeper.core.ticks import Instant
from slotkeeper.core.zones import is_twice, local, zone
from slotkeeper.notices.languages import offset_text

CODES = ("en", "es", "fr", "de", "ar")
"""What the pages for visitors speak, English first: it is what there is for everyone else."""

DOMAIN = "pages"
_TAG = re.compile(r"[A-Za-z]{2}(-[A-Za-z]{2})?")
_UNKNOWN = "Unknown Region"
_NAMES = {"en": "English", "es": "Español", "fr": "Français", "de": "Deutsch", "ar": "العربية"}


class Speech:
    """One language, in the form of one region. `code` and `dir` are what HTML's `lang` and `dir` take.

    Times are written as they are there: `09:30` or `9:30 AM`.
    """

    def __init__(self, locale: Locale) -> None:
        code = locale.language
        self.code = code
        self._locale = locale
        self.dir = "rtl" if self._locale.text_direction == "rtl" else "ltr"
        self.words = _catalogue(code)

    @property
    def name(self) -> str:
        """The language in its own words."""
        return _NAMES[self.code]

    def say(self, message: str) -> str:
        """The message in this language; as it is when that has no word for it."""
        return str(self.words.gettext(message))

    def say_count(self, one: str, many: str, number: int) -> str:
        """The form for that many, with `%(num)s` filled in."""
        return str(self.words.ngettext(one, many, number)) % {"num": self.number(number)}

    def day(self, day: date, form: str = "full") -> str:
        """Such as `Tuesday, November 24, 2026`; `form` is one of full, long, medium and short."""
        return _date(self._locale, day, form)

    def part(self, day: date, skeleton: str) -> str:
        """Parts of a date, in the language's own order (UTS 35: `E`, `MMM`, `MMMd`, `yMMMM`, `MMMEd`)."""
        return _part(self._locale, day, skeleton)

    def time(self, instant: Instant, zone_name: str) -> str:
        """Such as `09:30`; with the offset when the clocks go back and show that time twice."""
        wall = local(instant, zone_name)
        text = _time(self._locale, wall.hour, wall.minute)
        return f"{text} {offset_text(wall)}" if is_twice(instant, zone_name) else text

    def moment(self, instant: Instant, zone_name: str) -> str:
        """Such as `Tuesday, November 24, 2026, 09:30`."""
        return f"{self.day(local(instant, zone_name).date())}, {self.time(instant, zone_name)}"

    def span(self, start: Instant, end: Instant, zone_name: str) -> str:
        """From when to when, with one date or both."""
        first, last = local(start, zone_name), local(end, zone_name)
        until = self.time(end, zone_name) if first.date() == last.date() else self.moment(end, zone_name)
        return f"{self.moment(start, zone_name)}\u2013{until}"

    def zone(self, zone_name: str, at: Instant) -> str:
        """Such as `Pacific Time (Los Angeles), UTC-8`: what people call it, and what cannot be misread."""
        called, offset = _zone(self._locale, zone_name), offset_text(local(at, zone_name))
        return called if called == offset else f"{called}, {offset}"

    def length(self, minutes: int) -> str:
        """Such as `45 minutes` or `1 hour 30 minutes`."""
        hours, rest = divmod(minutes, 60)
        parts = [(timedelta(hours=hours), "hour")] * bool(hours) + [(timedelta(minutes=rest), "minute")] * bool(rest)
        return " ".join(
            format_timedelta(part, granularity=unit, threshold=1000, locale=self._locale)  # type: ignore[arg-type]
            for part, unit in parts
        )

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self._locale)


@cache
def speech(tag: str) -> Speech:
    """The language of a tag such as `de` or `de-AT`, in our usual form where we know none of that region.

    Raises:
        KeyError: we do not speak it.
    """
    code = tag.lower().partition("-")[0]
    if code not in _NAMES:
        raise KeyError(code)
    try:
        return Speech(Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError, TypeError):
        return Speech(Locale.parse(code))


def chosen(asked: str, accepted: str, usual: str) -> Speech:
    """The language to answer in: the one asked for, else the reader's favourite among ours (`Accept-Language`, RFC 9110
    12.5.4), else that of the business, else English."""
    favourites = _favourites(accepted)
    for tag in (*(each for each in favourites if asked and each.lower().partition("-")[0] == asked), asked, *favourites,
                usual):  # fmt: skip
        if _TAG.fullmatch(tag) and tag.lower().partition("-")[0] in _NAMES:
            return speech(tag)
    return speech(CODES[0])


def _favourites(accepted: str) -> list[str]:
    found = []
    for number, part in enumerate(accepted[:1000].split(",")):
        tag, _, weight = part.partition(";")
        try:
            rank = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if rank > 0:
            found.append((-rank, number, tag.strip()))
    return [tag for _, _, tag in sorted(found)]


def _catalogue(code: str) -> Any:
    path = files("slotkeeper.web") / "locale" / code / "LC_MESSAGES" / f"{DOMAIN}.mo"
    if not path.is_file():
        return NullTranslations()
    with path.open("rb") as file:
        return Translations(file, domain=DOMAIN)


def _kept(make: Callable[..., str]) -> Callable[..., str]:
    return lru_cache(maxsize=8192)(make)


@_kept
def _date(locale: Locale, day: date, form: str) -> str:
    return format_date(day, form, locale=locale)


@_kept
def _part(locale: Locale, day: date, skeleton: str) -> str:
    return format_skeleton(skeleton, day, locale=locale)


@_kept
def _time(locale: Locale, hour: int, minute: int) -> str:
    return format_time(datetime(2000, 1, 1, hour, minute), "short", locale=locale)  # noqa: DTZ001 - a wall clock


@_kept
def _zone(locale: Locale, name: str) -> str:
    """What people there call it, with the city when the name is of more than one place."""
    if name in ("UTC", "Etc/UTC"):
        return "UTC"
    if _UNKNOWN in get_timezone_name(zone(name), width="long", locale="en", return_zone=False):
        return name  # of no place, or newer than what Babel knows
    called = get_timezone_name(zone(name), width="long", locale=locale, return_zone=False)
    city = name.rpartition("/")[2].replace("_", " ")
    return called if city in called else f"{called} ({city})"
