"""A new webhook: its secret is made with it, and shown once."""

from slotkeeper.core.errors import Invalid
from slotkeeper.web.forms import DeclaredForm
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.shelves import check_address, new_secret
from slotkeeper.web.staff import keeping
from slotkeeper.web.staff.fields import Filled, written
from slotkeeper.web.staff.kinds import HOOKS
from slotkeeper.web.staff.page import untold
from slotkeeper.web.staff.things import form_page, taken


def create(call: Call[DeclaredForm, None]) -> Answer:
    """Keep a new webhook, and show its secret."""
    secret = new_secret()
    filled, value = taken(call, HOOKS, secret=secret)
    if value is not None:
        try:
            check_address(value.url, is_http_allowed=call.takes_http_hooks)
            kept = keeping.one_of(call, HOOKS, keeping.add(call, HOOKS, value))
        except Invalid as error:
            filled.blame(error, HOOKS.fields)
        else:
            return untold(
                form_page(call, HOOKS, Filled(written(HOOKS.fields, kept.value), {}, {}), kept, secret=secret)
            )
    return form_page(call, HOOKS, filled)
