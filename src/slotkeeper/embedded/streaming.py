"""Telling pages what changes as it happens: server-sent events (HTML standard, 9.2).

A stream is a question that is asked again and again for whoever waits: whenever the answer is another one, it is sent.
So a stream tells nothing that the plain question would not, and ends when that is refused.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from slotkeeper.web.http import Request, Response

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MEDIA = "text/event-stream"
EVERY_SECONDS = 0.5
BEATS = 30
"""After so many questions without news a comment is sent, or a proxy would take the connection for dead."""

MAX_STREAMS, MAX_OF_ONE = 500, 20
"""In all, and of one who asks: nobody has more windows open, and nobody may take the place of all others."""


def is_stream(request: Request, response: Response) -> bool:
    """Whether the response is the beginning of a stream."""
    return request.method == "GET" and response.status == 200 and (("content-type", MEDIA) in response.headers)


class Streams:
    """The streams that are open."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self._answer = answer
        self._open: set[asyncio.Task[None]] = set()
        self._whose: Counter[str] = Counter()

    def stop(self) -> None:
        """End all streams: pages ask again by themselves, and find us back."""
        for task in self._open:
            task.cancel()

    def has_room(self, request: Request) -> bool:
        """Whether one more may be opened for whoever asks this."""
        return len(self._open) < MAX_STREAMS and self._whose[_whose(request)] < MAX_OF_ONE

    async def serve(self, request: Request, first: Response, receive: Receive, send: Send) -> None:
        """Stream until the caller leaves, may no longer ask, or `stop` is called."""
        whose = _whose(request)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in first.headers]
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, (b"x-accel-buffering", b"no")]})
        telling = asyncio.create_task(self._tell(request, first, send))
        leaving = asyncio.create_task(_gone(receive))
        self._open.add(telling)
        self._whose[whose] += 1
        try:
            await asyncio.wait([telling, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(telling)
            self._whose[whose] -= 1
            if not self._whose[whose]:
                del self._whose[whose]
            for task in (telling, leaving):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        with contextlib.suppress(OSError):
            await send({"type": "http.response.body", "body": b""})

    async def _tell(self, request: Request, response: Response, send: Send) -> None:
        told, beats = b"", 0
        while response.status == 200:
            if response.body != told:
                told, beats = response.body, 0
                await send({"type": "http.response.body", "body": told, "more_body": True})
            elif beats == BEATS:
                beats = 0
                await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
            await asyncio.sleep(EVERY_SECONDS)
            response, beats = self._answer(request), beats + 1


def _whose(request: Request) -> str:
    """What tells one who asks from another: the session, which stands in the cookie."""
    return request.headers.get("cookie", "")


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
