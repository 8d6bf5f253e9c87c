"""Addresses to hand on: that of the booking page, the line that puts it into another page, and invitations."""

import re
from html import escape
from typing import Any

from slotkeeper.web.look.drawing import path
from slotkeeper.web.routes import Call

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_HERE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?")


def whole(call: Call[Any, Any], *parts: str) -> str:
    """The address with its origin, as the member's browser knows us; without one when it has not said."""
    return origin(call) + path(call.request.base, *parts)


def origin(call: Call[Any, Any]) -> str:
    """Such as `https://book.example.com`. It is shown to the one who asked and to nobody else, so what the request
    says of itself is enough."""
    headers = call.request.headers
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        return ""
    forwarded = headers.get("x-forwarded-proto", "")
    usual = "http" if _HERE.fullmatch(host) else "https"
    return f"{forwarded if forwarded in ('http', 'https') else usual}://{host}"


def embedding(call: Call[Any, Any]) -> str:
    """The line of HTML that puts the booking page into another page."""
    script = escape(whole(call, "embed.js"))
    return f'<script src="{script}" data-business="{escape(call.actor.business)}" async></script>'
