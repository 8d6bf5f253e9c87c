"""Nothing grows with time: memory, latency, open files, threads and tasks stay as they are."""

from collections.abc import Iterator

from bench.proof.table import Row, Scale
from bench.soak import PLANS, RATES, Plan, Soak, is_flat, latency, leaks, thirds

LEAK = """
import time
kept, began = [], time.monotonic()

def leak(scope):
    if len(kept) < 30 * (time.monotonic() - began):
        loop = asyncio.get_running_loop()
        kept.append((bytearray(400_000), open("/dev/null"), loop.create_task(asyncio.sleep(3600))))
"""
"""What a server does that forgets to let go: thirty times a second it keeps some memory, a file and a task."""

LEAK_PLAN = Plan(8, 2, 1, PLANS["quick"].more_megabytes)


def rows(scale: Scale) -> Iterator[Row]:
    """One row; the server that is broken on purpose is seen through within seconds."""
    plan = PLANS[scale]
    samples = Soak(plan).run()
    complaints = leaks(samples, plan)
    # In seconds, on a machine that does other things too, latency says nothing.
    is_even = scale == "quick" or is_flat(samples)
    is_right = not any(each.odd for each in samples)
    first, last = thirds(samples)
    broken = leaks(Soak(LEAK_PLAN, LEAK).run(), LEAK_PLAN)
    rates = ", ".join(f"{sum(each.rates[kind] for each in samples) / len(samples):,.0f} {kind}" for kind in RATES)
    p99 = ", ".join(f"{kind} {latency(first, kind)[1]:.0f}, {latency(last, kind)[1]:.0f}" for kind in RATES)
    held = ", ".join(f"{first[-1].held[thing]:.0f} to {last[-1].held[thing]:.0f} {thing}" for thing in last[-1].held)
    yield Row(
        claim="Nothing grows with time: memory, latency, open files, threads, tasks",
        tried=f"{plan.seconds:,} s; in each: {rates}",
        found="; ".join(complaints) or f"{held}; p99 in ms, first third and last: {p99}",
        holds=not complaints and is_even and is_right,
        broken=f"keeps 12 MB, 30 files and 30 tasks a second: {'; '.join(broken) or 'nothing grew'}",
        is_caught=all(any(each.startswith(thing) for each in broken) for thing in ("MB", "files", "tasks")),
    )
