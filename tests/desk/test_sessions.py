"""Sessions: what a sign-in is good for, for how long, and what ends it."""

from collections.abc import Callable

import msgspec
import pytest

from slotkeeper.contracts import Change, Doc
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.desk import members, sessions
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.keys import Unauthenticated
from slotkeeper.desk.sessions import Session, close_all, close_session, open_session, session_of
from slotkeeper.documents import decoded, session_key
from slotkeeper.linking import Links
from tests.aws.emulator import Emulator
from tests.aws.tables import a_store
from tests.builders import STAFF, Setting, a_clinic

HOUR = 3600


@pytest.fixture
def clinic() -> Setting:
    clinic = a_clinic()
    members.add(clinic.desk, STAFF, "ada@example.com", "Ada", "owner")
    members.add(clinic.desk, STAFF, "vera@example.com", "Vera", "staff")
    return clinic


ADA = members.id_of("clinic", "ada@example.com")
VERA = members.id_of("clinic", "vera@example.com")


def sign_in(clinic: Setting, id: str = VERA, remember: bool = False) -> str:
    return open_session(clinic.desk, "clinic", id, remember).token


def later(clinic: Setting, seconds: int) -> None:
    clinic.clock.now = Instant(clinic.clock.now + seconds)


def stored(clinic: Setting) -> list[Doc]:
    return [doc for doc in clinic.store.walk() if "/session/" in f"{doc.key.part}/"]


def test_a_session_tells_who_it_is_and_what_they_may_do(clinic: Setting) -> None:
    opened = open_session(clinic.desk, "clinic", VERA, False)

    found = session_of(clinic.desk, opened.token)

    assert found == opened.session
    assert (found.member.name, found.member.email, found.member.role) == ("Vera", "vera@example.com", "staff")
    assert (found.actor.business, found.actor.id, found.actor.is_viewer) == ("clinic", VERA, False)
    assert found.actor.scopes == {"read", "book", "staff"}
    assert not found.actor.is_public
    assert len(found.csrf) == 64


def test_another_role_holds_at_once(clinic: Setting) -> None:
    token = sign_in(clinic)
    members.change(clinic.desk, STAFF, VERA, role="viewer", name="V")

    found = session_of(clinic.desk, token)

    assert (found.member.role, found.member.name, found.actor.is_viewer) == ("viewer", "V", True)
    assert found.actor.scopes == {"read", "staff"}


@pytest.mark.parametrize(("remember", "seconds"), [(False, 12 * HOUR), (True, 30 * DAY_SECONDS)])
def test_a_session_ends_by_itself(clinic: Setting, remember: bool, seconds: int) -> None:
    opened = open_session(clinic.desk, "clinic", VERA, remember)

    later(clinic, seconds - 1)
    assert session_of(clinic.desk, opened.token).expires == opened.session.expires
    later(clinic, 1)
    with pytest.raises(Unauthenticated):
        session_of(clinic.desk, opened.token)


END: dict[str, Callable[[Setting, str], object]] = {
    "closed": lambda clinic, token: close_session(clinic.desk, token),
    "closed everywhere": lambda clinic, token: close_all(clinic.desk, "clinic", VERA),
    "inactive": lambda clinic, token: members.change(clinic.desk, STAFF, VERA, active=False),
    "inactive for a while": lambda clinic, token: [
        members.change(clinic.desk, STAFF, VERA, active=active) for active in (False, True)
    ],
    "removed": lambda clinic, token: members.remove(clinic.desk, STAFF, VERA),
    "another password": lambda clinic, token: members.set_password_hash(clinic.desk, STAFF, VERA, "hash"),
    "over": lambda clinic, token: later(clinic, 12 * HOUR),
}

Read = Callable[[Desk, str], Session]


def check_that_a_session_ends(end: str, read: Read) -> None:
    clinic = a_clinic()
    members.add(clinic.desk, STAFF, "ada@example.com", "Ada", "owner")
    members.add(clinic.desk, STAFF, "vera@example.com", "Vera", "staff")
    token, other = sign_in(clinic), sign_in(clinic, ADA)
    assert read(clinic.desk, token).member.name == "Vera"

    END[end](clinic, token)

    with pytest.raises(Unauthenticated):
        read(clinic.desk, token)
    if end != "over":
        assert read(clinic.desk, other).member.name == "Ada"


@pytest.mark.parametrize("end", END)
def test_what_ends_a_session_ends_it_at_once_and_no_other(end: str) -> None:
    check_that_a_session_ends(end, session_of)


def remembers_who_it_was(desk: Desk, token: str) -> Session:
    """A broken one, as with tokens that say themselves who they are: nothing is looked up but its end."""
    known: dict[str, Session] = remembers_who_it_was.__dict__.setdefault("known", {})
    if token not in known:
        known[token] = session_of(desk, token)
    if known[token].expires <= desk.now():
        raise Unauthenticated("over")
    return known[token]


@pytest.mark.parametrize("end", sorted(set(END) - {"over"}))
def test_a_session_that_is_not_looked_up_is_caught(end: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_that_a_session_ends(end, remembers_who_it_was)


def test_a_session_that_never_ends_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SHORT_SECONDS", 10**9)

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_that_a_session_ends("over", session_of)


@pytest.mark.parametrize(
    "broken",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token[:-1] + ("a" if token[-1] != "a" else "b"),
        lambda token: token.replace("ss_", "sk_"),
        lambda token: token + "\n",
        lambda token: f"ss_{'a' * 12}_{'a' * 32}",
        lambda token: token.split("_")[1],
    ],
)
def test_no_other_token_is_a_session(clinic: Setting, broken: Callable[[str], str]) -> None:
    token = sign_in(clinic)

    with pytest.raises(Unauthenticated, match="nobody is signed in") as caught:
        session_of(clinic.desk, broken(token))
    close_session(clinic.desk, broken(token))

    assert not broken(token) or broken(token) not in str(caught.value)
    assert session_of(clinic.desk, token).member.name == "Vera"


def test_a_token_is_kept_nowhere(clinic: Setting) -> None:
    opened = open_session(clinic.desk, "clinic", VERA, False)

    secret = opened.token.rpartition("_")[2].encode()
    assert not [
        doc.key for doc in clinic.store.walk() if secret in doc.body or opened.session.csrf.encode() in doc.body
    ]


@pytest.mark.parametrize("id", ["mem_x", ADA])
def test_who_is_no_active_member_of_the_business_is_not_signed_in(clinic: Setting, id: str) -> None:
    with pytest.raises(Unauthenticated, match="nobody is signed in"):
        open_session(clinic.desk, "salon" if id == ADA else "clinic", id, False)


def test_a_sign_in_right_after_a_change_of_password_is_good(clinic: Setting) -> None:
    members.set_password_hash(clinic.desk, STAFF, VERA, "one")
    before = sign_in(clinic)
    members.set_password_hash(clinic.desk, STAFF, VERA, "two")
    after = sign_in(clinic)

    assert session_of(clinic.desk, after).actor.id == VERA
    with pytest.raises(Unauthenticated, match="nobody is signed in"):
        session_of(clinic.desk, before)


def test_sessions_that_are_over_are_swept_away_by_the_next_sign_in(clinic: Setting) -> None:
    for _ in range(3):
        sign_in(clinic)
    sign_in(clinic, ADA)
    remembered = sign_in(clinic, remember=True)
    later(clinic, 13 * HOUR)

    sign_in(clinic)

    left = [decoded(doc, sessions.Kept) for doc in stored(clinic) if doc.key.part.startswith("-/")]
    assert sorted(each.member_id for each in left) == sorted([ADA, VERA, VERA])
    assert len(stored(clinic)) == 6
    assert session_of(clinic.desk, remembered).actor.id == VERA


def test_a_closed_session_leaves_nothing_behind(clinic: Setting) -> None:
    close_session(clinic.desk, sign_in(clinic))

    assert stored(clinic) == []


def test_stores_may_forget_a_session_when_it_is_over(clinic: Setting) -> None:
    seen: list[int] = []
    commit = clinic.store.commit

    class Watching:
        def __getattr__(self, name: str) -> object:
            return getattr(clinic.store, name)

        def commit(self, change: object) -> None:
            seen.extend(put.until for put in change.puts)  # type: ignore[attr-defined] # a Change
            commit(change)  # type: ignore[arg-type] # handed through

    desk = msgspec.structs.replace(clinic.desk, store=Watching())
    opened = open_session(desk, "clinic", VERA, False)

    assert seen == [opened.session.expires] * 2


@pytest.mark.slow
def test_what_dynamodb_has_forgotten_by_itself_stands_in_nobodys_way(emulator: Emulator) -> None:
    clinic = a_clinic(a_store(emulator))
    members.add(clinic.desk, STAFF, "ada@example.com", "Ada", "owner")
    token, old = sign_in(clinic, ADA), sign_in(clinic, ADA)
    clinic.store.commit(Change({session_key(old.split("_")[1]): 1}, deletes=[session_key(old.split("_")[1])]))

    assert session_of(clinic.desk, token).member.name == "Ada"
    later(clinic, 13 * HOUR)
    again = sign_in(clinic, ADA)
    assert len(stored(clinic)) == 2
    close_session(clinic.desk, again)
    assert stored(clinic) == []
    links = Links(clinic.store)
    visit = clinic.book("2026-11-26T09:00:00Z")
    opened = Links(clinic.store).appointment_of("clinic", links.appointment_token("clinic", visit), clinic.clock.now)
    assert opened == visit.id
    clinic.store.close()


def test_a_password_that_was_right_when_it_was_looked_at_opens_nothing_once_it_is_changed(clinic: Setting) -> None:
    seen = members.member(clinic.desk, "clinic", VERA).value.since
    later(clinic, 5)
    members.set_password_hash(clinic.desk, STAFF, VERA, "another")

    with pytest.raises(Unauthenticated, match="nobody is signed in"):
        open_session(clinic.desk, "clinic", VERA, False, seen)
    assert not stored(clinic)
