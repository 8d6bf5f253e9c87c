"""The style sheet that stands in a visitor's page itself, so that the page can be painted with its first answer.

Whoever books comes once: what a browser would keep of a sheet of its own is seldom used again, and to wait for it takes
longer than all else (`docs/decisions/0023-styles-within-pages.md`).
"""

import base64
import hashlib
from functools import lru_cache

import msgspec
from markupsafe import Markup

from slotkeeper.web.look import theme
from slotkeeper.web.look.assets import asset


class Style(msgspec.Struct, frozen=True):
    """A style sheet, and the source by which a policy lets it, and no other, into the page (CSP 3, 2.3.1)."""

    text: Markup
    source: str


@lru_cache(maxsize=256)
def style_of(accent: str) -> Style:
    """The style of visitors' pages in a business's colour; in ours where it has none (empty)."""
    text = asset("visitors.css").body + (theme.style(accent) if accent else b"")
    if b"</" in text:
        raise AssertionError("this would end the element that it stands in")
    digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
    return Style(Markup(text.decode()), f"'sha256-{digest}'")  # noqa: S704 - it is ours, but for a colour that was judged
