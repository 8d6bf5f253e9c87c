"""The function behind the API: an event of API Gateway in, its answer out. Handler: `handler`.

All is built while the module is imported, where it runs as a function: Lambda gives a whole processor until the first
event comes, and a part of one from then on. That includes a first reading of the table, so that its connection stands.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from msgspec.structs import replace

from slotkeeper.aws import app
from slotkeeper.aws.gateway import answer_of, check_size, cross_origin, request_of
from slotkeeper.aws.watching import Context, Metric, Watch
from slotkeeper.core.errors import Invalid
from slotkeeper.settings import aws_access, load
from slotkeeper.web.app import Account, Web
from slotkeeper.web.http import Request

REFUSED = 409
BOOKED_ON_PAGES = frozenset(
    {("/{business}/{service}/{start}", 303), ("/staff/{business}/new", 303), ("/staff/{business}/appointments", 200)}
)
"""What a booking on a page is answered with: of a visitor, of a member by a form, and by the calendar."""

_REPEATED = "idempotency-replayed"


class Api:
    """Answers events by a web layer, and tells of each in the log."""

    def __init__(
        self,
        web: Web,
        watch: Watch,
        *,
        believes_claims: bool = False,
        allowed_origin: str = "",
        stale: Callable[[], int] = lambda: 0,
        seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`stale` says how many commits came too late so far; `seconds` is a clock that only goes on."""
        self._web = web
        self._watch = watch
        self._believes_claims = believes_claims
        self._shared = cross_origin(allowed_origin)
        self._stale = stale
        self._seconds = seconds
        self._is_cold = True

    def warm(self) -> None:
        """Answer once for nothing, so that what is made when it is first needed is there."""
        self._web.answer(Request("GET", "/ready"))

    def answer(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """The answer to an event; whatever the request, this never raises."""
        began, stale = self._seconds(), self._stale()
        self._watch.begin(context)
        request = request_of(event, believes_claims=self._believes_claims)
        response, account = self._web.answer_and_tell(request)
        answer = answer_of(request, response)
        try:
            check_size(answer)
        except Invalid as error:
            response = self._web.refuse(error, request)
            answer = answer_of(request, response)
            account = replace(account, status=response.status, code="invalid")
        answer["multiValueHeaders"] = self._shared | answer["multiValueHeaders"]
        took = (self._seconds() - began) * 1000
        is_booking = _is_booking(account, answer)
        self._tell(event, account, took, is_booking=is_booking, stale=self._stale() - stale)
        return answer

    def _tell(self, event: Mapping[str, Any], account: Account, took: float, *, is_booking: bool, stale: int) -> None:
        facts = {
            "method": account.method,
            "route": account.route,
            "status": account.status,
            "ms": round(took, 1),
            "business": account.business,
            "key": account.actor,
            "code": account.code,
            "cold": self._is_cold,
            "apiRequestId": str(event.get("requestContext", {}).get("requestId", "")),
        }
        self._is_cold = False
        metrics = [Metric("Latency", round(took, 1), "Milliseconds")]
        metrics += [Metric("Booked")] if is_booking else []
        metrics += [Metric("StaleRetries", stale)] if stale else []
        metrics += [Metric("Refused", reason=account.code)] if account.status == REFUSED and account.code else []
        self._watch.tell(f"{account.method} {account.route} {account.status}", facts, metrics)


def _is_booking(account: Account, answer: Mapping[str, Any]) -> bool:
    """Whether an appointment was made, by a program or by a person on a page; one that was there before counts not."""
    if account.method != "POST" or _REPEATED in answer["multiValueHeaders"]:
        return False
    is_page = (account.route, account.status) in BOOKED_ON_PAGES
    return is_page or (account.status == 201 and account.route.endswith("/appointments"))


@cache
def _api() -> Api:
    return app.conflict_detector(load(), aws_access())


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What Lambda calls with an event of API Gateway's proxy integration; returns its answer."""
    return _api().answer(event, context)


if aws_access().function:
    _api().warm()
