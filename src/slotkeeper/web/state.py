"""The routes that tell whether we are alive and ready."""

from typing import Any

from slotkeeper.documents import business_key
from slotkeeper.web.routes import Answer, Call, Route
from slotkeeper.web.views import View

TOPIC = "State"


class StateView(View, frozen=True, kw_only=True):
    """How we are."""

    status: str


_OK, _READY = StateView(status="ok"), StateView(status="ready")


def health(call: Call[Any, Any]) -> Answer:
    """The process lives."""
    return Answer(_OK)


def ready(call: Call[Any, Any]) -> Answer:
    """The store answers, and can be written to. Raises `Unreachable` when not."""
    call.desk.store.read([business_key("-")])
    call.check()
    return Answer(_READY)


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        pattern="/health",
        handler=health,
        access="open",
        topic=TOPIC,
        summary="Tell whether the process lives",
        answers={200: StateView},
    ),
    Route(
        method="GET",
        pattern="/ready",
        handler=ready,
        access="open",
        topic=TOPIC,
        summary="Tell whether the store answers and can be written to",
        answers={200: StateView},
    ),
)
