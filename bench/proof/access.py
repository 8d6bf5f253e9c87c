"""Who may ask what: every route of the table is asked by everybody, and what is somebody else's is as if it were not
there."""

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.proof.attack.cases import Cases, Forms
from bench.proof.attack.findings import Findings, name_of
from bench.proof.attack.forms import forms_of
from bench.proof.attack.furnishing import furnish
from bench.proof.attack.holes import HOLES
from bench.proof.attack.matrix import Matrix, in_order
from bench.proof.attack.server import serving
from bench.proof.attack.wire import Line
from bench.proof.table import Row, Scale
from slotkeeper.web.routes import Route
from slotkeeper.web.table import ALL

CLAIM = "Nobody gets what is not theirs; what is somebody else's is answered as what nobody has"
VISITS = 6
SOME = ("a route asks for too small a scope", "an appointment is found whosever it is", "any page may send a form")
"""The holes that every build makes; the others wait for the long run."""


def rows(scale: Scale) -> Iterator[Row]:
    """The matrix of the sound build, and whether each hole in a broken one was seen."""
    sound = matrix()
    holes = SOME if scale == "quick" else tuple(HOLES)
    missed = [hole for hole in holes if not matrix(hole, places(hole)).found]
    yield Row(
        claim=CLAIM,
        tried=f"{len(ALL)} routes, {sound.cases:,} requests by everybody who may and who may not",
        found=f"{len(sound.found)} leaks or differences" + (f": {sound.told()}" if sound.found else ""),
        holds=not sound.found,
        broken=f"{len(holes) - len(missed)} of {len(holes)} holes seen"
        + (f", not: {', '.join(missed)}" if missed else ""),
        is_caught=not missed,
    )


def matrix(hole: str = "", routes: Sequence[Route] = ALL) -> Findings:
    """What is found when all routes are asked by everybody; `hole` names a build that is broken on purpose: there the
    first thing found is enough."""
    findings = Findings()
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "two.db"
        clinic, other = furnish(path, ["clinic", "other"], VISITS)

        async def ask(port: int) -> None:
            line = Line(port)
            forms: dict[str, Forms] = {}
            for each in (clinic, other):
                has_forms = any(route.is_form for route in routes)
                forms[each.business] = await forms_of(line, Cases(random.Random(1), each, {})) if has_forms else {}
            asked = Matrix(line, path, clinic, other, forms, findings)
            try:
                await _go_through(asked, routes, lambda: bool(hole and findings.found))
            finally:
                asked.close()
                await line.close()

        with serving(path, Path(home) / "log", hole) as port:
            asyncio.run(ask(port))
    return findings


def places(hole: str) -> list[Route]:
    """The routes by which the hole shows."""
    return [route for route in ALL if name_of(route) in HOLES[hole].places]


async def _go_through(asked: Matrix, routes: Sequence[Route], has_enough: Callable[[], bool]) -> None:
    """What changes nothing first, then what does."""
    steps = (
        asked.refuse,
        asked.ask_as_another_customer,
        asked.ask_for_what_is_hidden,
        asked.name_next_door,
        asked.ask_next_door,
        asked.let_in,
    )
    for step in steps:
        for route in in_order(routes):
            await step(route)
            if has_enough():
                return
