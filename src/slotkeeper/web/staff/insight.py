"""How the business is doing: the figures of some days as plots that are read at a glance, as tables, and as CSV."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from slotkeeper.core.appointment import CLAIMING
from slotkeeper.core.errors import Invalid
from slotkeeper.core.zones import local
from slotkeeper.desk import catalogue
from slotkeeper.desk.insight import LEAD_HOURS, MAX_DAYS, Asked, Insight, insight
from slotkeeper.web.look import plots
from slotkeeper.web.look.drawing import N_
from slotkeeper.web.look.languages import Speech
from slotkeeper.web.routes import Answer, Call
from slotkeeper.web.staff.insight_routes import InsightQuery
from slotkeeper.web.staff.page import page, speech_of, staff_path
from slotkeeper.web.staff.walls import date_in

CSV = "text/csv; charset=utf-8; header=present"
DAYS_BEFORE, DAYS_AFTER = 28, 6
MANY_DAYS = 35
"""Beyond so many days the bookings are shown by week."""

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_LEAD_WORDS = (
    N_("under 1 hour"), N_("1–24 hours"), N_("1–3 days"), N_("3–7 days"),  # noqa: RUF001 - a dash between numbers
    N_("1–2 weeks"), N_("2–4 weeks"), N_("over 4 weeks"),  # noqa: RUF001 - as above
)  # fmt: skip
_SUNDAY = date(2024, 1, 7)

Rows = list[Sequence[object]]


def show(call: Call[None, InsightQuery]) -> Answer:
    """The page."""
    found, speech = _insight(call), speech_of(call)
    columns, table = _bookings(found, speech)
    hours = _hours(found)
    week = [(speech.part(_SUNDAY + timedelta(days=at + 1), "EEE"), found.busy[at]) for at in range(7)]
    shown = [(name, [counts[hour] for hour in hours]) for name, counts in week]
    say = speech.say
    return page(
        call,
        "insight",
        "insight",
        speech=speech,
        found=found,
        asked=call.query,
        max_days=MAX_DAYS,
        csv=lambda figure: staff_path(call, "insight", f"{figure}.csv", **_asked(call, found)),
        bookings=plots.columns(say("Appointments"), _bookings_told(found, speech), columns) if found.total else "",
        bookings_table=table,
        is_weekly=len(found.dates) > MANY_DAYS,
        leads=plots.columns(say("How long ahead people book"), _lead_told(found, speech), _leads(found, speech)),
        lead_words=[say(word) for word in _LEAD_WORDS],
        lead_median=_span(found.median_lead_minutes, speech),
        busy=plots.heat(say("When appointments begin"), _busy_told(found, speech), shown, list(map(str, hours))),
        week=week,
        bar=plots.bar,
        percent=_percent,
        hours=lambda minutes: speech.number(round(minutes / 60, 1)),
        service_name=lambda id: found.services.get(id, id) or say("Without a service"),
        kept=sum(count for (_, _, status), count in found.bookings.items() if status in CLAIMING),
        overall=_overall(found),
    )


def bookings(call: Call[None, InsightQuery]) -> Answer:
    """The appointments by date, service and status."""
    found = _insight(call)
    lines = sorted(found.bookings.items())
    rows: Rows = [(day, id, found.services.get(id, ""), status, count) for (day, id, status), count in lines]
    return _csv("bookings", ("date", "serviceId", "service", "status", "appointments"), rows)


def utilisation(call: Call[None, InsightQuery]) -> Answer:
    """The resources' time."""
    rows: Rows = [
        (
            each.id,
            each.name,
            each.kind,
            each.open_minutes,
            each.booked_minutes,
            each.outside_minutes,
            f"{each.share:.4f}",
        )
        for each in _insight(call).loads
    ]
    heads = ("resourceId", "resource", "kind", "openMinutes", "bookedMinutes", "outsideMinutes", "utilisation")
    return _csv("utilisation", heads, rows)


def outcomes(call: Call[None, InsightQuery]) -> Answer:
    """What became of the appointments of each service."""
    found = _insight(call)
    rows: Rows = [
        (
            each.service_id, found.services.get(each.service_id, ""), each.total, each.came, each.missed,
            each.cancelled, each.turned_down, each.to_come, f"{each.missed_share:.4f}", f"{each.cancelled_share:.4f}",
        )
        for each in found.outcomes
    ]  # fmt: skip
    heads = (
        "serviceId", "service", "appointments", "came", "missed", "cancelled", "turnedDown", "toCome", "noShowRate",
        "cancellationRate",
    )  # fmt: skip
    return _csv("outcomes", heads, rows)


def lead_times(call: Call[None, InsightQuery]) -> Answer:
    """How long ahead people book."""
    found = _insight(call)
    froms = (0, *LEAD_HOURS)
    rows: Rows = list(zip(froms, (*LEAD_HOURS, ""), found.leads, strict=True))
    return _csv("lead-times", ("fromHours", "toHours", "appointments"), rows)


def reminders(call: Call[None, InsightQuery]) -> Answer:
    """How punctual the reminders were."""
    it = _insight(call).punctuality
    rows: Rows = [(it.sent, it.late, it.failed, it.overdue, it.p50_seconds, it.p99_seconds)]
    return _csv("reminders", ("sent", "late", "failed", "overdue", "p50Seconds", "p99Seconds"), rows)


def busy_hours(call: Call[None, InsightQuery]) -> Answer:
    """When appointments begin."""
    rows: Rows = [
        (day + 1, hour, count) for day, hours in enumerate(_insight(call).busy) for hour, count in enumerate(hours)
    ]
    return _csv("busy-hours", ("isoWeekday", "hour", "appointments"), rows)


def _insight(call: Call[None, InsightQuery]) -> Insight:
    """Raises `Invalid` when the days are none, or too many."""
    query = call.query
    today = local(call.desk.now(), catalogue.profile(call.desk, call.actor).value.zone).date()
    last = date_in(query.to, "to") if query.to else None
    first = date_in(query.from_, "from") if query.from_ else (last or today) - timedelta(days=DAYS_BEFORE)
    last = last or (max(first, today) + timedelta(days=DAYS_AFTER))
    if last < first:
        raise Invalid("to must not be before from", field="to")
    asked = Asked(first=first, last=last, service_id=query.service, resource_id=query.resource)
    return insight(call.desk, call.actor, asked)


def _asked(call: Call[None, InsightQuery], found: Insight) -> dict[str, str]:
    days = {"from": found.asked.first.isoformat(), "to": found.asked.last.isoformat()}
    return days | {"service": call.query.service, "resource": call.query.resource}


def _bookings(found: Insight, speech: Speech) -> tuple[list[plots.Column], list[tuple[str, int, int]]]:
    """The columns, by day or by week, and their table: those that keep their time, and those that were called off."""
    kept, off = Counter[date](), Counter[date]()
    is_weekly = len(found.dates) > MANY_DAYS
    for (day, _, status), count in found.bookings.items():
        shown = day - timedelta(days=day.weekday()) if is_weekly else day
        (kept if status in CLAIMING else off)[shown] += count
    days = list(dict.fromkeys(day - timedelta(days=day.weekday()) if is_weekly else day for day in found.dates))
    columns, table = [], []
    for at, day in enumerate(days):
        name = speech.part(day, "yMMMEd")
        is_told = is_weekly or day.weekday() == 0 or (at == 0 and day.weekday() < 4)
        label = speech.part(day, "MMMd") if is_told else ""
        told = f"{name}: {speech.number(kept[day])} + {speech.number(off[day])}"
        columns.append(plots.Column(label, told, (kept[day], off[day])))
        table.append((name, kept[day], off[day]))
    return columns, table


def _leads(found: Insight, speech: Speech) -> list[plots.Column]:
    whole = sum(found.leads) or 1
    return [
        plots.Column(speech.say(word), f"{speech.say(word)}: {speech.number(count)}", (count,), _percent(count / whole))
        for word, count in zip(_LEAD_WORDS, found.leads, strict=True)
    ]


def _bookings_told(found: Insight, speech: Speech) -> str:
    return speech.say_count("%(num)s appointment in all.", "%(num)s appointments in all.", found.total)


def _lead_told(found: Insight, speech: Speech) -> str:
    return speech.say("Half of all were booked at least %(span)s ahead.") % {
        "span": _span(found.median_lead_minutes, speech)
    }


def _busy_told(found: Insight, speech: Speech) -> str:
    count, day, hour = max((count, -day, -hour) for day, row in enumerate(found.busy) for hour, count in enumerate(row))
    if not count:
        return speech.say("Nothing begins in these days.")
    named = speech.part(_SUNDAY + timedelta(days=1 - day), "EEE")
    return speech.say("Busiest: %(day)s, from %(hour)s:00.") % {"day": named, "hour": -hour}


def _hours(found: Insight) -> range:
    """The hours in which anything begins, with one before and one after, but no less than a working day."""
    used = [hour for row in found.busy for hour, count in enumerate(row) if count]
    return range(max(min([*used, 8]) - 1, 0), min(max([*used, 17]) + 2, 24))


def _span(minutes: int, speech: Speech) -> str:
    if minutes < 60:
        return speech.length(minutes)
    if minutes < 2 * 1440:
        return speech.length(round(minutes / 60) * 60)
    days = round(minutes / 1440)
    return speech.say_count("%(num)s day", "%(num)s days", days)


def _overall(found: Insight) -> dict[str, float]:
    came = sum(each.came for each in found.outcomes)
    missed = sum(each.missed for each in found.outcomes)
    cancelled = sum(each.cancelled for each in found.outcomes)
    whole = sum(each.total - each.turned_down for each in found.outcomes)
    opened = sum(each.open_minutes for each in found.loads)
    booked = sum(each.booked_minutes for each in found.loads)
    return {
        "missed": missed / (came + missed) if missed else 0.0,
        "cancelled": cancelled / whole if cancelled else 0.0,
        "used": booked / opened if opened else 0.0,
    }


def _percent(share: float) -> str:
    shown = round(share * 100, 1)
    return f"{shown:.0f}%" if shown >= 10 or shown == 0 else f"{shown:.1f}%"


def _csv(figure: str, heads: Sequence[str], rows: Rows) -> Answer:
    """The rows as RFC 4180 has them. What a spreadsheet would take for a formula gets a quote before it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    named = f'attachment; filename="{figure}.csv"'
    return Answer(text.getvalue().encode(), headers=(("content-type", CSV), ("content-disposition", named)))


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell
