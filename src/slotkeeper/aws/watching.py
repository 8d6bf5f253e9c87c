"""What the functions tell of themselves: one JSON object a line, from which CloudWatch reads metrics too.

The metrics are written in CloudWatch's embedded metric format (EMF), so they need no call and no permission. Each name
with each value of its dimension costs $0.30 a month: there are few, and no dimension but a refusal's reason.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import msgspec

NAMESPACE = "Slotkeeper"

Unit = Literal["Count", "Milliseconds"]


class Context(Protocol):
    """What Lambda says of an invocation."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the invocation is cut off."""
        ...


class Metric(msgspec.Struct, frozen=True):
    """A value to be counted under a name; `reason` is its dimension, and must be one of few."""

    name: str
    value: float = 1
    unit: Unit = "Count"
    reason: str = ""


def line(message: str, facts: Mapping[str, object], metrics: Iterable[Metric], now: float) -> str:
    """The log line of that moment, in seconds since 1970, without its end.

    A metric's name comes once, and one metric of a line may have a reason. Lambda sends a line on by its `level`, and
    reads that only beside a `timestamp`.
    """
    metrics = list(metrics)
    reasons = [metric.reason for metric in metrics if metric.reason]
    said: dict[str, object] = {
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        "level": "info",
        "message": message,
        **facts,
        **{metric.name: metric.value for metric in metrics},
    }
    if reasons:
        said["Reason"] = reasons[0]
    if metrics:
        said["_aws"] = {"Timestamp": int(now * 1000), "CloudWatchMetrics": _directives(metrics)}
    return msgspec.json.encode(said).decode()


def _directives(metrics: list[Metric]) -> list[dict[str, Any]]:
    """Which members of the line are metrics; those with a reason have it for their dimension."""
    sets: dict[bool, list[dict[str, str]]] = {}
    for metric in metrics:
        sets.setdefault(bool(metric.reason), []).append({"Name": metric.name, "Unit": metric.unit})
    return [
        {"Namespace": NAMESPACE, "Dimensions": [["Reason"] if has_reason else []], "Metrics": named}
        for has_reason, named in sets.items()
    ]


class Watch:
    """The log of one function. Every line tells which invocation it belongs to."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.time) -> None:
        """`write` takes one line, with its end."""
        self._write = write
        self._clock = clock
        self._request_id = ""

    def begin(self, context: Context) -> None:
        """What follows belongs to this invocation."""
        self._request_id = context.aws_request_id

    def facts(self) -> dict[str, object]:
        """What every line tells."""
        return {"requestId": self._request_id}

    def tell(self, message: str, facts: Mapping[str, object], metrics: Iterable[Metric] = ()) -> None:
        """Write one line."""
        self._write(line(message, {**self.facts(), **facts}, metrics, self._clock()) + "\n")
