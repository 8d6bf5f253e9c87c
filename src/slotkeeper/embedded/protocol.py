"""HTTP as uvicorn speaks it, with an end to the head of a request, with answers that leave whole and also reach who
closes their half of the connection, and with streams that end when their reader has left."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD_BYTES = 65_536


class BoundedHttp(HttpToolsProtocol):
    """Refuses a request whose first line and headers are much longer than `MAX_HEAD_BYTES`. The parser would keep
    them whole, whatever their length, and before anybody has shown a key: one connection could fill the memory."""

    _heads = 0
    _head_bytes = 0
    _is_in_head = True
    transport: "_Joining"  # what `connection_made` gives

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._asked: list[RequestResponseCycle] = []
        super().connection_made(_Joining(cast("asyncio.Transport", transport), self.loop))  # uvloop's only quacks

    def eof_received(self) -> Any:  # bool: whether the connection stays open (asyncio.Protocol)
        """Whoever will send no more may still read: the answers to all that they have asked, if it is whole, and then
        no more."""
        self.transport.hand_over()
        waiting = self._unanswered()
        if self._is_in_head or not waiting or any(each.more_body or each.response_started for each in waiting):
            return False
        waiting[-1].keep_alive = False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # uvicorn tells the last one alone: a stream that others were sent behind would go on for nobody.
        for each in self._unanswered():
            each.disconnected = True
            each.message_event.set()

    def data_received(self, data: bytes) -> None:
        before = self._heads
        super().data_received(data)
        if not self._is_in_head:
            return
        # How much of what has just come belongs to a head that began in it is not told: less than one reading.
        self._head_bytes = self._head_bytes + len(data) if self._heads == before else 0
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The headers are longer than {MAX_HEAD_BYTES} bytes: send less.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._heads += 1
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()
        self._asked = [*self._unanswered(), self.cycle]

    def _unanswered(self) -> list[RequestResponseCycle]:
        """The requests whose answer is not complete, in their order."""
        return [each for each in self._asked if not each.response_complete]


class _Joining(asyncio.Transport):
    """A transport that hands over all that is written within one turn of the loop together. An answer's head and its
    body would otherwise leave as two packets, and wake who waits for them twice."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._written: list[Any] = []

    def write(self, data: Any) -> None:
        if not self._written:
            self._loop.call_soon(self.hand_over)
        self._written.append(data)

    def close(self) -> None:
        self.hand_over()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def hand_over(self) -> None:
        """Hand over what was written so far."""
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))
