"""The function behind the API: it answers like the embedded home, tells of each request, and starts quickly."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from slotkeeper.aws.conflict_detector import BOOKED_ON_PAGES, Api
from slotkeeper.aws.gateway import by_claims
from slotkeeper.aws.watching import Watch
from slotkeeper.core.service import Business
from slotkeeper.desk.catalogue import put_profile
from slotkeeper.desk.desk import Desk
from slotkeeper.process import new_id
from slotkeeper.web.app import Account, Web
from slotkeeper.web.http import Request, Response
from slotkeeper.web.table import ALL
from tests.aws.emulator import ROOT, Emulator
from tests.aws.events import Invocation, an_event
from tests.aws.tables import a_store, a_table
from tests.builders import STAFF, Setting, a_clinic
from tests.clock import VirtualClock
from tests.post import caught
from tests.web.asking import TUESDAY, a_key

HEAVY = ("asyncio", "boto3", "botocore", "click", "difflib", "httpcore", "sqlite3", "tomllib", "uvicorn")
PAGES = ("argon2", "_cffi_backend", "babel", "dateutil", "icalendar", "itsdangerous", "jinja2")
"""What pages, passwords, links and calendar files stand on."""
VISIT = {"serviceId": "visit", "startTime": TUESDAY, "customer": {"email": "ada@example.com", "phone": "+49301234"}}


class TellsTheEvent(Watch):
    """A broken one: it logs what it was sent."""

    def tell(self, message: str, facts: Mapping[str, object], metrics: Any = ()) -> None:
        super().tell(message, {**facts, "request": EVENTS[-1]}, metrics)


class CountsRepeats(Web):
    """A broken one: an answer given again looks like a new one."""

    def answer_and_tell(self, request: Request) -> tuple[Response, Account]:
        response, account = super().answer_and_tell(request)
        headers = tuple(pair for pair in response.headers if pair[0] != "idempotency-replayed")
        return Response(response.status, headers, response.body), account


EVENTS: list[Any] = []


class Function:
    """The function over a clinic, and what it has logged."""

    def __init__(
        self,
        setting: Setting,
        watch: type[Watch] = Watch,
        web: type[Web] = Web,
        *,
        is_cognito: bool = False,
        allowed_origin: str = "",
    ) -> None:
        self.key = a_key(setting)
        self.text: list[str] = []
        self.stale: list[int] = []
        self.setting = setting
        self.api = Api(
            web(setting.desk, who=by_claims if is_cognito else None),
            watch(self.text.append, lambda: 1_795_420_800.25),
            believes_claims=is_cognito,
            allowed_origin=allowed_origin,
            stale=lambda: self.stale.pop(0) if self.stale else 0,
        )

    def ask(self, method: str, target: str, body: object = None, **others: Any) -> Mapping[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        event = an_event(method, target, content, **{"headers": headers} | others)
        EVENTS.append(event)
        return self.api.answer(event, Invocation())

    @property
    def lines(self) -> list[Any]:
        return [json.loads(each) for each in self.text]


@pytest.fixture
def clinic() -> Setting:
    return a_clinic()


def metrics(line: Mapping[str, Any]) -> dict[str, tuple[float, str, tuple[str, ...]]]:
    """The metrics of a line by name: value, unit and dimensions, as CloudWatch would read them."""
    found = {}
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == "Slotkeeper"
        for each in directive["Metrics"]:
            [dimensions] = directive["Dimensions"]
            found[each["Name"]] = (line[each["Name"]], each["Unit"], tuple(line[name] for name in dimensions))
    return found


def test_an_appointment_is_booked_shown_and_told_of(clinic: Setting) -> None:
    function = Function(clinic)

    booked = function.ask("POST", "/appointments", VISIT)
    id = json.loads(booked["body"])["appointmentId"]
    shown = function.ask("GET", f"/appointments/{id}", resource="/appointments/{id}")

    assert (booked["statusCode"], shown["statusCode"]) == (201, 200)
    assert booked["multiValueHeaders"]["location"] == [f"/appointments/{id}"]
    first, second = function.lines
    facts = ("level", "method", "route", "status", "business", "key", "code", "cold", "requestId", "apiRequestId")
    assert [first[fact] for fact in facts] == [
        "info",
        "POST",
        "/appointments",
        201,
        "clinic",
        function.key.split("_")[1],
        "",
        True,
        "7f6b3a52-invocation",
        "c6af9ac6-gateway",
    ]
    assert (second["route"], second["cold"]) == ("/appointments/{id}", False)
    assert first["timestamp"] == "2026-11-23T08:00:00.250+00:00"
    assert first["_aws"]["Timestamp"] == 1_795_420_800_250


def test_what_was_booked_refused_and_done_again_is_counted(clinic: Setting) -> None:
    function = Function(clinic)
    clinic.service("solo", needs=[])

    function.ask("POST", "/appointments", VISIT)
    function.ask("GET", "/services")
    late = VISIT | {"startTime": "2026-11-23T05:00:00Z"}
    function.ask("POST", "/appointments", late)

    booked, read, refused = map(metrics, function.lines)
    assert set(booked) == {"Latency", "Booked"}
    assert booked.get("Booked") == (1, "Count", ())
    assert set(read) == {"Latency"}
    assert read["Latency"] == (function.lines[1]["ms"], "Milliseconds", ())
    assert refused["Refused"] == (1, "Count", ("too-soon",))


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_booking_on_a_page_is_one_too(clinic: Setting, method: str) -> None:
    clinic.service("shown", public=True)
    function = Function(clinic)
    sent = b"name=Ada&email=ada%40example.com&phone=&notes=&once=" + b"o" * 40
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}

    event = an_event(method, f"/clinic/shown/{TUESDAY}", sent, headers=form, resource="/{business}/{proxy+}")
    answer = function.api.answer(event, Invocation())

    assert answer["statusCode"] == (303 if method == "POST" else 200), answer["body"]
    assert ("Booked" in metrics(function.lines[0])) == (method == "POST")
    if method == "POST":
        assert answer["multiValueHeaders"]["location"][0].startswith("/v1/visit/clinic/")


def test_what_counts_as_a_booking_on_a_page_is_a_route_that_answers_so() -> None:
    posted = {(route.pattern, status) for route in ALL if route.method == "POST" for status in route.answers}

    assert posted >= BOOKED_ON_PAGES


def test_commits_that_came_too_late_are_counted(clinic: Setting) -> None:
    function = Function(clinic)
    function.stale = [7, 10, 10, 10]

    function.ask("POST", "/appointments", VISIT)
    function.ask("GET", "/services")

    first, second = map(metrics, function.lines)
    assert first.get("StaleRetries") == (3, "Count", ())
    assert "StaleRetries" not in second


@pytest.mark.parametrize("web", [Web, CountsRepeats])
def test_a_request_sent_twice_counts_one_booking(clinic: Setting, web: type[Web]) -> None:
    function = Function(clinic, web=web)
    headers = {"Authorization": f"Bearer {function.key}", "Content-Type": "application/json", "Idempotency-Key": "k"}

    for _ in range(2):
        assert function.ask("POST", "/appointments", VISIT, headers=headers)["statusCode"] == 201

    with caught(web, CountsRepeats):
        assert [("Booked" in metrics(line)) for line in function.lines] == [True, False]


def test_a_refusal_has_few_reasons_and_nothing_else_has_a_dimension(clinic: Setting) -> None:
    """Each name with each value of its dimension costs by the month."""
    function = Function(clinic)
    for path in ("/services/unknown", "/services?no=such", "/no/such/path/at/all", "/slots"):
        function.ask("GET", path)
    function.ask("GET", "/services", headers={})

    found = {(name, dimensions) for line in function.lines for name, (_, _, dimensions) in metrics(line).items()}
    assert found == {("Latency", ())}


@pytest.mark.parametrize("watch", [Watch, TellsTheEvent])
def test_no_line_tells_a_secret_or_a_person(clinic: Setting, watch: type[Watch]) -> None:
    function = Function(clinic, watch)
    function.ask("POST", "/appointments", VISIT)
    function.ask("POST", "/appointments", VISIT | {"startTime": "ada@example.com"})
    function.ask("POST", "/keys", {"name": "ada@example.com", "scopes": ["read"]})
    function.ask("GET", "/services?q=ada@example.com", headers={"Authorization": "Bearer sk_ada_secret"})

    said = "".join(function.text)
    with caught(watch, TellsTheEvent):
        assert not [word for word in ("ada@", "+4930", "sk_", "secret") if word in said]


def test_a_key_counts_only_where_it_is_ours(clinic: Setting) -> None:
    function = Function(clinic)

    assert function.ask("GET", "/services", headers={"X-API-Key": function.key})["statusCode"] == 401
    assert function.ask("GET", "/services")["statusCode"] == 200


def test_a_pool_says_who_asks_where_the_settings_let_it(clinic: Setting) -> None:
    claims = {"sub": "5d2c8a0e", "token_use": "id", "cognito:groups": "clinic/read"}
    keys, cognito = Function(clinic), Function(clinic, is_cognito=True)

    assert cognito.ask("GET", "/services", claims=claims)["statusCode"] == 200
    assert cognito.ask("GET", "/keys", claims=claims)["statusCode"] == 403
    assert cognito.ask("GET", "/services")["statusCode"] == 401
    assert keys.ask("GET", "/services", claims=claims, headers={})["statusCode"] == 401
    assert cognito.lines[0]["key"] == "5d2c8a0e"


def test_pages_of_the_one_origin_that_may_can_read_answers_and_problems(clinic: Setting) -> None:
    origin = "https://app.example.com"
    open_to_it, closed = Function(clinic, allowed_origin=origin), Function(clinic)

    for target in ("/services", "/nowhere"):
        headers = open_to_it.ask("GET", target)["multiValueHeaders"]
        assert headers["access-control-allow-origin"] == [origin]
        assert "etag" in headers["access-control-expose-headers"][0]
        assert not [name for name in closed.ask("GET", target)["multiValueHeaders"] if name.startswith("access-")]


def test_an_answer_too_large_for_lambda_is_a_problem_that_says_so(
    clinic: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(clinic)
    monkeypatch.setattr("slotkeeper.aws.gateway.MAX_ANSWER_BYTES", 300)

    answer = function.ask("GET", "/services")

    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["status"], problem["code"]) == (422, 422, "invalid")
    assert "ask for less" in problem["detail"]
    assert (function.lines[0]["status"], function.lines[0]["code"]) == (422, "invalid")


def test_a_body_as_large_as_the_gateway_takes_is_a_problem_that_says_so(clinic: Setting) -> None:
    answer = Function(clinic).ask("POST", "/appointments", {"details": {"notes": "x" * 10_000_000}})

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (413, "too-large")


@pytest.fixture(scope="module")
def table(emulator: Emulator) -> Iterator[tuple[str, str]]:
    """A table with a business, and a key of it."""
    name = a_table(emulator)
    store = a_store(emulator, name)
    desk = Desk(store, VirtualClock("2026-11-23T06:00:00Z"), new_id)
    put_profile(desk, STAFF, Business(name="Clinic", zone="Europe/Berlin"))
    yield name, a_key(Setting(desk, VirtualClock("2026-11-23T06:00:00Z"), store))
    store.close()


def in_a_process(emulator: Emulator, table: str, script: str, *events: object, **variables: str) -> Any:
    """What a fresh process prints at its end, as JSON: it has the handler, and the events in `events`."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "SLOTKEEPER_DATABASE": f"dynamodb:{table}",
        "SLOTKEEPER_LOG_FORMAT": "json",
        "AWS_REGION": "us-west-1",
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_ACCESS_KEY_ID": emulator.key_id,
        "AWS_SECRET_ACCESS_KEY": emulator.secret,
    } | variables
    start = (
        "import json, sys\nfrom types import SimpleNamespace\n"
        "context = SimpleNamespace(aws_request_id='a', get_remaining_time_in_millis=lambda: 9000)\n"
        "events = json.load(sys.stdin)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", start + script],
        input=json.dumps(events),
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


HANDLE = (
    "from slotkeeper.aws.conflict_detector import handler\n"
    "answers = [handler(event, context)['statusCode'] for event in events]\n"
    "print(json.dumps([answers, [name for name in sys.argv[1:] or {heavy} if name in sys.modules]]))"
)


@pytest.mark.parametrize("others", ["", "import jinja2\n"])
def test_an_appointment_is_booked_without_what_the_api_does_not_need(
    emulator: Emulator, table: tuple[str, str], others: str
) -> None:
    name, key = table
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"userId": new_id("u"), "startTime": "2036-11-24T09:00:00Z", "endTime": "2036-11-24T10:00:00Z"})
    asked = [
        an_event("GET", "/health"),
        an_event("POST", "/appointments", body.encode(), headers=headers),
        an_event("POST", "/appointments", body.encode(), headers=headers),
        an_event("GET", "/slots?serviceId=none&from=2036-11-24T09:00:00Z&to=2036-11-25T09:00:00Z", headers=headers),
    ]

    answers, loaded = in_a_process(emulator, name, others + HANDLE.replace("{heavy}", repr(HEAVY + PAGES)), *asked)

    assert answers == [200, 201, 409, 404]
    with caught(others, "import jinja2\n"):
        assert loaded == []


@pytest.mark.parametrize(("function", "calls"), [("ConflictDetector", 1), ("", 0)])
def test_all_is_built_before_the_first_event_where_it_runs_as_a_function(
    emulator: Emulator, table: tuple[str, str], function: str, calls: int
) -> None:
    script = (
        "from slotkeeper.aws import conflict_detector\nprint(json.dumps(conflict_detector._api.cache_info().currsize))"
    )

    assert in_a_process(emulator, table[0], script, AWS_LAMBDA_FUNCTION_NAME=function) == calls


@pytest.mark.slow
def test_a_store_that_is_away_hinders_no_start(emulator: Emulator) -> None:
    script = HANDLE.replace("{heavy}", "[]")
    away = {"AWS_LAMBDA_FUNCTION_NAME": "ConflictDetector", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}

    answers, _ = in_a_process(emulator, "none", script, an_event("GET", "/health"), an_event("GET", "/ready"), **away)

    assert answers == [200, 503]
