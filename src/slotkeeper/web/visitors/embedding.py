"""The script by which a page of somebody else's shows the booking pages, under an address that stays."""

from typing import Any

from slotkeeper.web.look.assets import ASKED_AGAIN, asset
from slotkeeper.web.routes import Answer, Call

FILE = "embed.js"


def script(call: Call[Any, Any]) -> Answer:
    """The script. Browsers keep it, and ask each time whether it is still the same one."""
    found = asset(FILE)
    # Any site may load it, also one that isolates itself from others (Fetch, cross-origin resource policy).
    headers = (("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin"))
    return Answer(found.body, tag=found.mark, headers=(("cache-control", ASKED_AGAIN), *headers))
