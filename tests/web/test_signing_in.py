"""Signing in: what it takes, what it costs to guess, and what a session opens; for every route of the pages."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args
from urllib.parse import urlencode

import msgspec
import pytest

from slotkeeper.core.actor import Actor
from slotkeeper.desk import members, passwords, sessions
from slotkeeper.desk.members import ROLES, Role
from slotkeeper.linking import Links
from slotkeeper.web import app
from slotkeeper.web.app import Web, Work
from slotkeeper.web.auth import COOKIE
from slotkeeper.web.forms import DeclaredForm
from slotkeeper.web.http import SAFE, Request, Response
from slotkeeper.web.routes import Route
from slotkeeper.web.staff.routes import ROUTES
from tests.builders import STAFF, Setting, a_clinic
from tests.forging import forged
from tests.web.asking import a_second_business
from tests.web.filling import FORM, Browser, Page

PASSWORD = "a horse on the roof"
BY_SESSION = [route for route in ROUTES if route.by_session]
UNSAFE = [route for route in BY_SESSION if route.method not in SAFE]
STREAM = "text/event-stream"


@cache
def hashed() -> str:
    return passwords.hashed(PASSWORD)


def name_of(route: Route) -> str:
    return f"{route.method} {route.pattern.removeprefix('/staff/{business}')}"


@pytest.fixture
def clinic() -> Setting:
    clinic = a_clinic()
    olga = members.add(clinic.desk, STAFF, "olga@example.com", "Olga", "owner")
    vera = members.add(clinic.desk, STAFF, "vera@example.com", "Vera", "staff")
    for each in (olga, vera):
        members.set_password_hash(clinic.desk, STAFF, each.id, hashed())
    members.add(clinic.desk, STAFF, "invited@example.com", "Ines", "staff")
    return clinic


@pytest.fixture
def browser(clinic: Setting) -> Browser:
    return Browser(clinic)


VERA = members.id_of("clinic", "vera@example.com")


def sign_in(browser: Browser, email: str = "vera@example.com", password: str = PASSWORD, **others: str) -> Response:
    typed = {"email": email, "password": password} | others
    return browser.ask("POST", "/staff/clinic/sign-in", typed)


def cookie_of(response: Response) -> str:
    return next(text for name, text in response.headers if name == "set-cookie")


def place_of(response: Response) -> str:
    assert response.status == 303, response.body
    return dict(response.headers)["location"]


def test_who_knows_the_password_comes_in(browser: Browser) -> None:
    response = browser.fill("/sign-in", "/sign-in", email=" VERA@example.com ", password=PASSWORD)

    assert place_of(response) == "/staff/clinic/signed-in"
    assert place_of(browser.ask("GET", place_of(response))) == "/staff/clinic"
    assert browser.see("/account").says("vera@example.com")


def test_the_cookie_is_for_us_alone(browser: Browser) -> None:
    short, long = (cookie_of(sign_in(browser, **more)) for more in ({}, {"remember": "yes"}))

    assert re.fullmatch(rf"{COOKIE}=ss_\w+; Path=/; Secure; HttpOnly; SameSite=Lax", short)
    assert long.endswith(f"; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={sessions.LONG_SECONDS}")
    assert COOKIE.startswith("__Host-")


WRONG = ("vera@example.com", "nobody@example.com", "invited@example.com", "gone@example.com", "")


def test_a_wrong_password_and_an_unknown_address_look_and_cost_the_same(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = members.add(clinic.desk, STAFF, "gone@example.com", "Gus", "staff")
    members.set_password_hash(clinic.desk, STAFF, gone.id, hashed())
    members.change(clinic.desk, STAFF, gone.id, active=False)
    costs: list[str] = []
    verify = type(passwords._hasher()).verify

    def counted(self: Any, kept: str, password: str) -> Any:
        costs.append("$".join(kept.split("$")[:4]))
        return verify(self, kept, password)

    monkeypatch.setattr(type(passwords._hasher()), "verify", counted)
    replies = []
    for email in WRONG:
        browser = Browser(clinic)
        right = PASSWORD if email in ("gone@example.com", "invited@example.com") else "not this one"
        response = sign_in(browser, email, right)
        assert response.status == 422
        assert "set-cookie" not in dict(response.headers)
        replies.append(
            response.body.decode().replace(f'value="{email}"', "")
            if email
            else response.body.decode().replace('value=""', "", 2)
        )

    assert len(costs) == len(WRONG)
    assert len(set(costs)) == 1
    assert len({len(each) for each in replies[:-1]}) == 1
    assert len(set(replies[:-1])) == 1


def test_no_password_is_hashed_where_requests_wait(clinic: Setting, browser: Browser) -> None:
    def begin(path: str, typed: bytes, cookie: str = "") -> Response | Work:
        headers = {"accept": "text/html", "content-type": FORM, "cookie": cookie}
        return browser.web.begin(Request("POST", path, "", headers, typed, "192.0.2.1"))

    vera = Browser(clinic)
    sign_in(vera)
    csrf = sessions.session_of(clinic.desk, vera.cookie).csrf
    change = f"csrf={csrf}&old=x&password=another+good+one".encode()

    assert isinstance(begin("/staff/clinic/sign-in", b"email=vera@example.com&password=x"), Work)
    assert isinstance(begin("/staff/clinic/account/password", change, f"{COOKIE}={vera.cookie}"), Work)


def test_one_address_may_try_thirty_times_in_ten_minutes(browser: Browser) -> None:
    statuses = [sign_in(browser, f"nobody{number}@example.com", "x").status for number in range(31)]

    assert statuses == [422] * 30 + [429]
    browser.seconds = 21
    assert sign_in(browser, "nobody@example.com", "x").status == 422


def test_one_name_may_be_tried_twenty_times_from_one_address(browser: Browser) -> None:
    names = ("VERA@example.com", "vera@example.com")
    statuses = [sign_in(browser, names[number % 2], "x").status for number in range(21)]

    assert statuses == [422] * 20 + [429]
    assert sign_in(browser).status == 429
    assert sign_in(browser, "olga@example.com").status == 303


def test_one_name_may_not_be_tried_for_ever_from_ever_other_addresses(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda kept, typed: False)
    statuses = []
    for number in range(301):
        browser.peer = f"192.0.{number // 200}.{number % 200}"
        statuses.append(sign_in(browser, "vera@example.com", "x").status)

    assert statuses == [422] * 300 + [429]


def test_a_session_that_was_there_before_is_not_taken_up(clinic: Setting, browser: Browser) -> None:
    sign_in(browser)
    planted = browser.cookie

    sign_in(browser, "olga@example.com")

    assert browser.cookie != planted
    assert sessions.session_of(clinic.desk, planted).actor.id == VERA
    assert browser.see("/account").says("olga@example.com")


def test_another_sites_form_signs_nobody_in(browser: Browser) -> None:
    typed = {"email": "vera@example.com", "password": PASSWORD}

    assert browser.ask("POST", "/staff/clinic/sign-in", typed, sec_fetch_site="cross-site").status == 403


def test_signing_out_ends_the_session(browser: Browser) -> None:
    sign_in(browser)
    token = browser.cookie
    form = next(each for each in browser.see("/account").forms if each.action.endswith("/sign-out"))

    response = browser.ask("POST", form.action, form.typed)

    assert place_of(response) == "/staff/clinic/sign-in"
    assert "Max-Age=0" in cookie_of(response)
    browser.cookie = token
    assert "/sign-in" in place_of(browser.ask("GET", "/staff/clinic/account"))


ELSEWHERE = (
    "https://evil.example", "//evil.example", "/\\evil.example", "/staff/clinic//evil.example", "/staff/clinicx",
    "/staff/other", "/staff/clinic/../other", "/staff/clinic/\\x", "javascript:alert(1)", "/clinic", "staff/clinic",
    "/staff/clinic/\n", "/staff/clinic/\u202e", "/staff/clinic?x=//evil.example",
)  # fmt: skip


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_next_never_leads_elsewhere(browser: Browser, wanted: str) -> None:
    first = place_of(sign_in(browser, next=wanted))

    assert first.startswith("/staff/clinic/signed-in")
    assert place_of(browser.ask("GET", first)) == "/staff/clinic"


def test_next_leads_to_the_page_that_was_wanted(browser: Browser) -> None:
    asked = place_of(browser.ask("GET", "/staff/clinic/setup/services?done=added"))

    response = browser.send(browser.see(asked).form("/sign-in"), email="vera@example.com", password=PASSWORD)

    assert place_of(browser.ask("GET", place_of(response))) == "/staff/clinic/setup/services?done=added"


def test_a_browser_that_keeps_no_cookie_is_told_so(browser: Browser) -> None:
    place = place_of(sign_in(browser))
    browser.cookie = ""

    assert browser.see(place).says("Your browser did not keep you signed in")


@pytest.mark.parametrize("how", ["inactive", "removed", "signed out", "another password"])
def test_who_is_shut_out_is_out_at_once(clinic: Setting, browser: Browser, how: str) -> None:
    sign_in(browser)
    browser.see("/account")

    match how:
        case "inactive":
            members.change(clinic.desk, STAFF, VERA, active=False)
        case "removed":
            members.remove(clinic.desk, STAFF, VERA)
        case "signed out":
            members.sign_out(clinic.desk, "clinic", VERA)
        case _:
            members.set_password_hash(clinic.desk, STAFF, VERA, "another")

    assert "/sign-in" in place_of(browser.ask("GET", "/staff/clinic/account"))


def test_another_role_holds_at_once(clinic: Setting) -> None:
    owner = Browser(clinic, "owner")
    owner.see("/setup/keys")

    members.change(clinic.desk, STAFF, owner.id, role="staff")

    assert owner.ask("GET", "/staff/clinic/setup/keys").status == 403


# Every route


def made_of(kind: Any) -> Any:
    """Something that a field of a body takes."""
    if kind is int:
        return 1
    literals = get_args(kind)
    return next((each for each in literals if isinstance(each, str)), "x")


def body_of(route: Route) -> tuple[bytes, str]:
    """A body that can be read, and its media type."""
    assert route.body is not None
    if route.is_form:
        return b"", FORM
    needed = [each for each in msgspec.structs.fields(route.body) if each.required]
    return json.dumps({each.encode_name: made_of(each.type) for each in needed}).encode(), "application/json"


def address_of(route: Route, business: str = "clinic") -> str:
    path = route.pattern.replace("{business}", business)
    ids = {"services": "visit", "resources": "d0", "pools": "rooms", "hours": "week"}
    found = re.search(r"/(\w+)/\{id\}", path)
    return path.replace("{id}", ids.get(found[1], "unknown") if found else "unknown")


def ask(browser: Browser, route: Route, csrf: str = "", business: str = "clinic") -> Response:
    """Ask a route, with a token."""
    headers = {"accept": "text/html", "cookie": f"{COOKIE}={browser.cookie}"}
    body = b""
    if route.body is not None:
        body, media = body_of(route)
        headers |= {"content-type": media}
        if csrf and route.is_form:
            body = f"csrf={csrf}".encode()
        elif csrf:
            headers |= {"x-csrf-token": csrf}
    return browser.web.answer(Request(route.method, address_of(route, business), "", headers, body, "192.0.2.1"))


def forgeries(setting: Setting, browser: Browser) -> Iterator[str]:
    """What stands for a token and is none: nothing, a guess, and that of another's session."""
    yield ""
    yield "0" * 64
    yield browser.csrf[:-1]
    yield Browser(setting, "staff").csrf


def open_to_forgery(setting: Setting) -> list[str]:
    """The unsafe routes that take a request without the session's own token."""
    browser = Browser(setting, "owner")
    tokens = list(forgeries(setting, browser))
    before = browser.dump()
    found = []
    for route in UNSAFE:
        if any(ask(browser, route, token).status != 403 for token in tokens) or browser.dump() != before:
            found.append(name_of(route))
            browser.sign_in("owner")
            before = browser.dump()
    return found


@pytest.mark.slow
def test_every_unsafe_route_refuses_what_is_forged() -> None:
    assert len(UNSAFE) > 40
    assert open_to_forgery(a_clinic()) == []


@pytest.mark.slow
def test_the_walk_would_find_a_house_without_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "check_origin", lambda *_: None)

    assert len(open_to_forgery(a_clinic())) > len(UNSAFE) / 2


@pytest.mark.slow
def test_with_its_own_token_a_page_is_not_taken_for_forged() -> None:
    browser = Browser(a_clinic(), "owner")
    for route in UNSAFE:
        browser.sign_in("owner")
        response = ask(browser, route, browser.csrf)
        assert b"forged" not in response.body, name_of(route)
        assert response.status < 500, name_of(route)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_sends_is_refused_even_with_the_token(site: str) -> None:
    browser = Browser(a_clinic(), "owner")
    typed = {"csrf": browser.csrf, "name": "Eve"}

    assert browser.ask("POST", "/staff/clinic/account/name", typed, sec_fetch_site=site).status == 403


@pytest.mark.slow
def test_nobody_gets_in_without_a_session() -> None:
    browser = Browser(a_clinic())
    before = browser.dump()
    for route in BY_SESSION:
        response = ask(browser, route)
        is_page = route.media != "application/json" and not route.media.startswith(STREAM)
        assert response.status == (303 if is_page else 401), name_of(route)
        if is_page:
            assert place_of(response).startswith("/staff/clinic/sign-in"), name_of(route)
    assert browser.dump() == before


def test_a_session_of_another_business_is_nobody_here() -> None:
    clinic = a_clinic()
    a_second_business(clinic)
    actor = Actor(business="other", id="staff", scopes=STAFF.scopes)
    stranger = members.add(clinic.desk, actor, "eve@example.com", "Eve", "owner")
    browser = Browser(clinic)
    browser.cookie = sessions.open_session(clinic.desk, "other", stranger.id, remember=False).token
    csrf = sessions.session_of(clinic.desk, browser.cookie).csrf
    before = browser.dump()

    for route in BY_SESSION:
        assert ask(browser, route, csrf).status in (303, 401), name_of(route)

    assert browser.dump() == before
    assert browser.see("/staff/other/account").says("Eve")


def reach(setting: Setting, role: Role) -> dict[str, int]:
    """How each route answers a member of that role, with a good token."""
    browser = Browser(setting, role)
    found = {}
    for route in BY_SESSION:
        browser.sign_in(role)
        if not route.media.startswith(STREAM):
            found[name_of(route)] = ask(browser, route, browser.csrf).status
    return found


def over_reach() -> list[str]:
    """What a viewer can do beyond looking, and what is kept from their eyes that staff may see."""
    viewer, staff = reach(a_clinic(), "viewer"), reach(a_clinic(), "staff")
    looking = [name for name in viewer if name.startswith("GET ") and viewer[name] != staff[name]]
    own = {name_of(route) for route in UNSAFE if route.is_own}
    return looking + [
        name for name in viewer if not name.startswith("GET ") and name not in own and viewer[name] != 403
    ]


@pytest.mark.slow
def test_a_viewer_may_see_all_that_staff_may_and_change_nothing() -> None:
    assert over_reach() == []
    own = sorted(name_of(route) for route in UNSAFE if route.is_own)
    assert own == ["POST /account/elsewhere", "POST /account/name", "POST /account/password", "POST /sign-out"]


@pytest.mark.slow
def test_the_walk_would_find_a_viewer_who_may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "SAFE", frozenset({"GET", "HEAD", "POST"}))

    assert over_reach() != []


@pytest.mark.slow
def test_staff_may_not_reach_what_is_the_owners() -> None:
    staff, owner = reach(a_clinic(), "staff"), reach(a_clinic(), "owner")
    admin = [name_of(route) for route in BY_SESSION if route.access == "admin"]

    assert len(admin) > 30
    assert [name for name in admin if staff[name] != 403] == []
    assert [name for name in owner if owner[name] == 403] == []
    assert ROLES["staff"] < ROLES["owner"]


# Invitations


def invitation(clinic: Setting, email: str = "invited@example.com") -> str:
    found = members.by_email(clinic.desk, "clinic", email)
    assert found is not None
    proof = members.proof_of(found.value)
    return f"/welcome/{Links(clinic.store).invitation_token('clinic', found.id, proof, clinic.desk.now())}"


def test_an_invitation_sets_the_password_once(clinic: Setting, browser: Browser) -> None:
    link = invitation(clinic)
    before = browser.dump()
    page = browser.see(link)
    assert page.says("Welcome, Ines")
    assert browser.dump() == before

    response = browser.send(page.form(), password=PASSWORD)

    assert place_of(response) == "/staff/clinic/signed-in"
    assert browser.see("/account").says("invited@example.com")
    browser.see(link, 404)
    assert browser.ask("POST", f"/staff/clinic{link}", {"csrf": "", "password": "another good one"}).status == 404
    assert sign_in(Browser(clinic), "invited@example.com").status == 303


@pytest.mark.parametrize("password", ["short", "password123", "invited@example.com", ""])
def test_an_invitation_takes_no_bad_password(clinic: Setting, browser: Browser, password: str) -> None:
    link = invitation(clinic)

    page = browser.refused(browser.fill(link, password=password))

    assert [each for each in page.all("input") if each.get("aria-invalid")]
    browser.see(link)


def test_a_forged_an_old_and_a_voided_invitation_open_nothing(clinic: Setting, browser: Browser) -> None:
    link = invitation(clinic)
    browser.see(forged(link), 404)
    browser.see(link.replace("/welcome/", "/welcome/0"), 404)

    members.change(clinic.desk, STAFF, members.id_of("clinic", "invited@example.com"), active=False)
    browser.see(link, 404)

    other = invitation(clinic, "vera@example.com")
    clinic.clock.forward(days=8)
    browser.see(other, 404)


def test_two_who_have_one_invitation_set_one_password(clinic: Setting) -> None:
    link = f"/staff/clinic{invitation(clinic)}"
    first, second = Browser(clinic), Browser(clinic)
    begun = [
        each.web.begin(Request("POST", link, "", {"content-type": FORM, "accept": "text/html"}, body, "192.0.2.1"))
        for each, body in ((first, b"password=a+horse+on+the+roof"), (second, b"password=a+cow+in+the+cellar"))
    ]

    done = [work.finish(work.run()) for work in begun if isinstance(work, Work)]

    assert [response.status for response in done] == [303, 404]
    assert sign_in(Browser(clinic), "invited@example.com").status == 303


def test_the_form_is_declared_by_its_handler() -> None:
    assert DeclaredForm in {route.body for route in UNSAFE}
    assert Page("<form action='/x'></form>").form("/x").method == "get"


def test_a_stranger_cannot_keep_a_member_out(monkeypatch: pytest.MonkeyPatch) -> None:
    web = Web(a_clinic().desk)

    def tries(peer: str, count: int) -> list[int]:
        body = urlencode({"email": "olga@example.com", "password": "a wrong password"}).encode()
        sent = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
        ask = Request("POST", "/staff/clinic/sign-in", "", sent, body, peer)
        return [web.answer(ask).status for _ in range(count)]

    monkeypatch.setattr(passwords, "matches", lambda kept, typed: False)

    assert tries("192.0.2.66", 25)[-1] == 429
    assert tries("192.0.2.1", 1) == [422]
