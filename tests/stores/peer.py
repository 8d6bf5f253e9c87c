"""A server of a few lines that answers as it is told: wrongly, late, half, or not at all."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes


Act = Callable[[socket.socket, Asked], bool]
"""Answers one request in its way; returns whether the connection stays open."""


@dataclass(slots=True)
class Peer:
    """What was asked, and over how many connections. `endpoint` is where the peer listens."""

    acts: list[Act]
    endpoint: str = ""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def act(self, wire: socket.socket, asked: Asked) -> bool:
        """The next act; the last one is repeated."""
        with self.lock:
            act = self.acts[min(len(self.asked), len(self.acts) - 1)]
            self.asked.append(asked)
        return act(wire, asked)


def answer(value: Any, status: int = 200, **headers: str) -> Act:
    """Answer with a value as JSON, or bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())

    def act(wire: socket.socket, asked: Asked) -> bool:
        wire.sendall(f"HTTP/1.1 {status} Word\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body)
        return headers.get("connection") != "close"

    return act


def failure(code: str, status: int = 400, **more: Any) -> Act:
    """Answer with an error in DynamoDB's form."""
    return answer({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "what it says"} | more, status)


def cancelled(*reasons: str, **more: Any) -> Act:
    """Cancel a transaction, with a reason for each key."""
    return failure("TransactionCanceledException", CancellationReasons=[{"Code": code} | more for code in reasons])


def hang_up(wire: socket.socket, asked: Asked) -> bool:
    """Say nothing, and close."""
    return False


def reset(wire: socket.socket, asked: Asked) -> bool:
    """Break the connection off."""
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def half(wire: socket.socket, asked: Asked) -> bool:
    """Break off in the middle of an answer."""
    wire.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"Item": {"part": ')
    return reset(wire, asked)


def late(seconds: float) -> Act:
    """Answer with nothing to be found, but only when whoever asked has gone, or so many seconds later."""

    def act(wire: socket.socket, asked: Asked) -> bool:
        wire.settimeout(seconds)
        with suppress(TimeoutError):
            wire.recv(1)
        return answer({})(wire, asked)

    return act


def forward(endpoint: str) -> Act:
    """Let another server answer."""

    def act(wire: socket.socket, asked: Asked) -> bool:
        return answer(*_forwarded(endpoint, asked))(wire, asked)

    return act


def swallow(endpoint: str) -> Act:
    """Let another server do what was asked, and lose its answer."""

    def act(wire: socket.socket, asked: Asked) -> bool:
        _forwarded(endpoint, asked)
        return reset(wire, asked)

    return act


@contextmanager
def a_peer(*acts: Act, wrap: Callable[[socket.socket], socket.socket] = lambda wire: wire) -> Iterator[Peer]:
    """Serve until the block ends: one act for each request, the last one again and again."""
    peer = Peer(list(acts))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        peer.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = threading.Thread(target=_serve, args=(listener, peer, wrap), daemon=True)
        server.start()
        yield peer
        listener.shutdown(socket.SHUT_RDWR)
        server.join()


def _serve(listener: socket.socket, peer: Peer, wrap: Callable[[socket.socket], socket.socket]) -> None:
    with suppress(OSError):
        while True:
            wire, _ = listener.accept()
            threading.Thread(target=_talk, args=(wire, peer, wrap), daemon=True).start()


def _talk(wire: socket.socket, peer: Peer, wrap: Callable[[socket.socket], socket.socket]) -> None:
    with suppress(OSError), wire, wrap(wire) as talk:
        with peer.lock:
            peer.connections += 1
        with talk.makefile("rb") as stream:
            while stream.readline():
                headers = {}
                while line := stream.readline().decode().strip():
                    name, _, value = line.partition(": ")
                    headers[name.lower()] = value
                if not peer.act(talk, Asked(headers, stream.read(int(headers["content-length"])))):
                    return


def _forwarded(endpoint: str, asked: Asked) -> tuple[bytes, int]:
    connection = HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
    try:
        connection.request("POST", "/", asked.body, asked.headers)
        response = connection.getresponse()
        return response.read(), response.status
    finally:
        connection.close()
