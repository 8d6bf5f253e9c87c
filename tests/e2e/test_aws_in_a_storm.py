"""Bookings through the deployed API while DynamoDB throttles, conflicts, resets and loses answers.

Nothing is promised twice, no key makes two appointments, and whoever is not served is told so.
"""

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from slotkeeper.core.appointment import Appointment
from slotkeeper.documents import decoded
from tests.aws.deployed import Deployment, deployed, the_zip
from tests.aws.emulator import emulating, free_port
from tests.aws.storm import Rule, Storm, breaking, conflicting, failing, losing, storming
from tests.e2e import journeys, races
from tests.serving import Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STORM: list[Rule] = [
    failing("ProvisionedThroughputExceededException", 0.30),
    conflicting(0.20, 2),
    breaking(0.03),
    losing(0.05),
]
CLIENTS, SLOTS, ASKED_BY = 12, 24, 3
"""So many clients at once; each slot is wanted by several keys, each sent by so many clients."""


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Deployment, Storm]]:
    """A deployment whose functions reach the table through a storm. It is calm until somebody lets it blow."""
    folder, port = tmp_path_factory.mktemp("storm"), free_port()
    with (
        storming(f"http://127.0.0.1:{port}", folder) as storm,
        emulating(folder, port=port, AWS_ENDPOINT_URL_DYNAMODB=storm.endpoint) as emulator,
        deployed(emulator, the_zip()) as home,
    ):
        journeys.put(home, "/resources/ada", {"name": "Ada", "zone": "UTC"})
        yield home, storm


def test_a_storm_makes_no_second_booking_and_no_wrong_promise(stormy: tuple[Deployment, Storm]) -> None:
    home, storm = stormy
    starts = races.half_hours(0, SLOTS)
    wanted = [(start, f"{start}/{rival}") for start in starts for rival in range(2)] * ASKED_BY
    random.Random(7).shuffle(wanted)

    storm.blow(STORM)
    replies = _ask_all(home, wanted)
    felt = storm.fired()
    storm.blow([])

    statuses = Counter(reply.status for _, reply in replies)
    assert statuses.keys() <= races.ALLOWED, statuses
    assert statuses[201] >= SLOTS // 2, statuses
    assert felt.total() > len(wanted), felt
    _check_promises(home, replies)
    assert "All is well" in home.command("doctor")


def _ask_all(home: Deployment, wanted: list[tuple[str, str]]) -> list[tuple[str, Reply]]:
    """Ask for all that is wanted, many at once; returns each key with its reply."""
    replies: list[tuple[str, Reply]] = []
    todo, lock = iter(wanted), threading.Lock()

    def run() -> None:
        while True:
            with lock:
                one = next(todo, None)
            if one is None:
                return
            start, key = one
            reply = races.book(home, start, "ada", "somebody", key.replace("/", "-").replace(":", "-"))
            with lock:
                replies.append((key, reply))

    clients = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return replies


def _check_promises(home: Deployment, replies: list[tuple[str, Reply]]) -> None:
    """What was promised stands in the table, under one id for each key, and one key for each start."""
    kept = {found.id: found for doc in home.store.walk("clinic/appointment/") for found in [decoded(doc, Appointment)]}
    promised: dict[str, set[str]] = defaultdict(set)
    for key, reply in replies:
        if reply.status == 201:
            promised[key].add(reply.body["appointmentId"])
    assert all(len(ids) == 1 for ids in promised.values())
    assert {id for ids in promised.values() for id in ids} <= kept.keys()
    starts = Counter(found.start for found in kept.values())
    assert max(starts.values()) == 1
