"""The journeys on AWS: the template as it is, our zip in its functions, asked through the gateway.

The emulator lets everybody do everything here; test_permissions.py goes through them again where it enforces IAM.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.aws.deployed import Deployment, deployed, the_zip
from tests.aws.emulator import emulating
from tests.e2e import journeys, races

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with emulating(tmp_path_factory.mktemp("home")) as emulator, deployed(emulator, the_zip()) as made:
        yield made


def test_a_visit_from_the_first_look_to_the_cancellation(home: Deployment) -> None:
    journeys.a_visit(home)


def test_a_reminder_arrives_once_and_none_for_what_is_off(home: Deployment) -> None:
    journeys.a_reminder(home)


def test_a_visitor_books_moves_and_cancels_on_the_pages(home: Deployment) -> None:
    journeys.a_visit_on_the_pages(home)


def test_a_member_signs_in_moves_an_appointment_and_signs_out(home: Deployment) -> None:
    journeys.a_day_of_a_member(home)


def test_what_pages_load_is_there(home: Deployment) -> None:
    journeys.what_pages_load(home)


def test_no_route_but_health_is_open(home: Deployment) -> None:
    asked = {path: home.ask("GET", path, x_api_key="", authorization="") for path in ("/health", "/business", "/ready")}
    wrong = home.ask("GET", "/business", x_api_key="x" * 40)
    no_key_of_ours = home.ask("GET", "/business", authorization="")

    assert {path: reply.status for path, reply in asked.items()} == {"/health": 200, "/business": 403, "/ready": 403}
    assert wrong.status == 403
    assert (no_key_of_ours.status, no_key_of_ours.code) == (401, "unauthenticated")


def test_of_32_clients_that_want_one_slot_one_wins_in_each_of_200_rounds(home: Deployment) -> None:
    journeys.put(home, "/resources/wanted", {"name": "Wanted", "zone": "UTC"})

    rounds = races.race(home, 32, races.half_hours(0, 200), "wanted")

    assert [counts[201] for counts in rounds] == [1] * 200
    assert sum(rounds, Counter()).keys() <= races.ALLOWED
    assert "All is well" in home.command("doctor")


def test_who_asks_too_often_is_put_off(tmp_path: Path) -> None:
    with (
        emulating(tmp_path) as emulator,
        deployed(emulator, the_zip(), RequestsPerSecond="1", Burst="5") as home,
        ThreadPoolExecutor(10) as clients,
    ):
        statuses = Counter(clients.map(lambda _: home.ask("GET", "/business").status, range(60)))

    assert statuses.keys() == {200, 429}
    assert statuses[429] > 0
