"""Answers that take a while are worked out without the store, and end as any other."""

import msgspec
import pytest

from slotkeeper.core.errors import Invalid
from slotkeeper.web.app import Web, Work
from slotkeeper.web.http import Request, Response
from slotkeeper.web.routes import Answer, Call, Errand, Route, Router
from tests.builders import a_clinic


def a_web(errand: Errand) -> Web:
    web = Web(a_clinic().desk)
    route = Route(
        method="POST", pattern="/slow", handler=lambda call: errand, access="open", topic="", summary="", answers={}
    )
    web._router = Router([route])
    return web


def ask(errand: Errand) -> Response:
    return a_web(errand).answer(Request("POST", "/slow"))


def fail(error: Exception) -> Answer:
    raise error


def test_the_work_comes_first_and_its_find_makes_the_answer() -> None:
    work = a_web(Errand(lambda: 20, lambda found: Answer({"found": found}, 201))).begin(Request("POST", "/slow"))

    assert isinstance(work, Work)
    response = work.finish(work.run())

    assert (response.status, response.body) == (201, b'{"found":20}')


def test_who_does_not_mind_waiting_is_answered_at_once() -> None:
    assert ask(Errand(lambda: 1, Answer)).status == 200


@pytest.mark.parametrize(("error", "status"), [(Invalid("no", field="x"), 422), (KeyError("x"), 500)])
def test_what_goes_wrong_in_the_work_is_told_as_any_error(error: Exception, status: int) -> None:
    assert ask(Errand(lambda: fail(error), Answer)).status == status
    assert ask(Errand(lambda: 1, lambda found: fail(error))).status == status


def test_a_call_knows_its_request_and_that_nobody_is_signed_in() -> None:
    call = Call(a_clinic().desk, msgspec.UNSET, {}, None, None)  # type: ignore[arg-type] # who asks does not matter

    assert call.request.base == ""
    with pytest.raises(AssertionError, match="does not ask who is signed in"):
        call.member  # noqa: B018 - asking is what raises
