"""Hostile requests to every route of the running service: by schemathesis, which knows its OpenAPI document, and by a
corpus of our own, which knows where services like it broke."""

from collections.abc import Iterator, Mapping, Sequence

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.proof.attack import outsider
from bench.proof.attack.assault import assault
from bench.proof.attack.faults import FAULTS
from bench.proof.attack.findings import Findings, name_of
from bench.proof.table import Row, Scale
from slotkeeper.web.routes import Route
from slotkeeper.web.table import ALL, ROUTES

CLAIM = "No request is answered with a 5xx, with what the OpenAPI document does not tell of, or with what may run"
SEED = 20
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
SOME = (
    "a hold that is gone is 410",
    "a hold tells who made it",
    "the list of customers is that of all businesses",
    "a list of marks raises",
    "whoever has signed in is sent anywhere",
    "what was typed runs",
)
"""The faults that every build plants; the others wait for the long run."""


def rows(scale: Scale) -> Iterator[Row]:
    """What our own corpus found, what schemathesis found, and how many planted faults each of them finds."""
    if scale == "quick":
        yield _by_us(24, 24, _ours(SOME, 150))
        return
    ours, theirs = _ours(tuple(FAULTS), 2_000), _theirs(tuple(FAULTS), 500)
    yield _by_us(10_000, 2_000, ours)
    yield _by_outsider(200, theirs)
    both, neither = ours & theirs, FAULTS.keys() - ours - theirs
    yield Row(
        claim="What is planted is found",
        tried=f"{len(FAULTS)} builds, each broken in one way",
        found=f"our corpus {len(ours)}, schemathesis {len(theirs)}, both {len(both)}, either {len(ours | theirs)}",
        holds=not neither,
        broken=f"not found: {', '.join(sorted(neither))}" if neither else "",
    )


def _by_us(each: int, each_page: int, found: frozenset[str]) -> Row:
    counts = {route: each if route in _DESCRIBED else each_page for route in ALL}
    with Progress(*COLUMNS, transient=True) as progress:
        task = progress.add_task("fuzz: hostile requests", total=sum(counts.values()))
        sound = assault(counts, SEED, progress=lambda cases: progress.advance(task, cases))
    wanted = FAULTS if each > 100 else SOME
    unreached = sound.unreached if each > 100 else []
    return Row(
        claim=CLAIM,
        tried=f"our corpus: {each:,} cases for each of {len(ROUTES)} operations, {each_page:,} for each of "
        f"{len(ALL) - len(ROUTES)} pages, {sound.cases:,} in all, {sound.cases / sound.seconds:,.0f}/s",
        found=_told(sound, unreached),
        holds=not sound.found and not unreached,
        broken=f"{len(found)} of {len(wanted)} planted faults found",
        is_caught=len(found) >= len(wanted) * 0.9,
    )


def _told(sound: Findings, unreached: Sequence[str]) -> str:
    errors = sum(count for found in sound.statuses.values() for status, count in found.items() if status >= 500)
    told = f"{errors} answers of 5xx, {len(sound.found)} of another kind than told"
    if unreached:
        told += f"; never answered well: {', '.join(unreached)}"
    return f"{told}\n{sound.told()}".strip()


def _by_outsider(examples: int, found: frozenset[str]) -> Row:
    said = outsider.asked(examples, SEED)
    return Row(
        claim=CLAIM,
        tried=f"schemathesis: {said.cases:,} cases for {said.operations} operations, "
        f"its phases {', '.join(outsider.PHASES)}",
        found=f"{len(said.complaints)} complaints {'; '.join(said.complaints)}".strip(),
        holds=not said.complaints,
        broken=f"{len(found)} of {len(FAULTS)} planted faults found",
        is_caught=bool(found),
    )


def _ours(names: Sequence[str], each: int) -> frozenset[str]:
    """The planted faults that our corpus finds, at the routes by which they show."""
    return frozenset(name for name in names if assault(_places(name, each), SEED, fault=name).found)


def _theirs(names: Sequence[str], examples: int) -> frozenset[str]:
    """The planted faults that schemathesis finds, at the same routes; it knows of none that the document leaves out."""
    described = {name_of(route) for route in ROUTES}
    known = [(name, [each for each in FAULTS[name].places if each in described]) for name in names]
    return frozenset(
        name for name, places in known if places and outsider.asked(examples, SEED, only=places, fault=name).complaints
    )


def _places(name: str, each: int) -> Mapping[Route, int]:
    return {route: each for route in ALL if name_of(route) in FAULTS[name].places}


_DESCRIBED = frozenset(ROUTES)
