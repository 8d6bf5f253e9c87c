"""What is watched: alarms that ask for a person, and the dashboard that shows them where to look."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slotkeeper.aws.stack.functions import FUNCTIONS
from slotkeeper.aws.stack.language import Json, ref, resource, sub, tags
from slotkeeper.aws.watching import NAMESPACE
from slotkeeper.core.errors import Taken

BOOKED, REFUSED, STALE_RETRIES = "Booked", "Refused", "StaleRetries"
REMINDERS_DUE, REMINDERS_SENT = "RemindersDue", "RemindersSent"
REMINDERS_LATE, REMINDERS_FAILED = "RemindersLate", "RemindersFailed"
LATENCY = "Latency"
REASON = "Reason"

FIVE_MINUTES = 300
FIFTEEN_MINUTES = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm on one metric: when `statistic` of `seconds` is above `above` in so many of the last `periods`."""

    meaning: str
    namespace: str
    metric: str
    above: Any
    statistic: str = "Sum"
    dimensions: Mapping[str, Any] = field(default_factory=dict)
    seconds: int = FIVE_MINUTES
    periods: int = 1
    of_periods: int = 0
    when_below: bool = False
    silence: str = "notBreaching"
    serious: bool = False


API = {"ApiName": ref("AWS::StackName"), "Stage": ref("StageName")}

ALARMS: dict[str, Alarm] = {
    "ServerErrors": Alarm(
        meaning="More than 1 in 100 requests fails by our fault: see the access log for which, the function's for why",
        namespace="AWS/ApiGateway",
        metric="5XXError",
        statistic="Average",
        dimensions=API,
        above=0.01,
        periods=2,
        of_periods=3,
        serious=True,
    ),
    "ConflictSurge": Alarm(
        meaning="Many are refused because their time is taken: a rush, a stale calendar somewhere, or a caller astray",
        namespace=NAMESPACE,
        metric=REFUSED,
        dimensions={REASON: Taken.code},
        above=ref("ConflictsPerFiveMinutes"),
    ),
    "LateReminders": Alarm(
        meaning="Reminders leave more than five minutes late: alarms are not set, or the sender falls behind",
        namespace=NAMESPACE,
        metric=REMINDERS_LATE,
        above=0,
        serious=True,
    ),
    "FailedReminders": Alarm(
        meaning="Reminders cannot be delivered: see GET /deadLetters, and the mail service's own account",
        namespace=NAMESPACE,
        metric=REMINDERS_FAILED,
        above=10,
        seconds=FIFTEEN_MINUTES,
    ),
    "DeadLetters": Alarm(
        meaning="Something failed for good and waits in the dead letters for a person to read it",
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        statistic="Maximum",
        dimensions={"QueueName": {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}},
        above=0,
        serious=True,
    ),
    "SetAside": Alarm(
        meaning="Records that could not be planned are not taken up by the sweep either",
        namespace="AWS/SQS",
        metric="ApproximateAgeOfOldestMessage",
        statistic="Maximum",
        dimensions={"QueueName": {"Fn::GetAtt": ["AsideQueue", "QueueName"]}},
        above=FIFTEEN_MINUTES,
    ),
    "SweepStopped": Alarm(
        meaning="For a quarter of an hour nothing was swept: the net under all reminders is gone",
        namespace="AWS/Lambda",
        metric="Invocations",
        dimensions={"FunctionName": ref("Sweep")},
        above=1,
        periods=3,
        when_below=True,
        silence="breaching",
        serious=True,
    ),
    "StreamBehind": Alarm(
        meaning="The planner reads changes more than five minutes after they were made: alarms are set late",
        namespace="AWS/Lambda",
        metric="IteratorAge",
        statistic="Maximum",
        dimensions={"FunctionName": ref("Planner")},
        above=300_000,
    ),
    "ApiThrottled": Alarm(
        meaning="Requests find no function free: raise ReservedConcurrency, or the account's share",
        namespace="AWS/Lambda",
        metric="Throttles",
        dimensions={"FunctionName": ref("ConflictDetector")},
        above=0,
        serious=True,
    ),
    "TableThrottled": Alarm(
        meaning="The table refuses writes for now: one key is asked too much, or capacity is too low",
        namespace="AWS/DynamoDB",
        metric="WriteThrottleEvents",
        dimensions={"TableName": ref("Table")},
        above=0,
        periods=2,
    ),
}
"""Each costs $0.10 a month, the first ten of an account nothing. None is for a function's errors as such: those of the
API are its callers' 5xx, the others' leave something behind that has an alarm: a dead letter, a stream or a sweep that
stands still."""

TRACED_SHARE = 0.02
"""X-Ray's default rule takes the first request of each second, which at our pace is nearly every one."""


def resources() -> Json:
    made = {name: _alarm(alarm) for name, alarm in ALARMS.items()}
    return made | {
        "Trouble": _composite(),
        "Dashboard": _dashboard(),
        "TraceSampling": _sampling("", 9000, TRACED_SHARE, "*"),
        # A trace tells the whole address, and who has a customer's link is let in by it.
        "LinkSampling": _sampling("-links", 8999, 0, "*/visit/*"),
    }


def _sampling(suffix: str, priority: int, share: float, path: str) -> Json:
    """A rule by which X-Ray traces that share of what this stack does; its services are called after it."""
    rule = {
        "RuleName": sub(f"${{AWS::StackName}}{suffix}"),
        "Version": 1,
        "Priority": priority,
        "FixedRate": share,
        "ReservoirSize": 0,
        "ServiceName": sub("${AWS::StackName}*"),
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": path,
        "ResourceARN": "*",
    }
    return resource("XRay::SamplingRule", {"SamplingRule": rule, "Tags": tags()}, only="SamplesTraces")


def _alarm(alarm: Alarm) -> Json:
    comparison = "LessThanThreshold" if alarm.when_below else "GreaterThanThreshold"
    return resource(
        "CloudWatch::Alarm",
        {
            "AlarmDescription": alarm.meaning,
            "Namespace": alarm.namespace,
            "MetricName": alarm.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in alarm.dimensions.items()],
            "Statistic": alarm.statistic,
            "Period": alarm.seconds,
            "EvaluationPeriods": alarm.of_periods or alarm.periods,
            "DatapointsToAlarm": alarm.periods,
            "ComparisonOperator": comparison,
            "Threshold": alarm.above,
            "TreatMissingData": alarm.silence,
            "AlarmActions": [ref("AlarmTopic")],
            "Tags": tags(),
        },
    )


def _composite() -> Json:
    serious = [name for name, alarm in ALARMS.items() if alarm.serious]
    return resource(
        "CloudWatch::CompositeAlarm",
        {
            "AlarmDescription": "Customers notice: one of the serious alarms rings",
            "AlarmRule": {"Fn::Join": [" OR ", [sub(f'ALARM("${{{name}}}")') for name in serious]]},
            "AlarmActions": [ref("AlarmTopic")],
            "Tags": tags(),
        },
        only="HasCompositeAlarm",
    )


def _dashboard() -> Json:
    """Two columns: what customers feel on the left, what works for them on the right."""
    lambdas = [f"${{{name}}}" for name in FUNCTIONS]
    rows: list[tuple[str, Sequence[Any], str]] = [
        ("Bookings", [_ours(BOOKED), _ours(STALE_RETRIES)], "Sum"),
        (
            "Reminders",
            [_ours(each) for each in (REMINDERS_DUE, REMINDERS_SENT, REMINDERS_LATE, REMINDERS_FAILED)],
            "Sum",
        ),
        ("Refusals by reason", [{"expression": _search(REFUSED, REASON), "id": "refused"}], "Sum"),
        ("Queues", [_queue("AsideQueue"), _queue("DeadLetterQueue")], "Maximum"),
        ("Answers", [_api("Count"), _api("4XXError"), _api("5XXError")], "Sum"),
        ("Failures of functions", [_lambda("Errors", each) for each in lambdas], "Sum"),
        ("Time to answer", [_api("Latency"), _api("IntegrationLatency")], "p99"),
        ("Time of functions", [_lambda("Duration", each) for each in lambdas], "p99"),
        ("Units of the table", [_table("ConsumedWriteCapacityUnits"), _table("ConsumedReadCapacityUnits")], "Sum"),
        ("Age of the stream", [_lambda("IteratorAge", "${Planner}")], "Maximum"),
    ]
    widgets = [_widget(place, *row) for place, row in enumerate(rows)]
    return resource(
        "CloudWatch::Dashboard",
        {
            "DashboardName": ref("AWS::StackName"),
            "DashboardBody": sub(json.dumps({"widgets": widgets})),
            "Tags": tags(),
        },
    )


def _widget(place: int, title: str, metrics: Sequence[Any], statistic: str) -> Json:
    return {
        "type": "metric",
        "x": place % 2 * 12,
        "y": place // 2 * 6,
        "width": 12,
        "height": 6,
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "stat": statistic,
            "period": FIVE_MINUTES,
            "metrics": [each if isinstance(each, list) else [each] for each in metrics],
        },
    }


def _ours(metric: str) -> list[str]:
    return [NAMESPACE, metric]


def _search(metric: str, dimension: str) -> str:
    return f"SEARCH('{{{NAMESPACE},{dimension}}} MetricName=\"{metric}\"', 'Sum', {FIVE_MINUTES})"


def _queue(name: str) -> list[str]:
    return ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", f"${{{name}.QueueName}}"]


def _api(metric: str) -> list[str]:
    return ["AWS/ApiGateway", metric, "ApiName", "${AWS::StackName}", "Stage", "${StageName}"]


def _lambda(metric: str, function: str) -> list[str]:
    return ["AWS/Lambda", metric, "FunctionName", function]


def _table(metric: str) -> list[str]:
    return ["AWS/DynamoDB", metric, "TableName", "${Table}"]
