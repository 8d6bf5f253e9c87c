"""What visitors typed to say who they are, and what is wrong with it, in their own language."""

import re

from slotkeeper.core.appointment import Contact
from slotkeeper.core.errors import Invalid
from slotkeeper.core.service import mail_address
from slotkeeper.web.bodies import MULTI_LINE, Malformed, safe_text, without_unsafe
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.look.languages import Speech
from slotkeeper.web.routes import ID
from slotkeeper.web.visitors.guest import Guest
from slotkeeper.web.visitors.routes import BookingForm

LONGEST = {"name": 200, "email": 254, "phone": 40, "notes": 2000}

_NEEDED = {"name": N_("Please enter your name"), "email": N_("Please enter your email address")}
_UNSEEN = N_("We took out characters that cannot be seen: check that this is still right, and send it again")
_TOO_LONG = N_("This is too long: it has %(count)s characters, and %(most)s fit")
_NO_ADDRESS = N_("This is not an email address: write it like name@example.com")

_ONCE = re.compile(r"[A-Za-z0-9_-]{32,64}")


def tidy(form: BookingForm, speech: Speech) -> tuple[BookingForm, dict[str, str]]:
    """The form without blanks around and unsafe characters in what was typed, and what is wrong with it by field.

    Raises:
        Malformed: the form has lost its token.
    """
    if not _ONCE.fullmatch(form.once):
        raise Malformed("the form is incomplete: load it again", field="once")
    typed: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name in LONGEST:
        typed[name], complaint = _tidy(name, getattr(form, name).strip(), speech)
        if complaint:
            wrong[name] = complaint
    hold = form.hold if ID.match(form.hold) else ""
    return BookingForm(**typed, once=form.once, hold=hold, show=form.show), wrong


def contact_of(form: BookingForm, guest: Guest) -> Contact:
    """Whom the booking is for, and in which language and by which clock they are written to."""
    return Contact(name=form.name, email=form.email, phone=form.phone, language=guest.speech.code, zone=guest.zone)


def _tidy(name: str, text: str, speech: Speech) -> tuple[str, str]:
    """The text and what is wrong with it; nothing when that is empty."""
    try:
        text = safe_text(text, name, is_multi_line=name in MULTI_LINE)
    except Malformed:
        # Nobody can find and delete what cannot be seen, such as what comes along with a number from an address book.
        clean = without_unsafe(text, is_multi_line=name in MULTI_LINE).strip()
        return clean, speech.say(_UNSEEN)
    if not text and name in _NEEDED:
        return text, speech.say(_NEEDED[name])
    if len(text) > LONGEST[name]:
        counts = {"count": speech.number(len(text)), "most": speech.number(LONGEST[name])}
        return text, speech.say(_TOO_LONG) % counts
    if name == "email":
        try:
            mail_address(text, name)
        except Invalid:
            return text, speech.say(_NO_ADDRESS)
    return text, ""
