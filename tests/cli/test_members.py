"""`slotkeeper members`: who signs in, by which password, and who stays."""

from pathlib import Path

import pytest

from slotkeeper.cli.commands.members import INVITATION
from slotkeeper.core.errors import Missing
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.desk import members
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.passwords import matches
from slotkeeper.linking import Expired, Links
from slotkeeper.process import new_id
from slotkeeper.stores.sqlite import SqliteStore
from slotkeeper.web.table import ALL
from tests.cli.command_line import ZONE, Shell

ADA, BO = "ada@example.com", "Bo@example.com"
PASSWORD = "a long way home"
PERSON = {"email": BO, "name": "Bo", "role": "owner", "created": 1, "since": 1}


@pytest.fixture
def practice(shell: Shell) -> Shell:
    shell.a_practice()
    shell("members", "add", ADA, "--name", "Ada", "--role", "owner")
    return shell


def kept(shell: Shell, email: str) -> members.Member:
    return next(each for each in _members(shell) if each.email == email)


def _members(shell: Shell) -> list[members.Member]:
    store = SqliteStore(shell.folder / "slotkeeper.db")
    try:
        return [item.value for item in members.members(Desk(store, shell.clock, new_id), "practice")]
    finally:
        store.close()


def test_a_member_is_added_listed_changed_and_removed(practice: Shell) -> None:
    practice("members", "add", BO, "--name", "Bo")
    practice("members", "change", BO.lower(), "--name", "Robert", "--role", "viewer", "--inactive")

    listed = {each["email"]: each for each in practice.json("members", "list")}
    shown = practice("members", "list").stdout
    practice("members", "remove", BO)

    assert (listed[BO]["name"], listed[BO]["role"], listed[BO]["active"]) == ("Robert", "viewer", False)
    assert (listed[ADA]["role"], listed[ADA]["hasPassword"]) == ("owner", False)
    assert "Robert" in shown
    assert "inactive" in shown
    assert [each["email"] for each in practice.json("members", "list")] == [ADA]


def test_without_members_it_says_how_to_add_one(shell: Shell) -> None:
    shell.a_practice()

    assert "--role owner" in shell("members", "list").stdout


def test_the_first_member_is_an_owner_and_the_last_owner_stays(shell: Shell) -> None:
    shell.a_practice()

    assert "first member is an owner" in shell.complaint("members", "add", BO, "--name", "Bo", code=1)
    shell("members", "add", ADA, "--name", "Ada", "--role", "owner")
    for command in (["remove", ADA], ["change", ADA, "--role", "staff"], ["change", ADA, "--inactive"]):
        assert "active owner" in shell.complaint("members", *command, code=1)


@pytest.mark.parametrize("command", [["invite"], ["password"], ["remove"], ["change", "--name", "X"]])
def test_an_unknown_address_is_told(practice: Shell, command: list[str]) -> None:
    assert "member" in practice.complaint("members", *command, "eve@example.com", code=1)


def test_a_password_is_read_from_standard_input_and_shown_nowhere(practice: Shell) -> None:
    result = practice("members", "password", ADA, given=f"{PASSWORD}\n")

    assert PASSWORD not in result.output
    assert matches(kept(practice, ADA).password, PASSWORD)
    assert practice.json("members", "list")[0]["hasPassword"]
    assert PASSWORD.encode() not in (practice.folder / "slotkeeper.db").read_bytes()


@pytest.mark.parametrize("password", ["short", "1234567890", "ada@example.com", ""])
def test_a_bad_password_changes_nothing(practice: Shell, password: str) -> None:
    result = practice("members", "password", ADA, code=2, given=f"{password}\n")

    assert "password" in result.stderr
    assert kept(practice, ADA).password == ""


def test_a_member_can_be_added_with_a_password(practice: Shell) -> None:
    practice("members", "add", BO, "--name", "Bo", "--role", "viewer", "--password", given=f"{PASSWORD}\n")

    assert matches(kept(practice, BO).password, PASSWORD)


def test_a_bad_password_adds_nobody(practice: Shell) -> None:
    practice("members", "add", BO, "--name", "Bo", "--password", code=2, given="short\n")

    assert [each["email"] for each in practice.json("members", "list")] == [ADA]


def test_an_invitation_is_a_link_to_the_member_for_a_week_and_once(practice: Shell) -> None:
    link = practice("members", "invite", ADA).stdout.splitlines()[-1]
    base, _, token = link.rpartition("/")

    now = practice.clock()
    store = SqliteStore(practice.folder / "slotkeeper.db")
    links = Links(store)
    id, proof = links.invited("practice", token, now)
    with pytest.raises(Expired):
        links.invited("practice", token, Instant(now + 7 * DAY_SECONDS))
    with pytest.raises(Missing):
        links.invited("other", token, now)
    store.close()

    assert base == "http://127.0.0.1:8000/staff/practice/welcome"
    assert id == members.id_of("practice", ADA)
    assert proof == members.proof_of(kept(practice, ADA))
    practice("members", "password", ADA, given=f"{PASSWORD}\n")
    assert proof != members.proof_of(kept(practice, ADA))


def test_an_invitation_leads_to_a_page_that_is_there() -> None:
    assert INVITATION in {route.pattern for route in ALL if route.method == "GET"}


def test_who_is_inactive_is_not_invited(practice: Shell) -> None:
    practice("members", "add", BO, "--name", "Bo")
    practice("members", "change", BO, "--inactive")

    assert "inactive" in practice.complaint("members", "invite", BO, code=2)


def test_members_logo_and_links_move_with_a_business(practice: Shell) -> None:
    practice("members", "add", BO, "--name", "Bo", "--role", "staff")
    practice("members", "password", ADA, given=f"{PASSWORD}\n")
    practice("members", "change", BO, "--inactive")
    practice("export", "one.jsonl", "--all")

    practice("--database", "new.db", "import", "one.jsonl")
    practice("--database", "new.db", "export", "two.jsonl", "--all")

    copy = Path("one.jsonl").read_bytes()
    assert copy == Path("two.jsonl").read_bytes()
    assert b"argon2" not in copy
    assert b'"kind":"linkSecret"' in copy
    assert ", 0 bad." in practice("--database", "new.db", "import", "two.jsonl").stdout
    moved = {each["email"]: each for each in practice.json("--database", "new.db", "members", "list")}
    assert {email: each["hasPassword"] for email, each in moved.items()} == {ADA: False, BO: False}
    assert not moved[BO]["active"]


def test_a_link_opens_the_same_in_the_new_home_and_never_loses_to_a_copy(practice: Shell) -> None:
    practice("members", "invite", ADA)
    practice("export", "one.jsonl", "--all")
    practice("--database", "new.db", "import", "one.jsonl")
    practice("--database", "other.db", "init", "Practice", "--zone", ZONE, "--id", "practice")
    practice("--database", "other.db", "members", "add", ADA, "--name", "Ada", "--role", "owner")

    bad = practice("--database", "other.db", "import", "one.jsonl", code=1)

    secrets = [_secret(practice.folder / name) for name in ("slotkeeper.db", "new.db", "other.db")]
    assert secrets[0] == secrets[1]
    assert secrets[2] not in secrets[:2]
    assert "links were made here already" in bad.output


def _secret(path: Path) -> bytes:
    store = SqliteStore(path)
    try:
        return next(doc.body for doc in store.walk("practice/linkSecret"))
    finally:
        store.close()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"kind": "linkSecret", "id": "linkSecret", "value": "c2hvcnQ="}, "32 bytes"),
        ({"kind": "logo", "id": "logo", "value": {"media": "image/png", "data": "PHN2Zz4="}}, "no image/png"),
        (
            {
                "kind": "member",
                "id": "m",
                "value": {"email": "x", "name": "X", "role": "owner", "created": 1, "since": 1},
            },
            "mail address",
        ),
        (
            {
                "kind": "member",
                "id": "m",
                "value": {"email": "a@b.c", "name": "", "role": "owner", "created": 1, "since": 1},
            },
            "length >= 1",
        ),
    ],
)
def test_what_no_copy_of_ours_says_is_refused(practice: Shell, line: dict[str, object], reason: str) -> None:
    practice("export", "one.jsonl", "--all")
    first = Path("one.jsonl").read_bytes().splitlines()[0]
    name = practice.write("bad.jsonl", first, line)

    assert reason in practice("import", name, code=1).output
