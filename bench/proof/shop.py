"""The shop that rivals want: six doctors and three rooms that are open around the clock, and what is booked of them."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.proof.wire import Target, Wire
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.service import Business
from slotkeeper.desk import catalogue
from slotkeeper.desk.keys import create_key
from slotkeeper.embedded.app import Plan, build

DOCTORS, ROOMS = ("d0", "d1", "d2", "d3", "d4", "d5"), ("r0", "r1", "r2")
ZONE = "Europe/Berlin"


def opened(path: Path) -> str:
    """Make a file with a business `shop` that has nothing yet; returns a key that may do everything."""
    house = build(Plan(database=path, delivers=False))
    owner = Actor(business="shop", id="owner", scopes=frozenset(SCOPES))
    catalogue.put_profile(house.desk, owner, Business(name="Shop", zone=ZONE))
    key = create_key(house.desk, owner, "rivals", SCOPES).secret
    house.close()
    return key


def furnish(target: Target) -> None:
    """Put everything that rivals want into the shop, over HTTP."""
    put(target, _things())


def put(target: Target, things: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Put the things where they belong, as path and body. Raises `RuntimeError` when one is refused."""
    asyncio.run(_put(target, things))


async def _put(target: Target, things: Iterable[tuple[str, dict[str, Any]]]) -> None:
    wire = Wire(target, target.ports[0])
    for path, thing in things:
        reply = await wire.ask("PUT", path, thing)
        if reply.status not in (200, 201):
            raise RuntimeError(f"{path} was answered with {reply.status}: {reply.body.decode()}")
    wire.cut()


def _things() -> Iterator[tuple[str, dict[str, Any]]]:
    for id in (*DOCTORS, *ROOMS):
        yield f"/resources/{id}", {"name": id, "zone": ZONE, "kind": "staff" if id in DOCTORS else "room"}
    for pool, ids in (("doctors", DOCTORS), ("rooms", ROOMS)):
        yield f"/pools/{pool}", {"name": pool, "resourceIds": ids}
    doctor, room = {"anyOf": "doctors"}, {"anyOf": "rooms"}
    yield "/services/visit", {"name": "Visit", "durationMinutes": 30, "needs": [doctor]}
    exam = {"name": "Exam", "durationMinutes": 45, "bufferAfterMinutes": 10, "needs": [doctor, room]}
    yield "/services/exam", exam
