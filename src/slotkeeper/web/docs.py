"""The docs page, drawn from the route table and the OpenAPI document; it needs no network and no script."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from slotkeeper.core.actor import SCOPES
from slotkeeper.web.problems import explained
from slotkeeper.web.routes import Route

Schema = Mapping[str, Any]

_ORIGIN = "$API"
"""A variable that the page lets the reader set once: the page does not know where it is served."""

_SAMPLES = {
    "id": "ID",
    "business": "clinic",
    "absence": "ABSENCE",
    "serviceId": "checkup",
    "from": "2026-12-01T00:00:00Z",
    "to": "2026-12-08T00:00:00Z",
}


class Field(msgspec.Struct, frozen=True):
    """A field of a body or a parameter, in words."""

    name: str
    type: str
    is_needed: bool
    note: str


class Entry(msgspec.Struct, frozen=True):
    """One route as the page shows it."""

    anchor: str
    route: Route
    about: str
    parameters: list[Field]
    fields: list[Field]
    curl: str
    answers: list[tuple[int, str]]


def page(routes: Sequence[Route], document: Schema) -> str:
    """The whole page as HTML."""
    environment = Environment(
        loader=PackageLoader("slotkeeper.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["marked"] = _marked
    entries = [_entry(route, document) for route in routes]
    topics = [(topic, list(group)) for topic, group in groupby(entries, lambda entry: entry.route.topic)]
    return environment.get_template("docs.html").render(
        version=document["info"]["version"],
        topics=topics,
        problems=list(explained()),
        scopes=SCOPES,
        origin=_ORIGIN,
    )


def _marked(text: str) -> Markup:
    """The text as HTML, with what stands in backquotes as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before


def anchor_of(route: Route) -> str:
    """The anchor of a route on the page."""
    return "-".join([route.method.lower(), *(part.strip("{}") for part in route.pattern.split("/") if part)])


def _entry(route: Route, document: Schema) -> Entry:
    operation = document["paths"][route.pattern][route.method.lower()]
    schemas = document["components"]["schemas"]
    body = schemas[route.body.__name__] if route.body else {}
    return Entry(
        anchor_of(route),
        route,
        body.get("description", ""),
        [_parameter(each) for each in operation.get("parameters", ()) if each["in"] != "path"],
        list(_fields(body)),
        _curl(route, operation),
        [(int(status), _answer(answer)) for status, answer in operation["responses"].items() if int(status) < 300],
    )


def _parameter(parameter: Schema) -> Field:
    schema = parameter["schema"]
    note = parameter.get("description", _bounds(schema))
    return Field(parameter["name"], _type(schema), parameter["required"], note)


def _fields(schema: Schema) -> Iterator[Field]:
    for name, member in schema.get("properties", {}).items():
        yield Field(name, _type(member), name in schema.get("required", ()), _bounds(member))


def _type(schema: Schema) -> str:
    """The type in words, such as `list of text` or `"email" or "webhook"`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].removesuffix("Body")
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    words = {"string": "text", "integer": "number", "boolean": "true or false", "null": "null", "number": "number"}
    return "time" if schema.get("format") == "date-time" else words.get(str(schema.get("type")), "object")


def _bounds(schema: Schema) -> str:
    if "anyOf" in schema:
        return next((bounds for each in schema["anyOf"] if (bounds := _bounds(each))), "")
    notes = [
        f"from {schema['minimum']} to {schema['maximum']}" if {"minimum", "maximum"} <= schema.keys() else "",
        f"at most {schema['maxLength']} characters" if "maxLength" in schema else "",
        f"at most {schema['maxItems']}" if "maxItems" in schema else "",
        f"default {json.dumps(schema['default'])}" if schema.get("default") not in (None, "", [], {}) else "",
    ]
    return ", ".join(filter(None, notes))


def _answer(answer: Schema) -> str:
    content: Schema = next(iter(answer.get("content", {}).values()), {})
    reference = content.get("schema", {}).get("$ref", "")
    return str(reference).rpartition("/")[2] or str(answer["description"])


def _curl(route: Route, operation: Schema) -> str:
    """A call that can be pasted into a shell."""
    parts = [f'curl {"" if route.method == "GET" else f"-X {route.method} "}"{_address(route, operation)}"']
    if route.access not in ("open", "public"):
        parts.append('-H "Authorization: Bearer $KEY"')
    if route.is_repeatable:
        parts.append('-H "Idempotency-Key: $(uuidgen)"')
    if route.example is not None:
        parts += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(route.example, ensure_ascii=False)}'"]
    return " \\\n  ".join(parts)


def _address(route: Route, operation: Schema) -> str:
    path = route.pattern
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", _SAMPLES[name])
    needed = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query" and each["required"]]
    query = urlencode({name: _SAMPLES[name] for name in needed}, safe=":")
    return f"{_ORIGIN}{path}?{query}" if query else _ORIGIN + path
