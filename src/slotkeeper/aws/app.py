"""Where the objects of the four functions are built from the settings. Importing this builds nothing.

What only some of them need is imported where it is needed: the API answers without boto3, asyncio or Jinja2.
"""

import sys
from typing import TYPE_CHECKING, Any

from slotkeeper.aws.watching import Watch
from slotkeeper.core.appointment import Endpoint
from slotkeeper.process import new_id, now, set_up_logs
from slotkeeper.settings import AwsAccess, Settings
from slotkeeper.stores.connection import Connection
from slotkeeper.stores.dynamodb import DynamoStore
from slotkeeper.stores.signing import Credentials

if TYPE_CHECKING:
    from slotkeeper.aws.conflict_detector import Api
    from slotkeeper.aws.delivering import Closing
    from slotkeeper.aws.planner import Planner
    from slotkeeper.aws.reminder_sender import Deliveries
    from slotkeeper.aws.sweep import Sweep
    from slotkeeper.contracts import Sender
    from slotkeeper.courier.courier import Courier

CONNECT_SECONDS, ANSWER_SECONDS = 3, 10
"""How long a call to AWS may take: well within the time that a letter may take (courier, SEND_SECONDS)."""

TRIES = 3
"""For calls that may be made again without harm."""


def conflict_detector(settings: Settings, access: AwsAccess) -> "Api":
    """What answers the API."""
    from slotkeeper.aws.conflict_detector import Api
    from slotkeeper.aws.gateway import by_claims
    from slotkeeper.desk.desk import Desk
    from slotkeeper.web.app import Rules, Web
    from slotkeeper.web.limits import Quota

    watch, store, limits = _watch(settings), _store(settings, access), settings.limits
    rules = Rules(
        key_quota=Quota("key", limits.key_per_minute),
        address_quota=Quota("address", limits.address_per_minute),
        max_body_bytes=limits.body_bytes,
        takes_http_hooks=settings.webhooks.allow_private,
        embed_origins=tuple(settings.pages.embed_origins.split()),
    )
    desk = Desk(store, now, new_id, _endpoints(settings))
    is_cognito = settings.aws.cognito
    web = Web(desk, rules, who=by_claims if is_cognito else None)
    return Api(
        web,
        watch,
        believes_claims=is_cognito,
        allowed_origin=settings.aws.allowed_origin,
        stale=lambda: store.counts.stale,
    )


def reminder_sender(settings: Settings, access: AwsAccess) -> "Deliveries":
    """What delivers for the appointments that it is woken for."""
    from slotkeeper.aws.reminder_sender import Deliveries

    courier, closing = _courier(settings, access)
    return Deliveries(courier, _watch(settings), closing)


def planner(settings: Settings, access: AwsAccess) -> "Planner":
    """What sets and clears alarms."""
    from slotkeeper.aws.alarms import AlarmSettings, ScheduledAlarms
    from slotkeeper.aws.aside import Aside
    from slotkeeper.aws.planner import Planner
    from slotkeeper.stores.items import doc_of, key_of

    ours = settings.aws
    places = AlarmSettings(
        group=ours.schedule_group, role=ours.schedule_role, target=ours.reminder_sender, dead_letters=ours.dead_letters
    )
    scheduler, functions = _client(access, "scheduler", TRIES), _client(access, "lambda", TRIES)
    alarms = ScheduledAlarms(scheduler, functions, places, now)
    aside = Aside(_client(access, "sqs", TRIES), ours.aside_url)
    return Planner(alarms, aside, now, _watch(settings), doc_of=doc_of, key_of=key_of)


def sweep(settings: Settings, access: AwsAccess) -> "Sweep":
    """What delivers whatever is overdue."""
    from slotkeeper.aws.aside import Aside
    from slotkeeper.aws.sweep import Sweep

    aside = Aside(_client(access, "sqs", TRIES), settings.aws.aside_url)
    courier, closing = _courier(settings, access)
    return Sweep(courier, aside, _watch(settings), closing)


def _watch(settings: Settings) -> Watch:
    watch = Watch(_write)
    set_up_logs(settings.log, watch.facts)
    return watch


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _store(settings: Settings, access: AwsAccess) -> DynamoStore:
    credentials = Credentials(access.key_id, access.secret, access.token)
    connection = Connection(credentials, access.region, endpoint=access.dynamodb_endpoint, app=access.app)
    return DynamoStore(connection, settings.table, leaves_first_due=True)


def _endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    """The home's topic, where it has one."""
    return (Endpoint("", channel="topic"),) if settings.aws.topic else ()


def _courier(settings: Settings, access: AwsAccess) -> "tuple[Courier, Closing]":
    """The courier, and how to take leave of those that it talks to."""
    from slotkeeper.courier.courier import Courier
    from slotkeeper.senders.outbox import OutboxSender
    from slotkeeper.senders.webhook import WebhookSender, WebhookSettings

    hooks = settings.webhooks
    rules = WebhookSettings(timeout_seconds=hooks.timeout_seconds, is_private_allowed=hooks.allow_private)
    webhooks = WebhookSender(rules, now)
    senders = {"webhook": webhooks, **_senders(settings, access)}
    courier = Courier(
        _store(settings, access),
        now,
        senders,
        OutboxSender(),
        endpoints=_endpoints(settings),
        # Without one no pages are served here, so there is nothing to link to.
        base_url=settings.public_url,
    )
    return courier, [webhooks.close]


def _senders(settings: Settings, access: AwsAccess) -> "dict[str, Sender]":
    """The senders by channel that go through AWS. They try once: the courier tries again, and counts how often."""
    ours = settings.aws
    senders: dict[str, Sender] = {}
    if ours.from_address:
        from slotkeeper.senders.ses import SesSender

        senders["email"] = SesSender(_client(access, "sesv2"), ours.from_address, now)
    if ours.topic or ours.sms:
        from slotkeeper.senders.sns import TextSender, TopicSender

        sns = _client(access, "sns")
        senders |= {"topic": TopicSender(sns, ours.topic)} if ours.topic else {}
        senders |= {"sms": TextSender(sns)} if ours.sms else {}
    return senders


def _client(access: AwsAccess, service: str, tries: int = 1) -> Any:
    """A client of boto3, which takes its credentials from where it always does."""
    import boto3
    from botocore.config import Config

    from slotkeeper.courier.gates import AT_ONCE

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        retries={"mode": "standard", "total_max_attempts": tries},
        max_pool_connections=AT_ONCE,
    )
    return boto3.client(service, region_name=access.region, endpoint_url=access.endpoint or None, config=config)
