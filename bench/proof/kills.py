"""kill -9 at random moments: no acknowledged write is lost, no file damaged, no message lost, and none comes twice save
those that were sent and not yet noted just then.

Every victim is a real process over a real file: the whole service with its clients and a mail server, a later version
that migrates, and the command line's own `backup` and `restore` (`bench.proof.crashing`).
"""

import random
from collections.abc import Iterator

from bench.proof.crashing.broken import OURS
from bench.proof.crashing.filing import Deaths, Filing
from bench.proof.crashing.lives import laid_out
from bench.proof.crashing.service import Load, Service, Tally, furnished
from bench.proof.crashing.sink import Sink
from bench.proof.crashing.works import FILE
from bench.proof.table import Row, Scale

SEED = 20_260_402
KILLS: dict[Scale, dict[str, int]] = {
    "quick": {"booking": 6, "delivering": 6, "migrating": 6, "backing up": 4, "restoring": 4},
    "full": {"booking": 400, "delivering": 250, "migrating": 150, "backing up": 100, "restoring": 100},
}
LIVES = 10
"""So often a server is killed on one file; then what is owed is delivered and counted, and another file begun."""

TOLD = 120
BROKEN_KILLS = 100
"""A broken build that is not caught by then is not caught."""

BOOKING, DELIVERING = Load(patrons=4, is_full=False), Load(patrons=1, is_full=True)

FILINGS = {
    "migrating": (Filing.migrate, "migrates statement by statement"),
    "backing up": (Filing.back_up, "writes in place, bit by bit"),
    "restoring": (Filing.restore, "writes in place, bit by bit"),
}
"""What is done to a file, and the broken build that does it wrongly."""


def rows(scale: Scale) -> Iterator[Row]:
    """See `bench.proof`."""
    kills = KILLS[scale]
    yield booking(kills["booking"])
    yield delivering(kills["delivering"])
    for name in FILINGS:
        yield filing(name, kills[name])


def booking(kills: int) -> Row:
    found, breaking = served(BOOKING, kills), "answers before it commits"
    caught = served(BOOKING, BROKEN_KILLS, breaking)
    return Row(
        claim="3. An acknowledged write survives a crash",
        tried=f"{found.kills:,} x kill -9 of the server while clients book, move and cancel over HTTP",
        found=f"{_told(found.wrong)}; {found.acknowledged:,} acknowledged writes are there; of {found.unheard:,} that "
        f"were under way {found.done:,} had been done, and asking again found them so",
        holds=not found.wrong,
        broken=f"{breaking}; after {caught.kills} kills: {_told(caught.wrong)}",
        is_caught=bool(caught.wrong),
    )


def delivering(kills: int) -> Row:
    found, breaking = served(DELIVERING, kills), "notes before it sends"
    caught = served(DELIVERING, BROKEN_KILLS, breaking)
    return Row(
        claim="6. Every message is delivered, and a second time only after a crash between sending and noting it",
        tried=f"{found.kills:,} x kill -9 of the server while it delivers over SMTP",
        found=f"{_told(found.wrong)}; {found.delivered:,} messages came, none is missing; {found.twice:,} came twice, "
        "all of them sent and not yet noted at a kill",
        holds=not found.wrong,
        broken=f"{breaking}; after {caught.kills} kills: {_told(caught.wrong)}",
        is_caught=bool(caught.wrong),
    )


def filing(name: str, kills: int) -> Row:
    found, (_, breaking) = filed(name, kills), FILINGS[name]
    caught = filed(name, BROKEN_KILLS, breaking)
    return Row(
        claim="3. ... and leaves every file whole",
        tried=f"{found.kills:,} x kill -9 while {name}, {found.late} of them when all was done",
        found=f"{_told(found.wrong)}; what is found is what was before, or what was to be",
        holds=not found.wrong,
        broken=f"{breaking}; after {caught.kills} kills: {_told(caught.wrong)}",
        is_caught=bool(caught.wrong),
    )


def served(load: Load, kills: int, breaking: str = OURS) -> Tally:
    """Kill a service so often, on one file after the other; a broken one only until it is caught."""
    found, chance = Tally(), random.Random(SEED)
    with Sink().running() as sink, laid_out({}) as folder:
        while found.kills < kills and not found.wrong:
            service = Service(load, folder / FILE, sink, chance, breaking)
            for _ in range(min(LIVES, kills - found.kills)):
                service.die()
                if service.tally.wrong and breaking:
                    break
            else:
                service.drain()
            found.add(service.tally)
            for path in folder.iterdir():
                path.unlink()
    return found


def filed(name: str, kills: int, breaking: str = OURS) -> Deaths:
    """Kill so often who does that to a file; of a broken build only until it is caught."""
    work, _ = FILINGS[name]
    filing = Filing(furnished(DELIVERING).content, random.Random(SEED), breaking)
    while filing.deaths.kills < kills and not filing.deaths.wrong:
        work(filing)
    return filing.deaths


def _told(wrong: list[str]) -> str:
    return f"{len(wrong)} wrong, such as: {wrong[0][:TOLD]}" if wrong else "nothing wrong"
