"""Signing in by an OpenID provider: a small real one, over HTTP, with real signatures; and how it is attacked."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey

from slotkeeper.desk import members, sessions
from slotkeeper.web.app import Rules, Work
from slotkeeper.web.http import Request, Response
from slotkeeper.web.limits import Quota
from slotkeeper.web.provider import Provider
from slotkeeper.web.staff import identity, oidc
from tests.builders import STAFF, Setting, a_clinic
from tests.web.filling import Browser, Page

CLIENT, SECRET, OURS = "slotkeeper", "s3cr&t:x", "https://book.example.com"
BACK = f"{OURS}/staff/clinic/oidc/back"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
STRANGER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})

Claims = dict[str, Any]


class LittleProvider:
    """An OpenID provider that signs in whoever `mail` names. `change` spoils its claims, `sign` its signatures."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.issuer = ""
        self.mail = "vera@example.com"
        self.change: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
        self.describe: Callable[[Claims], Claims] = lambda places: places
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def authorize(self, address: str) -> dict[str, str]:
        """What a browser at that address is sent back with: the person has said yes."""
        asked = {name: texts[0] for name, texts in parse_qs(urlsplit(address).query).items()}
        assert (asked["client_id"], asked["redirect_uri"], asked["response_type"]) == (CLIENT, BACK, "code")
        assert (asked["scope"], asked["code_challenge_method"]) == ("openid email", "S256")
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, method: str, path: str, headers: Any, body: str) -> tuple[int, object]:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            whole = {name: self.issuer + place for name, place in places.items()}
            return 200, self.describe({"issuer": self.issuer, "other": 1} | whole)
        if path == "/keys":
            return 200, {"keys": [KEY.as_dict(private=False)]}
        return self.exchange(headers, {name: texts[0] for name, texts in parse_qs(body).items()})

    def exchange(self, headers: Any, sent: dict[str, str]) -> tuple[int, object]:
        name, _, secret = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode().partition(":")
        asked = self.codes.pop(sent["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=")
        is_good = asked is not None and asked["code_challenge"] == challenge.decode() and sent["redirect_uri"] == BACK
        if not is_good or asked is None or (unquote(name), unquote(secret)) != (CLIENT, SECRET):
            return 400, {"error": "invalid_grant"}
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "1", "exp": self.now + 300, "iat": self.now,
            "nonce": asked["nonce"], "email": self.mail, "email_verified": True,
        }  # fmt: skip
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(self.change(claims))}


@pytest.fixture
def clinic() -> Setting:
    clinic = a_clinic()
    members.add(clinic.desk, STAFF, "olga@example.com", "Olga", "owner")
    members.add(clinic.desk, STAFF, "vera@example.com", "Vera", "staff")
    return clinic


@pytest.fixture
def provider(clinic: Setting) -> Iterator[LittleProvider]:
    little = LittleProvider(clinic.clock.now)

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            status, value = little.answer(self.command, self.path, self.headers, body)
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _reply  # noqa: N815 - as http.server calls them

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        little.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield little
        server.shutdown()
        thread.join()


class Person(Browser):
    """Somebody whose browser keeps the cookie of the question too."""

    def __init__(self, setting: Setting, provider: LittleProvider | None) -> None:
        unlimited = Quota("address", 10**9)
        known = (
            Provider(issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET, name="Acme <ID>", origin=OURS)
            if provider
            else None
        )
        super().__init__(setting, rules=Rules(key_quota=unlimited, address_quota=unlimited, provider=known))
        self.question = ""

    def go(self, address: str) -> Response:
        path, _, query = address.partition("?")
        headers = {"accept": "text/html", "cookie": self.question}
        response = self.web.answer(Request("GET", path, query, headers, b"", self.peer))
        for name, text in response.headers:
            if name == "set-cookie" and text.startswith(oidc.COOKIE):
                self.question = text.partition(";")[0]
            elif name == "set-cookie":
                self.cookie = text.partition("=")[2].partition(";")[0]
        return response

    def leave(self, wanted: str = "") -> str:
        """Press the button: the provider's address."""
        response = self.go(f"/staff/clinic/oidc?next={wanted}")
        assert response.status == 303, response.body.decode()
        return dict(response.headers)["location"]

    def come_back(self, sent: dict[str, str]) -> Response:
        return self.go("/staff/clinic/oidc/back?" + "&".join(f"{name}={text}" for name, text in sent.items()))

    def sign_in_there(self, provider: LittleProvider, wanted: str = "") -> Response:
        return self.come_back(provider.authorize(self.leave(wanted)))


def is_refused(person: Person, response: Response) -> bool:
    """Whether nobody is signed in, the question is over, and the page says so and no more."""
    assert response.status == 422, response.body
    cookies = [text for name, text in response.headers if name == "set-cookie"]
    assert not person.cookie
    assert all(text.startswith(f"{oidc.COOKIE}=;") for text in cookies)
    return Page(response.body.decode()).says("did not show us that you are a member here")


def test_a_member_signs_in_by_the_provider(clinic: Setting, provider: LittleProvider) -> None:
    person = Person(clinic, provider)
    page = person.see("/sign-in?next=/staff/clinic/customers")
    [link] = [each["href"] for each in page.all("a") if "/oidc" in each["href"]]
    assert page.says("Sign in with Acme <ID>")

    response = person.come_back(provider.authorize(dict(person.go(link).headers)["location"]))

    assert dict(response.headers)["location"] == "/staff/clinic/signed-in?next=%2Fstaff%2Fclinic%2Fcustomers"
    assert person.see("/account").says("vera@example.com")


def test_the_question_is_kept_by_the_browser_alone(clinic: Setting, provider: LittleProvider) -> None:
    person = Person(clinic, provider)
    before = person.dump()

    response = person.go("/staff/clinic/oidc")

    [cookie] = [text for name, text in response.headers if name == "set-cookie"]
    assert cookie.startswith("__Host-")
    assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600")
    assert person.dump() == before
    assert person.leave() != person.leave()


def test_the_provider_is_not_asked_where_requests_wait(clinic: Setting, provider: LittleProvider) -> None:
    person = Person(clinic, provider)
    sent = provider.authorize(person.leave())
    headers = {"accept": "text/html", "cookie": person.question}
    provider.asked.clear()

    for path, query in (("oidc", ""), ("oidc/back", f"code={sent['code']}&state={sent['state']}")):
        begun = person.web.begin(Request("GET", f"/staff/clinic/{path}", query, headers, b"", "192.0.2.1"))
        assert isinstance(begun, Work)
    assert provider.asked == []


SPOILT: dict[str, Claims] = {
    "wrong audience": {"aud": "another"},
    "more audiences": {"aud": [CLIENT, "another"]},
    "no audience": {"aud": None},
    "wrong nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "wrong issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "expired": {"exp": -3600},
    "no end": {"exp": None},
    "from the future": {"iat": 3600},
    "not verified": {"email_verified": False},
    "verified in words": {"email_verified": "true"},
    "not said whether verified": {"email_verified": None},
    "no address": {"email": None},
    "an address that is none": {"email": ["vera@example.com"]},
    "not a member": {"email": "nobody@example.com"},
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_token_that_says_anything_else_signs_nobody_in(clinic: Setting, provider: LittleProvider, how: str) -> None:
    def spoil(claims: Claims) -> Claims:
        spoilt = {
            name: provider.now + value if name in ("exp", "iat") and value is not None else value
            for name, value in SPOILT[how].items()
        }
        return {name: value for name, value in (claims | spoilt).items() if value is not None}

    provider.change = spoil
    person = Person(clinic, provider)

    assert is_refused(person, person.sign_in_there(provider))


def _plain(claims: Claims) -> str:
    return ".".join([_part({"alg": "none", "typ": "JWT"}), _part(claims), ""])


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unchecked(token: str, *_: object) -> Any:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def _by_public_key(claims: Claims) -> str:
    """Signed by HMAC with the provider's public key as the secret: the classical confusion."""
    secret = OctKey.import_key(KEY.as_pem(private=False))
    return jws.serialize_compact({"alg": "HS256", "kid": "one"}, json.dumps(claims).encode(), secret)


def _by_another(claims: Claims) -> str:
    header = {"alg": "RS256", "kid": "one", "jku": "http://127.0.0.1:1/keys", "jwk": STRANGER.as_dict(private=False)}
    return jwt.encode(header, claims, STRANGER)


def _changed(claims: Claims) -> str:
    head, _, signature = jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY).split(".")
    return f"{head}.{_part(claims | {'email': 'olga@example.com'})}.{signature}"


FORGED: dict[str, Callable[[Claims], str]] = {
    "alg none": _plain,
    "HS256 with the public key": _by_public_key,
    "another's key": _by_another,
    "changed after signing": _changed,
    "no token": lambda claims: "",
    "nonsense": lambda claims: "a.b.c",
    "an unknown kid": lambda claims: jwt.encode({"alg": "RS256", "kid": "two"}, claims, STRANGER),
}


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("how", FORGED)
def test_a_token_that_is_not_the_providers_signs_nobody_in(clinic: Setting, provider: LittleProvider, how: str) -> None:
    provider.sign = FORGED[how]
    person = Person(clinic, provider)

    assert is_refused(person, person.sign_in_there(provider))


def test_the_test_would_find_a_house_that_takes_any_algorithm(
    clinic: Setting, provider: LittleProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_signed", _unchecked)
    provider.sign = _plain
    person = Person(clinic, provider)

    assert person.sign_in_there(provider).status == 303


def test_an_answer_is_good_once_and_in_the_browser_that_asked(clinic: Setting, provider: LittleProvider) -> None:
    person, thief = Person(clinic, provider), Person(clinic, provider)
    sent = provider.authorize(person.leave())

    assert is_refused(thief, thief.come_back(sent))  # no question at all
    thief.leave()
    assert is_refused(thief, thief.come_back(sent))  # another question
    assert person.come_back(sent).status == 303

    person.cookie = ""
    assert is_refused(person, person.come_back(sent))  # the code is used up
    person.question = ""
    assert is_refused(person, person.come_back(sent))


def test_an_answer_to_an_attackers_question_signs_nobody_in(clinic: Setting, provider: LittleProvider) -> None:
    victim, attacker = Person(clinic, provider), Person(clinic, provider)
    attackers = provider.authorize(attacker.leave())
    victims = provider.authorize(victim.leave())

    assert is_refused(victim, victim.come_back({"code": attackers["code"], "state": victims["state"]}))
    assert is_refused(victim, victim.come_back(attackers))


@pytest.mark.parametrize("sent", [{}, {"state": "x"}, {"code": "x"}, {"error": "access_denied", "state": "STATE"}])
def test_an_answer_without_a_code_asks_nobody(clinic: Setting, provider: LittleProvider, sent: dict[str, str]) -> None:
    person = Person(clinic, provider)
    state = provider.authorize(person.leave())["state"]
    provider.asked.clear()

    assert is_refused(person, person.come_back({name: text.replace("STATE", state) for name, text in sent.items()}))
    assert provider.asked == []


def test_an_answer_of_another_provider_is_refused(clinic: Setting, provider: LittleProvider) -> None:
    person = Person(clinic, provider)

    assert is_refused(person, person.come_back(provider.authorize(person.leave()) | {"iss": "https://evil.example"}))


@pytest.mark.parametrize("question", ["", "x", "e30", "bnVsbA", "____"])
def test_a_cookie_that_is_no_question_is_none(clinic: Setting, provider: LittleProvider, question: str) -> None:
    person = Person(clinic, provider)
    sent = provider.authorize(person.leave())
    person.question = f"{oidc.COOKIE}={question}"

    assert is_refused(person, person.come_back(sent))


def test_who_is_inactive_stays_out(clinic: Setting, provider: LittleProvider) -> None:
    members.change(clinic.desk, STAFF, members.id_of("clinic", "vera@example.com"), active=False)
    person = Person(clinic, provider)

    assert is_refused(person, person.sign_in_there(provider))


@pytest.mark.parametrize(
    "spoilt",
    [
        {"issuer": "https://evil.example"}, {"token_endpoint": "http://192.0.2.1/token"},
        {"jwks_uri": "file:///etc/passwd"}, {"authorization_endpoint": None}, {"other": "x" * 300_000},
    ],
)  # fmt: skip
def test_a_provider_that_describes_another_is_not_asked(
    clinic: Setting, provider: LittleProvider, spoilt: Claims
) -> None:
    provider.describe = lambda places: places | spoilt

    response = Person(clinic, provider).go("/staff/clinic/oidc")

    assert response.status == 422
    assert Page(response.body.decode()).says("cannot be reached now")
    assert provider.asked == ["/.well-known/openid-configuration"]


def test_a_provider_that_is_away_leaves_the_password(clinic: Setting, provider: LittleProvider) -> None:
    provider.issuer = "http://127.0.0.1:1"

    page = Page(Person(clinic, provider).go("/staff/clinic/oidc").body.decode())

    assert page.says("cannot be reached now")
    assert page.form("/sign-in").names >= {"email", "password"}


def test_next_never_leads_elsewhere_from_there_either(clinic: Setting, provider: LittleProvider) -> None:
    response = Person(clinic, provider).sign_in_there(provider, "//evil.example")

    assert dict(response.headers)["location"] == "/staff/clinic/signed-in"


def test_without_a_provider_there_is_no_button_and_no_way(clinic: Setting) -> None:
    person = Person(clinic, None)

    assert not person.see("/sign-in").says("or Sign in with")
    assert person.go("/staff/clinic/oidc").status == 404
    assert person.go("/staff/clinic/oidc/back?code=x&state=y").status == 404


def test_the_session_is_one_like_any_other(clinic: Setting, provider: LittleProvider) -> None:
    person = Person(clinic, provider)
    person.sign_in_there(provider)

    assert sessions.session_of(clinic.desk, person.cookie).actor.scopes == members.ROLES["staff"]
