"""A browser without a network: it keeps cookies, reads forms, fills them in and sends what a browser would send."""

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from slotkeeper.contracts import Doc
from slotkeeper.desk import members, sessions
from slotkeeper.desk.members import Role
from slotkeeper.web.app import Rules, Web
from slotkeeper.web.auth import COOKIE
from slotkeeper.web.http import Request, Response
from slotkeeper.web.limits import Quota
from tests.builders import STAFF, Setting

FORM = "application/x-www-form-urlencoded"
UNLIMITED = Rules(key_quota=Quota("key", 10**9), address_quota=Quota("address", 10**9))

_SIGN_OUT = re.compile(r"(/prod)?/staff/[^/]+/sign-out")

Typed = dict[str, list[str]]


class Form:
    """A form as it stands on a page: where it is sent to, and what would be sent. Some of its buttons may send it
    elsewhere, to `others`."""

    def __init__(self, action: str, method: str) -> None:
        self.action = action
        self.others: list[str] = []
        self.method = method
        self.typed: Typed = {}
        self.names: set[str] = set()
        self.is_disabled = False


class Page(HTMLParser):
    """A page: its forms, links, text, and all its elements."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.forms: list[Form] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._select = ""
        self._area: str | None = None
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        self.elements.append((tag, facts))
        if tag == "form":
            self.forms.append(Form(facts.get("action", ""), facts.get("method", "get")))
        elif self.forms:
            self._within(self.forms[-1], tag, facts)

    def _within(self, form: Form, tag: str, facts: dict[str, str]) -> None:
        name = facts.get("name", "")
        if tag == "fieldset" and "disabled" in facts:
            form.is_disabled = True
        if name and tag in ("input", "select", "textarea"):
            form.names.add(name)
        if tag == "button" and "formaction" in facts:
            form.others.append(facts["formaction"])
        if tag == "input" and name and (facts.get("type") not in ("checkbox", "radio") or "checked" in facts):
            form.typed.setdefault(name, []).append(facts.get("value", ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in facts or self._select not in form.typed):
            form.typed[self._select] = [facts.get("value", "")]
        elif tag == "textarea" and name:
            self._area = name
            form.typed[name] = [""]

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self.cdata_elem != "style":
            self.text += data
        if self._area is not None:
            texts = self.forms[-1].typed[self._area]
            texts[0] += data.removeprefix("\n") if not texts[0] else data

    def form(self, action: str = "") -> Form:
        """The form whose address ends like that, but the one for signing out; the first one without."""
        return next(
            each for each in self.forms if each.action.endswith(action) and not _SIGN_OUT.fullmatch(each.action)
        )

    def says(self, words: str) -> bool:
        return words in " ".join(self.text.split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [facts for each, facts in self.elements if each == tag]

    def value(self, label: str) -> str:
        """What stands in the read-only input that is called so."""
        return next(each["value"] for each in self.all("input") if each.get("aria-label") == label)


class Browser:
    """Somebody's browser; signed in, when a role is named."""

    def __init__(self, setting: Setting, role: Role | None = None, rules: Rules = UNLIMITED) -> None:
        self.setting = setting
        self.seconds = 0.0
        self.web = Web(setting.desk, rules, seconds=lambda: self.seconds)
        self.cookie = ""
        self.csrf = ""
        self.peer = "192.0.2.1"
        self.home = f"/staff/{STAFF.business}"
        self.id = ""
        if role is not None:
            self.sign_in(role)

    def sign_in(self, role: Role) -> None:
        """Open a session as a member with that role."""
        desk, email = self.setting.desk, f"{role}@example.com"
        if not members.members(desk, STAFF.business):
            members.add(desk, STAFF, "olga@example.com", "Olga Owner", "owner")
        found = members.by_email(desk, STAFF.business, email) or members.add(desk, STAFF, email, f"Sam {role}", role)
        opened = sessions.open_session(desk, STAFF.business, found.id, remember=False)
        self.id, self.cookie, self.csrf = found.id, opened.token, opened.session.csrf

    def ask(self, method: str, address: str, typed: Mapping[str, Any] | None = None, **headers: str) -> Response:
        path, _, query = address.partition("?")
        sent = {"accept": "text/html", "accept-language": "en-GB", "host": "book.example.com"}
        sent |= {"cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        sent |= {"content-type": FORM} if typed is not None else {}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        body = b"" if typed is None else urlencode(typed, doseq=True).encode()
        response = self.web.answer(Request(method, path, query, sent, body, self.peer))
        for name, text in response.headers:
            if name == "set-cookie":
                self.cookie = text.partition("=")[2].partition(";")[0]
        return response

    def see(self, address: str, status: int = 200) -> Page:
        """Go to an address: the page that is there."""
        response = self.ask("GET", self._whole(address))
        assert response.status == status, (address, response.status, response.body.decode())
        return Page(response.body.decode())

    def send(self, form: Form, **typed: str | Sequence[str]) -> Response:
        """Send a form with other texts in some of its fields, `__` standing for a dot in their names."""
        changed = {name.replace("__", "."): text for name, text in typed.items()}
        assert set(changed) <= form.names, set(changed) - form.names
        return self.ask("POST", form.action, form.typed | changed)

    def fill(self, address: str, action: str = "", **typed: str | Sequence[str]) -> Response:
        """Open a page, fill its form in and send it."""
        return self.send(self.see(address).form(action), **typed)

    def follow(self, response: Response) -> Page:
        """The page to which an answer leads."""
        assert response.status == 303, response.body.decode()
        return self.see(dict(response.headers)["location"])

    def refused(self, response: Response, status: int = 422) -> Page:
        """The page that says what is wrong."""
        assert response.status == status, (response.status, response.body.decode())
        return Page(response.body.decode())

    def dump(self) -> list[Doc]:
        """Everything that is stored."""
        return list(self.setting.store.walk())

    def _whole(self, address: str) -> str:
        return address if address.startswith(("/staff", "/clinic", "/look")) else self.home + address
