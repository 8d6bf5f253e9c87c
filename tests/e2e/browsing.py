"""A browser without script: it follows links, fills in forms by their labels, keeps cookies, and shows what it reads.

Every address of ours on a page must begin where the pages are mounted: it insists on that for each page that it opens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import NamedTuple, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

MOST_REDIRECTS = 5
SEE_OTHER = 303
ADDRESSES = {"a": "href", "link": "href", "script": "src", "img": "src", "form": "action", "iframe": "src"}
VOID = frozenset({"input", "img", "link", "meta", "br", "hr"})


class Raw(NamedTuple):
    """An answer as it came."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The header's value; empty when there is none."""
        return next((value for each, value in self.headers if each.lower() == name), "")


class Site(Protocol):
    """A home as browsers reach it: `base` is what all its addresses begin with."""

    @property
    def base(self) -> str: ...

    def fetch(self, method: str, target: str, body: bytes = b"", **headers: str) -> Raw:
        """Ask over HTTP without any key."""
        ...


@dataclass
class Form:
    """A form: its fields with what stands in them, their names by label, and its buttons by what they say."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass
class Page:
    """A page: where it is, its words, its links by what they say, and its forms."""

    status: int
    address: str
    text: str
    links: list[tuple[str, str]]
    forms: list[Form]
    addresses: list[str]

    def link(self, label: str) -> str:
        """Where the first link that says so leads. Raises `AssertionError` when there is none."""
        for said, address in self.links:
            if label in said:
                return address
        raise AssertionError(f"no link says {label!r} on {self.address} ({self.status}):\n{self.text[:2000]}")

    def form(self, button: str) -> Form:
        """The form with that button. Raises `AssertionError` when there is none."""
        for each in self.forms:
            if button in each.buttons:
                return each
        raise AssertionError(f"no button says {button!r} on {self.address} ({self.status}):\n{self.text[:2000]}")


class Browser:
    """One person's browser, at one page at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.cookies: dict[str, str] = {}
        self.page = Page(0, f"{site.base}/", "", [], [], [])

    def open(self, address: str) -> Page:
        """Show the page at an address, which may be relative to the one that is shown."""
        return self._go("GET", address)

    def follow(self, label: str) -> Page:
        """Follow the first link that says so."""
        return self.open(self.page.link(label))

    def send(self, button: str, **typed: str) -> Page:
        """Fill in the form that has the button, and press it. Fields are named by their labels or the last words of
        them, with `_` for blanks."""
        form = self.page.form(button)
        fields = dict(form.fields)
        for label, text in typed.items():
            wanted = label.replace("_", " ")
            name = next((name for said, name in form.labels.items() if said.endswith(wanted)), "")
            assert name, f"no field is called {wanted!r}, but {list(form.labels)}"
            fields[name] = text
        name, value = form.buttons[button]
        if name:
            fields[name] = value
        if form.method == "GET":
            return self._go("GET", f"{form.action.partition('?')[0]}?{urlencode(fields)}")
        return self._go("POST", form.action, urlencode(fields).encode())

    def ask(self, address: str, **headers: str) -> Raw:
        """What a script on the page is answered."""
        return self._fetch("GET", urljoin(self.page.address, address), b"", **headers)

    def _go(self, method: str, address: str, body: bytes = b"") -> Page:
        target = urljoin(self.page.address, address)
        answer = self._fetch(method, target, body, accept="text/html")
        for _ in range(MOST_REDIRECTS):
            if answer.status != SEE_OTHER:
                break
            place = answer.header("location")
            assert place.startswith(f"{self._site.base}/"), f"{target} leads to {place}"
            target = urljoin(target, place)
            answer = self._fetch("GET", target, b"", accept="text/html")
        self.page = _read(answer, target)
        lost = [each for each in self.page.addresses if each[:1] == "/" and not each.startswith(f"{self._site.base}/")]
        assert not lost, f"{target} has addresses that lead elsewhere: {lost}"
        return self.page

    def _fetch(self, method: str, target: str, body: bytes, **headers: str) -> Raw:
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        place = urlsplit(target)
        answer = self._site.fetch(method, f"{place.path}?{place.query}" if place.query else place.path, body, **headers)
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self._keep(value)
        return answer

    def _keep(self, sent: str) -> None:
        for name, morsel in SimpleCookie(sent).items():
            # RFC 6265bis 4.1.3.2: otherwise a browser takes no cookie whose name begins so.
            assert not name.startswith("__Host-") or (
                morsel["path"] == "/" and morsel["secure"] and not morsel["domain"]
            )
            self.cookies.pop(name, None)
            if morsel["max-age"] != "0":
                self.cookies[name] = morsel.value


def _read(answer: Raw, address: str) -> Page:
    reader = _Reader(address)
    if "html" in answer.header("content-type"):
        reader.feed(answer.body.decode())
    return Page(
        answer.status, address, " ".join("".join(reader.words).split()), reader.links, reader.forms, reader.addresses
    )


class _Reader(HTMLParser):
    """What stands on a page, in its order."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.forms: list[Form] = []
        self.addresses: list[str] = []
        self._address = address
        self._ids: dict[str, str] = {}
        self._labels: list[tuple[str, str]] = []
        self._open: list[tuple[str, dict[str, str], int]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag in ADDRESSES and ADDRESSES[tag] in facts:
            self.addresses.append(facts[ADDRESSES[tag]])
        if tag == "form":
            self.forms.append(Form(facts.get("method", "get").upper(), facts.get("action") or self._address))
        if self.forms:
            self._read_field(tag, facts)
        if tag not in VOID:
            self._open.append((tag, facts, len(self.words)))

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            name, facts, at = self._open.pop()
            said = " ".join("".join(self.words[at:]).split())
            if name == "a" and "href" in facts:
                self.links.append((said, facts["href"]))
            elif name == "label" and self.forms:
                self._name_field(facts.get("for", ""), said)
            elif name == "button" and self.forms:
                self.forms[-1].buttons.setdefault(said, (facts.get("name", ""), facts.get("value", "")))
            elif name == "textarea" and self.forms:
                self.forms[-1].fields[facts["name"]] = "".join(self.words[at:]).removeprefix("\n")
            elif name == "select":
                self._select = ""
            elif name in ("script", "style", "template"):
                del self.words[at:]
            if name == tag:
                break
        self.words.append(" " if tag not in ("b", "i", "span", "small", "strong") else "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def _read_field(self, tag: str, facts: dict[str, str]) -> None:
        fields, name = self.forms[-1].fields, facts.get("name", "")
        if "id" in facts and name:
            self._ids[facts["id"]] = name
            for id, said in self._labels:
                if id == facts["id"]:
                    self.forms[-1].labels.setdefault(said, name)
        if tag == "input" and name:
            if facts.get("type") not in ("checkbox", "radio") or "checked" in facts:
                fields[name] = facts.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in facts or self._select not in fields):
            fields[self._select] = facts.get("value", "")

    def _name_field(self, id: str, said: str) -> None:
        """A label before its field, or after it."""
        self._labels.append((id, said))
        if id in self._ids:
            self.forms[-1].labels.setdefault(said, self._ids[id])
