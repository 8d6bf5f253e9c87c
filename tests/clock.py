"""A clock that stands still until it is told to go on."""

from slotkeeper.core.ticks import Instant, parse_instant


class VirtualClock:
    """A `contracts.Clock` for tests: `clock.now` may be set, `clock.forward(minutes=5)` goes on."""

    def __init__(self, start: str) -> None:
        self.now = parse_instant(start)

    def __call__(self) -> Instant:
        return self.now

    def set(self, text: str) -> None:
        self.now = parse_instant(text)

    def forward(self, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        self.now = Instant(self.now + ((days * 24 + hours) * 60 + minutes) * 60 + seconds)
