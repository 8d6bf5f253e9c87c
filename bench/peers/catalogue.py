"""What the peer offers and when: the catalogue as its rules need it, and the rules."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SERVICE = """
SELECT service.*, business.zone FROM service JOIN business ON business.id = business_id
WHERE business_id = $1 AND service.id = $2 AND active
"""

RESOURCES = """
SELECT number, resource.id, zone, array_agg(ARRAY[weekday, opens, closes]) AS openings
FROM service_resource JOIN resource ON number = resource_number JOIN opening USING (resource_number)
WHERE service_resource.business_id = $1 AND service_id = $2 AND active
GROUP BY number, position ORDER BY position
"""

RULES = "SELECT lead_minutes, channel FROM reminder_rule WHERE business_id = $1 ORDER BY lead_minutes DESC"


class Refused(Exception):
    """A rule says no; `code` names it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Resource:
    """Who can be booked, with its opening hours: minutes of the day by ISO weekday, in its zone."""

    number: int
    id: str
    zone: ZoneInfo
    openings: dict[int, list[tuple[int, int]]]

    def is_open(self, start: datetime, end: datetime) -> bool:
        """Whether it is open from start to end; a visit that passes midnight is judged day by day."""
        while start < end:
            wall = start.astimezone(self.zone)
            midnight = datetime.combine(wall.date() + timedelta(days=1), time(), self.zone).astimezone(UTC)
            first = wall.hour * 60 + wall.minute
            last = 1440 if end >= midnight else _minute(end.astimezone(self.zone))
            hours = self.openings.get(wall.isoweekday(), [])
            if not any(opens <= first and last <= closes for opens, closes in hours):
                return False
            start = midnight
        return True


@dataclass(frozen=True, slots=True)
class Service:
    """What customers book, who gives it, and when they are reminded: minutes before the start, and the channel."""

    id: str
    duration: timedelta
    before: timedelta
    after: timedelta
    step_minutes: int
    notice: timedelta
    horizon: timedelta
    zone: ZoneInfo
    resources: dict[str, Resource]
    reminders: list[tuple[int, str]]

    def check(self, start: datetime, now: datetime) -> None:
        """Raises `Refused` unless a visit may start then, whoever gives it."""
        if _minute(start.astimezone(self.zone)) % self.step_minutes or start.second or start.microsecond:
            raise Refused("off-step", f"the service starts every {self.step_minutes} minutes")
        if start < now + self.notice:
            raise Refused("too-soon", "the start is in the past, or within the notice")
        if start > now + self.horizon:
            raise Refused("too-far", f"the start lies more than {self.horizon.days} days ahead")

    def open_at(self, start: datetime, wanted: list[str]) -> list[Resource]:
        """Those who could give the visit, of those that are wanted or of all.

        Raises:
            Refused: nobody is open then. KeyError: one that is wanted does not give the service.
        """
        asked = [self.resources[id] for id in wanted] if wanted else self.resources.values()
        found = [each for each in asked if each.is_open(start, start + self.duration)]
        if not found or len(found) < len(wanted):
            raise Refused("closed", "not everyone who is needed is open then")
        return found


async def read_service(connection: Any, business: str, id: str) -> Service | None:
    """The service as it is stored; None when it is not there."""
    row = await connection.fetchrow(SERVICE, business, id)
    if row is None:
        return None
    resources = [_resource(each) for each in await connection.fetch(RESOURCES, business, id)]
    return Service(
        id=id,
        duration=timedelta(minutes=row["duration_minutes"]),
        before=timedelta(minutes=row["buffer_before_minutes"]),
        after=timedelta(minutes=row["buffer_after_minutes"]),
        step_minutes=row["step_minutes"],
        notice=timedelta(minutes=row["notice_minutes"]),
        horizon=timedelta(days=row["horizon_days"]),
        zone=ZoneInfo(row["zone"]),
        resources={each.id: each for each in resources},
        reminders=[tuple(each) for each in await connection.fetch(RULES, business)],
    )


def _resource(row: Any) -> Resource:
    openings: dict[int, list[tuple[int, int]]] = {}
    for weekday, opens, closes in row["openings"]:
        openings.setdefault(weekday, []).append((opens, closes))
    return Resource(row["number"], row["id"], ZoneInfo(row["zone"]), openings)


def _minute(wall: datetime) -> int:
    return wall.hour * 60 + wall.minute
