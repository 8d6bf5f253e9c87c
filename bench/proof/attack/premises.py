"""What is known of a business that is there to be attacked: everything that it has, and everyone who may ask for it."""

import base64
from collections.abc import Mapping, Sequence

import msgspec

NOW = "2026-11-23T06:00:00Z"
"""Early on a Monday in Berlin, where the businesses are; the clock stands still there."""

ZONE = "Europe/Berlin"
ADA, EVE = "ada", "eve"
"""The customer whose things are asked for, and another one who asks for them."""

STRAYS, INVITED = "strays", "invited"
"""Members who may be signed out, renamed and removed without harm to those who ask; and some without a password."""

KNOWN_EMAIL, PASSWORD = "known@example.com", "a good long password"
"""One of the strays, who has a password."""

SECRET = "whsec_" + base64.b64encode(b"a secret of premises, 24b").decode()


class Seat(msgspec.Struct, frozen=True):
    """A session: its cookie's value, the token that its forms carry, and whose it is."""

    token: str
    csrf: str
    member_id: str


class Premises(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a business. `ids` are by the part of the address that comes before them, such as `services`.

    `keys` are secrets, by the scope that they have alone, `all`, `revoked`, and the customer whom they act for; `seats`
    are by role, those of `STRAYS`, two for each member, and those that have `ended`.
    """

    business: str
    ids: Mapping[str, Sequence[str]]
    keys: Mapping[str, str]
    seats: Mapping[str, Sequence[Seat]]

    @property
    def private(self) -> str:
        """What stands in all that is of people and of how the business works: customers, whom appointments are for,
        members, messages, keys, templates, reasons."""
        return private_mark(self.business)

    @property
    def hidden(self) -> str:
        """What stands in what every key may see, and no visitor."""
        return hidden_mark(self.business)


def private_mark(business: str) -> str:
    """See `Premises.private`."""
    return f"zq-{business}-qz"


def hidden_mark(business: str) -> str:
    """See `Premises.hidden`."""
    return f"zh-{business}-hz"
