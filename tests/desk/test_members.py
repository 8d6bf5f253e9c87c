"""Members: who may let whom in, and that somebody always can."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from slotkeeper.core.actor import Actor, Forbidden, OnlyLooks
from slotkeeper.core.errors import InUse, Invalid, Missing, Outdated
from slotkeeper.core.ticks import Instant
from slotkeeper.desk import audit, booking, catalogue, changing, holds, keys, members
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.members import ROLES, Member, Role
from slotkeeper.documents import encoded, member_key
from slotkeeper.ledger import Draft, Reading
from slotkeeper.stores.sqlite import SqliteStore
from tests.builders import STAFF, Setting, a_clinic, at, contact, order, service

ADA, BO = "Ada@Example.com", "bo@example.com"


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def add(clinic: Setting, email: str, role: Role = "owner", actor: Actor = STAFF) -> str:
    return members.add(clinic.desk, actor, email, email.partition("@")[0].title(), role).id


def actor_of(clinic: Setting, id: str) -> Actor:
    role = members.member(clinic.desk, "clinic", id).value.role
    return Actor(business="clinic", id=id, scopes=ROLES[role], is_viewer=role == "viewer")


def test_an_owner_may_do_everything_staff_all_but_set_up_and_a_viewer_only_look() -> None:
    assert {
        "owner": {"read", "book", "staff", "admin"},
        "staff": {"read", "book", "staff"},
        "viewer": {"read", "staff"},
    } == ROLES


def test_a_member_is_found_by_the_address_in_letters_of_either_case(clinic: Setting) -> None:
    id = add(clinic, ADA)

    found = members.by_email(clinic.desk, "clinic", " ada@example.COM ")

    assert found is not None
    assert (found.id, found.value.email, found.value.role, found.value.password) == (id, ADA, "owner", "")
    assert members.by_email(clinic.desk, "clinic", BO) is None
    assert members.by_email(clinic.desk, "salon", ADA) is None


def test_an_address_is_one_members(clinic: Setting) -> None:
    add(clinic, ADA)

    with pytest.raises(InUse, match="already"):
        add(clinic, ADA.upper(), "staff")


@pytest.mark.parametrize(
    ("email", "name", "field"),
    [
        ("", "X", "email"),
        ("x", "X", "email"),
        ("a" * 250 + "@b.c", "X", "email"),
        (BO, "", "name"),
        (BO, "  ", "name"),
        (BO, "x" * 201, "name"),
    ],
)
def test_a_member_has_an_address_and_a_name(clinic: Setting, email: str, name: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        members.add(clinic.desk, STAFF, email, name, "owner")

    assert caught.value.field == field


@pytest.mark.parametrize("name", ["x", "x" * 200])
def test_a_name_has_1_to_200_characters(clinic: Setting, name: str) -> None:
    id = add(clinic, ADA)

    assert members.rename(clinic.desk, "clinic", id, f" {name} ").value.name == name
    for wrong in ("", "x" * 201):
        with pytest.raises(Invalid) as caught:
            members.rename(clinic.desk, "clinic", id, wrong)
        assert caught.value.field == "name"


def test_who_has_seen_another_version_is_told_the_current_one(clinic: Setting) -> None:
    id = add(clinic, ADA)

    with pytest.raises(Outdated) as caught:
        members.change(clinic.desk, STAFF, id, name="X", seen_version="8")

    assert (caught.value.asked, caught.value.current) == ("8", "1")
    assert members.change(clinic.desk, STAFF, id, name="X", seen_version="1").version == 2


def test_members_are_listed_by_name(clinic: Setting) -> None:
    add(clinic, "zoe@example.com")
    add(clinic, BO, "viewer")
    add(clinic, ADA, "staff")

    assert [item.value.name for item in members.members(clinic.desk, "clinic")] == ["Ada", "Bo", "Zoe"]
    assert members.members(clinic.desk, "salon") == []


def test_each_is_listed_with_its_version(clinic: Setting) -> None:
    id = add(clinic, ADA)
    members.change(clinic.desk, STAFF, id, name="Ada L")

    assert members.members(clinic.desk, "clinic") == [members.member(clinic.desk, "clinic", id)]


def test_an_address_has_up_to_254_characters(clinic: Setting) -> None:
    longest = "a" * 64 + "@" + "b" * 189

    assert members.member(clinic.desk, "clinic", add(clinic, longest)).value.email == longest
    with pytest.raises(Invalid):
        add(clinic, longest + "b")


def test_a_change_leaves_a_name(clinic: Setting) -> None:
    id = add(clinic, ADA)

    with pytest.raises(Invalid) as caught:
        members.change(clinic.desk, STAFF, id, name=" ")

    assert caught.value.field == "name"


def test_what_members_do_for_themselves_is_noted_as_done_by_them(clinic: Setting) -> None:
    id = add(clinic, ADA)
    clinic.clock.forward(minutes=1)
    members.rename(clinic.desk, "clinic", id, "Ada L")
    members.sign_out(clinic.desk, "clinic", id)

    found = audit.entries(clinic.store, "clinic", clinic.clock.now, Instant(clinic.clock.now + 1))
    assert [entry.by for entry in found] == [id, id]


def test_each_business_has_an_owner_of_its_own(clinic: Setting) -> None:
    salon = replace(STAFF, business="salon")
    add(clinic, ADA)
    other = add(clinic, BO, actor=salon)

    with pytest.raises(InUse):
        members.remove(clinic.desk, salon, other)


def test_each_change_stands_in_the_audit_log_without_the_password(clinic: Setting) -> None:
    add(clinic, ADA)
    id = add(clinic, BO, "staff")
    members.change(clinic.desk, STAFF, id, role="viewer")
    members.set_password_hash(clinic.desk, STAFF, id, "$argon2id$secret")
    members.remove(clinic.desk, STAFF, id)

    entries = list(audit.entries(clinic.store, "clinic", at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z")))

    mine = [entry.what for entry in entries if entry.target == f"member/{id}"]
    assert sorted(mine) == ["delete", "put", "put", "put"]
    assert not any(b"argon2id" in encoded(entry) for entry in entries)


def test_only_owners_let_others_in(clinic: Setting) -> None:
    owner, staff = add(clinic, ADA), add(clinic, BO, "staff")
    for actor in (actor_of(clinic, staff), members.themselves("clinic", staff)):
        with pytest.raises(Forbidden):
            add(clinic, "eve@example.com", "owner", actor)
        with pytest.raises(Forbidden):
            members.change(clinic.desk, actor, staff, role="owner")
        with pytest.raises(Forbidden):
            members.remove(clinic.desk, actor, owner)
        with pytest.raises(Forbidden):
            members.set_password_hash(clinic.desk, actor, owner, "hash")

    add(clinic, "eve@example.com", "owner", actor_of(clinic, owner))


@pytest.mark.parametrize("role", ROLES)
def test_members_of_every_role_set_their_own_password(clinic: Setting, role: Role) -> None:
    add(clinic, ADA)
    id = add(clinic, BO, role)

    after = members.set_password_hash(clinic.desk, actor_of(clinic, id), id, "hash")

    assert after.value.password == "hash"


def test_an_invitation_from_before_somebody_was_signed_out_is_void(clinic: Setting) -> None:
    id = add(clinic, ADA)
    proof = members.proof_of(members.member(clinic.desk, "clinic", id).value)

    members.sign_out(clinic.desk, "clinic", id)

    with pytest.raises(Missing):
        members.set_password_hash(clinic.desk, members.themselves("clinic", id), id, "hash", proof)


def test_an_invitation_works_once_and_not_for_who_is_inactive(clinic: Setting) -> None:
    add(clinic, ADA)
    id = add(clinic, BO, "viewer")
    proof = members.proof_of(members.member(clinic.desk, "clinic", id).value)
    themselves = members.themselves("clinic", id)

    members.set_password_hash(clinic.desk, themselves, id, "first", proof)
    with pytest.raises(Missing) as caught:
        members.set_password_hash(clinic.desk, themselves, id, "second", proof)
    assert (caught.value.kind, caught.value.id) == ("link", "")
    fresh = members.proof_of(members.change(clinic.desk, STAFF, id, active=False).value)
    with pytest.raises(Missing):
        members.set_password_hash(clinic.desk, themselves, id, "third", fresh)

    assert members.member(clinic.desk, "clinic", id).value.password == "first"


def test_what_is_not_named_stays_and_no_change_is_none(clinic: Setting) -> None:
    id = add(clinic, ADA)
    before = members.member(clinic.desk, "clinic", id)

    assert members.change(clinic.desk, STAFF, id) == before
    assert members.change(clinic.desk, STAFF, id, name=" Augusta ").value.name == "Augusta"


@pytest.mark.parametrize(
    "way",
    [
        lambda desk: members.change(desk, STAFF, "mem_x", name="X"),
        lambda desk: members.remove(desk, STAFF, "mem_x"),
        lambda desk: members.set_password_hash(desk, STAFF, "mem_x", "hash"),
        lambda desk: members.sign_out(desk, "clinic", "mem_x"),
    ],
)
def test_who_is_not_there_is_missing(clinic: Setting, way: Callable[[Desk], object]) -> None:
    with pytest.raises(Missing) as caught:
        way(clinic.desk)

    assert (caught.value.kind, caught.value.id) == ("member", "mem_x")


# The last owner.


def dismiss(clinic: Setting, id: str, how: str) -> None:
    if how == "remove":
        members.remove(clinic.desk, STAFF, id)
    elif how == "demote":
        members.change(clinic.desk, STAFF, id, role="staff")
    else:
        members.change(clinic.desk, STAFF, id, active=False)


DISMISSALS = ("remove", "demote", "deactivate")


@pytest.mark.parametrize("how", DISMISSALS)
def test_the_last_active_owner_stays(clinic: Setting, how: str) -> None:
    ada, bo = add(clinic, ADA), add(clinic, BO)
    add(clinic, "cy@example.com", "staff")

    dismiss(clinic, bo, how)
    with pytest.raises(InUse, match="active owner"):
        dismiss(clinic, ada, how)

    assert members.member(clinic.desk, "clinic", ada).value.is_ruling


def test_the_first_member_is_an_owner(clinic: Setting) -> None:
    with pytest.raises(InUse, match="first member"):
        add(clinic, ADA, "staff")


def both_dismiss_each_other(folder: Path, how: str) -> int:
    """Two owners, at the same moment, on a store of real threads; returns how many owners are left."""
    clinic = a_clinic(SqliteStore(folder / "a.db"))
    ids = [add(clinic, ADA), add(clinic, BO)]
    barrier = threading.Barrier(2)

    def one(id: str) -> None:
        barrier.wait()
        with suppress(InUse):
            dismiss(clinic, id, how)

    threads = [threading.Thread(target=one, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = sum(item.value.is_ruling for item in members.members(clinic.desk, "clinic"))
    clinic.store.close()
    return left


@pytest.mark.parametrize("how", DISMISSALS)
def test_of_two_owners_who_dismiss_each_other_at_once_one_stays(tmp_path: Path, how: str) -> None:
    assert both_dismiss_each_other(tmp_path, how) == 1


def test_counting_owners_without_insisting_on_the_count_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken one: each looks at all members and writes the one."""
    barrier = threading.Barrier(2)

    def counts(reading: Reading, draft: Draft, business: str, id: str, *, is_ruling: bool) -> None:
        found = (reading.value(member_key(business, members.id_of(business, each)), Member) for each in (ADA, BO))
        others = [each for each in found if each and each.is_ruling and members.id_of(business, each.email) != id]
        if threading.current_thread() is not threading.main_thread():
            barrier.wait()
        if not others and not is_ruling:
            raise InUse("nobody would rule")

    monkeypatch.setattr(members, "_write_owners", counts)

    assert both_dismiss_each_other(tmp_path, "demote") == 0


# Viewers.


def the_ways_to_write(clinic: Setting, actor: Actor, appointment_id: str) -> Iterator[tuple[str, Callable[[], object]]]:
    desk, request = clinic.desk, changing.Request(id=appointment_id)
    yield "book", lambda: booking.book(desk, actor, order("2026-11-26T12:00:00Z", service_id="visit"))
    hold = holds.HoldOrder(service_id="visit", start=at("2026-11-26T13:00:00Z"))
    yield "hold", lambda: holds.hold(desk, actor, hold)
    yield "release", lambda: holds.release_hold(desk, actor, "hld_x")
    yield "move", lambda: changing.move(desk, actor, changing.Move(id=appointment_id, start=at("2026-11-26T14:00:00Z")))
    yield "cancel", lambda: changing.act(desk, actor, "cancel", request)
    yield "edit", lambda: changing.edit(desk, actor, request, {}, None)
    yield "attend", lambda: changing.attend(desk, actor, request)
    yield "service", lambda: catalogue.put(desk, actor, "service", "x", service())
    yield "key", lambda: keys.create_key(desk, actor, "mine", ("admin",))
    yield "profile", lambda: catalogue.put_profile(desk, actor, catalogue.profile(desk, actor).value)


def check_that_a_viewer_changes_nothing(clinic: Setting) -> None:
    booked = clinic.book("2026-11-26T09:00:00Z", contact=contact())
    looking = Actor(business="clinic", id="v", scopes=frozenset({"read", "book", "staff", "admin"}), is_viewer=True)
    before = {doc.key: doc.version for doc in clinic.store.walk()}

    for name, way in the_ways_to_write(clinic, looking, booked.id):
        try:
            way()
        except OnlyLooks:
            continue
        raise AssertionError(f"a viewer did {name}")

    assert {doc.key: doc.version for doc in clinic.store.walk()} == before


def test_a_viewer_changes_nothing_at_the_desk(clinic: Setting) -> None:
    check_that_a_viewer_changes_nothing(clinic)


def test_a_desk_that_does_not_ask_is_caught(clinic: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Actor, "check_may_change", lambda self: None)

    with pytest.raises(AssertionError, match="a viewer did book"):
        check_that_a_viewer_changes_nothing(clinic)
