"""A month at 3,500 bookings a day in us-west-1: units of DynamoDB for each thing done, and dollars for each service.

Units are metered on the real calls of our store (`bench.aws.units`), log lines are those that our functions write, and
what the template makes is counted in it. How often people do what, and what AWS's own part in a call takes, is assumed:
`MIX` and the constants below say it.

    python -m bench.aws.month
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.aws import prices, units
from bench.aws.prices import Price
from bench.aws.rules import INDEXING_BYTES, item_size, projected
from bench.aws.simulated import CALL, TRANSACTION
from bench.aws.units import Clinic, Line
from slotkeeper.aws.conflict_detector import Api
from slotkeeper.aws.watching import Watch
from slotkeeper.stores.items import LISTS, PART, SORT, list_attributes
from tests.aws.emulator import Emulator

DAY_BOOKINGS, DAYS = 3500, 30
BOOKINGS = DAY_BOOKINGS * DAYS
TEMPLATE = Path(__file__).parents[2] / "src" / "slotkeeper" / "aws" / "template.json"

MIX: Mapping[str, float] = {
    units.BOOK: 1,
    units.SLOTS: 2,
    units.REFUSED: 0.1,
    units.AGENDA: 0.15,
    units.MOVE: 0.05,
    units.CANCEL: 0.1,
    units.TELL_BOOKED: 1,
    units.TELL_MOVED: 0.05,
    units.TELL_CANCELLED: 0.1,
    units.REMIND_FIRST: 0.9,
    units.REMIND_SECOND: 0.9,
}
"""How often, for each booking: people look twice, one in ten is refused, one in ten cancels and gets no reminder."""

API = (units.BOOK, units.SLOTS, units.REFUSED, units.AGENDA, units.MOVE, units.CANCEL)
REMINDERS = (units.REMIND_FIRST, units.REMIND_SECOND)
TOLD = (units.TELL_BOOKED, units.TELL_MOVED, units.TELL_CANCELLED)
"""Each is a message to the topic and a mail."""

CORE_MEGABYTES = 1769
"""Lambda gives a function of so much memory a whole processor, and others their share (developer guide, "Memory")."""
SENDING_MS = 60
"""What SES or SNS take for one message, with boto3's own part."""
PLANNING_MS = 60
"""A batch of the stream in the planner: a call to Scheduler and little else."""
SWEEPS = 12 * 24 * DAYS
SWEEP_MS = 40
LOG_EVENT_BYTES = 26
"""CloudWatch counts so much beside each line."""
ACCESS_LINE_BYTES = 430
"""The stage's access log, its fields filled in."""
REASONS = ("taken", "closed", "too-soon")
"""Why people are refused in an ordinary month; each is a metric of its own."""
ANSWER_BYTES = 3000
KEY_CALLS = 2 * DAYS * 86_400 / 300
"""SNS keeps a data key for five minutes ("Key management", estimating AWS KMS costs): two calls each time, at most."""
TRACED_BY_DEFAULT = 1.0
"""X-Ray's default rule takes the first request of each second and one in twenty of the others: at less than one a
second that is all of them. So the template brings a rule of its own."""


@dataclass(frozen=True, slots=True)
class Bill:
    """One line: what for, how much of it, at which price."""

    service: str
    what: str
    quantity: float
    price: Price

    @property
    def list_price(self) -> float:
        """Dollars before any allowance."""
        return self.price.cost(self.quantity)

    @property
    def beyond_free(self) -> float:
        """Dollars after what is always free."""
        return self.price.cost_beyond_free(self.quantity)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found out about our code: the cost of each deed, its log line in bytes, and what a booking leaves."""

    lines: Mapping[str, Line]
    log_bytes: Mapping[str, int]
    bytes_a_booking: float


class Invocation:
    """What Lambda says of an invocation, as far as our lines show it."""

    aws_request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


def measured(emulator: Emulator) -> Measured:
    """Measure all of it; deeds a second time, when what is loaded once has been loaded."""
    units.measure(emulator)
    lines = {line.name: line for line in units.measure(emulator)}
    clinic = units.a_clinic(emulator)
    log_bytes, before = _log_bytes(clinic), _stored(clinic)
    id = clinic.book(28, customerId="ada", customer=units.CONTACT)["appointmentId"]
    for _ in range(3):
        clinic.now = max(clinic.now, clinic.wake(id) or clinic.now)
        clinic.attend(id)
    left = _stored(clinic) - before
    clinic.store.close()
    return Measured(lines, log_bytes, left)


def _stored(clinic: Clinic) -> float:
    """Bytes of the table and its indexes, as storage is charged."""
    total = 0
    for item in clinic.meter.items:
        entries = [projected(item, list_attributes(name), (PART, SORT)) for name in LISTS]
        total += sum(item_size(each) + INDEXING_BYTES for each in (item, *entries) if each is not None)
    return total


def _log_bytes(clinic: Clinic) -> dict[str, int]:
    """What our line about a booking and about a search weighs."""
    written: list[str] = []
    api = Api(clinic.web, Watch(written.append))
    body = json.dumps({"serviceId": "visit", "startTime": clinic.at(30), "customerId": "ada"})
    asked = [("POST", "/appointments", body, {}), ("GET", "/slots", "", {"serviceId": ["visit"]})]
    for method, path, content, query in asked:
        headers = {"authorization": f"Bearer {clinic.key}", "content-type": "application/json"}
        event: dict[str, Any] = {
            "httpMethod": method,
            "resource": path,
            "path": path,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "multiValueQueryStringParameters": query,
            "body": content,
            "isBase64Encoded": False,
            "requestContext": {"requestId": Invocation.aws_request_id, "path": f"/v1{path}", "stage": "v1"},
        }
        answer = api.answer(event, Invocation())
        assert answer["statusCode"] in (200, 201), answer
    return {units.BOOK: len(written[0].encode()), units.SLOTS: len(written[1].encode())}


def milliseconds(line: Line, megabytes: int, sends: int = 0) -> float:
    """What the deed takes as a function of so much memory: its own work at a part of a processor, and waiting."""
    waits = line.ours.calls * CALL.p50 + line.ours.transactions * (TRANSACTION.p50 - CALL.p50)
    return line.cpu_ms * CORE_MEGABYTES / megabytes + waits * 1000 + sends * SENDING_MS


def bills(found: Measured) -> Iterator[Bill]:
    """Every line of the month."""
    made = _made()
    times = {name: often * BOOKINGS for name, often in MIX.items()}
    yield from _table(found, times)
    requests = sum(times[name] for name in API)
    yield Bill("API Gateway", "REST requests", requests, prices.API_REQUEST)
    planned = BOOKINGS * sum(often * _appointment_writes(name) for name, often in MIX.items())
    delivered = sum(times[name] for name in (*TOLD, *REMINDERS))
    yield from _functions(found, times, made["memory"], planned)
    yield Bill("EventBridge Scheduler", "calls", sum(times[name] for name in REMINDERS) + SWEEPS, prices.SCHEDULED_CALL)
    messages = sum(times[name] for name in TOLD)
    yield Bill("SNS", "messages to the topic", messages, prices.SNS_REQUEST)
    yield Bill("SQS", "requests", 2 * SWEEPS, prices.SQS_REQUEST)
    yield Bill("KMS", "the topic's key", 1, prices.KMS_KEY)
    yield Bill("KMS", "requests", min(2 * messages, KEY_CALLS), prices.KMS_REQUEST)
    ours = found.log_bytes
    api_lines = sum(times[n] * (ours.get(n, ours[units.BOOK]) + ACCESS_LINE_BYTES + 2 * LOG_EVENT_BYTES) for n in API)
    other_lines = (planned + delivered + SWEEPS) * (ours[units.BOOK] + LOG_EVENT_BYTES)
    logged = (api_lines + other_lines) / 1e9
    yield Bill("CloudWatch", "GB of logs taken in", logged, prices.LOG_GB)
    yield Bill("CloudWatch", "GB of logs kept", logged * 7 / DAYS * 0.15, prices.LOG_KEPT_GB)
    yield Bill("CloudWatch", "metrics", made["metrics"], prices.METRIC)
    yield Bill("CloudWatch", "alarms", made["alarms"], prices.ALARM)
    yield Bill("CloudWatch", "dashboards", made["dashboards"], prices.DASHBOARD)
    yield Bill("X-Ray", "traces", (requests + planned + delivered + SWEEPS) * made["traced"], prices.TRACE)
    yield Bill("S3", "GB of the package", 0.01, prices.S3_GB)
    yield Bill("Transfer", "GB out", requests * ANSWER_BYTES / 1e9, prices.OUT_GB)


def _table(found: Measured, times: Mapping[str, float]) -> Iterator[Bill]:
    sweeps = found.lines[units.SWEEP].ours.reads * SWEEPS
    writes = sum(times[name] * found.lines[name].ours.writes for name in MIX)
    reads = sum(times[name] * found.lines[name].ours.reads for name in MIX) + sweeps
    yield Bill("DynamoDB", "write units", writes, prices.WRITE_UNIT)
    yield Bill("DynamoDB", "read units", reads, prices.READ_UNIT)
    # What the month itself leaves is there for half of it on average.
    kept = found.bytes_a_booking * BOOKINGS / 2 / 1e9
    yield Bill("DynamoDB", "GB kept", kept, prices.TABLE_GB)
    yield Bill("DynamoDB", "GB under point-in-time recovery", kept, prices.BACKUP_GB)


def _functions(
    found: Measured, times: Mapping[str, float], memory: Mapping[str, int], planned: float
) -> Iterator[Bill]:
    seconds = 0.0
    for name in API:
        size = memory["ConflictDetector"]
        seconds += times[name] * milliseconds(found.lines[name], size) / 1000 * size / 1024
    for name in (*TOLD, *REMINDERS):
        size = memory["ReminderSender"]
        sends = 2 if name in TOLD else 1
        seconds += times[name] * milliseconds(found.lines[name], size, sends) / 1000 * size / 1024
    seconds += planned * PLANNING_MS / 1000 * memory["Planner"] / 1024
    seconds += SWEEPS * SWEEP_MS / 1000 * memory["Sweep"] / 1024
    yield Bill("Lambda", "requests", sum(times.values()) + planned + SWEEPS, prices.LAMBDA_REQUEST)
    yield Bill("Lambda", "GB-seconds", seconds, prices.LAMBDA_GB_SECOND)


def _appointment_writes(name: str) -> int:
    """How many records of an appointment the deed leaves in the stream: each wakes the planner."""
    if name in (*TOLD, *REMINDERS):
        return 2
    return 1 if name in (units.BOOK, units.MOVE, units.CANCEL) else 0


def _made() -> dict[str, Any]:
    """What the template makes unless it is told otherwise."""
    resources = json.loads(TEMPLATE.read_text())["Resources"]
    plain = {name: each for name, each in resources.items() if "Condition" not in each}

    def count(kind: str) -> int:
        return sum(each["Type"] == f"AWS::{kind}" for each in plain.values())

    functions = {n: each["Properties"] for n, each in plain.items() if each["Type"] == "AWS::Lambda::Function"}
    named = ("Latency", "Booked", "StaleRetries", "RemindersDue", "RemindersSent", "RemindersLate", "RemindersFailed")
    return {
        "memory": {name: each["MemorySize"] for name, each in functions.items()},
        "traced": _traced(resources),
        "metrics": len(named) + len(REASONS),
        "alarms": count("CloudWatch::Alarm"),
        "dashboards": count("CloudWatch::Dashboard"),
    }


def _traced(resources: dict[str, Any]) -> float:
    """The share of requests that is traced; the rule is there unless it is declined."""
    rule = resources.get("TraceSampling")
    return float(rule["Properties"]["SamplingRule"]["FixedRate"]) if rule else TRACED_BY_DEFAULT


def summed(lines: list[Bill]) -> list[list[str]]:
    """The lines as they are shown, with their sum."""
    rows = [
        [
            each.service,
            each.what,
            f"{each.quantity:,.0f}" if each.quantity >= 100 else f"{each.quantity:.2f}",
            f"{each.price.dollars:g} for {each.price.per:,.0f} ({each.price.source})",
            f"{each.list_price:.2f}",
            f"{each.beyond_free:.2f}",
        ]
        for each in lines
    ]
    whole, beyond = totals(lines)
    return [*rows, ["**sum**", "", "", "", f"**{whole:.2f}**", f"**{beyond:.2f}**"]]


@dataclass(frozen=True, slots=True)
class Cut:
    """Something that could be done for less: by how much one line of the month would shrink."""

    name: str
    line: tuple[str, str]
    saved: float


MAILS = sum(MIX[name] for name in (*TOLD, *REMINDERS))
EVENTS = sum(MIX[name] for name in TOLD)
REMINDED = sum(MIX[name] for name in REMINDERS)
WRITES = ("DynamoDB", "write units")


def cuts(lines: list[Bill]) -> list[Cut]:
    """What could be cut. Units are those of single items, by the rules: a letter of 1.3 kB in the log costs 4 in a
    transaction and 2 below 1 kB, an item of its own half of that outside one, a moved place 2."""
    return [
        Cut("courier: note by two plain writes, the log's first", WRITES, 2 * MAILS * BOOKINGS),
        Cut("documents: a claimed message keeps its place in `due`", WRITES, 2 * REMINDED * BOOKINGS),
        Cut("events: the counter written once in sixteen, the end found by a range", WRITES, 1.9 * EVENTS * BOOKINGS),
        Cut("template: no dashboard unless asked for", ("CloudWatch", "dashboards"), 1),
        Cut("template: a second's window before the planner", ("Lambda", "requests"), 0.4 * 2 * MAILS * BOOKINGS),
    ]


def after(lines: list[Bill], done: list[Cut]) -> list[Bill]:
    """The month after those cuts."""
    return [
        replace(each, quantity=each.quantity - sum(cut.saved for cut in done if cut.line == (each.service, each.what)))
        for each in lines
    ]


def totals(lines: list[Bill]) -> tuple[float, float]:
    """Dollars at list price, and beyond what is always free."""
    return sum(each.list_price for each in lines), sum(each.beyond_free for each in lines)


def cut_rows(lines: list[Bill]) -> list[list[str]]:
    """Each cut and what the month comes to once it and those above it are done."""
    rows, done = [], list[Cut]()
    for cut in cuts(lines):
        alone = [now - then for now, then in zip(totals(lines), totals(after(lines, [cut])), strict=True)]
        done.append(cut)
        both = totals(after(lines, done))
        rows.append([cut.name, *(f"{dollars:.2f}" for dollars in (*alone, *both))])
    return rows


CUT_HEAD = ("what could be done", "saves $ at list price", "$ beyond free", "then the month is", "beyond free")
HEAD = ("service", "what", "in a month", "list price", "$ at list price", "$ beyond what is always free")


def main() -> None:
    with units.an_emulator() as emulator:
        found = measured(emulator)
    units.show(units.HEAD, units.rows(list(found.lines.values())))
    lines = list(bills(found))
    print(f"\n{DAY_BOOKINGS:,} bookings a day, {DAYS} days, {prices.REGION}, prices of {prices.AS_OF}\n")
    units.show(HEAD, summed(lines))
    print()
    units.show(CUT_HEAD, cut_rows(lines))
    life = sum(found.lines[name].ours.writes for name in units.LIFE)
    mails = BOOKINGS * sum(MIX[name] for name in (*TOLD, *REMINDERS))
    print(f"\nNot in the sum: {mails:,.0f} mails by SES, ${prices.MAIL.cost(mails):.2f}.")
    print(f"A booking's whole life: {life:g} write units, {found.bytes_a_booking / 1000:.1f} kB kept.")
    grown = found.bytes_a_booking * BOOKINGS / 1e9
    per_month = grown * (prices.TABLE_GB.dollars + prices.BACKUP_GB.dollars)
    print(f"Each month that is kept adds {grown:.2f} GB: ${per_month:.2f} a month at list price.")


if __name__ == "__main__":
    main()
