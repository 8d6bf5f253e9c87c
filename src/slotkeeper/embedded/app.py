"""Where the objects of the embedded home are built and put together."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from slotkeeper.contracts import Clock, Sender
from slotkeeper.core.errors import Unreachable
from slotkeeper.desk.desk import Desk
from slotkeeper.embedded.asgi import App
from slotkeeper.embedded.late import Closing, LateCourier
from slotkeeper.embedded.worker import Worker
from slotkeeper.process import new_id, now
from slotkeeper.senders.options import SmtpSettings, WebhookSettings
from slotkeeper.stores.lookout import Lookout
from slotkeeper.stores.sqlite import SqliteStore
from slotkeeper.web.app import Rules, Web
from slotkeeper.web.http import Request, Response

if TYPE_CHECKING:
    from slotkeeper.courier.courier import Courier

IN_MEMORY = ":memory:"
WAIT_SECONDS = 2.0
"""How long writes wait while another process writes. Then it is kinder to say 503."""
MOMENT_SECONDS = 0.25
"""How long the loop may stand still when another process was quicker after it had looked whether the file is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be built. Without `smtp` mail stays in the outbox; without `delivers` another process sends it.
    `base_url` is where our pages are, for the links in messages; without one there are none."""

    database: str | Path
    rules: Rules = field(default_factory=Rules)
    smtp: SmtpSettings | None = None
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    delivers: bool = True
    base_url: str = ""
    wait_seconds: float = WAIT_SECONDS


@dataclass(frozen=True, slots=True)
class House:
    """All that was built; `app` is what uvicorn runs."""

    store: SqliteStore
    desk: Desk
    web: Web
    courier: LateCourier
    worker: Worker
    app: App
    lookout: Lookout | None = None

    def close(self) -> None:
        """Stop the worker and close the database."""
        self.worker.stop()
        if self.lookout is not None:
            self.lookout.close()
        self.store.close()


def build(plan: Plan, clock: Clock = now) -> House:
    """Build and connect everything; nothing runs yet.

    Raises:
        Unreachable: the database cannot be opened, or may only be read.
    """
    store = SqliteStore(plan.database, wait_seconds=min(plan.wait_seconds, MOMENT_SECONDS))
    lookout = _lookout(plan, store)
    desk = Desk(store, clock, new_id)
    web = Web(desk, plan.rules, check=_nothing if lookout is None else lookout.check)
    courier = LateCourier(partial(_courier, plan, clock, store))
    worker = Worker(courier, clock, closing=[courier.close])
    app = App(
        web,
        store,
        on_start=worker.start if plan.delivers else _nothing,
        on_stop=worker.stop if plan.delivers else _nothing,
        on_write=worker.wake if plan.delivers else _nothing,
        aside=None if plan.database == IN_MEMORY else partial(_answer_aside, plan, clock, web),
        watch=lookout,
        patience_seconds=plan.wait_seconds,
    )
    return House(store, desk, web, courier, worker, app, lookout)


def _lookout(plan: Plan, store: SqliteStore) -> Lookout | None:
    if plan.database == IN_MEMORY:
        return None
    lookout = Lookout(plan.database)
    try:
        lookout.check_mode()
    except Unreachable:
        store.close()
        raise
    return lookout


def _answer_aside(plan: Plan, clock: Clock, web: Web, request: Request) -> Response:
    """The answer to a question that takes long, from a store that is opened for it alone: SQLite's readers and its
    writer do not wait for one another."""
    try:
        store = SqliteStore(plan.database, wait_seconds=plan.wait_seconds)
    except Unreachable as error:
        return web.refuse(error, request)
    try:
        return Web(Desk(store, clock, new_id), plan.rules).answer(request)
    finally:
        store.close()


def _courier(plan: Plan, clock: Clock, store: SqliteStore) -> "tuple[Courier, Closing]":
    """The courier, and how to take leave of those that it talks to."""
    from slotkeeper.courier.courier import TURN_SECONDS, Courier
    from slotkeeper.senders.outbox import OutboxSender
    from slotkeeper.senders.webhook import WebhookSender

    hooks = WebhookSender(plan.webhooks, clock)
    senders: dict[str, Sender] = {"webhook": hooks}
    closing = [hooks.close]
    if plan.smtp is not None:
        from slotkeeper.senders.smtp import SmtpSender

        mail = SmtpSender(plan.smtp, clock)
        senders["email"] = mail
        closing.append(mail.close)
    outbox = OutboxSender()
    return Courier(store, clock, senders, outbox, turn_seconds=TURN_SECONDS, base_url=plan.base_url), closing


def _nothing() -> None:
    pass
