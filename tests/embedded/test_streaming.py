"""A stream tells what a plain question would, as it changes, and ends when that may no longer be asked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from slotkeeper.embedded import streaming
from slotkeeper.embedded.streaming import MEDIA, Streams, is_stream
from slotkeeper.web.http import Request, Response

ASK = Request("GET", "/staff/clinic/changes/stream")


class Listener:
    """A client's side of one stream, and a question whose answer can be changed."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.number, self.status = 1, 200
        self.left = asyncio.Event()

    def answer(self, request: Request) -> Response:
        return Response(self.status, (("content-type", MEDIA),), b"data: %d\n\n" % self.number)

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    @property
    def told(self) -> list[bytes]:
        return [each["body"] for each in self.sent if each.get("more_body")]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "EVERY_SECONDS", 0.005)


def live(steps: Callable[[Listener, Streams], Awaitable[None]]) -> Listener:
    """Run the stream while the steps are taken; it must have ended by itself then."""

    async def run() -> Listener:
        listener = Listener()
        streams = Streams(listener.answer)
        first = listener.answer(ASK)
        stream = asyncio.create_task(streams.serve(ASK, first, listener.receive, listener.send))
        await asyncio.sleep(0.02)
        await steps(listener, streams)
        await asyncio.wait_for(stream, 2)
        return listener

    return asyncio.run(run())


def test_a_stream_tells_each_change_once_and_ends_when_the_page_leaves() -> None:
    async def steps(listener: Listener, streams: Streams) -> None:
        listener.number = 2
        await asyncio.sleep(0.05)
        listener.left.set()

    listener = live(steps)

    assert listener.told == [b"data: 1\n\n", b"data: 2\n\n"]
    assert listener.sent[0]["status"] == 200
    assert (b"content-type", b"text/event-stream") in listener.sent[0]["headers"]


def test_a_stream_ends_when_its_member_is_signed_out() -> None:
    async def steps(listener: Listener, streams: Streams) -> None:
        listener.status = 401

    assert live(steps).told == [b"data: 1\n\n"]


def test_stopping_ends_all_streams() -> None:
    async def steps(listener: Listener, streams: Streams) -> None:
        streams.stop()

    assert live(steps).sent[-1] == {"type": "http.response.body", "body": b""}


def test_a_quiet_stream_sends_a_comment_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BEATS", 2)

    async def steps(listener: Listener, streams: Streams) -> None:
        await asyncio.sleep(0.1)
        listener.left.set()

    assert b":\n\n" in live(steps).told


def test_there_is_no_room_when_all_places_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_STREAMS", 1)
    rooms = list[bool]()

    async def steps(listener: Listener, streams: Streams) -> None:
        rooms.append(streams.has_room(Request("GET", ASK.path, headers={"cookie": "another"})))
        listener.left.set()
        await asyncio.sleep(0.02)
        rooms.append(streams.has_room(ASK))

    live(steps)

    assert rooms == [False, True]


def test_nobody_takes_the_place_of_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_OF_ONE", 1)
    rooms = list[bool]()

    async def steps(listener: Listener, streams: Streams) -> None:
        rooms.extend(streams.has_room(Request("GET", ASK.path, headers={"cookie": each})) for each in ("", "another"))
        listener.left.set()

    live(steps)

    assert rooms == [False, True]


def test_only_a_good_answer_of_that_kind_is_a_stream() -> None:
    good = (("content-type", MEDIA),)

    assert is_stream(ASK, Response(200, good, b""))
    assert not is_stream(ASK, Response(304, good, b""))
    assert not is_stream(Request("HEAD", ASK.path), Response(200, good, b""))
    assert not is_stream(ASK, Response(200, (("content-type", "text/html"),), b""))
