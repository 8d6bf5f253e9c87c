"""How facts are read: a property wherever it stands, and the same of many resources."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from readiness.checks import Finding
from readiness.template import Absent, Json, Template, found, shown

Holds = Callable[[Any], bool]


def says(template: Template, id: str, name: str, wanted: Any) -> Finding:
    """That the property is as wanted wherever it stands in the resource; `wanted` is a value, or a judgement of one."""
    return property_of(id, template.properties(id), name, wanted)


def property_of(id: str, properties: Json, name: str, wanted: Any) -> Finding:
    """The same, of properties that are at hand."""
    values = list(found(properties, name))
    if not values:
        return Finding(f"{id}: no {name}", holds=False)
    is_right: Holds = wanted if callable(wanted) else lambda value: bool(value == wanted)
    texts = dict.fromkeys(map(shown, values))
    return Finding(f"{id}: {name} {', '.join(texts)}", holds=all(map(is_right, values)))


def each_says(things: dict[str, Json], kind: str, name: str, wanted: Any) -> Iterator[Finding]:
    """That every one of them says so, in one finding where all do, and one for each that does not."""
    findings = [property_of(id, properties, name, wanted) for id, properties in things.items()]
    good = [finding.text.partition(": ")[2] for finding in findings if finding.holds]
    if good:
        values = dict.fromkeys(text.removeprefix(f"{name} ") for text in good)
        yield Finding(f"{len(good)} of {len(things)} {kind}: {name} {', '.join(values)}")
    if not things:
        yield Finding(f"no {kind}", holds=False)
    yield from (finding for finding in findings if not finding.holds)


def text_of(template: Template, id: str, name: str) -> str:
    """The one text that stands under that name in the resource. Raises `Absent` when there is none."""
    values = list(found(template.properties(id), name))
    if not values:
        raise Absent(f"{id}: no {name}")
    return shown(values[0])


def named(things: Sequence[str]) -> str:
    """The names with commas and an `and`."""
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)
