"""The fields of which forms for members are made: what each one shows, and what it makes of what was typed.

A form is declared as fields; `read` judges all of it at once, so that everything that is wrong is told at once.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import msgspec

from slotkeeper.core.errors import Invalid
from slotkeeper.core.hours import WEEKDAYS
from slotkeeper.web.bodies import Malformed, fitted, without_unsafe
from slotkeeper.web.forms import Typed, once
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.look.languages import Speech

T = TypeVar("T", bound=msgspec.Struct)

YES = "yes"
HOUR, DAY = 60, 1440
UNITS = (("1", N_("minutes")), ("60", N_("hours")), ("1440", N_("days")))
ROWS = 4
"""How many openings a day has room for, as long as it has no more."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_PLACE = re.compile(r"[.\[]")


class Wrong(Exception):
    """What was typed does not do. `message` is one to be said in the reader's language, with the facts filled in."""

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def said(self, speech: Speech) -> str:
        return speech.say(self.message) % self.facts


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field. `name` is that of what it says in the value; its inputs may be more, `name.part` each."""

    shape: ClassVar[str] = ""

    name: str
    label: str
    hint: str = ""
    is_needed: bool = False

    @property
    def inputs(self) -> Mapping[str, bool]:
        """The names of the inputs, and whether each may come more than once."""
        return {self.name: False}

    @property
    def is_multi_line(self) -> bool:
        return False

    def write(self, value: Any) -> Typed:
        """What stands in the inputs for a value."""
        return {self.name: ("" if value is None else str(value),)}

    def read(self, typed: Typed) -> Any:
        """The value of what was typed. Raises `Wrong` when it is none."""
        raise NotImplementedError

    def text(self, typed: Typed) -> str:
        """What was typed into the only input, without blanks around. Raises `Wrong` when it is needed and missing."""
        found = typed[self.name][0].strip() if typed[self.name] else ""
        if self.is_needed and not found:
            raise Wrong(N_("Fill this in"))
        return found


class Text(Field, frozen=True, kw_only=True):
    """A text of one line, or of several `lines`, which is kept as it was typed. `kind` is the type of HTML's input."""

    shape: ClassVar[str] = "text"

    most: int = 200
    lines: int = 0
    kind: str = "text"
    auto: str = "off"
    is_code: bool = False

    @property
    def is_multi_line(self) -> bool:
        return bool(self.lines)

    def read(self, typed: Typed) -> str:
        found = typed[self.name][0] if self.lines and self.text(typed) else self.text(typed)
        if len(found) > self.most:
            raise Wrong(N_("Use at most %(most)d characters; these are %(count)d"), most=self.most, count=len(found))
        return found


class Password(Field, frozen=True, kw_only=True):
    """A password: it is never shown again, and blanks around it belong to it."""

    shape: ClassVar[str] = "password"

    auto: str = "new-password"

    def read(self, typed: Typed) -> str:
        found = typed[self.name][0]
        if self.is_needed and not found:
            raise Wrong(N_("Fill this in"))
        return found


class Zone(Text, frozen=True, kw_only=True):
    """A time zone, with the known ones to choose from."""

    shape: ClassVar[str] = "zone"

    most: int = 64


class Number(Field, frozen=True, kw_only=True):
    """A whole number. Without one that is typed: None, unless it is needed."""

    shape: ClassVar[str] = "number"

    least: int = 0
    most: int
    step: int = 1
    unit: str = ""

    def read(self, typed: Typed) -> int | None:
        found = self.text(typed)
        return number(found, self.least, self.most, self.step) if found else None


class Span(Field, frozen=True, kw_only=True):
    """A length of time in minutes, typed in minutes, hours or days."""

    shape: ClassVar[str] = "span"

    least: int = 0
    most: int = 525_600
    units: ClassVar[tuple[tuple[str, str], ...]] = UNITS

    @property
    def inputs(self) -> Mapping[str, bool]:
        return {self.name: False, f"{self.name}.unit": False}

    def write(self, value: Any) -> Typed:
        unit = next((each for each in (DAY, HOUR) if value and value % each == 0), 1 if value else HOUR)
        return {self.name: ("" if value is None else str(value // unit),), f"{self.name}.unit": (str(unit),)}

    def read(self, typed: Typed) -> int | None:
        found, unit = self.text(typed), typed[f"{self.name}.unit"][0] or "1"
        if unit not in dict(UNITS):
            raise Wrong(N_("Choose one of these"))
        if not found:
            return None
        minutes = number(found, 0, self.most) * int(unit)
        if not self.least <= minutes <= self.most:
            raise Wrong(N_("This is from %(least)d to %(most)d minutes"), least=self.least, most=self.most)
        return minutes


class Choice(Field, frozen=True, kw_only=True):
    """One of some options, or of the things that `source` names. With `none` also nothing, which is called so."""

    shape: ClassVar[str] = "choice"

    options: tuple[tuple[str, str], ...] = ()
    source: str = ""
    none: str = ""

    def read(self, typed: Typed) -> str | None:
        found = self.text(typed)
        if found and self.options and found not in dict(self.options):
            raise Wrong(N_("Choose one of these"))
        return found or None


class Tick(Field, frozen=True, kw_only=True):
    """Yes or no."""

    shape: ClassVar[str] = "tick"

    def write(self, value: Any) -> Typed:
        return {self.name: (YES,) if value else ()}

    def read(self, typed: Typed) -> bool:
        return YES in typed[self.name]


class Ticks(Field, frozen=True, kw_only=True):
    """Any number of some options, or of the things that `source` names."""

    shape: ClassVar[str] = "ticks"

    options: tuple[tuple[str, str], ...] = ()
    source: str = ""

    @property
    def inputs(self) -> Mapping[str, bool]:
        return {self.name: True}

    def write(self, value: Any) -> Typed:
        return {self.name: tuple(value)}

    def read(self, typed: Typed) -> tuple[str, ...]:
        found = typed[self.name]
        if self.options and not set(found) <= set(dict(self.options)):
            raise Wrong(N_("Choose one of these"))
        if self.is_needed and not found:
            raise Wrong(N_("Choose at least one"))
        return found


class Clock(Field, frozen=True, kw_only=True):
    """A time of day, or none."""

    shape: ClassVar[str] = "clock"

    def read(self, typed: Typed) -> str:
        return self.text(typed)[:8]


class Date(Field, frozen=True, kw_only=True):
    """A date, or none."""

    shape: ClassVar[str] = "date"

    def read(self, typed: Typed) -> str:
        return self.text(typed)[:10]


class Colour(Field, frozen=True, kw_only=True):
    """A colour, or ours."""

    shape: ClassVar[str] = "colour"

    ours: str

    @property
    def inputs(self) -> Mapping[str, bool]:
        return {self.name: False, f"{self.name}.own": False}

    def write(self, value: Any) -> Typed:
        return {self.name: (value or self.ours,), f"{self.name}.own": (YES,) if value else ()}

    def read(self, typed: Typed) -> str:
        if YES not in typed[f"{self.name}.own"]:
            return ""
        if not _COLOUR.fullmatch(self.text(typed)):
            raise Wrong(N_("A colour is written as #0b6e5f"))
        return self.text(typed).lower()


class Needs(Field, frozen=True, kw_only=True):
    """Who and what a service needs: each of the resources that are ticked, and so many of each pool."""

    shape: ClassVar[str] = "needs"

    @property
    def inputs(self) -> Mapping[str, bool]:
        return {self.name: True, f"{self.name}.pool": True, f"{self.name}.count": True}

    def write(self, value: Any) -> Typed:
        pools = [need for need in value if need.get("anyOf")]
        return {
            self.name: tuple(id for need in value for id in need.get("allOf", ())),
            f"{self.name}.pool": tuple(need["anyOf"] for need in pools),
            f"{self.name}.count": tuple(str(need.get("count", 1)) for need in pools),
        }

    def read(self, typed: Typed) -> list[dict[str, Any]]:
        pools, counts = typed[f"{self.name}.pool"], typed[f"{self.name}.count"]
        if len(pools) != len(counts):
            raise Malformed("each pool comes with how many of it are needed", field=self.name)
        ticked = list(dict.fromkeys(typed[self.name]))
        needs: list[dict[str, Any]] = [{"allOf": ticked}] if ticked else []
        for pool, count in zip(pools, counts, strict=True):
            if many := number(count.strip() or "0", 0, 20):
                needs.append({"anyOf": pool} | ({"count": many} if many > 1 else {}))
        if not needs:
            raise Wrong(N_("Choose who or what is needed: without that nothing can be booked"))
        return needs


class Week(Field, frozen=True, kw_only=True):
    """The hours of a week: for each day some openings, from one time of day to another."""

    shape: ClassVar[str] = "week"
    days: ClassVar[tuple[str, ...]] = WEEKDAYS

    @property
    def inputs(self) -> Mapping[str, bool]:
        return {f"{day}.{part}": True for day in WEEKDAYS for part in ("from", "to")}

    def write(self, value: Any) -> Typed:
        return {
            # HTML, "time" inputs: they know no 24:00.
            f"{day}.{part}": tuple(opening[part].replace("24:00", "00:00") for opening in value.get(day, ()))
            for day in WEEKDAYS
            for part in ("from", "to")
        }

    def read(self, typed: Typed) -> dict[str, list[dict[str, str]]]:
        return {day: openings(typed, day, self.name) for day in WEEKDAYS}


def openings(typed: Typed, prefix: str, field: str) -> list[dict[str, str]]:
    """The openings that were typed, row by row; empty rows are passed over. A day ends at 24:00 where it says 00:00.

    Raises:
        Wrong: a row has only half of it. Malformed: the two columns are not equally long.
    """
    starts, ends = typed[f"{prefix}.from"], typed[f"{prefix}.to"]
    if len(starts) != len(ends):
        raise Malformed("each opening has a start and an end", field=field)
    rows = [(start.strip(), end.strip()) for start, end in zip(starts, ends, strict=True)]
    if any(bool(start) != bool(end) for start, end in rows):
        raise Wrong(N_("An opening needs both times, from and to"))
    return [{"from": start, "to": "24:00" if end == "00:00" else end} for start, end in rows if start]


class Section(msgspec.Struct, frozen=True):
    """Fields that belong together."""

    title: str
    fields: tuple[Field, ...]
    lead: str = ""


class Filled(msgspec.Struct):
    """A form as it was filled in: what was typed, the values of what was right, and what is wrong, by field; what is
    wrong with the whole stands under an empty name."""

    typed: Typed
    values: dict[str, Any]
    wrong: dict[str, str]

    def blame(self, error: Invalid, fields: Iterable[Field]) -> None:
        """Note what somebody who knows more says of the values."""
        place = _PLACE.split(error.field)[0]
        known = {each.name for each in fields}
        message = error.message[:1].upper() + error.message[1:]
        self.wrong.setdefault(place if place in known else "", message)


def read(fields: Sequence[Field], typed: Typed, speech: Speech, also: Sequence[str] = ("version",)) -> Filled:
    """The form, all of it judged. `also` are the names of what may come beside the fields, once each.

    Raises:
        Malformed: a field came twice that may not. Invalid: it has a field that was not declared.
    """
    _check_names(fields, typed, also)
    filled = Filled({}, {}, {})
    for each in fields:
        own = {
            name: _clean(typed.get(name, () if is_many else ("",)), is_multi_line=each.is_multi_line)
            for name, is_many in each.inputs.items()
        }
        filled.typed = {**filled.typed, **own}
        try:
            filled.values[each.name] = each.read(own)
        except Wrong as wrong:
            filled.wrong[each.name] = wrong.said(speech)
        if any(_composed(typed.get(name, texts)) != texts for name, texts in own.items()):
            # Nobody can find and delete what cannot be seen.
            unseen = Wrong(N_("We took out characters that cannot be seen: check that this is still right"))
            filled.wrong[each.name] = unseen.said(speech)
    return filled


def built(filled: Filled, fields: Sequence[Field], kind: type[T]) -> T | None:
    """The value that the form describes; None when something is wrong with it. What is None is left out."""
    if filled.wrong:
        return None
    try:
        return fitted({name: value for name, value in filled.values.items() if value is not None}, kind)
    except Invalid as error:
        filled.blame(error, fields)
        return None


def written(fields: Sequence[Field], value: msgspec.Struct) -> Typed:
    """What stands in the inputs for a value."""
    texts: dict[str, tuple[str, ...]] = {}
    parts = {each.encode_name: getattr(value, each.name) for each in msgspec.structs.fields(value)}
    for each in fields:
        texts |= each.write(msgspec.to_builtins(parts[each.name]))
    return texts


def blank(fields: Sequence[Field], **values: Any) -> Typed:
    """What stands in the inputs of a new form."""
    texts: dict[str, tuple[str, ...]] = {}
    for each in fields:
        empty: Any = () if isinstance(each, Ticks | Needs) else {} if isinstance(each, Week) else None
        texts |= each.write(values.get(each.name, empty))
    return texts


def number(text: str, least: int, most: int, step: int = 1) -> int:
    """The whole number. Raises `Wrong` when it is none, too small, too large or off the step."""
    if not _WHOLE.fullmatch(text):
        raise Wrong(N_("Write a whole number"))
    if not least <= int(text) <= most:
        raise Wrong(N_("This is from %(least)d to %(most)d"), least=least, most=most)
    if int(text) % step:
        raise Wrong(N_("Use a multiple of %(step)d"), step=step)
    return int(text)


def _check_names(fields: Sequence[Field], typed: Typed, also: Sequence[str]) -> None:
    known = {name: is_many for each in fields for name, is_many in each.inputs.items()} | dict.fromkeys(also, False)
    for name in typed:
        if name not in known:
            raise Invalid("there is no such field: leave it out", field=repr(name[:40])[1:-1])
        if not known[name]:
            once(typed, name)


def _clean(texts: Sequence[str], *, is_multi_line: bool) -> tuple[str, ...]:
    """The texts without what could mislead a reader."""
    return tuple(without_unsafe(text, is_multi_line=is_multi_line) for text in texts)


def _composed(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFC", text) for text in texts)
