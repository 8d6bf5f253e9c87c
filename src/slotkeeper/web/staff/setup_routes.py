"""The routes of the pages on which members look after the business. What answers is loaded when it is first asked."""

from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from slotkeeper.web.forms import DeclaredForm
from slotkeeper.web.limits import Quota
from slotkeeper.web.routes import HTML, JSON, Answer, Call, Errand, Handler, Route, later

TOPIC = "Pages for members"
WELCOMES = Quota("welcome", 30, 600)
"""How often one address may try to use an invitation."""

_STAFF = "slotkeeper.web.staff"


class DoneQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What was just done, to be said on the page. Anything else in the address is passed over."""

    done: Annotated[str, Meta(max_length=20)] = ""


class FindQuery(DoneQuery, frozen=True, kw_only=True):
    """A part of a name, mail address or number, and from which one on."""

    q: Annotated[str, Meta(max_length=200)] = ""
    page: Annotated[int, Meta(ge=1, le=100_000)] = 1


class RangeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """From one local date to another, both included, and where to go on."""

    from_: Annotated[str, Meta(max_length=10)] = msgspec.field(default="", name="from")
    to: Annotated[str, Meta(max_length=10)] = ""
    after: Annotated[str, Meta(max_length=200)] = ""


class MessagesQuery(DoneQuery, frozen=True, kw_only=True):
    """Which messages, and where to go on."""

    which: Annotated[str, Meta(max_length=10)] = ""
    after: Annotated[str, Meta(max_length=400)] = ""


class ColourQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A colour."""

    accent: Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}\Z")]


def _of(place: str, name: str) -> Handler:
    """The handler of that name for things of one kind."""

    def handler(call: Call[Any, Any]) -> Answer | Errand:
        found: Any = getattr(import_module(f"{_STAFF}.things"), name)
        answer: Answer | Errand = found(call, place)
        return answer

    handler.__qualname__ = f"{_STAFF}.things.{name}({place})"
    return handler


def _seen(pattern: str, handler: Handler, summary: str, access: Any = "staff", **others: Any) -> Route:
    facts: dict[str, Any] = {"by_session": True, "media": HTML, "query": DoneQuery} | others
    return Route(
        method="GET", pattern=f"/staff/{{business}}{pattern}", handler=handler, access=access, topic=TOPIC,
        summary=summary, answers={200: None}, **facts,
    )  # fmt: skip


def _sent(pattern: str, handler: Handler, summary: str, access: Any = "admin", **others: Any) -> Route:
    facts: dict[str, Any] = {"by_session": True, "media": HTML} | others
    return Route(
        method="POST", pattern=f"/staff/{{business}}{pattern}", handler=handler, access=access, topic=TOPIC,
        summary=summary, answers={303: None}, body=DeclaredForm, is_form=True, **facts,
    )  # fmt: skip


def _things(place: str, name: str, looking: str = "staff", without: str = "") -> Iterator[Route]:
    """The routes of one kind of thing; without one, where another handler takes its place."""
    all_, one, new = f"/setup/{place}", f"/setup/{place}/{{id}}", f"/setup/add/{place}"
    yield _seen(all_, _of(place, "listed"), f"Show the {name}s", looking)
    yield _seen(new, _of(place, "add"), f"Show the form for a new {name}", "admin")
    if without != "create":
        yield _sent(new, _of(place, "create"), f"Add a {name} by a form")
    if without != "show":
        yield _seen(one, _of(place, "show"), f"Show a {name}", looking)
    yield _sent(one, _of(place, "change"), f"Change a {name} by a form")
    yield _sent(f"{one}/remove", _of(place, "remove"), f"Remove a {name} by a form")


def _at(module: str, name: str) -> Handler:
    return later(f"{_STAFF}.{module}", name)


_CUSTOMERS: tuple[Route, ...] = (
    _seen("/customers", _at("customers", "listed"), "Show the customers", query=FindQuery),
    _seen("/customers/{id}", _at("customers", "show"), "Show a customer with their appointments"),
    _seen("/setup/add/customers", _of("customers", "add"), "Show the form for a new customer"),
    _sent("/setup/add/customers", _of("customers", "create"), "Add a customer by a form", "staff"),
    _seen("/customers/{id}/edit", _at("customers", "edit"), "Show the form for a customer"),
    _sent("/customers/{id}/edit", _at("customers", "change"), "Change a customer by a form", "staff"),
    _sent("/customers/{id}/remove", _of("customers", "remove"), "Remove a customer by a form", "staff"),
)

_OTHER_THINGS: tuple[Route, ...] = (
    *_things("services", "service"),
    *_things("resources", "resource"),
    *_things("pools", "pool"),
    *_things("hours", "schedule"),
    *_things("reminders", "reminder rule"),
    *_things("templates", "template", without="show"),
    *_things("webhooks", "webhook", "admin", without="create"),
    _seen("/setup/templates/{id}", _at("message_templates", "show"), "Show a template", styles_elements=True),
    _sent("/setup/preview", _at("message_templates", "preview"), "Show how a message would look", styles_elements=True),
    _sent("/setup/add/webhooks", _at("webhooks", "create"), "Add a webhook by a form"),
    _seen("/setup/hours/{id}/dates", _at("hours", "show"), "Show the dates with other hours"),
    _sent("/setup/hours/{id}/dates", _at("hours", "add"), "Give a date other hours"),
    _sent("/setup/hours/{id}/dates/remove", _at("hours", "remove"), "Take a date's other hours away"),
    _seen("/setup/resources/{id}/time-off", _at("time_off", "show"), "Show when a resource is away"),
    _sent("/setup/resources/{id}/time-off", _at("time_off", "add"), "Note by a form that a resource is away", "staff"),
    _sent("/setup/resources/{id}/time-off/remove", _at("time_off", "remove"), "Take time off back by a form", "staff"),
)  # fmt: skip

_BUSINESS: tuple[Route, ...] = (
    _seen("/setup", _at("setup", "show"), "Show what there is to set up"),
    _seen("/setup/business", _at("profile", "show"), "Show the form for the business"),
    _sent("/setup/business", _at("profile", "change"), "Change the business by a form"),
    _seen(
        "/setup/business/shades", _at("profile", "shades"), "Tell the shades of a colour", query=ColourQuery, media=JSON
    ),
    _sent("/setup/business/logo", _at("profile", "put_logo"), "Give the business a logo by a form"),
    _sent("/setup/business/logo/remove", _at("profile", "remove_logo"), "Remove the logo by a form"),
    _seen("/setup/keys", _at("keys", "listed"), "Show the API keys", "admin"),
    _sent("/setup/keys", _at("keys", "create"), "Make an API key by a form"),
    _sent("/setup/keys/{id}/revoke", _at("keys", "revoke"), "Revoke an API key by a form"),
    _seen("/setup/audit", _at("audit", "show"), "Show the audit log", "admin", query=RangeQuery),
    _seen("/setup/messages", _at("messages", "listed"), "Show the messages", query=MessagesQuery),
    _seen("/setup/messages/{id}", _at("messages", "show"), "Show a message"),
    _sent("/setup/messages/{id}/again", _at("messages", "send_again"), "Send a message again"),
)

_PEOPLE: tuple[Route, ...] = (
    _seen("/setup/members", _at("members", "listed"), "Show the members", "admin"),
    _sent("/setup/members", _at("members", "invite"), "Invite a member"),
    _seen("/setup/members/{id}", _at("members", "show"), "Show a member", "admin"),
    _sent("/setup/members/{id}", _at("members", "change"), "Change a member"),
    _sent("/setup/members/{id}/invite", _at("members", "invite_again"), "Make a new invitation"),
    _sent("/setup/members/{id}/sign-out", _at("members", "sign_out"), "Sign a member out everywhere"),
    _sent("/setup/members/{id}/remove", _at("members", "remove"), "Remove a member"),
    _seen("/account", _at("account", "show"), "Show the member's own account", "read"),
    _sent("/account/name", _at("account", "rename"), "Change one's own name", "read", is_own=True),
    _sent("/account/password", _at("account", "change_password"), "Change one's own password", "read", is_own=True),
    _sent("/account/elsewhere", _at("account", "sign_out_elsewhere"), "Sign out elsewhere", "read", is_own=True),
    _seen(
        "/welcome/{token}", _at("welcome", "show"), "Show an invitation", "public", by_session=False, quota=WELCOMES
    ),
    _sent(
        "/welcome/{token}", _at("welcome", "accept"), "Set a password, by an invitation", "public", by_session=False,
        quota=WELCOMES,
    ),
)  # fmt: skip

ROUTES: tuple[Route, ...] = (*_BUSINESS, *_OTHER_THINGS, *_CUSTOMERS, *_PEOPLE)
