"""What can go wrong, as facts; nothing here knows of HTTP."""

from collections.abc import Mapping


class SlotkeeperError(Exception):
    """The base of every error that Slotkeeper raises on purpose."""


class Invalid(SlotkeeperError):
    """What was asked cannot be understood or is not allowed: asking again unchanged will not help.

    `field` names the place in the body or query, such as `weekly.mon[1].from`; empty when it is the whole.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def within(self, prefix: str) -> "Invalid":
        """The same complaint, its field seen from one level further out."""
        return Invalid(self.message, field=f"{prefix}.{self.field}" if self.field else prefix)


class Missing(SlotkeeperError):
    """There is no such thing, or it is not yours to see: the two are told apart nowhere."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"no {kind} {id!r}")
        self.kind = kind
        self.id = id


class Refused(SlotkeeperError):
    """A rule says no. `code` is the rule's stable name in the API, `facts` what may be told to anyone.

    `private` holds what only staff may see, such as the other appointment's id.
    """

    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        facts: Mapping[str, object] | None = None,
        private: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.facts = dict(facts or {})
        self.private = dict(private or {})


class OffStep(Refused):
    """The start is not on the service's grid of starts."""

    code = "off-step"


class TooSoon(Refused):
    """The start lies within the service's minimum notice, or in the past."""

    code = "too-soon"


class TooFar(Refused):
    """The start lies beyond the service's horizon."""

    code = "too-far"


class Closed(Refused):
    """Those who are needed are not all open then."""

    code = "closed"


class DayFull(Refused):
    """The service takes no more appointments on that local day."""

    code = "day-full"


class CustomerFull(Refused):
    """The customer holds as many open appointments of the service as it allows."""

    code = "customer-full"


class Taken(Refused):
    """The time is claimed already, by an appointment, a pending one or a hold."""

    code = "taken"


class WrongState(Refused):
    """The appointment's status does not allow the action."""

    code = "wrong-state"


class TooLate(Refused):
    """The service's policy no longer allows the customer to do this."""

    code = "too-late"


class HoldGone(Refused):
    """The hold has expired, was used, or is for another time."""

    code = "hold-gone"


class KeyReused(Refused):
    """The idempotency key came before with another request."""

    code = "key-reused"


class InUse(Refused):
    """Something else still needs what was to be removed or changed."""

    code = "in-use"


class Outdated(SlotkeeperError):
    """The caller's copy (`If-Match`) is older than what is stored."""

    def __init__(self, asked: str, current: str) -> None:
        super().__init__(f"revision {asked} is outdated, the current one is {current}")
        self.asked = asked
        self.current = current


class Unreachable(SlotkeeperError):
    """The store or a peer cannot answer now. Try again after `retry_after` seconds: a change with the same
    `Idempotency-Key`, as a crash at this very moment may yet bring it about."""

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(Unreachable):
    """Another process writes to the store just now. Nothing was done; the same may be tried again in a moment."""


class Undeliverable(SlotkeeperError):
    """A peer refused a message for good: sending it again will not help."""
