"""The ASGI application that carries requests to the web layer and the answers back.

Writes that wait at the same time are answered together within one batch of the store: one sync to disk makes all of
them durable, and only then is anybody told. Reads are answered at once. All of it happens on the event loop, since a
handler takes less time than handing it to another thread. While another process writes, writes wait beside the loop:
reads must not wait with them.
"""

import asyncio
import gc
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

from slotkeeper.contracts import Store
from slotkeeper.core.errors import Busy, Unreachable
from slotkeeper.embedded.compressing import compressed
from slotkeeper.embedded.streaming import Streams, is_stream
from slotkeeper.web.app import Web, Work
from slotkeeper.web.http import SAFE, Request, Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Task = Callable[[], Response | Work]

BATCH = 64
LOOK_AGAIN_SECONDS = 0.005
PATIENCE_SECONDS = 2.0
"""How long a write waits while another process writes. Then it is kinder to say 503."""
LONG_AT_A_TIME, PATIENT_AT_A_TIME = 1, 4
UNREACHABLE = 503
YOUNG_OBJECTS = 20_000
"""How many objects are made before those among them that only refer to one another are looked for: a few MB at most."""
CROWDED, STREAM_SECONDS = "too many windows are told of changes already: close some, or ask again later", 5
BODILESS = frozenset({204, 304})
"""RFC 9110 8.6: what has no body has no length of it either."""


_log = logging.getLogger(__name__)


class Gone(Exception):
    """The client went away before its request was whole."""


class Watch(Protocol):
    """What looks whether the store can be written to."""

    def is_free(self) -> bool:
        """Whether nobody is writing just now."""
        ...

    def doubt(self) -> None:
        """Know that a write has failed."""
        ...


class App:
    """The ASGI application. `on_start` and `on_stop` are called around its life, `on_write` after each batch."""

    def __init__(
        self,
        web: Web,
        store: Store,
        *,
        on_start: Callable[[], object] = lambda: None,
        on_stop: Callable[[], object] = lambda: None,
        on_write: Callable[[], object] = lambda: None,
        aside: Callable[[Request], Response] | None = None,
        watch: Watch | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`aside` answers what takes long, on a thread of its own and from a store of its own. With a `watch`, writes
        wait beside the loop until they can begin; without, the store makes everybody wait. Either way they wait for
        `patience_seconds` at most."""
        self._web = web
        self._aside = aside
        self._patient = ThreadPoolExecutor(PATIENT_AT_A_TIME, "patient")
        self._at_a_time = asyncio.Semaphore(LONG_AT_A_TIME)
        self._desk = _Group(web, store, on_write, watch, patience_seconds)
        self.streams = Streams(web.answer)
        self._on_start = on_start
        self._on_stop = on_stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            raise ValueError(f"{scope['type']} is not spoken here")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope["headers"])
        try:
            body = await _body(headers, receive, self._web.rules.max_body_bytes)
        except Gone:
            return
        request = _request(scope, headers, body)
        response = await self._answer(request)
        if is_stream(request, response):
            if self.streams.has_room(request):
                await self.streams.serve(request, response, receive, send)
                return
            response = self._web.refuse(Unreachable(CROWDED, retry_after=STREAM_SECONDS), request)
        response = compressed(request, response)
        await send({"type": "http.response.start", "status": response.status, "headers": _sent(response)})
        await send({"type": "http.response.body", "body": response.body})

    async def _answer(self, request: Request) -> Response:
        if self._aside is not None and request.method in SAFE and self._web.takes_long(request):
            async with self._at_a_time:
                return await asyncio.to_thread(self._aside, request)
        response = await self._do(request, partial(self._web.begin, request))
        while isinstance(response, Work):
            threads = self._patient if response.is_patient else None
            found = await asyncio.get_running_loop().run_in_executor(threads, response.run)
            response = await self._do(request, partial(response.finish, found))
        return response

    async def _do(self, request: Request, task: Task) -> Response | Work:
        return task() if request.method in SAFE else await self._desk.answer(request, task)

    async def _live(self, receive: Receive, send: Send) -> None:
        usual = gc.get_threshold()
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._on_start()
                # What is there by now stays, so no collection of garbage need ever look at it again. A group's
                # requests are more than Python's first generation: it would be collected within each of them.
                gc.collect()
                gc.freeze()
                gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
                await send({"type": "lifespan.startup.complete"})
            else:
                self._patient.shutdown(wait=False, cancel_futures=True)
                await asyncio.to_thread(self._on_stop)
                gc.unfreeze()
                gc.set_threshold(*usual)
                await send({"type": "lifespan.shutdown.complete"})
                return


@dataclass(slots=True)
class _Waiting:
    """A request that waits for its turn, what is done then, whom to tell, and until when it waits at most."""

    request: Request
    task: Task
    future: asyncio.Future[Response | Work]
    until: float


class _Group:
    """Answers the requests that wait at the same time within one batch: group commit."""

    def __init__(
        self, web: Web, store: Store, on_write: Callable[[], object], watch: Watch | None, patience_seconds: float
    ) -> None:
        self._web = web
        self._store = store
        self._on_write = on_write
        self._watch = watch
        self._patience_seconds = patience_seconds
        self._waiting: deque[_Waiting] = deque()

    async def answer(self, request: Request, task: Task) -> Response | Work:
        """What the task answers, once it is durable."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._gather, 0)
        waiting = _Waiting(request, task, loop.create_future(), loop.time() + self._patience_seconds)
        self._waiting.append(waiting)
        return await waiting.future

    def _gather(self, before: int) -> None:
        """Answer those who wait once a turn of the loop has brought nobody more: each group costs a wait for the disk,
        and what has come while the last one was answered is read in turns."""
        count = len(self._waiting)
        if before < count < BATCH:
            asyncio.get_running_loop().call_soon(self._gather, count)
        else:
            self._answer_waiting()

    def _answer_waiting(self) -> None:
        if self._watch is not None and not self._watch.is_free():
            self._wait_longer()
            return
        group = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        try:
            responses = self._answered(group)
        except Busy:
            self._waiting.extendleft(reversed(group))
            self._wait_longer()
            return
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._answer_waiting)
        _tell(group, responses)
        self._on_write()

    def _wait_longer(self) -> None:
        """Come back in a moment, and tell those who have waited long enough."""
        loop, given_up = asyncio.get_running_loop(), list[_Waiting]()
        while self._waiting and self._waiting[0].until <= loop.time():
            given_up.append(self._waiting.popleft())
        _tell(given_up, self._refused(given_up, Unreachable("another process is writing to the database")))
        if self._waiting:
            loop.call_later(LOOK_AGAIN_SECONDS, self._answer_waiting)

    def _answered(self, group: Sequence[_Waiting]) -> Sequence[Response | Work]:
        """The responses, all of them durable; or all 503 when the store fails any of them.

        What a failed statement has left of a change is unknown, so nothing of the batch may be kept. Nor is it when
        something unforeseen happens, and nobody may wait for an answer that never comes.

        Raises:
            Busy: another process was quicker, and nobody has been asked anything.
        """
        try:
            with self._store.batch():
                return [_answer_or_fail(waiting.task) for waiting in group]
        except Busy:
            raise
        except Unreachable as error:
            return self._refused(group, error)
        except Exception:  # noqa: BLE001 - whatever it is, who waits must be told
            _log.exception("a batch failed unexpectedly")
            return self._refused(group, Unreachable("the store failed in a way that nobody has foreseen"))

    def _refused(self, group: Sequence[_Waiting], error: Unreachable) -> Sequence[Response]:
        if self._watch is not None and group:
            self._watch.doubt()
        return [self._web.refuse(error, waiting.request) for waiting in group]


def _tell(group: Sequence[_Waiting], responses: Sequence[Response | Work]) -> None:
    for waiting, response in zip(group, responses, strict=True):
        if not waiting.future.done():
            waiting.future.set_result(response)


def _answer_or_fail(task: Task) -> Response | Work:
    response = task()
    if isinstance(response, Response) and response.status == UNREACHABLE:
        raise Unreachable("the store failed one of the requests that were answered together")
    return response


def _request(scope: Scope, headers: Mapping[str, str], body: bytes) -> Request:
    client = scope.get("client")
    return Request(
        scope["method"],
        scope["path"],
        scope["query_string"].decode("latin-1"),
        headers,
        body,
        client[0] if client else "",
    )


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers by name, those that come more than once joined (RFC 9110 5.3)."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


async def _body(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    """The body, or a bit more than `limit` bytes of it: the web layer refuses those, whatever would follow.

    Raises:
        Gone: the client left.
    """
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return b""
    chunks, size = [], 0
    while size <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


def _sent(response: Response) -> list[tuple[bytes, bytes]]:
    headers = [_raw(pair) for pair in response.headers]
    if response.status not in BODILESS:
        headers.append((b"content-length", b"%d" % len(response.body)))
    return headers


@lru_cache(maxsize=4096)
def _raw(pair: tuple[str, str]) -> tuple[bytes, bytes]:
    return pair[0].encode("latin-1"), pair[1].encode("latin-1")
