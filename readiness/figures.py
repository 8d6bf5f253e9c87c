"""What the benches measure, in words that stay the same from run to run."""

from collections.abc import Iterator, Sequence
from functools import cache, partial

from bench import day
from bench.aws import crowd, cutting, month, prices, units
from readiness.checks import Figure, Finding

MOST_WRITE_UNITS = 6
"""What a booking of one resource may cost."""

PEOPLE = 500
ROUNDS = 3

TIMED = "Lambda"
SEEN = ("DynamoDB", "Lambda", "CloudWatch", "EventBridge Scheduler", "API Gateway")
"""The services that the review had in its sum."""


def _day() -> Iterator[Finding]:
    made = min(each.made for each in day.measure([day.OURS], ROUNDS)[day.OURS.name])
    text = (
        f"{made:,} of {day.BOOKINGS:,} bookings made over HTTP on {day.CONNECTIONS} connections, in the embedded home"
    )
    yield Finding(text, made == day.BOOKINGS)


def _units() -> Iterator[Finding]:
    with units.an_emulator() as emulator:
        lines = {line.name: line.ours for line in units.measure(emulator)}
    name = "book, one resource"
    yield Finding(f"{name}: {lines[name].writes:g} write units", lines[name].writes <= MOST_WRITE_UNITS)


def _crowd() -> Iterator[Finding]:
    rush = crowd.CROWDS[0]
    answers = crowd.gather(rush, cutting.DAY, crowd.OURS, PEOPLE, seed=1).answers
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(answers.items()))
    holds = answers["booked"] == 1 and answers.total() == PEOPLE
    yield Finding(f"{PEOPLE} at once for {rush.name}, on a simulated table: {told}", holds)


@cache
def _bills() -> Sequence[month.Bill]:
    with units.an_emulator() as emulator:
        return list(month.bills(month.measured(emulator)))


def _cost(service: str, then: float) -> Iterator[Finding]:
    """What the service costs a month. Time that was measured is a part of Lambda's price, so that is told roundly."""
    bills = [bill for bill in _bills() if bill.service == service]
    if not bills:
        return
    beyond = sum(bill.beyond_free for bill in bills)
    price = sum(bill.list_price for bill in bills)
    told = f"about ${price:.0f}" if service == TIMED else f"${price:.2f}"
    yield Finding(f"{service}: {told} at list price, ${beyond:.2f} beyond what is always free", beyond <= then)


def _whole(then: float) -> Iterator[Finding]:
    """What all of it costs, and what of that the review had not seen."""
    whole = sum(bill.list_price for bill in _bills() if bill.service != TIMED)
    beyond = sum(bill.beyond_free for bill in _bills())
    where = f"{month.DAY_BOOKINGS:,} bookings a day in {prices.REGION}"
    yield Finding(
        f"{where}: ${whole:.2f} at list price and what {TIMED} takes; ${beyond:.2f} beyond what is always free",
        beyond <= then,
    )
    for service in dict.fromkeys(bill.service for bill in _bills() if bill.service not in SEEN):
        rest = sum(bill.beyond_free for bill in _bills() if bill.service == service)
        if round(rest, 2):
            yield Finding(f"of that {service}: ${rest:.2f}")


def cost(service: str, then: float) -> Figure:
    """The service's part of a month, held against what the review said."""
    return Figure("bench.aws.month", partial(_cost, service, then))


DAY = Figure("bench.day", _day)
UNITS = Figure("bench.aws.units", _units)
CROWD = Figure("bench.aws.crowd", _crowd)
MONTH = Figure("bench.aws.month", partial(_whole, 14))
