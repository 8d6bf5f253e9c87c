"""Who asks: the business, the credential and what it may do."""

from typing import Literal, get_args

import msgspec

from slotkeeper.core.errors import SlotkeeperError

Scope = Literal["read", "book", "staff", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""read: see services, slots and appointments; book: hold, book, move and cancel; staff: also other people's details,
states, time off and overrides; admin: also services, resources, keys, audit and dead letters."""


class Forbidden(SlotkeeperError):
    """The credential is good but does not allow this."""

    def __init__(self, scope: Scope, message: str = "") -> None:
        super().__init__(message or f"the key lacks the scope {scope!r}")
        self.scope = scope


class OnlyLooks(Forbidden):
    """A viewer may look at everything and change nothing."""

    def __init__(self) -> None:
        super().__init__("book", "you may look at everything here and change nothing: ask an owner for another role")


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """One credential at work. With a `customer_id` it acts for that customer alone and sees nobody else's; with an
    `appointment_id` it sees and changes that appointment and no other. A viewer may look at what its scopes allow, and
    change nothing."""

    business: str
    id: str
    scopes: frozenset[Scope]
    customer_id: str = ""
    appointment_id: str = ""
    is_public: bool = False
    is_viewer: bool = False

    @property
    def is_staff(self) -> bool:
        return "staff" in self.scopes and not self.customer_id and not self.appointment_id

    def need(self, scope: Scope) -> None:
        """Raises `Forbidden` when the credential lacks the scope."""
        if scope not in self.scopes:
            raise Forbidden(scope)

    def check_may_change(self) -> None:
        """Raises `OnlyLooks` for a viewer. Whatever writes for somebody asks this first."""
        if self.is_viewer:
            raise OnlyLooks
