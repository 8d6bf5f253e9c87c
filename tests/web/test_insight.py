"""The page that shows how the business is doing, and its figures as CSV."""

import csv
import io
import re

import pytest

from slotkeeper.core.service import Resource
from slotkeeper.desk.changing import Request, act
from slotkeeper.web.look import plots
from slotkeeper.web.staff import insight
from slotkeeper.web.staff.insight_routes import FIGURES, ROUTES
from tests.builders import STAFF, Setting, a_clinic, a_setting, at
from tests.post import caught
from tests.web.signed_in import Answered, Signed

HOSTILE = """<script>alert(1)</script>"'><b>{{7*7}}&amp;"""
DAYS = "from=2026-11-23&to=2026-11-29"


def a_week() -> Setting:
    """Four visits and an exam; one was cancelled, one missed."""
    setting = a_clinic()
    made = [setting.book(f"2026-11-23T{hour:02}:00:00Z") for hour in (8, 9, 9, 10)]
    setting.book("2026-11-25T09:00:00Z", "exam")
    act(setting.desk, STAFF, "cancel", Request(id=made[0].id))
    setting.clock.now = at("2026-11-23T12:00:00Z")
    act(setting.desk, STAFF, "noShow", Request(id=made[1].id))
    return setting


def rows(answered: Answered) -> list[dict[str, str]]:
    assert answered.status == 200, answered.text
    return list(csv.DictReader(io.StringIO(answered.text, newline="")))


def page(signed: Signed, query: str = DAYS) -> str:
    answered = signed.get(f"/insight?{query}", accept="text/html")
    assert answered.status == 200, answered.text
    return answered.text


def test_every_figure_is_on_the_page_with_its_table_and_its_csv() -> None:
    text = page(Signed(a_week()))

    for figure in FIGURES:
        assert f"/staff/clinic/insight/{figure}.csv?from=2026-11-23&amp;to=2026-11-29" in text
    assert len(re.findall('<svg class="plot"[^>]* role="img" aria-label="', text)) == 3
    assert text.count("<details>") == 3
    assert "5 appointments in all." in text
    assert "Busiest: Mon, from 10:00." in text
    assert " style=" not in text
    assert "<script" not in text


def test_the_csv_says_what_the_page_says() -> None:
    signed = Signed(a_week())
    figures = {each: rows(signed.get(f"/insight/{each}.csv?{DAYS}")) for each in FIGURES}

    counted = {(each["date"], each["serviceId"], each["status"]): each["appointments"] for each in figures["bookings"]}
    assert counted == {
        ("2026-11-23", "visit", "booked"): "2",
        ("2026-11-23", "visit", "cancelled"): "1",
        ("2026-11-23", "visit", "noShow"): "1",
        ("2026-11-25", "exam", "booked"): "1",
    }
    assert sum(int(each["bookedMinutes"]) for each in figures["utilisation"]) == 2 * 30 + 2 * 45
    [exam, visit] = figures["outcomes"]
    assert (visit["came"], visit["missed"], visit["cancelled"], visit["noShowRate"]) == ("2", "1", "1", "0.3333")
    assert (exam["toCome"], exam["appointments"]) == ("1", "1")
    assert sum(int(each["appointments"]) for each in figures["lead-times"]) == 5
    assert len(figures["busy-hours"]) == 7 * 24
    assert sum(int(each["appointments"]) for each in figures["busy-hours"]) == 3
    assert list(figures["reminders"][0]) == ["sent", "late", "failed", "overdue", "p50Seconds", "p99Seconds"]


def test_a_csv_is_sent_as_one() -> None:
    answered = Signed(a_week()).get(f"/insight/bookings.csv?{DAYS}")

    assert answered.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answered.headers["content-disposition"] == 'attachment; filename="bookings.csv"'
    assert answered.text.startswith("date,serviceId,service,status,appointments\r\n")


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
@pytest.mark.parametrize("is_broken", [False, True])
def test_no_cell_is_a_formula(start: str, is_broken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if is_broken:
        monkeypatch.setattr(insight, "_harmless", lambda cell: cell)
    setting = a_week()
    name = f'{start}HYPERLINK("http://evil.example","x")'
    setting.service("visit", name=name)
    setting.put("resource", "d0", Resource(name=name, zone="Europe/Berlin", schedule_id="week"))
    signed = Signed(setting)

    with caught(True, is_broken):
        for figure in ("bookings", "utilisation", "outcomes"):
            cells = [cell for row in rows(signed.get(f"/insight/{figure}.csv?{DAYS}")) for cell in row.values()]
            assert f"'{name}" in cells
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_it_can_be_narrowed_to_a_service_or_a_resource() -> None:
    signed = Signed(a_week())

    assert "1 appointment in all." in page(signed, f"{DAYS}&service=exam")
    assert "2 appointments in all." not in page(signed, f"{DAYS}&service=visit")
    assert [each["resourceId"] for each in rows(signed.get(f"/insight/utilisation.csv?{DAYS}&resource=r0"))] == ["r0"]
    assert "Nothing was booked in these days" in page(signed, f"{DAYS}&service=nothing")


def test_without_days_it_is_the_last_four_weeks_and_the_next() -> None:
    text = page(Signed(a_week()), "")

    assert 'name="from" value="2026-10-26"' in text
    assert 'name="to" value="2026-11-29"' in text


def test_many_days_are_shown_by_week() -> None:
    text = page(Signed(a_week()), "from=2026-10-01&to=2026-12-31")

    assert "Appointments by week" in text
    assert text.count("<g><title>") == 14 + 7


@pytest.mark.parametrize(
    "query", ["from=2026-11-23&to=2026-11-22", "from=2026-01-01&to=2026-12-31", "from=monday", "to=2026-13-01"]
)
def test_days_that_are_none_or_too_many_are_refused(query: str) -> None:
    assert Signed(a_clinic()).get(f"/insight?{query}", accept="text/html").status == 422


def test_only_members_of_the_business_see_it() -> None:
    setting = a_week()
    staff, viewer = Signed(setting), Signed(setting, "viewer")

    assert "5 appointments in all." in page(viewer)
    for route in ROUTES:
        rest = route.pattern.removeprefix("/staff/{business}")
        assert staff.get(f"/staff/other{rest}").status == 401
        staff.cookie, kept = "", staff.cookie
        assert staff.get(rest).status == 401
        staff.cookie = kept
        assert staff.get(rest).status == 200


def test_a_business_that_has_nothing_has_a_page_too() -> None:
    assert "Nothing was booked in these days" in page(Signed(a_setting()))


def test_whatever_is_shown_is_escaped() -> None:
    setting = a_week()
    setting.service("visit", name=HOSTILE)
    setting.put("resource", "d0", Resource(name=HOSTILE, zone="Europe/Berlin", schedule_id="week"))

    text = page(Signed(setting))

    assert HOSTILE not in text
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    drawn = plots.heat(HOSTILE, HOSTILE, [(HOSTILE, [1])], [HOSTILE])
    assert "<script" not in drawn + plots.columns(HOSTILE, HOSTILE, [plots.Column(HOSTILE, HOSTILE, (1,), HOSTILE)])
    assert '"><b>' not in drawn


def test_columns_are_as_high_as_what_they_count() -> None:
    drawn = plots.columns(
        "t", "a", [plots.Column("", "x", (4, 2)), plots.Column("", "y", (3,)), plots.Column("", "z", (0,))]
    )

    heights = [float(each) for each in re.findall(r'<rect [^>]*height="([0-9.]+)"', drawn)]

    assert [round(each / heights[0], 2) for each in heights] == [1, 0.5, 0.75]
    assert '<text class="value"' in drawn
