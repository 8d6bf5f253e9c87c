"""Values that fit: what a good caller would send, field by field, drawn from the schemas of the routes."""

import random
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from bench.proof.attack.premises import KNOWN_EMAIL, PASSWORD, SECRET, ZONE
from slotkeeper.web.openapi import REF

KINDS: Mapping[str, str] = {
    "serviceId": "services", "service": "services", "resourceIds": "resources", "resourceId": "resources",
    "resource": "resources", "members": "resources", "allOf": "resources", "prefer": "resources", "with": "resources",
    "anyOf": "pools", "scheduleId": "schedules", "holdId": "holds", "hold": "holds", "customerId": "customers",
    "userId": "customers",
}  # fmt: skip
"""Of which kind is what a field names, where its id does not tell."""

LISTS: Mapping[str, Sequence[str]] = {
    "zone": (ZONE, "UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"),
    "language": ("en", "de", "fr", "es", "ar", "pt-BR"),
    "lang": ("en", "de", "fr", "es", "ar"),
    "email": ("ada@example.com", KNOWN_EMAIL),
    "phone": ("+49 30 1234", "", "030/12"),
    "url": ("https://example.com/hook",),
    "secret": ("", SECRET),
    "accent": ("#336699", "#ffffff", "#000000"),
    "quietFrom": ("21:00", ""),
    "quietTo": ("08:00", ""),
    "name": ("Ada", "Dr. Ben Carter", "Zoë"),
    "subject": ("See you {{ appointment.when }}", "Hello"),
    "text": ("Dear {{ customer.name }},\nsee you.", "Hello"),
    "html": ("", "<p>Hello {{ customer.name }}</p>"),
    "once": ("once_0123456789abcdef0123456789abcdef",),
    "revision": ("1", "2", "3"),
    "offset": ("", "+01:00"),
    "embed": ("", "1"),
    "done": ("", "saved", "moved"),
    "which": ("", "dead", "waiting"),
    "next": ("", "/staff/clinic/setup"),
    "password": (PASSWORD, PASSWORD, "x"),
    "q": ("ada", "a", "30"),
    "do": ("confirm", "checkIn", "complete", "noShow", "decline", "cancel", "reopen", "move", "notes"),
    "cursor": ("",),
    "after": ("",),
    "minutes": ("30", "45", ""),
    "time": ("10:00", "10:30"),
    "media": ("image/png",),
    "data": ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",),
    "location": ("", "12 Mill Lane"),
    "reason": ("asked for by phone", "holidays"),
    "notes": ("bring the blue card", ""),
    "description": ("A visit.", ""),
    "override": ("because I say so", ""),
}

_OPEN_HOURS = range(8, 16)


class Samples:
    """Draws values for one business. `ids` are by kind, as in `Premises`, and grow as answers tell of new ones."""

    def __init__(self, chance: random.Random, ids: Mapping[str, Sequence[str]]) -> None:
        self.chance = chance
        self.ids: dict[str, list[str]] = {kind: list(known) for kind, known in ids.items()}
        self.cursors: list[str] = []

    def learn(self, kind: str, id: str) -> None:
        """Note that there is such a thing now; the ones that were there first are kept, of others the latest."""
        known = self.ids.setdefault(kind, [])
        known.append(id)
        if len(known) > 40:
            del known[10]

    def id(self, kind: str) -> str:
        """One that there is, or was."""
        return self.chance.choice(self.ids.get(kind) or ["none"])

    def body(self, kind: type[msgspec.Struct]) -> Any:
        """A value that fits the type."""
        schema, components = schema_of(kind)
        return self.value(schema, components, kind.__name__)

    def query(self, kind: type[msgspec.Struct], share: float | None = None) -> list[tuple[str, str]]:
        """Parameters that fit the type; of those that may be left out about a `share`, or any."""
        schema, components = schema_of(kind)
        found = self._object(components[schema["$ref"].rpartition("/")[2]], components, share)
        pairs: list[tuple[str, str]] = []
        for name, value in found.items():
            pairs += [(name, str(each)) for each in (value if isinstance(value, list) else [value])]
        return pairs

    def value(self, schema: Mapping[str, Any], components: Mapping[str, Any], name: str) -> Any:
        """A value that fits the schema, as a field of that name has it."""
        if "$ref" in schema:
            return self.value(components[schema["$ref"].rpartition("/")[2]], components, name)
        if "anyOf" in schema:
            return self.value(self.chance.choice(schema["anyOf"]), components, name)
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        match schema.get("type"):
            case "object" if name == "needs":
                return self.chance.choice(({"anyOf": self.id("pools")}, {"allOf": [self.id("resources")]}))
            case "object":
                return self._object(schema, components)
            case "array":
                least = schema.get("minItems", 0)
                count = self.chance.randint(
                    least, max(least, min(schema.get("maxItems", 3), self.chance.choice((0, 1, 3))))
                )
                return _distinct([self.value(schema["items"], components, name) for _ in range(count)])
            case "integer" | "number":
                return self._number(name, schema)
            case "boolean":
                return self.chance.random() < 0.5
            case "string":
                return self.text(name, schema)
            case _:
                return None

    def text(self, name: str, schema: Mapping[str, Any]) -> str:
        """A text for a field of that name."""
        if name in KINDS:
            return self.id(KINDS[name])
        if schema.get("format") == "date" or name in ("date", "day") or schema.get("maxLength") == len("2026-12-01"):
            return self.date(name)
        if schema.get("format") == "date-time" or (name in ("from", "to") and "pattern" not in schema):
            return self.time(name)
        if name in ("from", "to") and "pattern" in schema:
            return "24:00" if name == "to" and self.chance.random() < 0.1 else self.clock()
        if name in ("start", "end"):
            return self.time()[:16]
        if name == "cursor" and self.cursors and self.chance.random() < 0.5:
            return self.chance.choice(self.cursors)
        return self.chance.choice(LISTS.get(name, ("x",)))

    def time(self, name: str = "") -> str:
        """An instant on a grid of half hours, in opening hours of the weeks to come; what ends is later than what
        begins."""
        day, hour = self._day(name), self.chance.choice(_OPEN_HOURS)
        return f"2026-12-{day:02}T{hour:02}:{self.chance.choice((0, 30)):02}:00Z"

    def date(self, name: str = "") -> str:
        """A date of the weeks to come."""
        return f"2026-12-{self._day(name):02}"

    def _day(self, name: str) -> int:
        return self.chance.randint(11, 23) if name in ("to", "endTime", "end") else self.chance.randint(1, 10)

    def clock(self) -> str:
        return f"{self.chance.randint(0, 23):02}:{self.chance.choice((0, 5, 30)):02}"

    def key(self) -> str:
        """A new idempotency key."""
        return f"key-{self.chance.getrandbits(64):016x}"

    def _object(
        self, schema: Mapping[str, Any], components: Mapping[str, Any], share: float | None = None
    ) -> dict[str, Any]:
        members, needed = schema.get("properties", {}), schema.get("required", ())
        share = self.chance.choice((0.0, 0.1, 0.3, 0.8)) if share is None else share
        found = {
            name: self.value(member, components, name)
            for name, member in members.items()
            if name in needed or self.chance.random() < share
        }
        return found if "properties" in schema else {"notes": "x", "n": 1, "deep": {"list": [1, None, True]}}

    def _number(self, name: str, schema: Mapping[str, Any]) -> int:
        if name == "revision":
            return self.chance.choice((1, 2, 3))
        least, most = int(schema.get("minimum", 0)), int(schema.get("maximum", 1000))
        found = self.chance.choice((least, most, self.chance.randint(least, most), 5 * self.chance.randint(1, 12)))
        return min(max(found, least), most)


@cache
def schema_of(kind: type[msgspec.Struct]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The type's schema, and the components that it refers to."""
    [schema], components = msgspec.json.schema_components([kind], ref_template=REF)
    return schema, components


def _distinct(values: list[Any]) -> list[Any]:
    return [each for at, each in enumerate(values) if each not in values[:at]]
