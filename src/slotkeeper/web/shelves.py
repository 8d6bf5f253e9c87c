"""The routes of the small collections: reminder rules, webhooks, and the time off of a resource."""

import base64
import secrets
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta

from slotkeeper.core.appointment import EventType
from slotkeeper.core.errors import Invalid, Missing
from slotkeeper.core.reminders import ReminderRule
from slotkeeper.core.ticks import format_instant
from slotkeeper.desk import catalogue
from slotkeeper.documents import TimeOff, Webhook
from slotkeeper.web.appointments import Body, Reason
from slotkeeper.web.bodies import instant
from slotkeeper.web.routes import Answer, Call, Route
from slotkeeper.web.things import view_type
from slotkeeper.web.views import ListView, Time, View

RULES, HOOKS, AWAY = "Reminder rules", "Webhooks", "Time off"
SECRET_BYTES = 24  # Standard Webhooks: 24 to 64 bytes

RuleView = view_type(ReminderRule)


class WebhookBody(Body, frozen=True, kw_only=True):
    """An endpoint that is told of events by signed POSTs (Standard Webhooks); without `types` it is told of all.

    Without a secret a new one is made, and an old one is kept.
    """

    url: Annotated[str, Meta(pattern=r"^https?://[!-~]+\Z", max_length=2000)]
    types: Annotated[tuple[EventType, ...], Meta(max_length=20)] = ()
    secret: Annotated[str, Meta(pattern=r"^(whsec_[A-Za-z0-9+/]{32,88}={0,2})?\Z")] = ""
    active: bool = True


class WebhookView(View, frozen=True, kw_only=True):
    """An endpoint that is told of events. The secret is shown only when it has just been made."""

    id: str
    url: str
    types: tuple[EventType, ...]
    active: bool
    secret: str = ""


class TimeOffBody(Body, frozen=True, kw_only=True):
    """When a resource is away, whatever its hours say."""

    start_time: Time
    end_time: Time
    reason: Reason = ""


class TimeOffView(View, frozen=True, kw_only=True):
    """When a resource is away."""

    id: str
    start_time: Time
    end_time: Time
    reason: str


def rules(call: Call[None, None]) -> Answer:
    """All reminder rules."""
    shelf = catalogue.shelf(call.desk, call.actor, "reminderRules")
    return Answer(ListView(items=[_rule(id, rule) for id, rule in shelf.items()], next_cursor=None))


def rule(call: Call[None, None]) -> Answer:
    """One reminder rule."""
    found = catalogue.shelf(call.desk, call.actor, "reminderRules").get(call.ids["id"])
    if found is None:
        raise Missing("reminderRules", call.ids["id"])
    return Answer(_rule(call.ids["id"], found))


def put_rule(call: Call[ReminderRule, None]) -> Answer:
    """A reminder rule, under the id in the path or a random one."""
    asked = call.ids.get("id")
    id, kept = catalogue.put_on_shelf(call.desk, call.actor, "reminderRules", asked, call.body)
    return Answer(_rule(id, kept), 200 if asked else 201)


def remove_rule(call: Call[None, None]) -> Answer:
    """Take a reminder rule away."""
    catalogue.remove_from_shelf(call.desk, call.actor, "reminderRules", call.ids["id"])
    return Answer(status=204)


def webhooks(call: Call[None, None]) -> Answer:
    """All webhooks."""
    shelf = catalogue.shelf(call.desk, call.actor, "webhooks")
    return Answer(ListView(items=[_webhook(id, hook) for id, hook in shelf.items()], next_cursor=None))


def webhook(call: Call[None, None]) -> Answer:
    """One webhook."""
    return Answer(_webhook(call.ids["id"], _found_webhook(call)))


def create_webhook(call: Call[WebhookBody, None]) -> Answer:
    """A new webhook, with its secret."""
    return _keep_webhook(call, None, call.body.secret or new_secret())


def put_webhook(call: Call[WebhookBody, None]) -> Answer:
    """A webhook in place of what is there."""
    secret = call.body.secret or _found_webhook(call).secret
    return _keep_webhook(call, call.ids["id"], secret)


def remove_webhook(call: Call[None, None]) -> Answer:
    """Take a webhook away."""
    catalogue.remove_from_shelf(call.desk, call.actor, "webhooks", call.ids["id"])
    return Answer(status=204)


def time_off(call: Call[None, None]) -> Answer:
    """When the resource is away, by start."""
    absences = catalogue.time_off(call.desk, call.actor, call.ids["id"])
    return Answer(ListView(items=[_absence(each) for each in absences], next_cursor=None))


def add_time_off(call: Call[TimeOffBody, None]) -> Answer:
    """Note that the resource is away."""
    body = call.body
    start, end = instant(body.start_time, "startTime"), instant(body.end_time, "endTime")
    absence = catalogue.add_time_off(call.desk, call.actor, call.ids["id"], start, end, body.reason)
    return Answer(_absence(absence), 201)


def remove_time_off(call: Call[None, None]) -> Answer:
    """The resource is not away then after all."""
    catalogue.remove_time_off(call.desk, call.actor, call.ids["id"], call.ids["absence"])
    return Answer(status=204)


def _rule(id: str, rule: ReminderRule) -> object:
    return RuleView(id=id, **{name: getattr(rule, name) for name in rule.__struct_fields__})


def _found_webhook(call: Call[Any, None]) -> Webhook:
    found: Webhook | None = catalogue.shelf(call.desk, call.actor, "webhooks").get(call.ids["id"])
    if found is None:
        raise Missing("webhooks", call.ids["id"])
    return found


def _keep_webhook(call: Call[WebhookBody, None], asked: str | None, secret: str) -> Answer:
    body = call.body
    check_address(body.url, is_http_allowed=call.takes_http_hooks)
    _check_secret(secret)
    hook = Webhook(url=body.url, types=body.types, secret=secret, active=body.active)
    id, kept = catalogue.put_on_shelf(call.desk, call.actor, "webhooks", asked, hook)
    is_new = asked is None
    return Answer(_webhook(id, kept, secret if is_new else ""), 201 if is_new else 200)


def check_address(url: str, *, is_http_allowed: bool) -> None:
    """Raises `Invalid` for what could never be an endpoint. Where it leads to is judged at each delivery."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Invalid("this is not an address: write it as https://example.com/hook", field="url") from None
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("an address names a host, and no user, password or fragment", field="url")
    if parts.scheme != "https" and not is_http_allowed:
        raise Invalid("an address begins with https://", field="url")


def _check_secret(secret: str) -> None:
    """Raises `Invalid` for one that nothing can be signed with: each delivery would fail."""
    try:
        base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise Invalid("the secret must be whsec_ and the Base64 of 24 to 64 bytes", field="secret") from None


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _webhook(id: str, hook: Webhook, secret: str = "") -> WebhookView:
    return WebhookView(id=id, url=hook.url, types=hook.types, active=hook.active, secret=secret)


def _absence(absence: TimeOff) -> TimeOffView:
    return TimeOffView(
        id=absence.id,
        start_time=format_instant(absence.start),
        end_time=format_instant(absence.end),
        reason=absence.reason,
    )


_RULE = {"leadMinutes": 2880, "channel": "email", "serviceId": "checkup"}
_HOOK = {"url": "https://example.com/hooks/slotkeeper", "types": ["booked", "cancelled"]}

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/reminderRules",
        handler=rules,
        access="staff",
        topic=RULES,
        summary="List the reminder rules",
        answers={200: ListView[RuleView]},  # type: ignore[valid-type] # made at run time
    ),
    Route(
        method="POST",
        pattern="/reminderRules",
        handler=put_rule,
        access="admin",
        topic=RULES,
        summary="Add a reminder rule",
        body=ReminderRule,
        answers={201: RuleView},
        example=_RULE,
    ),
    Route(
        method="GET",
        pattern="/reminderRules/{id}",
        handler=rule,
        access="staff",
        topic=RULES,
        summary="Show a reminder rule",
        answers={200: RuleView},
    ),
    Route(
        method="PUT",
        pattern="/reminderRules/{id}",
        handler=put_rule,
        access="admin",
        topic=RULES,
        summary="Add or replace a reminder rule",
        body=ReminderRule,
        answers={200: RuleView},
        example=_RULE,
    ),
    Route(
        method="DELETE",
        pattern="/reminderRules/{id}",
        handler=remove_rule,
        access="admin",
        topic=RULES,
        summary="Remove a reminder rule",
        answers={204: None},
    ),
    Route(
        method="GET",
        pattern="/webhooks",
        handler=webhooks,
        access="admin",
        topic=HOOKS,
        summary="List the webhooks",
        answers={200: ListView[WebhookView]},
    ),
    Route(
        method="POST",
        pattern="/webhooks",
        handler=create_webhook,
        access="admin",
        topic=HOOKS,
        summary="Add a webhook",
        body=WebhookBody,
        answers={201: WebhookView},
        example=_HOOK,
    ),
    Route(
        method="GET",
        pattern="/webhooks/{id}",
        handler=webhook,
        access="admin",
        topic=HOOKS,
        summary="Show a webhook",
        answers={200: WebhookView},
    ),
    Route(
        method="PUT",
        pattern="/webhooks/{id}",
        handler=put_webhook,
        access="admin",
        topic=HOOKS,
        summary="Replace a webhook",
        body=WebhookBody,
        answers={200: WebhookView},
        example=_HOOK,
    ),
    Route(
        method="DELETE",
        pattern="/webhooks/{id}",
        handler=remove_webhook,
        access="admin",
        topic=HOOKS,
        summary="Remove a webhook",
        answers={204: None},
    ),
    Route(
        method="GET",
        pattern="/resources/{id}/timeOff",
        handler=time_off,
        access="staff",
        topic=AWAY,
        summary="List when a resource is away",
        answers={200: ListView[TimeOffView]},
    ),
    Route(
        method="POST",
        pattern="/resources/{id}/timeOff",
        handler=add_time_off,
        access="staff",
        topic=AWAY,
        summary="Note that a resource is away",
        body=TimeOffBody,
        answers={201: TimeOffView},
        example={"startTime": "2026-12-24T00:00:00Z", "endTime": "2027-01-02T00:00:00Z", "reason": "holidays"},
    ),
    Route(
        method="DELETE",
        pattern="/resources/{id}/timeOff/{absence}",
        handler=remove_time_off,
        access="staff",
        topic=AWAY,
        summary="Take back that a resource is away",
        answers={204: None},
    ),
)
