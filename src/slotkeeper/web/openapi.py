"""The OpenAPI 3.1 document: written from the route table and the types in it, by nobody else."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from slotkeeper import __version__
from slotkeeper.web.problems import MEDIA, Problem
from slotkeeper.web.routes import JSON, Route

REF = "#/components/schemas/{name}"
ID_SCHEMA = {"type": "string", "pattern": "^[A-Za-z0-9_.:@+-]{1,128}$"}

_PARAMETERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": "1 to 255 visible ASCII characters; the same request with the same key is done once",
        "schema": {"type": "string", "minLength": 1, "maxLength": 257},
    },
    "If-Match": {
        "description": "The ETag that was seen; the change is refused (412) when it is not the current one",
        "schema": {"type": "string"},
    },
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The document as a value."""
    schemas, refs = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.pattern, {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Slotkeeper",
            "version": __version__,
            "summary": "Appointment scheduling that never double-books",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": topic} for topic in dict.fromkeys(route.topic for route in routes)],
        "security": [{"bearer": []}, {"header": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def problem_statuses(route: Route) -> list[int]:
    """The statuses of the problems that the route may answer with."""
    statuses = {500}
    if route.access != "open":
        statuses |= {400, 422, 429, 503}
    if route.pattern == "/ready":
        statuses |= {503}
    if route.access not in ("open", "public"):
        statuses |= {401, 403}
    if route.access != "open" and (route.parameters or route.refuses or route.query or route.topic == "Business"):
        statuses |= {404}
    if route.body is not None:
        statuses |= {404, 413, 415}
    if route.refuses:
        statuses |= {409}
    if route.is_conditional:
        statuses |= {412}
    return sorted(statuses)


def _schemas(routes: Sequence[Route]) -> tuple[dict[str, Any], dict[Any, Any]]:
    """The components, and for each type the schema that refers to its component."""
    kinds = list(dict.fromkeys([Problem, *_kinds(routes)]))
    refs, components = msgspec.json.schema_components(kinds, ref_template=REF)
    # A problem tells more by its code, so that its members are open.
    components["Problem"]["additionalProperties"] = True
    return _portable(components), dict(zip(kinds, map(_portable, refs), strict=True))


def _kinds(routes: Iterable[Route]) -> Iterable[Any]:
    for route in routes:
        yield from (kind for kind in (*route.answers.values(), route.body, route.query) if kind is not None)


def _portable(schema: Any) -> Any:
    """The schema with patterns that other languages read alike: Python's `\\Z` is their `$`."""
    if isinstance(schema, dict):
        return {name: _pattern(value) if name == "pattern" else _portable(value) for name, value in schema.items()}
    return [_portable(each) for each in schema] if isinstance(schema, list) else schema


def _pattern(pattern: Any) -> Any:
    return pattern.removesuffix(r"\Z") + "$" if isinstance(pattern, str) and pattern.endswith(r"\Z") else pattern


def _operation(route: Route, refs: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "tags": [route.topic],
        "summary": route.summary,
        "responses": _responses(route, refs),
    }
    if route.access in ("open", "public"):
        operation["security"] = []
    else:
        operation["x-scope"] = route.access
    if parameters := list(_parameters(route)):
        operation["parameters"] = parameters
    if route.body is not None:
        content: dict[str, Any] = {"schema": refs[route.body]}
        if route.example is not None:
            content["example"] = route.example
        operation["requestBody"] = {"required": not route.is_body_optional, "content": {JSON: content}}
    return operation


def _operation_id(route: Route) -> str:
    words = [word.strip("{}") for word in route.pattern.replace(".", "/").split("/") if word]
    return route.method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


def _parameters(route: Route) -> Iterable[dict[str, Any]]:
    for name in route.parameters:
        yield {"name": name, "in": "path", "required": True, "schema": ID_SCHEMA}
    if route.query is not None:
        yield from _query_parameters(route.query)
    names = (["Idempotency-Key"] if route.is_repeatable else []) + (["If-Match"] if route.is_conditional else [])
    for name in names:
        yield {"name": name, "in": "header", "required": False, **_PARAMETERS[name]}


def _query_parameters(query: type[msgspec.Struct]) -> Iterable[dict[str, Any]]:
    _, components = msgspec.json.schema_components([query], ref_template=REF)
    schema = components[query.__name__]
    for name, member in schema["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _portable(member),
            **({"style": "form", "explode": True} if member.get("type") == "array" else {}),
        }


def _responses(route: Route, refs: dict[Any, Any]) -> dict[str, Any]:
    responses = {str(status): _good(route, status, kind, refs) for status, kind in route.answers.items()}
    if route.method == "GET" and route.access != "open":
        responses["304"] = {"description": "What the ETag in If-None-Match names is still current"}
    for status in problem_statuses(route):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA: {"schema": {"$ref": REF.format(name="Problem")}}},
        }
    return responses


def _good(route: Route, status: int, kind: Any, refs: dict[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if kind is not None:
        described["content"] = {route.media: {"schema": refs[kind]}}
    elif status != HTTPStatus.NO_CONTENT:
        described["content"] = {route.media: {"schema": {"type": "object" if route.media == JSON else "string"}}}
    return described
