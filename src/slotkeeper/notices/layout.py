"""From the text of a message to a page of HTML: paragraphs, a button for the link, a card that says when and where."""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from slotkeeper.notices.languages import Language
from slotkeeper.notices.printing import layout, printed_html

DETAILS = "\ue000details\ue000"
"""Stands in a message's text where the card goes."""

LINK = "\ue001"
"""Stands in a message's text where its link goes."""

BLANK_LINES = re.compile(r"\n\s*\n")

_BUTTON = re.compile(rf"([^\n{LINK}]{{1,100}}?)\s*[:\uff1a]?\s*{LINK}")

Block = dict[str, str]
"""`kind` is `text`, `button` or `card`; the card's own facts stand beside the blocks."""


def laid_out(
    body: str,
    subject: str,
    title: str,
    rows: Sequence[tuple[str, str]],
    language: Language,
    link: str,
    *,
    is_over: bool,
) -> str:
    """The page of a message whose text is `body`, with `DETAILS` and `LINK` in it. `rows` are the labels and values of
    the card under its `title`, the first being when; they are crossed out when it `is_over`."""
    before, details, after = body.partition(DETAILS)
    card: list[Block] = [{"kind": "card"}] if details else []
    names = {
        "language": language.code,
        "direction": language.direction,
        "edge": "right" if language.direction == "rtl" else "left",
        "link": link,
        "subject": subject,
        "preview": rows[0][1],
        "blocks": [*_blocks(before, link), *card, *_blocks(after.replace(DETAILS, ""), link)],
        "title": title,
        "rows": rows,
        "crossed": "text-decoration:line-through;" if is_over else "",
    }
    return printed_html(layout(), names)


def _blocks(text: str, link: str) -> list[Block]:
    """The text's paragraphs. One that says no more than what the link is for becomes a button."""
    return [_block(part.strip(), link) for part in BLANK_LINES.split(text) if part.strip()]


def _block(text: str, link: str) -> Block:
    if LINK not in text:
        return {"kind": "text", "text": text}
    if button := _BUTTON.fullmatch(text):
        return {"kind": "button", "text": button[1]}
    anchor = Markup('<a href="{0}">{0}</a>').format(link)
    return {"kind": "text", "text": anchor.join(escape(part) for part in text.split(LINK))}
