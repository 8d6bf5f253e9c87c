"""Many appointments whose reminders are due at one moment, as booking leaves them in the store."""

import secrets
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from slotkeeper.contracts import Change, Put, Store
from slotkeeper.core.appointment import Appointment, Contact, Deed, opened
from slotkeeper.core.reminders import DEFAULT_RULES, reminders
from slotkeeper.core.service import Business, Need, Resource, Service
from slotkeeper.core.ticks import DAY_SECONDS, Instant
from slotkeeper.documents import appointment_put, business_key, encoded, kind_key

BUSINESSES, DOCTORS = 100, 10
ZONE = "Europe/Berlin"
LEAD_MINUTES = 1440
AT_ONCE = 1000
"""How many documents are written in one transaction."""


Dues = dict[str, Instant]
"""When each reminder is due, by its id."""


def furnish(
    store: Store, count: int, due: Instant, *, over_seconds: int = 0, progress: Callable[[int], object] = lambda _: None
) -> Dues:
    """Write `count` appointments of `BUSINESSES` businesses, whose first reminders are due at `due`, or one after the
    other over so many seconds from then on. They were booked a week before, and their confirmations are out."""
    dues: Dues = {}
    _write(store, [*_catalogues()])
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        made = [_booked(number, due, Instant(due + number * over_seconds // count)) for number in numbers]
        _write(store, [appointment_put(_business(number), each) for number, each in zip(numbers, made, strict=True)])
        dues |= {each.messages[1].id: each.messages[1].due for each in made}
        progress(len(numbers))
    return dues


def _business(number: int) -> str:
    return f"clinic{number % BUSINESSES}"


def _write(store: Store, puts: list[Put]) -> None:
    with store.batch():
        for put in puts:
            store.commit(Change({put.key: 0}, [put]))


def _catalogues() -> Iterator[Put]:
    for number in range(BUSINESSES):
        id = _business(number)
        place, mail = "Hauptstrasse 1, Berlin", f"{id}@example.com"
        profile = Business(name=f"Clinic {number}", zone=ZONE, location=place, email=mail)
        visit = Service(name="Visit", duration_minutes=30, needs=(Need(any_of="all"),))
        yield Put(business_key(id), encoded(profile))
        yield Put(kind_key(id, "service", "visit"), encoded(visit))
        for doctor in range(DOCTORS):
            yield Put(kind_key(id, "resource", f"d{doctor}"), encoded(Resource(name=f"Dr {doctor}", zone=ZONE)))


def _booked(number: int, moment: Instant, due: Instant) -> Appointment:
    """An appointment a day after the moment, whose first reminder is due at `due`."""
    id, doctor = f"apt_{secrets.token_hex(16)}", f"d{number // BUSINESSES % DOCTORS}"
    start, then = Instant(moment + LEAD_MINUTES * 60), Instant(moment - 7 * DAY_SECONDS)
    booked = Appointment(
        id=id,
        status="booked",
        start=start,
        end=Instant(start + 30 * 60),
        service_id="visit",
        resource_ids=(doctor,),
        calendars=(doctor,),
        customer_id=f"c{number}",
        contact=Contact(name="Ada Lovelace", email=f"c{number}@example.com"),
        zone=ZONE,
        created=then,
        fingerprint=secrets.token_hex(32),
    )
    told = opened(booked, Deed(now=then, by="key_bench", request=secrets.token_hex(32)))
    sent = [replace(each, state="sent", attempts=1, first_due=each.due, note="250 taken") for each in told.messages]
    first, *others = reminders(f"{id}/0", start, DEFAULT_RULES, then, None, ZONE)
    return replace(told, published=1, messages=(*sent, replace(first, due=due), *others))
