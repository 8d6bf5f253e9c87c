"""The home on AWS, as far as it can be known without AWS: each figure has a page or a command that tells more."""

from collections.abc import Iterator

from bench.aws import coldstart, crowd, cutting, month, units
from bench.figures import Figure, Measured, slower
from bench.proof.table import Scale

PEOPLE = 500
ROUNDS: dict[Scale, int] = {"quick": 2, "full": 10}


def figures(scale: Scale) -> Iterator[Figure]:
    """What a booking and a month cost, what a crowd wastes, and how long a cold start takes."""
    with units.an_emulator() as emulator:
        found = month.measured(emulator)
    yield Figure(
        name="a booking of one resource, DynamoDB",
        ours=f"{found.lines[units.BOOK].ours.writes:g} write units",
        beside="2, unsafe",
        peer="the reviewed design",
        target="<= 6",
        is_reached=found.lines[units.BOOK].ours.writes <= 6,
    )
    whole, beyond = month.totals(list(month.bills(found)))
    yield Figure(
        name=f"a month at {month.DAY_BOOKINGS:,} bookings a day: beyond what is free (list price)",
        ours=f"${beyond:.2f} (${whole:.2f})",
        beside="$14",
        peer="the reviewed design",
        target="<= $5",
        is_reached=beyond <= 5,
    )
    rush = crowd.CROWDS[-1]
    ways = (crowd.gather(rush, cutting.DAY, way, PEOPLE, seed=1) for way in (crowd.OURS, crowd.HASTY))
    ours, hasty = (f"{max(each.seconds):.2f} s, {each.bill.wasted:,} units wasted" for each in ways)
    yield Figure(
        name=f"{PEOPLE} at once for one day's {rush.name}, simulated", ours=ours, beside=hasty, peer="hasty retries"
    )
    yield _cold(ROUNDS[scale])


def _cold(rounds: int) -> Figure:
    starts = {start.name: Measured(taken, "ms") for start, taken in coldstart.in_turn(rounds=rounds)}
    ours, peer = starts[coldstart.OURS_BUILT], starts[coldstart.PEER_BUILT]
    return Figure(
        name="cold import of the booking handler, whole process",
        ours=ours,
        beside=peer,
        peer="FastAPI + mangum + boto3",
        ratio=slower(peer, ours),
        target=">= 4x",
        is_reached=peer.median >= 4 * ours.median,
    )
