"""Facts of watching: metrics and alarms, the dashboard, and the log of requests."""

import json
from collections.abc import Iterator

from readiness.checks import Finding
from readiness.facts.reading import each_says, named, says, text_of
from readiness.template import Template, shown

OURS = "Slotkeeper"


def alarms(template: Template) -> Iterator[Finding]:
    """What rings, and whom it tells."""
    found_ones = template.all("CloudWatch::Alarm")
    text = f"{len(found_ones)} alarms: {named(sorted(found_ones))}"
    yield Finding(text, bool(found_ones))
    yield from each_says(found_ones, "alarms", "AlarmActions", lambda to: shown(to) == "AlarmTopic")


def conflicts(template: Template) -> Iterator[Finding]:
    """The alarm for conflicts that the review saw."""
    for id, alarm in template.all("CloudWatch::Alarm").items():
        if alarm["Namespace"] == OURS and alarm["MetricName"] == "Refused":
            yield Finding(f"{id}: {alarm['MetricName']} above {shown(alarm['Threshold'])} in {alarm['Period']} seconds")


def dashboard(template: Template) -> Iterator[Finding]:
    """What the dashboard shows."""
    body = json.loads(text_of(template, "Dashboard", "DashboardBody"))
    titles = [widget["properties"]["title"] for widget in body["widgets"]]
    yield Finding(f"Dashboard: {len(titles)} widgets: {named(titles)}", bool(titles))


def metric_filters(template: Template) -> Iterator[Finding]:
    """That no pattern is there to be invalid: the functions write metrics themselves."""
    filters = template.all("Logs::MetricFilter")
    yield Finding(f"metric filters: {named(list(filters)) if filters else 'none'}", not filters)


def request_log(template: Template) -> Iterator[Finding]:
    """What is noted of each request."""
    yield says(template, "Stage", "DestinationArn", lambda value: shown(value) == "AccessLogs.Arn")
    fields = list(json.loads(text_of(template, "Stage", "Format")))
    yield Finding(f"AccessLogs: {named(fields)}", {"keyId", "status", "address"} <= set(fields))


def log_levels(template: Template) -> Iterator[Finding]:
    """That the functions' logs are objects that can be searched."""
    yield from each_says(template.all("Lambda::Function"), "functions", "LogFormat", "JSON")
