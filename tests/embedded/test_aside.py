"""What takes long is answered beside everything else, and nobody waits for it."""

import threading
from pathlib import Path

import httpx
import pytest

from slotkeeper.desk import members, sessions
from slotkeeper.embedded import asgi
from slotkeeper.embedded.app import Plan, build
from slotkeeper.stores.sqlite import SqliteStore
from slotkeeper.web.auth import COOKIE
from slotkeeper.web.http import Request, Response
from slotkeeper.web.staff import insight
from tests.builders import STAFF, a_clinic
from tests.clock import VirtualClock
from tests.embedded.test_asgi import MONDAY, served

pytestmark = pytest.mark.slow

PAGE = "/staff/clinic/insight"


def a_file(folder: Path) -> tuple[Path, str]:
    """The clinic's file, and a member's cookie."""
    path = folder / "clinic.db"
    store = SqliteStore(path)
    desk = a_clinic(store).desk
    member = members.add(desk, STAFF, "olga@example.com", "Olga", "owner")
    token = sessions.open_session(desk, "clinic", member.id, remember=False).token
    store.close()
    return path, f"{COOKIE}={token}"


def test_others_are_answered_while_figures_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cookie = a_file(tmp_path)
    counting, others_done = threading.Event(), threading.Event()
    count = insight.show

    def slow(call: object) -> object:
        counting.set()
        assert others_done.wait(10)
        return count(call)  # type: ignore[arg-type] # it is handed on

    monkeypatch.setattr(insight, "show", slow)
    house = build(Plan(database=path, delivers=False), VirtualClock(MONDAY))
    with served(house) as url:
        replies: list[httpx.Response] = []
        asking = threading.Thread(
            target=lambda: replies.append(httpx.get(url + PAGE, headers={"cookie": cookie}, timeout=20))
        )
        asking.start()
        assert counting.wait(10)

        assert httpx.get(f"{url}/clinic").status_code == 200
        others_done.set()
        asking.join()

    assert replies[0].status_code == 200
    assert "<h1>" in replies[0].text


def test_it_asks_who_one_is_like_any_other(tmp_path: Path) -> None:
    path, _ = a_file(tmp_path)
    with served(build(Plan(database=path, delivers=False), VirtualClock(MONDAY))) as url:
        reply = httpx.get(url + PAGE, headers={"accept": "text/html"}, follow_redirects=False)

    assert reply.status_code == 303
    assert "/sign-in" in reply.headers["location"]


def test_a_file_that_cannot_be_opened_is_told_of(tmp_path: Path) -> None:
    house = build(Plan(database=tmp_path / "clinic.db", delivers=False), VirtualClock(MONDAY))
    aside = house.app._aside
    house.close()
    (tmp_path / "clinic.db").unlink()
    (tmp_path / "clinic.db").mkdir()

    assert aside is not None
    answer: Response = aside(Request("GET", PAGE))

    assert answer.status == asgi.UNREACHABLE
