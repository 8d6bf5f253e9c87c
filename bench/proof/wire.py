"""HTTP/1.1 over a connection that is kept open, with as little work as asyncio allows: for clients that must outrun
the server, or leave it without waiting for the answer."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

HOST = "127.0.0.1"


class Target(msgspec.Struct, frozen=True):
    """Where a service is asked: any of the ports, below `base`, always with these headers."""

    ports: tuple[int, ...]
    headers: Mapping[str, str]
    base: str = ""


class Reply(msgspec.Struct, frozen=True):
    """What was answered: the status, and the body as it came."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Wire:
    """One connection to one port of the target, for one question at a time. It is opened when it is needed."""

    def __init__(self, target: Target, port: int) -> None:
        self._target, self._port = target, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._lines = "".join(f"{name}: {value}\r\n" for name, value in target.headers.items())

    async def ask(self, method: str, path: str, body: object = None, key: str = "") -> Reply:
        """Ask, and wait for the answer. `key` is sent as Idempotency-Key.

        Raises:
            OSError, asyncio.IncompleteReadError: the connection broke. Whether anything was done is not known.
        """
        await self.send(method, path, body, key)
        return await self.receive()

    async def send(self, method: str, path: str, body: object = None, key: str = "") -> None:
        """Ask, and do not wait. Raises `OSError` when the connection broke."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port)
        content = b"" if body is None else msgspec.json.encode(body)
        head = f"{method} {self._target.base}{path} HTTP/1.1\r\nHost: localhost\r\n{self._lines}"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        if key:
            head += f"Idempotency-Key: {key}\r\n"
        self._streams[1].write(head.encode() + b"\r\n" + content)

    async def receive(self) -> Reply:
        """The answer to what was sent. Raises as `ask` does."""
        assert self._streams is not None
        reader, _ = self._streams
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        body = await reader.readexactly(length) if length else b""
        if b"connection: close" in head:
            self.cut()
        return Reply(int(head[9:12]), body)

    def cut(self) -> None:
        """Close the connection at once, whatever is under way on it."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None
