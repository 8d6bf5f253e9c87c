"""Links open what they were made for, while it is time, and nothing else."""

import re
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from slotkeeper import linking
from slotkeeper.core.appointment import Appointment
from slotkeeper.core.errors import Missing
from slotkeeper.core.ticks import DAY_SECONDS, Instant, parse_instant
from slotkeeper.linking import Expired, Links
from slotkeeper.stores.sqlite import SqliteStore

START = parse_instant("2026-11-26T09:00:00Z")
END = Instant(START + 1800)
NOW = Instant(START - DAY_SECONDS)
ID_OF_OURS = f"apt_{secrets.token_hex(16)}"


def appointment(id: str = ID_OF_OURS) -> Appointment:
    return Appointment(id=id, status="booked", start=START, end=END, created=NOW)


@pytest.fixture
def links() -> Links:
    return Links(SqliteStore(":memory:"))


def check_that_a_link_opens_only_what_it_is_for(links: Links) -> None:
    """The promise, for these links and for broken ones."""
    token = links.appointment_token("clinic", appointment())
    links.appointment_token("salon", appointment())
    invitation = links.invitation_token("clinic", "mem_1", "proof", NOW)
    body, _, signature = token.rpartition(".")
    foreign = Links(SqliteStore(":memory:")).appointment_token("clinic", appointment())
    bad = {
        "another business's": ("salon", token),
        "an invitation": ("clinic", invitation),
        "another appointment's": ("clinic", f"{body[:-1]}{'0' if body[-1] != '0' else '1'}.{signature}"),
        "a longer life": ("clinic", f"f{body}.{signature}"),
        "unsigned": ("clinic", body),
        "without a signature": ("clinic", f"{body}."),
        "of another store": ("clinic", foreign),
        "empty": ("clinic", ""),
        "not ASCII": ("clinic", f"{body}.\u017f{signature[1:]}"),
        "endless": ("clinic", "a" * 10_000 + "." + signature),
    }

    assert links.appointment_of("clinic", token, NOW) == ID_OF_OURS
    for business, each in bad.values():
        with pytest.raises(Missing) as caught:
            links.appointment_of(business, each, NOW)
        assert not isinstance(caught.value, Expired)
        assert not each or each not in str(caught.value), "a token stands in an error"
    with pytest.raises(Missing):
        links.invited("clinic", token, NOW)
    with pytest.raises(Expired):
        links.appointment_of("clinic", token, Instant(END + 30 * DAY_SECONDS))


def test_a_link_opens_only_what_it_is_for(links: Links) -> None:
    check_that_a_link_opens_only_what_it_is_for(links)


class Unchecked(Links):
    """Believes every token."""

    def _read(self, purpose: str, business: str, token: str, now: Instant) -> str:
        return token.partition(".")[2].rpartition(".")[0]


class Endless(Links):
    """Never looks at the end."""

    def _read(self, purpose: str, business: str, token: str, now: Instant) -> str:
        return super()._read(purpose, business, token, Instant(0))


class ForAnything(Links):
    """Signs for every purpose alike."""

    def _signed(self, purpose: str, business: str, until: Instant, subject: str) -> str:
        return super()._signed("any", business, until, subject)

    def _read(self, purpose: str, business: str, token: str, now: Instant) -> str:
        return super()._read("any", business, token, now)


class ForAnybody(Links):
    """Signs for every business alike."""

    def _secret(self, business: str) -> bytes | None:
        return b"0" * 32

    def _signed(self, purpose: str, business: str, until: Instant, subject: str) -> str:
        return super()._signed(purpose, "", until, subject)

    def _read(self, purpose: str, business: str, token: str, now: Instant) -> str:
        return super()._read(purpose, "", token, now)


@pytest.mark.parametrize("broken", [Unchecked, Endless, ForAnything, ForAnybody])
def test_broken_links_are_caught(broken: type[Links]) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check_that_a_link_opens_only_what_it_is_for(broken(SqliteStore(":memory:")))


def test_a_link_fits_into_a_path_and_is_the_same_each_time(links: Links) -> None:
    token = links.appointment_token("clinic", appointment())

    assert re.fullmatch("[A-Za-z0-9_.:@+-]+", token)
    assert len(token) <= 90
    assert links.appointment_token("clinic", appointment()) == token


@pytest.mark.parametrize("id", ["a", "x.y", "a:b@c+d-e_f", "z" * 128])
def test_every_id_comes_back(links: Links, id: str) -> None:
    assert links.appointment_of("clinic", links.appointment_token("clinic", appointment(id)), NOW) == id


def test_a_link_outlives_its_appointment_by_a_month(links: Links) -> None:
    token = links.appointment_token("clinic", appointment())

    assert links.appointment_of("clinic", token, Instant(END + 30 * DAY_SECONDS - 1)) == ID_OF_OURS


def test_an_invitation_comes_back_with_its_proof_for_a_week(links: Links) -> None:
    token = links.invitation_token("clinic", "mem_1", "proof", NOW)

    assert links.invited("clinic", token, Instant(NOW + 7 * DAY_SECONDS - 1)) == ("mem_1", "proof")
    with pytest.raises(Expired):
        links.invited("clinic", token, Instant(NOW + 7 * DAY_SECONDS))
    with pytest.raises(Missing):
        links.appointment_of("clinic", token, NOW)


def test_links_hold_when_the_program_starts_again() -> None:
    store = SqliteStore(":memory:")
    token = Links(store).appointment_token("clinic", appointment())

    assert Links(store).appointment_of("clinic", token, NOW) == ID_OF_OURS


def test_who_guesses_at_links_leaves_nothing_behind() -> None:
    store = SqliteStore(":memory:")

    with pytest.raises(Missing):
        Links(store).appointment_of("nobody", "0.apt_1.AAAA", NOW)

    assert list(store.walk()) == []


def _tokens_made_at_once(store: SqliteStore, make: Callable[[Links], str]) -> list[str]:
    tokens = list[str]()
    barrier = threading.Barrier(8)

    def one() -> None:
        links = Links(store)
        barrier.wait()
        tokens.append(make(links))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tokens


def test_who_make_the_secret_at_once_have_the_same_one(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "a.db"))

    tokens = _tokens_made_at_once(store, lambda links: links.appointment_token("clinic", appointment()))

    assert len(set(tokens)) == 1
    assert Links(store).appointment_of("clinic", tokens[0], NOW) == ID_OF_OURS
    store.close()


def test_each_business_has_256_random_bits_of_its_own() -> None:
    store = SqliteStore(":memory:")
    links = Links(store)
    for business in ("clinic", "salon"):
        links.appointment_token(business, appointment())

    secret = {doc.key.part: doc.body for doc in store.walk()}

    assert set(secret) == {"clinic/linkSecret", "salon/linkSecret"}
    assert len(set(secret.values())) == 2
    assert linking.SECRET_BYTES * 8 == 256
