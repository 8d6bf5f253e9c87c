"""The form in which visitors say who they are, and what is wrong with what they typed."""

import re

import msgspec

from slotkeeper.core.appointment import Contact
from slotkeeper.core.errors import Invalid
from slotkeeper.core.service import mail_address
from slotkeeper.web.bodies import MULTI_LINE, Malformed, safe_text, without_unsafe

NEEDED = {"name": "Enter your name", "email": "Enter your mail address"}
LONGEST = {"name": 200, "email": 254, "phone": 40, "notes": 2000}

_ONCE = re.compile(r"[A-Za-z0-9_-]{32,64}")


class BookingForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent, as it was typed. `once` came with the empty form, and makes sending it twice book once."""

    name: str = ""
    email: str = ""
    phone: str = ""
    notes: str = ""
    once: str = ""


def tidy(form: BookingForm) -> tuple[BookingForm, dict[str, str]]:
    """The form without blanks around and unsafe characters in what was typed, and what is wrong with it by field.

    Raises:
        Malformed: the form has lost its token.
    """
    if not _ONCE.fullmatch(form.once):
        raise Malformed("the form is incomplete: load it again", field="once")
    typed: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name in LONGEST:
        typed[name], complaint = _tidy(name, getattr(form, name).strip())
        if complaint:
            wrong[name] = complaint
    return BookingForm(**typed, once=form.once), wrong


def contact_of(form: BookingForm) -> Contact:
    """Whom the booking is for."""
    return Contact(name=form.name, email=form.email, phone=form.phone)


def _tidy(name: str, text: str) -> tuple[str, str]:
    """The text and what is wrong with it; nothing when that is empty."""
    try:
        text = safe_text(text, name, is_multi_line=name in MULTI_LINE)
    except Malformed:
        # Nobody can find and delete what cannot be seen, such as what comes along with a number from an address book.
        clean = without_unsafe(text, is_multi_line=name in MULTI_LINE).strip()
        return clean, "We took out characters that cannot be seen: check that this is still right, and send it again"
    if not text and name in NEEDED:
        return text, NEEDED[name]
    if len(text) > LONGEST[name]:
        return text, f"Use at most {LONGEST[name]} characters; these are {len(text)}"
    if name == "email":
        try:
            mail_address(text, name)
        except Invalid:
            return text, "This is not a mail address: write it as name@example.com"
    return text, ""
