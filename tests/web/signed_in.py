"""Asking the pages for members without a network, as one of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from slotkeeper.desk import members, sessions
from slotkeeper.desk.members import Role
from slotkeeper.web.app import Rules, Web
from slotkeeper.web.auth import COOKIE
from slotkeeper.web.http import Request
from tests.builders import STAFF, Setting


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered; `json` is None when there is no JSON."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def tag(self) -> str:
        return self.headers["etag"]


class Signed:
    """A member who is signed in, and whose browser sends what our pages have it send."""

    def __init__(self, setting: Setting, role: Role = "staff", business: str = STAFF.business) -> None:
        self.setting = setting
        self.web = Web(setting.desk, Rules())
        if not members.members(setting.desk, business):
            members.add(setting.desk, STAFF, "olga@example.com", "Olga Owner", "owner")
        email = f"{role}@example.com"
        found = members.by_email(setting.desk, business, email)
        member = found or members.add(setting.desk, STAFF, email, f"Sam {role.title()}", role)
        opened = sessions.open_session(setting.desk, business, member.id, remember=False)
        self.cookie, self.csrf = f"{COOKIE}={opened.token}", opened.session.csrf
        self.home = f"/staff/{business}"

    def get(self, path: str, **headers: str) -> Answered:
        return self._ask("GET", path, b"", headers)

    def post(self, path: str, body: object, **headers: str) -> Answered:
        sent = {"content-type": "application/json", "x-csrf-token": self.csrf}
        return self._ask("POST", path, json.dumps(body).encode(), sent | headers)

    def send(self, path: str, **fields: str) -> Answered:
        """Send a form."""
        body = urlencode({"csrf": self.csrf} | fields).encode()
        return self._ask(
            "POST", path, body, {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
        )

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        place, _, query = (path if path.startswith("/staff/") else self.home + path).partition("?")
        sent = {"cookie": self.cookie, "accept-language": "en-GB"}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        response = self.web.answer(Request(method, place, query, sent, body, "192.0.2.1"))
        return Answered(response.status, dict(response.headers), response.body.decode())
