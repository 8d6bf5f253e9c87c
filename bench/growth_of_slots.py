"""How the time to find slots grows with the resources that could serve, and with the days that are looked at.

Any of 10 to 5,000 resources (the most that a pool may have) over 30 days, and any of 50 resources over 7 to 365 days (a
year is asked for in four calls), as JSON: looking again when one of them was booked meanwhile, and from stored
documents with nothing known.

    python -m bench.growth_of_slots [--plot FILE.svg]
"""

import argparse
import math
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.figures import machine
from bench.slots import NOW, OWNER, Shop, a_shop, ours_anew, rounds_ms
from slotkeeper.contracts import Key
from slotkeeper.core.sheet import Claim
from slotkeeper.core.ticks import DAY_SECONDS, Instant, day_of
from slotkeeper.desk import search
from slotkeeper.documents import sheet_key
from slotkeeper.ledger import Draft, settle
from slotkeeper.web.spans import spans_json

RESOURCES, DAYS = (10, 100, 1000, 5000), (7, 30, 90, 365)
FIXED_DAYS, FIXED_RESOURCES = 30, 50
A_CALL = 92
WIDTH, HEIGHT, EDGE = 360, 240, 48


@dataclass(frozen=True, slots=True)
class Curve:
    """Milliseconds over a quantity."""

    name: str
    over: str
    points: Sequence[tuple[int, float]]


def look(shop: Shop, days: int) -> int:
    """Look at so many days, in as many calls as it takes; returns the bytes of JSON."""
    size = 0
    for first in range(0, days, A_CALL):
        span = Instant(NOW + first * DAY_SECONDS), Instant(NOW + min(first + A_CALL, days) * DAY_SECONDS)
        offers = search.service_slots(shop.desk, OWNER, "any", search.Search(first=span[0], last=span[1]))
        size += len(spans_json(offers.window, offers.ticks, offers.seconds))
    return size


def look_anew(shop: Shop, days: int) -> None:
    """The same with nothing known before the first call."""
    ours_anew(shop.desk, "any", min(days, A_CALL))
    if days > A_CALL:
        look(shop, days)


def look_after_a_booking(shop: Shop) -> Callable[[int], object]:
    """Claims another five minutes of the first resource before each look: its sheet is another one each time."""
    claims = iter(range(10**6))

    def work(days: int) -> None:
        start = Instant(NOW + DAY_SECONDS + next(claims) % 40 * 300)
        key = sheet_key(OWNER.business, "provider0", day_of(start))
        claim = Claim("apt_other", start, Instant(start + 300))
        settle(shop.desk.store, lambda reading, draft: _claim(draft, key, claim))
        look(shop, days)

    return work


def _claim(draft: Draft, key: Key, claim: Claim) -> None:
    draft.claim([key], claim, NOW)


def curves() -> Iterator[Curve]:
    """Both ways, over resources and over days."""
    by_resources = {count: measured(count, FIXED_DAYS) for count in track(RESOURCES, "over resources")}
    by_days = {days: measured(FIXED_RESOURCES, days) for days in track(DAYS, "over days")}
    for number, name in enumerate(("one was booked", "from stored documents")):
        yield Curve(name, f"resources, {FIXED_DAYS} days", [(at, times[number]) for at, times in by_resources.items()])
        yield Curve(name, f"days, {FIXED_RESOURCES} resources", [(at, times[number]) for at, times in by_days.items()])


def measured(resources: int, days: int) -> tuple[float, float]:
    """The medians of both ways, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        shop = a_shop(Path(folder) / "shop.db", resources, days)
        again = look_after_a_booking(shop)
        look(shop, days)
        warm = statistics.median(rounds_ms(lambda: again(days), 0.5))
        anew = statistics.median(rounds_ms(lambda: look_anew(shop, days), 0.5))
        shop.desk.store.close()
    return warm, anew


def table_of(found: Sequence[Curve]) -> Table:
    """The curves in numbers."""
    table = Table(title="Milliseconds to find slots (medians)")
    table.add_column("any of how many, how long")
    for name in dict.fromkeys(curve.name for curve in found):
        table.add_column(name, justify="right")
    for over in dict.fromkeys(curve.over for curve in found):
        same = [curve for curve in found if curve.over == over]
        for at, _ in same[0].points:
            table.add_row(f"{at:,} {over}", *(f"{dict(curve.points)[at]:,.2f}" for curve in same))
    return table


def plot_of(found: Sequence[Curve]) -> str:
    """The curves as an SVG picture with logarithmic scales, one panel for what is counted below."""
    overs = list(dict.fromkeys(curve.over for curve in found))
    times = [ms for curve in found for _, ms in curve.points]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    panels = [_panel([each for each in found if each.over == over], at, low, high) for at, over in enumerate(overs)]
    size = f'width="{WIDTH * len(overs)}" height="{HEIGHT}" viewBox="0 0 {WIDTH * len(overs)} {HEIGHT}"'
    style = 'font-family="sans-serif" font-size="11" fill="#555"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{"".join(panels)}</svg>\n'


def _panel(found: Sequence[Curve], number: int, low: int, high: int) -> str:
    left = number * WIDTH
    first, last = (math.log10(found[0].points[end][0]) for end in (0, -1))

    def x(at: float) -> float:
        return left + EDGE + (math.log10(at) - first) / (last - first) * (WIDTH - 1.5 * EDGE)

    def y(ms: float) -> float:
        return HEIGHT - EDGE - (math.log10(ms) - low) / (high - low) * (HEIGHT - 1.7 * EDGE)

    parts = [_text(left + WIDTH / 2, HEIGHT - 8, found[0].over, "middle")]
    for power in range(low, high + 1):
        parts.append(f'<path d="M{left + EDGE} {y(10**power):.1f}H{left + WIDTH - EDGE / 2}" stroke="#8884"/>')
        parts.append(_text(left + EDGE - 6, y(10**power) + 4, f"{10.0**power:g} ms", "end"))
    parts += (_text(x(at), HEIGHT - EDGE + 16, f"{at:,}", "middle") for at, _ in found[0].points)
    for curve, colour in zip(found, ("#0e7c66", "#b4590c"), strict=True):
        line = "L".join(f"{x(at):.1f} {y(ms):.1f}" for at, ms in curve.points)
        parts.append(f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += (f'<circle cx="{x(at):.1f}" cy="{y(ms):.1f}" r="3" fill="{colour}"/>' for at, ms in curve.points)
        at, ms = curve.points[-1]
        parts.append(_text(x(at), y(ms) - 8, curve.name, "end", colour))
    return "".join(parts)


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#777") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.growth_of_slots", description="How the time grows.")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the curves there, too")
    wanted = parser.parse_args()
    console = Console()
    found = list(curves())
    console.print(machine())
    console.print(table_of(found))
    if wanted.plot:
        wanted.plot.write_text(plot_of(found))


if __name__ == "__main__":
    main()
