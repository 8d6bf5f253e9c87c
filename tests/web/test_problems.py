"""Every error is told as a problem, and what goes on inside is told to nobody."""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from slotkeeper.contracts import Doc, Key
from slotkeeper.core.errors import Refused
from slotkeeper.stores.sqlite import SqliteStore
from slotkeeper.web.http import Request
from slotkeeper.web.problems import TABLE, explained
from tests.builders import a_clinic
from tests.web.asking import TUESDAY, Asker, a_web, checked


def all_below(base: type[Refused]) -> set[type[Refused]]:
    return {base, *(each for child in base.__subclasses__() for each in all_below(child))}


def test_every_refusal_stands_in_the_table() -> None:
    assert {each for each in all_below(Refused) if each.__module__.startswith("slotkeeper.")} <= TABLE.keys()


def test_a_code_names_one_kind_of_problem() -> None:
    codes = [kind.code for kind, _ in explained()]

    assert len(codes) == len(set(codes))


def test_every_code_is_explained_where_its_type_leads() -> None:
    page = a_web().get("/docs", key="").body.decode()

    for kind, meaning in explained():
        assert f'id="{kind.code}"' in page
        assert len(meaning) > 20


def test_a_store_that_fails_is_told_as_503_and_never_as_free(tmp_path: Path) -> None:
    asker = Asker(a_clinic(SqliteStore(tmp_path / "clinic.db", wait_seconds=0.01)))
    rival = sqlite3.connect(tmp_path / "clinic.db", isolation_level=None)
    rival.execute("BEGIN EXCLUSIVE")

    reply = asker.post("/appointments", {"serviceId": "visit", "startTime": TUESDAY})

    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unreachable", "1")
    assert "locked" not in reply.body.decode()
    rival.execute("ROLLBACK")
    assert asker.book()
    rival.close()


def test_a_store_that_is_gone_is_not_ready_but_the_process_lives(tmp_path: Path) -> None:
    asker = Asker(a_clinic(SqliteStore(tmp_path / "clinic.db")))
    assert asker.get("/ready", key="").json == {"status": "ready"}
    assert isinstance(asker.setting.store, SqliteStore)

    asker.setting.store.close()

    assert asker.get("/ready", key="").status == 503
    assert asker.get("/health", key="").json == {"status": "ok"}
    assert asker.get("/services").status == 503
    assert asker.get("/public/clinic", key="").status == 503


def test_what_nobody_foresaw_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    class SurprisingStore(SqliteStore):
        def read(self, keys: Sequence[Key]) -> dict[Key, Doc]:
            raise ZeroDivisionError("secret inner state")

    asker = a_web()
    asker.setting.desk.store.__class__ = SurprisingStore

    with caplog.at_level(logging.ERROR):
        reply = asker.get("/services")

    assert (reply.status, reply.code) == (500, "unexpected")
    assert "secret" not in reply.body.decode()
    assert "ZeroDivisionError: secret inner state" in caplog.text
    assert asker.key not in caplog.text


@pytest.mark.parametrize("path", ["/health", "/services", "/docs", "/openapi.json", "/nothing", "/public/nobody"])
def test_every_answer_carries_the_headers_that_keep_browsers_safe(path: str) -> None:
    headers = a_web().get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert "cache-control" in headers


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE doc; --", "=cmd|' /C calc'!A0", "{{7*7}}"]
)
def test_texts_are_given_back_as_they_came(text: str) -> None:
    asker = a_web()
    id = asker.book(details={"note": text}, customer={"name": text})

    reply = asker.get(f"/appointments/{id}")

    assert (reply.json["details"]["note"], reply.json["customer"]["name"]) == (text, text)
    assert reply.headers["content-type"] == "application/json"


def test_hostile_headers_do_no_harm() -> None:
    asker = a_web()
    for name in ("authorization", "x-api-key", "idempotency-key", "if-match", "if-none-match", "x-forwarded-for"):
        for text in ("\0", "é", "\ud800", "x" * 100_000, "\r\nset-cookie: a=b", '"', "*", "W/", "\u202e"):
            request = Request("GET", "/services", headers={"x-api-key": asker.key, name: text}, peer="x")
            reply = checked(request, asker.web.answer(request))
            assert reply.status < 500
            assert "\n" not in "".join(reply.headers.values())
