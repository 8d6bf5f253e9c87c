"""API keys: what is kept of one, who it stands for, and when it stands for nobody."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from slotkeeper.core.actor import Actor
from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import tokens
from slotkeeper.desk.audit import entries
from slotkeeper.desk.keys import ApiKey, Made, Unauthenticated, authenticate, create_key, keys, revoke_key
from slotkeeper.desk.tokens import hash_of
from tests.builders import STAFF, Setting, a_clinic

SALON = replace(STAFF, business="salon")


@pytest.fixture
def clinic() -> Setting:
    """A minute after everything was put there."""
    clinic = a_clinic()
    clinic.clock.forward(minutes=1)
    return clinic


def made(clinic: Setting, *scopes: Any, actor: Actor = STAFF, **others: Any) -> Made:
    return create_key(clinic.desk, actor, "till", scopes or ("read",), **others)


def noted(clinic: Setting) -> list[tuple[str, str]]:
    found = entries(clinic.store, "clinic", clinic.clock.now, Instant(clinic.clock.now + 1))
    return [(each.what, each.target) for each in found]


def test_keys_that_are_used_by_turns_stay_apart(clinic: Setting) -> None:
    one, other = made(clinic, "read"), made(clinic, "book")

    for _ in range(2):
        assert [authenticate(clinic.desk, each.secret).id for each in (one, other)] == [one.id, other.id]


def test_a_key_is_kept_noted_and_stands_for_what_it_may_do(clinic: Setting) -> None:
    key = made(clinic, "staff", "read", "read", "book")

    assert key.key == ApiKey(
        business="clinic",
        name="till",
        hash=hash_of(key.secret),
        scopes=("read", "book", "staff"),
        created=clinic.clock.now,
    )
    assert key.secret.startswith(f"sk_{key.id}_")
    assert keys(clinic.desk, STAFF) == [(key.id, key.key)]
    assert noted(clinic) == [("put", f"apiKey/{key.id}")]
    assert authenticate(clinic.desk, key.secret) == Actor(
        business="clinic", id=key.id, scopes=frozenset({"read", "book", "staff"})
    )


def test_a_customers_key_stands_for_that_customer(clinic: Setting) -> None:
    key = made(clinic, "read", "book", customer_id="ada")

    actor = authenticate(clinic.desk, key.secret)

    assert (actor.customer_id, actor.scopes) == ("ada", frozenset({"read", "book"}))
    assert key.key.customer_id == "ada"


@pytest.mark.parametrize(
    ("scopes", "customer_id"),
    [((), ""), (("root",), ""), (("read", "root"), ""), (("read", "staff"), "ada"), (("admin",), "ada")],
)
def test_a_key_that_may_do_nothing_or_too_much_is_not_made(
    clinic: Setting, scopes: tuple[Any, ...], customer_id: str
) -> None:
    with pytest.raises(Invalid) as caught:
        create_key(clinic.desk, STAFF, "till", scopes, customer_id)

    assert caught.value.field == "scopes"
    assert keys(clinic.desk, STAFF) == []


def test_a_revoked_key_stands_for_nobody_and_is_revoked_once(clinic: Setting) -> None:
    key, other = made(clinic), made(clinic)
    assert authenticate(clinic.desk, key.secret).id == key.id
    clinic.clock.forward(minutes=1)
    revoked = clinic.clock.now

    revoke_key(clinic.desk, STAFF, key.id)
    first = noted(clinic)
    clinic.clock.forward(minutes=1)
    revoke_key(clinic.desk, STAFF, key.id)

    assert (first, noted(clinic)) == ([("revoke", f"apiKey/{key.id}")], [])
    assert dict(keys(clinic.desk, STAFF)) == {key.id: replace(key.key, revoked=revoked), other.id: other.key}
    with pytest.raises(Unauthenticated):
        authenticate(clinic.desk, key.secret)
    assert authenticate(clinic.desk, other.secret).id == other.id


def test_keys_are_the_businesss_own(clinic: Setting) -> None:
    ours, theirs = made(clinic), made(clinic, actor=SALON)

    assert [id for id, _ in keys(clinic.desk, STAFF)] == [ours.id]
    for id in (theirs.id, "aaaaaaaaaaaa"):
        with pytest.raises(Missing) as caught:
            revoke_key(clinic.desk, STAFF, id)
        assert (caught.value.kind, caught.value.id) == ("key", id)
    assert authenticate(clinic.desk, theirs.secret).business == "salon"


@pytest.mark.parametrize(
    "broken",
    [
        lambda secret: f"sk_{'a' * 12}_{'a' * 32}",
        lambda secret: secret[:-1] + ("a" if secret[-1] != "a" else "b"),
        lambda secret: secret.replace("sk_", "ss_"),
        lambda secret: secret[:-1],
    ],
)
def test_no_other_secret_is_a_key(clinic: Setting, broken: Callable[[str], str]) -> None:
    secret = made(clinic).secret

    with pytest.raises(Unauthenticated) as caught:
        authenticate(clinic.desk, broken(secret))

    assert broken(secret) not in str(caught.value)


def test_the_store_is_not_asked_for_what_has_not_the_form_of_a_key(clinic: Setting) -> None:
    clinic.store.close()

    with pytest.raises(Unauthenticated):
        authenticate(clinic.desk, "Bearer of bad news")


def test_a_key_is_listed_whatever_its_id_begins_with(clinic: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    for letter in ("2", "z"):
        monkeypatch.setattr(tokens, "_letters", lambda count, letter=letter: letter * count)
        made(clinic)

    assert [id for id, _ in keys(clinic.desk, STAFF)] == ["2" * 12, "z" * 12]
