"""`slotkeeper services`, `resources`, `pools`, `schedules` and `customers`: what can be booked, all in one manner.

Each kind's options follow from its fields, so none can be forgotten; three shapes have a short way to be written.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import click
import msgspec
from msgspec import inspect

from slotkeeper.cli.screen import as_json, json_option, panel, table
from slotkeeper.cli.session import Office, at_business
from slotkeeper.core.errors import InUse, Invalid, Outdated
from slotkeeper.core.hours import WEEKDAYS, Opening, Schedule
from slotkeeper.core.service import Need, Pool, Resource, Service
from slotkeeper.desk import catalogue
from slotkeeper.desk.catalogue import KINDS, Item
from slotkeeper.documents import CatalogueKind
from slotkeeper.web.bodies import fitted, safe_text
from slotkeeper.web.routes import ID

HELP = {
    "name": "What people call it.",
    "description": "What it is, for customers.",
    "durationMinutes": "How long a visit takes.",
    "bufferBeforeMinutes": "Time kept free before.",
    "bufferAfterMinutes": "Time kept free after.",
    "noticeMinutes": "How long before the start one must book.",
    "horizonDays": "How many days ahead one may book.",
    "stepMinutes": "How far apart the starts are.",
    "dayLimit": "The most appointments on one day.",
    "customerLimit": "The most open appointments of one customer.",
    "needsConfirmation": "Whether staff confirm each booking.",
    "confirmWithinMinutes": "How long a booking waits to be confirmed.",
    "cancelNoticeMinutes": "How long before the start customers may still cancel.",
    "scheduleId": "The opening hours.",
    "zone": "The time zone, such as Europe/Berlin.",
    "location": "Where it is.",
    "remote": "Whether it is given at a distance, by phone or video.",
    "public": "Whether visitors may book it.",
    "active": "Whether it is offered.",
    "kind": "What it is.",
    "email": "Where messages go.",
    "phone": "The phone.",
    "language": "The language to write in.",
    "notes": "Notes for staff.",
}
"""What each option is for."""

SHORT = {"durationMinutes": "minutes", "scheduleId": "schedule"}
"""Options that are shorter than their field's name."""

_OPEN = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?\s+([0-9:]{5})-([0-9:]{5})")
_ON = re.compile(r"([0-9-]{10})\s+(closed|[0-9:,\s-]+)")
_NEED = re.compile(r"(?:(?:([0-9]{1,2})x)?pool:)?([A-Za-z0-9_.:@+,-]+)")


@dataclass(frozen=True, slots=True)
class Shape:
    """A field with a short way to be written: a repeatable option whose texts become the field's value."""

    option: str
    help: str
    read: Callable[[tuple[str, ...]], Any]


def read_needs(texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """`ada`, `ada,room-1`, `pool:doctors` and `2xpool:nurses` as needs."""
    needs: list[dict[str, Any]] = []
    for text in texts:
        form = _NEED.fullmatch(text)
        if form is None:
            raise Invalid(f"{text[:60]!r} is no need: write ada, or pool:doctors, or 2xpool:nurses", field="need")
        if "pool:" in text:
            needs.append({"anyOf": form[2], "count": int(form[1] or 1)})
        else:
            needs.append({"allOf": form[2].split(",")})
    return needs


def read_weekly(texts: tuple[str, ...]) -> dict[str, Any]:
    """`mon-fri 09:00-12:30` and the like as weekly hours."""
    weekly: dict[str, Any] = {}
    for text in texts:
        form = _OPEN.fullmatch(text.strip().lower())
        if form is None or form[1] not in WEEKDAYS or (form[2] or "mon") not in WEEKDAYS:
            raise Invalid(
                f"{text[:60]!r} is no opening: write 'mon-fri 09:00-17:00' or 'sat 10:00-13:00'", field="open"
            )
        first = WEEKDAYS.index(form[1])
        for number in range((WEEKDAYS.index(form[2] or form[1]) - first) % 7 + 1):
            opening = {"from": form[3], "to": form[4]}
            weekly.setdefault(WEEKDAYS[(first + number) % 7], []).append(opening)
    return weekly


def read_overrides(texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """`2026-12-24 closed` and `2026-12-31 09:00-12:00` as overrides."""
    overrides = []
    for text in texts:
        form = _ON.fullmatch(text.strip().lower())
        if form is None:
            raise Invalid(f"{text[:60]!r} is no date's hours: write '2026-12-24 closed' or '2026-12-31 09:00-12:00'")
        spans = [] if form[2] == "closed" else [span.strip().split("-") for span in form[2].split(",")]
        if any(len(span) != 2 for span in spans):
            raise Invalid(f"{text[:60]!r} is no date's hours: write '2026-12-31 09:00-12:00'")
        overrides.append({"date": form[1], "hours": [{"from": span[0], "to": span[1]} for span in spans]})
    return overrides


SHAPES: dict[str, Shape] = {
    "needs": Shape("need", "Who is needed: ada, or pool:doctors, or 2xpool:nurses; repeatable.", read_needs),
    "resourceIds": Shape("resource", "A member; repeatable, the first is taken first.", list),
    "weekly": Shape("open", "Weekly hours, such as 'mon-fri 09:00-17:00'; repeatable.", read_weekly),
    "overrides": Shape("on", "Other hours on one date: '2026-12-24 closed'; repeatable.", read_overrides),
}


def flag_of(name: str) -> str:
    """The option of a field: `bufferAfterMinutes` is `--buffer-after-minutes`."""
    return "--" + re.sub(r"[A-Z]", lambda letter: "-" + letter[0].lower(), SHORT.get(name, name))


def options_of(kind: CatalogueKind, *, is_new: bool = False) -> list[click.Option]:
    """An option for each field of the kind; for a new thing the help says what holds without it."""
    options = []
    for each in msgspec.structs.fields(KINDS[kind][0]):
        option = _option(each.encode_name, inspect.type_info(each.type))
        if is_new and (default := _default(each.default)):
            option.help = f"{option.help}  [default: {default}]"
        options.append(option)
    return options


def _default(value: object) -> str:
    """A field's default as the help says it; empty where there is none, or nothing to say."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, (int, str)) else ""


def _option(name: str, kind: inspect.Type) -> click.Option:
    if name in SHAPES:
        shape = SHAPES[name]
        return click.Option([f"--{shape.option}", name], multiple=True, help=shape.help)
    flag = flag_of(name)
    if isinstance(kind, inspect.UnionType):
        kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    match kind:
        case inspect.BoolType():
            return click.Option([f"{flag}/--no-{flag[2:]}", name], default=None, help=HELP[name])
        case inspect.IntType():
            return click.Option([flag, name], type=int, help=HELP[name])
        case inspect.LiteralType(values=values):
            return click.Option([flag, name], type=click.Choice([str(each) for each in values]), help=HELP[name])
        case _:
            return click.Option([flag, name], help=HELP[name])


def given_of(values: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given, as they stand in JSON."""
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name in SHAPES:
            if value:
                given[name] = SHAPES[name].read(value)
        elif value is not None:
            given[name] = safe_text(value, name, is_multi_line=name == "notes") if isinstance(value, str) else value
    return given


@dataclass(frozen=True, slots=True)
class Look:
    """How things of a kind are listed."""

    columns: tuple[str, ...]
    row: Callable[[Any], tuple[object, ...]]
    example: str


def _needs(service: Service) -> str:
    return " + ".join(_need(need) for need in service.needs)


def _need(need: Need) -> str:
    if need.any_of is None:
        return ",".join(need.all_of)
    return f"{need.count}xpool:{need.any_of}" if need.count > 1 else f"pool:{need.any_of}"


def _service_row(service: Service) -> tuple[object, ...]:
    buffers = f" (+{service.buffer_before_minutes}/{service.buffer_after_minutes})"
    has_buffers = service.buffer_before_minutes or service.buffer_after_minutes
    return (
        service.name,
        f"{service.duration_minutes} min{buffers if has_buffers else ''}",
        _needs(service),
        "by staff" if service.needs_confirmation else "at once",
        _is(service.active),
    )


def _resource_row(resource: Resource) -> tuple[object, ...]:
    return resource.name, resource.kind, resource.zone, resource.schedule_id or "always", _is(resource.active)


def _schedule_row(schedule: Schedule) -> tuple[object, ...]:
    return schedule.name, "\n".join(_weekly(schedule)) or "closed", len(schedule.overrides)


def _weekly(schedule: Schedule) -> list[str]:
    days = {day: getattr(schedule.weekly, day) for day in WEEKDAYS}
    return [f"{day} {_hours(open_)}" for day, open_ in days.items() if open_]


def _hours(openings: Iterable[Opening]) -> str:
    return ", ".join(f"{each.from_}-{each.to}" for each in openings) or "closed"


def _is(active: bool) -> str:
    return "yes" if active else "no"


LOOKS: dict[CatalogueKind, Look] = {
    "service": Look(
        ("name", "takes", "needs", "booked", "offered"),
        _service_row,
        "slotkeeper services add visit --name Visit --minutes 30 --need pool:doctors",
    ),
    "resource": Look(
        ("name", "kind", "zone", "hours", "active"),
        _resource_row,
        "slotkeeper resources add ada --name 'Dr Ada' --zone Europe/Berlin --schedule week",
    ),
    "pool": Look(
        ("name", "members"),
        lambda pool: (pool.name, ", ".join(pool.resource_ids)),
        "slotkeeper pools add doctors --name Doctors --resource ada --resource ben",
    ),
    "schedule": Look(
        ("name", "hours", "other dates"),
        _schedule_row,
        "slotkeeper schedules add week --name 'Opening hours' --open 'mon-fri 09:00-17:00'",
    ),
    "customer": Look(
        ("name", "email", "phone", "language"),
        lambda customer: (customer.name, customer.email, customer.phone, customer.language),
        "slotkeeper customers add grace --name 'Grace Hopper' --email grace@example.com",
    ),
}


def group_of(kind: CatalogueKind) -> click.Group:
    """The commands of one kind."""
    name, look = f"{kind}s", LOOKS[kind]

    @click.group(name, help=f"{_SUMMARIES[kind]}\n\nFor example: {look.example}")
    def group() -> None:
        pass

    @group.command("list", help=f"List the {name}.")
    @json_option
    @at_business
    def list_(office: Office, is_json: bool) -> None:
        found = catalogue.items(office.desk, office.actor, kind)
        if is_json:
            as_json([_builtins(each) for each in found])
            return
        rows = [(each.id, *look.row(each.value)) for each in found]
        table(name.capitalize(), ("id", *look.columns), rows, f"There are no {name} yet. Add one: {look.example}")

    @group.command("show", help=f"Show the {kind} ID whole.")
    @click.argument("id")
    @json_option
    @at_business
    def show(office: Office, id: str, is_json: bool) -> None:
        _show(catalogue.item(office.desk, office.actor, kind, id), is_json)

    @group.command("add", help=f"Add a {kind} called ID.", params=options_of(kind, is_new=True))
    @click.argument("id")
    @json_option
    @at_business
    def add(office: Office, id: str, is_json: bool, **values: Any) -> None:
        if not ID.match(id):
            raise Invalid("an id has 1 to 128 letters, digits or any of _.:@+-", field="id")
        value = fitted(_with_zone(kind, given_of(values), office.zone), KINDS[kind][0])
        try:
            item = catalogue.put(office.desk, office.actor, kind, id, value, seen_version="0")
        except Outdated as error:
            raise InUse(f"there is a {kind} {id!r} already: change it with slotkeeper {name} change {id}") from error
        _show(item, is_json)

    @group.command("change", help=f"Change the {kind} ID; what is left out stays.", params=options_of(kind))
    @click.argument("id")
    @json_option
    @at_business
    def change(office: Office, id: str, is_json: bool, **values: Any) -> None:
        given = given_of(values)
        if not given:
            raise click.UsageError("say what is to be changed: see --help")
        item = catalogue.item(office.desk, office.actor, kind, id)
        value = fitted(msgspec.to_builtins(item.value) | given, KINDS[kind][0])
        _show(catalogue.put(office.desk, office.actor, kind, id, value, str(item.version)), is_json)

    @group.command("remove", help=f"Remove the {kind} ID; what is past keeps its name.")
    @click.argument("id")
    @at_business
    def remove(office: Office, id: str) -> None:
        catalogue.remove(office.desk, office.actor, kind, id)
        click.echo(f"The {kind} {id} is removed.")

    return group


def _with_zone(kind: CatalogueKind, given: dict[str, Any], zone: str) -> dict[str, Any]:
    """A resource is in the business's zone unless it says otherwise; a schedule without hours is closed."""
    if kind == "resource":
        return {"zone": zone} | given
    return {"weekly": {}} | given if kind == "schedule" else given


def _builtins(item: Item[Any]) -> dict[str, Any]:
    return {"id": item.id, **msgspec.to_builtins(item.value)}


def _show(item: Item[Any], is_json: bool) -> None:
    if is_json:
        as_json(_builtins(item))
        return
    facts = {name: _said(value) for name, value in msgspec.to_builtins(item.value).items()} | _written(item.value)
    width = max(map(len, facts), default=0)
    lines = []
    for name, said in facts.items():
        lines += [f"{head:<{width}}  {line}" for head, line in zip(chain([name], repeat("")), said, strict=False)]
    panel(item.id, lines)


def _written(value: object) -> dict[str, list[str]]:
    """The fields that have a short way to be written, in that way."""
    match value:
        case Schedule():
            dates = [f"{each.date} {_hours(each.hours)}" for each in value.overrides]
            return {"weekly": _weekly(value) or ["closed"]} | ({"overrides": dates} if dates else {})
        case Service():
            return {"needs": [_needs(value)]}
        case Pool():
            return {"resourceIds": [", ".join(value.resource_ids)]}
        case _:
            return {}


def _said(value: object) -> list[str]:
    if isinstance(value, bool):
        return [_is(value)]
    return (value if isinstance(value, str) else msgspec.json.encode(value).decode()).splitlines() or [""]


_SUMMARIES: dict[CatalogueKind, str] = {
    "service": "What customers book.",
    "resource": "Who or what can be busy.",
    "pool": "Resources of which any one will do.",
    "schedule": "Opening hours.",
    "customer": "Who appointments are for.",
}

COMMANDS = {f"{kind}s": group_of(kind) for kind in LOOKS}
