"""How people ask: by HTTP, with an idempotency key, and again with the same one until they know what became of it."""

from typing import Any

import msgspec

from bench.simulation.claims import Wrong
from bench.simulation.process import Door
from bench.simulation.town import CUSTOMERS, STAFF
from bench.simulation.world import World
from slotkeeper.web.http import Request

TRIES = 8
FIRST_PAUSE_SECONDS = 0.5
UNKNOWN = frozenset({429, 503})
"""Answers that say nothing about the request but that it was not done, or not known to be."""

Answer = tuple[int, dict[str, Any]]


class Caller:
    """Somebody with a key, at a door."""

    def __init__(self, world: World, door: Door, *, is_staff: bool = False) -> None:
        self._world = world
        self._door = door
        self._token = STAFF if is_staff else CUSTOMERS

    def ask(self, method: str, path: str, body: object = None, *, ticket: str = "") -> Answer | None:
        """The answer to one try; None when nothing is known."""
        [answer] = self._door.ask_all([request(self._token, method, path, body, ticket)])
        if answer is None:
            return None
        self._world.tell(f"{method} {path.partition('?')[0]}: {answer.status}")
        if answer.status >= 500 and answer.status not in UNKNOWN:
            self._world.fail(Wrong(f"{method} {path} was answered with {answer.status}"))
        if answer.status in UNKNOWN:
            return None
        return answer.status, msgspec.json.decode(answer.body) if answer.body else {}

    def insist(self, method: str, path: str, body: object = None, *, ticket: str) -> Answer | None:
        """Try until it is known what became of it, or patience ends."""
        pause = FIRST_PAUSE_SECONDS
        for _ in range(TRIES):
            answer = self.ask(method, path, body, ticket=ticket)
            if answer is not None:
                return answer
            self._world.sleep(self._world.chance.uniform(0, pause))
            pause *= 2
        return None


def request(token: str, method: str, path: str, body: object, ticket: str) -> Request:
    """The request as it arrives."""
    headers = {"authorization": f"Bearer {token}"}
    sent = b""
    if body is not None:
        headers["content-type"] = "application/json"
        sent = msgspec.json.encode(body)
        headers["content-length"] = str(len(sent))
    if ticket:
        headers["idempotency-key"] = ticket
    path, _, query = path.partition("?")
    return Request(method, path, query, headers, sent, "192.0.2.1")
