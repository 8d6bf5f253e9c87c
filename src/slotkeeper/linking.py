"""Signed links: they let their holder see one appointment, or set a first password, without any other credential.

A link holds what it is for and when it ends, and is signed with a secret that each business has of its own. It is a
credential: it stands in a message and in nothing that we write down.
"""

import hashlib
import hmac
import secrets
from functools import lru_cache

from itsdangerous import BadSignature, Signer

from slotkeeper.contracts import Put, Store
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Missing
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.documents import encoded, link_secret_key
from slotkeeper.ledger import Draft, Reading, settle

SECRET_BYTES = 32
KEPT_DAYS_AFTER = 30
INVITED_DAYS = 7
MAX_LENGTH = 512
SIGNERS = 256

_APPOINTMENT, _INVITATION = "appointment", "invitation"
_DOT = "."


class Expired(Missing):
    """The link was good once, and its time is over."""

    def __init__(self) -> None:
        super().__init__("link", "that has expired")


class Links:
    """Makes and reads the links of a store's businesses. It remembers their secrets, so it lives for one request or
    one sweep: a secret that was made in a batch that failed must be forgotten with it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._secrets: dict[str, bytes] = {}

    def appointment_token(self, business: str, appointment: Appointment) -> str:
        """What opens the appointment until 30 days after its end as it is now; of letters that an address may have,
        90 of them for an id of our own making. The same appointment gives the same token.

        Raises:
            Unreachable: the business's secret can be neither read nor made.
        """
        until = Instant(appointment.end + KEPT_DAYS_AFTER * DAY_SECONDS)
        return self._signed(_APPOINTMENT, business, until, appointment.id)

    def appointment_of(self, business: str, token: str, now: Instant) -> str:
        """The id of the appointment that the token opens. Whether there still is one is not looked up.

        Raises:
            Missing: it is forged, or of another business or purpose. Expired: its time is over.
        """
        return self._read(_APPOINTMENT, business, token, now)

    def invitation_token(self, business: str, member_id: str, proof: str, now: Instant) -> str:
        """What lets a member set a password, for 7 days. `proof` is something of the member's that changes when the
        password does, so that the invitation works once.

        Raises:
            Unreachable: the business's secret can be neither read nor made.
        """
        until = Instant(now + INVITED_DAYS * DAY_SECONDS)
        return self._signed(_INVITATION, business, until, f"{member_id}{_DOT}{proof}")

    def invited(self, business: str, token: str, now: Instant) -> tuple[str, str]:
        """The member's id and the proof that the invitation was made with: it is for the caller to compare.

        Raises:
            Missing: it is forged, or of another business or purpose. Expired: its time is over.
        """
        member_id, _, proof = self._read(_INVITATION, business, token, now).rpartition(_DOT)
        return member_id, proof

    def _signed(self, purpose: str, business: str, until: Instant, subject: str) -> str:
        secret = self._secret(business) or self._made_secret(business)
        return _signer(secret, purpose, business).sign(f"{until:x}{_DOT}{subject}").decode()

    def _read(self, purpose: str, business: str, token: str, now: Instant) -> str:
        # Whoever guesses at links makes us no documents: a business without a secret has made no link.
        secret = self._secret(business)
        if secret is None or len(token) > MAX_LENGTH or not token.isascii():
            raise Missing("link", "")
        try:
            value = _signer(secret, purpose, business).unsign(token).decode()
        except BadSignature:
            raise Missing("link", "") from None
        until, _, subject = value.partition(_DOT)
        if int(until, 16) <= now:
            raise Expired
        return subject

    def _secret(self, business: str) -> bytes | None:
        if business not in self._secrets:
            found = Reading(self._store).value(link_secret_key(business), bytes)
            if found is None:
                return None
            self._secrets[business] = found
        return self._secrets[business]

    def _made_secret(self, business: str) -> bytes:
        """A new secret, or the one that somebody else has made at the same moment."""

        def decide(reading: Reading, draft: Draft) -> bytes:
            found = reading.value(link_secret_key(business), bytes)
            if found is not None:
                return found
            made = secrets.token_bytes(SECRET_BYTES)
            draft.put(Put(link_secret_key(business), encoded(made)))
            return made

        self._secrets[business] = settle(self._store, decide)
        return self._secrets[business]


@lru_cache(maxsize=SIGNERS)
def _signer(secret: bytes, purpose: str, business: str) -> Signer:
    """The purpose and the business are part of the key: what is signed for one opens nothing of another. The key is
    derived here, since a `Signer` derives it anew for each signature."""
    key = hmac.digest(secret, f"slotkeeper/{purpose}/{business}".encode(), hashlib.sha256)
    return Signer(key, sep=_DOT, key_derivation="none", digest_method=hashlib.sha256)
