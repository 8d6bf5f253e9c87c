"""Asking the web layer without a network, and holding every answer against the OpenAPI document."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from slotkeeper.contracts import Doc
from slotkeeper.core.actor import Scope
from slotkeeper.desk import catalogue
from slotkeeper.desk.keys import create_key
from slotkeeper.web.app import Rules, Web
from slotkeeper.web.http import Request, Response
from slotkeeper.web.openapi import document
from slotkeeper.web.problems import MEDIA
from slotkeeper.web.routes import NoRoute, Router, WrongMethod
from slotkeeper.web.table import ROUTES
from tests.builders import STAFF, Setting, a_clinic
from tests.clock import VirtualClock

ALL: tuple[Scope, ...] = ("read", "book", "staff", "admin")
TUESDAY = "2026-11-24T09:00:00Z"
"""A Tuesday at ten in Berlin: open, and on everyone's step."""

_router = Router(ROUTES)


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered; `json` is None when there is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any

    @property
    def code(self) -> str:
        """The code of the problem."""
        return str(self.json["code"])


class Asker:
    """Asks a web layer over a setting; with a key, unless another is named."""

    def __init__(self, setting: Setting, rules: Rules | None = None) -> None:
        self.setting = setting
        self.seconds = 0.0
        self.web = Web(setting.desk, rules, seconds=lambda: self.seconds)
        self.key = a_key(setting)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        peer: str = "192.0.2.1",
    ) -> Reply:
        """Ask, and check that the answer is one that the OpenAPI document tells of. An empty `key` sends none."""
        path, _, query = path.partition("?")
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json"} if content else {}
        key = self.key if key is None else key
        sent |= {"authorization": f"Bearer {key}"} if key else {}
        request = Request(method, path, query, sent | dict(headers or {}), content, peer)
        return checked(request, self.web.answer(request))

    def get(self, path: str, **others: Any) -> Reply:
        return self.ask("GET", path, **others)

    def post(self, path: str, body: object = None, **others: Any) -> Reply:
        return self.ask("POST", path, body, **others)

    def put(self, path: str, body: object = None, **others: Any) -> Reply:
        return self.ask("PUT", path, body, **others)

    def patch(self, path: str, body: object = None, **others: Any) -> Reply:
        return self.ask("PATCH", path, body, **others)

    def delete(self, path: str, **others: Any) -> Reply:
        return self.ask("DELETE", path, **others)

    def book(self, start: str = TUESDAY, **others: Any) -> str:
        """The id of a visit that was booked."""
        reply = self.post("/appointments", {"serviceId": "visit", "startTime": start} | others)
        assert reply.status == 201, reply.body
        return str(reply.json["appointmentId"])

    def dump(self) -> list[Doc]:
        """Everything that is stored."""
        return list(self.setting.store.walk())


def a_web(rules: Rules | None = None, now: str | None = None) -> Asker:
    """The clinic's web layer."""
    return Asker(a_clinic() if now is None else a_clinic(now=now), rules)


def a_key(setting: Setting, *scopes: Scope, customer_id: str = "", business: str = "clinic") -> str:
    """A new key; with all scopes when none is named."""
    actor = STAFF if business == "clinic" else type(STAFF)(business=business, id="staff", scopes=STAFF.scopes)
    return create_key(setting.desk, actor, "test", scopes or ALL, customer_id).secret


def a_second_business(setting: Setting) -> str:
    """A business beside the clinic that has nothing yet; returns a key of its own."""
    actor = type(STAFF)(business="other", id="staff", scopes=STAFF.scopes)
    catalogue.put_profile(setting.desk, actor, catalogue.profile(setting.desk, STAFF).value)
    return a_key(setting, business="other")


def clock_of(asker: Asker) -> VirtualClock:
    return asker.setting.clock


def checked(request: Request, response: Response) -> Reply:
    """The reply, when it is as the OpenAPI document says. Raises `AssertionError` when it is not."""
    names = [name for name, _ in response.headers]
    assert len(names) == len(set(names)), f"a header comes twice: {names}"
    headers = dict(response.headers)
    media = headers.get("content-type", "")
    value: Any = json.loads(response.body) if "json" in media else None
    if response.status >= 400:
        assert media == MEDIA
        assert value["status"] == response.status
        assert value["error"] == value["detail"]
    _check_documented(request, response.status, media, value)
    return Reply(response.status, headers, response.body, value)


def _check_documented(request: Request, status: int, media: str, value: Any) -> None:
    try:
        route, _ = _router.find(request.method, request.path)
    except (NoRoute, WrongMethod):
        assert status in (404, 405)
        _validator("Problem").validate(value)
        return
    operation = whole()["paths"][route.pattern][route.method.lower()]
    assert str(status) in operation["responses"], f"{route.method} {route.pattern} never answers {status}"
    content = operation["responses"][str(status)].get("content", {})
    assert set(content) == ({media} if media else set())
    if content and value is not None:
        _validator(json.dumps(content[media]["schema"])).validate(value)


@cache
def whole() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(ROUTES)


@cache
def _validator(schema: str) -> Draft202012Validator:
    """For the component of that name, or the schema of that JSON."""
    found = {"$ref": f"#/components/schemas/{schema}"} if schema.isidentifier() else json.loads(schema)
    return Draft202012Validator(found | {"components": whole()["components"]})
