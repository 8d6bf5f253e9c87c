"""`slotkeeper init`: a database, a business and its first key."""

import re
import unicodedata
from difflib import get_close_matches

import click

from slotkeeper.cli.screen import as_json, json_option, panel, program
from slotkeeper.cli.session import CLI, Home, Session
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.errors import InUse, Invalid, Outdated
from slotkeeper.core.service import Business
from slotkeeper.core.zones import zone_names
from slotkeeper.desk.catalogue import put_profile
from slotkeeper.desk.keys import Made, create_key
from slotkeeper.web.bodies import fitted
from slotkeeper.web.table import RESERVED


@click.command()
@click.argument("name")
@click.option("--zone", required=True, metavar="ZONE", help="Its time zone, such as Europe/Berlin.")
@click.option("--id", metavar="ID", help="Its id in addresses; without it one is made from the name.")
@click.option("--language", default="en", show_default=True, help="The language of its messages.")
@click.option("--email", default="", help="Where customers' answers go.")
@click.option("--location", default="", help="Its address, for messages.")
@json_option
@click.pass_obj
def init(
    session: Session, name: str, zone: str, id: str | None, language: str, email: str, location: str, is_json: bool
) -> None:
    """Make a database, the business NAME and its first key.

    The database is made where the settings say; when it is there already the business comes into it.
    """
    facts = {"name": name, "zone": zone, "language": language, "email": email, "location": location}
    profile = fitted(facts, Business)
    _check_zone(zone)
    with session.opened(is_new_allowed=True) as home:
        business = id or slug(name)
        made = begin(home, business, profile)
        if is_json:
            as_json({"business": business, "keyId": made.id, "secret": made.secret})
        else:
            _welcome(home, business, made)


def begin(home: Home, business: str, profile: Business) -> Made:
    """Keep a new business and make its first key.

    Raises:
        Invalid: its id or profile cannot be. InUse: it is there already.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", business):
        raise Invalid("a business's id has up to 64 letters, digits or any of _.-", field="id")
    if business in RESERVED:
        raise Invalid(f"{business!r} is an address of the API: use another --id", field="id")
    actor = Actor(business=business, id=CLI, scopes=frozenset(SCOPES))
    try:
        put_profile(home.desk, actor, profile, seen_version="0")
    except Outdated as error:
        raise InUse(f"there is a business {business!r} already: use another --id") from error
    return create_key(home.desk, actor, "first key", SCOPES)


def slug(name: str) -> str:
    """The name as an id: `Zahnärzte am Fluss` becomes `zahnarzte-am-fluss`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64] or "business"


def _check_zone(name: str) -> None:
    if name not in zone_names():
        close = get_close_matches(name, zone_names(), n=3, cutoff=0.5)
        close = close or sorted(each for each in zone_names() if name.lower() in each.lower())[:3]
        better = f"did you mean {', '.join(close)}?" if close else "use an IANA name such as Europe/Berlin"
        raise Invalid(f"{name[:60]!r} is not a time zone: {better}", field="zone")


def _welcome(home: Home, business: str, made: Made) -> None:
    name, whose = program(), f" --business {business}" if len(home.businesses()) > 1 else ""
    panel(
        f"{business} is ready",
        [
            f"Database  {home.settings.database}",
            f"Key       {made.secret}",
            "          It is shown this once: keep it safe.",
            "",
            "Next:",
            *([f"  export SLOTKEEPER_DATABASE={home.settings.database}"] if home.settings.table else []),
            f"  {name} schedules add week --name 'Opening hours' --open 'mon-fri 09:00-17:00'{whose}",
            f"  {name} resources add ada --name Ada --zone {home.office(business).zone} --schedule week{whose}",
            f"  {name} services add visit --name Visit --minutes 30 --need ada{whose}",
            f"  {name} slots visit{whose}",
            f"  {name} aws outputs" if home.settings.table else f"  {name} serve",
        ],
    )


COMMANDS = {"init": init}
