"""A peer that never answers keeps no other message from being sent, nor from being noted when it was."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from slotkeeper.contracts import Letter
from slotkeeper.core.service import Business
from slotkeeper.courier import courier as module
from slotkeeper.courier import gathering
from slotkeeper.courier.courier import PUT_OFF_SECONDS, Courier, Swept
from slotkeeper.courier.gates import AT_ONCE, ENDPOINT_AT_ONCE, Gates, Peer, Place
from slotkeeper.courier.log import notifications
from slotkeeper.desk import agenda, booking
from slotkeeper.desk.catalogue import put_on_shelf, put_profile
from slotkeeper.documents import Webhook
from slotkeeper.senders.outbox import OutboxSender
from tests.builders import STAFF, Setting, a_clinic, contact, order
from tests.post import LetterBox, caught

START, END = "2026-11-26T09:00:00Z", "2026-11-26T09:30:00Z"
MOMENT_SECONDS = 1.0
WELL = "https://well.example/"


class Hangs:
    """A `contracts.Sender` whose peers take a letter and say nothing until it is `let_go`; save one that is `WELL`."""

    def __init__(self) -> None:
        self.taken: list[Letter] = []
        self.well: list[Letter] = []
        self.let_go = asyncio.Event()

    async def send(self, letter: Letter) -> str:
        if letter.to == WELL:
            self.well.append(letter)
            return "fine"
        self.taken.append(letter)
        await self.let_go.wait()
        return "at last"


class OneGateForAll(Gates):
    """Broken ones: a message waits for whatever others are being sent."""

    def place(self, peer: Peer, until: float | None) -> Place:
        return super().place(("", "", ""), until)


class OneGateForAChannel(Gates):
    """Broken ones: a webhook waits for other webhooks."""

    def place(self, peer: Peer, until: float | None) -> Place:
        return super().place((peer[0], "", ""), until)


@pytest.fixture
def clinic() -> Setting:
    clinic = a_clinic(doctors=5)
    put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url="https://hangs.example/"))
    return clinic


def noted(clinic: Setting) -> int:
    return len(notifications(clinic.store, "clinic", limit=100).notifications)


async def soon(is_so: Callable[[], object], seconds: float = MOMENT_SECONDS) -> bool:
    """Whether it becomes so within so many seconds."""
    until = asyncio.get_running_loop().time() + seconds
    while not is_so() and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - of any kind
        await asyncio.sleep(0.005)
    return bool(is_so())


def while_it_hangs(clinic: Setting, check: Callable[[Courier, Hangs, LetterBox], Awaitable[None]]) -> None:
    """Check the courier while webhooks hang, of which it sends two at once; then let them go."""

    async def run() -> None:
        hooks, box = Hangs(), LetterBox()
        courier = Courier(clinic.store, clinic.clock, {"email": box, "webhook": hooks}, OutboxSender(), at_once=2)
        clinic.book(START, contact=contact())
        clinic.book(START, contact=contact())
        first = asyncio.create_task(courier.sweep())
        try:
            assert await soon(lambda: len(hooks.taken) == 2)
            await check(courier, hooks, box)
        finally:
            hooks.let_go.set()
            assert (await first).sent == 4
        assert {each.state for each in notifications(clinic.store, "clinic", limit=100).notifications} == {"sent"}

    asyncio.run(run())


@pytest.mark.parametrize("kind", [Gates, OneGateForAll])
def test_mails_leave_while_webhooks_hang(clinic: Setting, monkeypatch: pytest.MonkeyPatch, kind: type[Gates]) -> None:
    monkeypatch.setattr(module, "Gates", kind)

    async def check(courier: Courier, hooks: Hangs, box: LetterBox) -> None:
        assert await soon(lambda: len(box.letters) == 2), "those of the same sweep wait"
        clinic.book(START, contact=contact())
        second = asyncio.create_task(courier.sweep())
        came = await soon(lambda: len(box.letters) == 3)
        hooks.let_go.set()
        await second
        with caught(kind, OneGateForAll):
            assert came, "that of another sweep waits"

    while_it_hangs(clinic, check)


@pytest.mark.parametrize("kind", [Gates, OneGateForAChannel])
def test_a_webhook_is_told_while_another_hangs(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch, kind: type[Gates]
) -> None:
    monkeypatch.setattr(module, "Gates", kind)

    async def run() -> None:
        hooks = Hangs()
        courier = Courier(clinic.store, clinic.clock, {"webhook": hooks}, OutboxSender(), at_once=2)
        for _ in range(3):
            clinic.book(START)
        sweep = asyncio.create_task(courier.sweep())
        is_told = await soon(lambda: len(hooks.well) == 3)
        taken = len(hooks.taken)
        hooks.let_go.set()
        await sweep
        assert (len(hooks.taken), len(hooks.well)) == (3, 3)
        with caught(kind, OneGateForAChannel):
            assert is_told
            assert taken == 2

    put_on_shelf(clinic.desk, STAFF, "webhooks", "well", Webhook(url=WELL))
    asyncio.run(run())


def test_a_webhook_is_told_fewer_things_at_once_than_a_mail_server() -> None:
    clinic = a_clinic(doctors=AT_ONCE + 1)
    put_on_shelf(clinic.desk, STAFF, "webhooks", "all", Webhook(url="https://hangs.example/"))
    for _ in range(AT_ONCE + 1):
        clinic.book(START, contact=contact())

    async def run() -> None:
        hooks, mails = Hangs(), Hangs()
        courier = Courier(clinic.store, clinic.clock, {"email": mails, "webhook": hooks}, OutboxSender())
        sweep = asyncio.create_task(courier.sweep())
        assert await soon(lambda: len(mails.taken) == AT_ONCE)
        taken = len(hooks.taken)
        for each in (hooks, mails):
            each.let_go.set()
        assert (await sweep).sent == 2 * (AT_ONCE + 1)
        assert taken == ENDPOINT_AT_ONCE

    asyncio.run(run())


def test_of_all_sweeps_together_no_more_are_sent_at_once(clinic: Setting) -> None:
    async def check(courier: Courier, hooks: Hangs, box: LetterBox) -> None:
        clinic.book(START, contact=contact())
        second = asyncio.create_task(courier.sweep())
        assert await soon(lambda: len(box.letters) == 3)
        assert len(hooks.taken) == 2
        hooks.let_go.set()
        assert (await second).sent == 2
        assert len(hooks.taken) == 3

    while_it_hangs(clinic, check)


@pytest.mark.parametrize("within_seconds", [gathering.NOTED_WITHIN_SECONDS, 1e6])
def test_what_was_sent_is_noted_within_a_second_while_others_hang(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch, within_seconds: float
) -> None:
    monkeypatch.setattr(gathering, "NOTED_WITHIN_SECONDS", within_seconds)

    async def check(courier: Courier, hooks: Hangs, box: LetterBox) -> None:
        assert await soon(lambda: len(box.letters) == 2)
        is_noted = await soon(lambda: noted(clinic) == 2, 1 + MOMENT_SECONDS)
        with caught(within_seconds, 1e6):
            assert is_noted, "a crash now would send them again"

    while_it_hangs(clinic, check)


@pytest.mark.parametrize("turn_seconds", [0.05, None])
def test_what_waits_for_a_slow_peer_is_put_off_and_lets_the_sweep_end(
    clinic: Setting, turn_seconds: float | None
) -> None:
    booked = [clinic.book(START) for _ in range(3)]

    async def run() -> tuple[int, Swept, Swept]:
        hooks = Hangs()
        senders = {"webhook": hooks}
        courier = Courier(clinic.store, clinic.clock, senders, OutboxSender(), at_once=1, turn_seconds=turn_seconds)
        first = asyncio.create_task(courier.sweep(limit=2))
        assert await soon(lambda: len(hooks.taken) == 1)
        second = asyncio.create_task(courier.sweep(limit=2))
        is_over = await soon(second.done)
        with caught(turn_seconds, None):
            assert is_over, "it waits behind a peer that hangs"
            clinic.book(START)
            assert (await courier.sweep(limit=2)).untried == 1, "there is one place, and it is taken"
        taken = len(hooks.taken)
        hooks.let_go.set()
        return taken, await first, await second

    taken, first, second = asyncio.run(run())

    if turn_seconds is not None:
        assert (taken, first.untried, second.untried) == (1, 1, 1)
        later = clinic.clock.now + PUT_OFF_SECONDS
        said = [message for each in booked for message in agenda.appointment(clinic.desk, STAFF, each.id).messages]
        waiting = [(each.due, each.attempts) for each in said if each.channel == "webhook" and each.state == "waiting"]
        assert waiting == [(later, 0)] * 2


def test_a_sweep_that_is_over_leaves_nothing_running(clinic: Setting) -> None:
    async def run() -> None:
        clinic.book(START, contact=contact())
        await Courier(clinic.store, clinic.clock, {}, OutboxSender()).sweep()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_a_courier_may_go_on_in_another_loop(clinic: Setting) -> None:
    courier = Courier(clinic.store, clinic.clock, {"email": LetterBox()}, OutboxSender(), at_once=1)

    async def two_at_once() -> int:
        for _ in range(2):
            clinic.book(START, contact=contact())
        first, second = await asyncio.gather(courier.sweep(limit=1), courier.sweep(limit=1))
        return first.sent + second.sent

    assert [asyncio.run(two_at_once()) for _ in range(2)] == [4, 4]


def test_the_mails_of_all_businesses_share_the_mail_servers_places() -> None:
    clinic, salon = a_clinic(), replace(STAFF, business="salon")
    put_profile(clinic.desk, salon, Business(name="Salon", zone="Europe/Berlin"))
    clinic.book(START, contact=contact())
    booking.book(clinic.desk, salon, order(START, END, contact=contact(), customer_id="ada"))

    async def run() -> None:
        mails = Hangs()
        courier = Courier(clinic.store, clinic.clock, {"email": mails}, OutboxSender(), at_once=1)
        sweep = asyncio.create_task(courier.sweep())
        assert not await soon(lambda: len(mails.taken) == 2)
        mails.let_go.set()
        assert (await sweep).sent == 2

    asyncio.run(run())
