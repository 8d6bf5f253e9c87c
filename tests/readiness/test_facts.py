"""Every fact holds of the committed template, and of one that lacks the thing it does not."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from readiness.checks import Fact, Finding, Read
from readiness.facts import access, functions, messages, table, watching
from readiness.rows import ROWS
from readiness.template import PATH, Absent, Template

FACTS = {(check.read, check.parameters): check for row in ROWS for check in row.checks if isinstance(check, Fact)}
Breaking = Callable[[dict[str, Any]], object]
"""Breaks a thing in the resources of a template."""


def document() -> Any:
    return json.loads(PATH.read_text())


def findings(read: Read, template: Template) -> list[Finding]:
    try:
        return list(read(template))
    except Absent as absent:
        return [Finding(str(absent), holds=False)]


def named(check: Fact) -> str:
    return f"{check.read.__module__.rpartition('.')[2]}.{check.read.__name__}"


def put(path: str, value: object) -> Breaking:
    """Gives the property at the path, below the resources, another value."""

    def broken(resources: dict[str, Any]) -> None:
        place, last = at(resources, path)
        place[last] = value

    return broken


def drop(path: str) -> Breaking:
    """Takes away what is at the path."""

    def broken(resources: dict[str, Any]) -> None:
        place, last = at(resources, path)
        del place[last]

    return broken


def at(resources: dict[str, Any], path: str) -> tuple[Any, Any]:
    """What holds the last step of the path, and that step. The first is a resource; the rest is in its properties."""
    id, *steps = path.split(".")
    place: Any = resources
    keys: list[Any] = [
        id,
        *(["Properties"] if steps else []),
        *(int(step) if step.isdigit() else step for step in steps),
    ]
    for key in keys[:-1]:
        place = place[key]
    return place, keys[-1]


def let(role: str, actions: str | list[str], on: object) -> Breaking:
    """Lets a role do something more."""
    policy = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": on}]}
    return lambda resources: resources[role]["Properties"]["Policies"].append({"PolicyDocument": policy})


def add(id: str, kind: str) -> Breaking:
    return lambda resources: resources.update({id: {"Type": f"AWS::{kind}", "Properties": {}}})


WRITES = "WriteProvisionedThroughputSettings"

BROKEN: list[tuple[Read, str, Breaking]] = [
    (table.capacity, "paid for capacity alone", put("Table.BillingMode", "PROVISIONED")),
    (table.indexes, "no list", put("Table.GlobalSecondaryIndexes", [])),
    (table.stream, "no stream", drop("Table.StreamSpecification")),
    (table.encryption, "not encrypted", put("Table.SSESpecification.SSEEnabled", False)),
    (table.encryption, "encrypted by nobody knows what", drop("Table.SSESpecification.SSEType")),
    (table.recovery, "not set back", put("Table.Replicas.0.PointInTimeRecoverySpecification", {})),
    (table.recovery, "deleted by mistake", put("Table.Replicas.0.DeletionProtectionEnabled", False)),
    (table.recovery, "gone with the stack", lambda resources: resources["Table"].pop("DeletionPolicy")),
    (table.scaling, "an index that does not scale", drop(f"Table.GlobalSecondaryIndexes.2.{WRITES}")),
    (table.replica, "one region", drop("Table.Replicas.1")),
    (table.backup, "no copy", drop("BackupPlan.BackupPlan.BackupPlanRule.0.CopyActions")),
    (table.backup, "nothing chosen", put("BackupSelection.BackupSelection.Resources", [])),
    (functions.handlers, "no such function", put("Planner.Handler", "slotkeeper.aws.planner.main")),
    (functions.handlers, "no such module", put("Planner.Handler", "conflict_detector.handler")),
    (functions.runtime, "another runtime", put("Sweep.Runtime", "nodejs22.x")),
    (functions.memory, "no memory said", drop("Sweep.MemorySize")),
    (functions.log_groups, "a group that is not ours", put("Sweep.LoggingConfig.LogGroup", "/aws/lambda/x")),
    (functions.log_groups, "no group", drop("Sweep.LoggingConfig")),
    (functions.retention, "kept for ever", drop("SweepLogs.RetentionInDays")),
    (functions.tracing, "a function without traces", drop("Planner.TracingConfig")),
    (functions.tracing, "a gateway without traces", put("Stage.TracingEnabled", False)),
    (functions.failures, "a batch that is lost", drop("StreamMapping.DestinationConfig")),
    (functions.failures, "an event that is lost", drop("ReminderSenderFailures")),
    (functions.in_a_vpc, "outside", drop("Planner.VpcConfig")),
    (functions.network, "open to the network", put("FunctionSecurityGroup.SecurityGroupIngress", [{"FromPort": 22}])),
    (access.rest_api, "no POST", drop("PostAppointments")),
    (access.keys, "a path without a key", put("PostAppointments.ApiKeyRequired", False)),
    (access.tokens, "a path without a token", put("PostAppointments.AuthorizationType", "NONE")),
    (access.limits, "no limit", drop("Stage.MethodSettings.0.ThrottlingRateLimit")),
    (access.limits, "no quota", drop("UsagePlan.Quota")),
    (access.firewall, "a firewall before nothing", drop("FirewallAssociation")),
    (access.pass_role, "passed by nobody", put("PlannerRole.Policies", [])),
    (access.pass_role, "any role to anybody", let("PlannerRole", "iam:PassRole", "*")),
    (access.scheduling, "set without passing", let("SweepRole", ["scheduler:CreateSchedule"], "x")),
    (access.least_privilege, "all of a service", let("SweepRole", ["dynamodb:*"], "x")),
    (access.least_privilege, "on every table", let("SweepRole", ["dynamodb:Scan"], "*")),
    (access.no_secrets, "a key in the template", put("Sweep.Description", "AKIA" + "A" * 16)),
    (access.no_secrets, "a secret in a setting", put("Sweep.Environment.Variables.SLOTKEEPER_SMTP_PASSWORD", "x")),
    (access.regions, "one region", put("Sweep.Description", "in us-west-1")),
    (access.tags, "a topic without tags", drop("EventTopic.Tags")),
    (messages.topics, "a topic without a key", drop("EventTopic.KmsMasterKeyId")),
    (messages.topics, "a key that stays the same", put("EventKey.EnableKeyRotation", False)),
    (messages.subscriptions, "nobody by queue", drop("QueueSubscription")),
    (messages.subscriptions, "lost when not delivered", drop("EmailSubscription.RedrivePolicy")),
    (messages.queues, "kept for four days", drop("DeadLetterQueue.MessageRetentionPeriod")),
    (messages.queues, "not encrypted", put("DeadLetterQueue.SqsManagedSseEnabled", False)),
    (messages.schedules, "no group", drop("ScheduleGroup")),
    (messages.schedules, "a rule", add("Rule", "Events::Rule")),
    (messages.schedules, "no sweep", drop("SweepSchedule")),
    (watching.alarms, "an alarm that tells nobody", put("DeadLetters.AlarmActions", [])),
    (watching.conflicts, "no alarm for conflicts", drop("ConflictSurge")),
    (watching.dashboard, "no dashboard", drop("Dashboard")),
    (watching.metric_filters, "a metric filter", add("Filter", "Logs::MetricFilter")),
    (watching.request_log, "no log of requests", drop("Stage.AccessLogSetting")),
    (watching.log_levels, "text", put("Sweep.LoggingConfig.LogFormat", "Text")),
]  # fmt: skip


PLANTED = [pytest.param(read, breaking, id=what) for read, what, breaking in BROKEN]


@pytest.mark.parametrize("check", [pytest.param(check, id=named(check)) for check in FACTS.values()])
def test_the_committed_template_says_so(check: Fact) -> None:
    found = findings(check.read, Template.read().given(**dict(check.parameters)))

    assert [finding.text for finding in found if not finding.holds] == []
    assert found


@pytest.mark.parametrize(
    ("read", "breaking"), [pytest.param(read, breaking, id=what) for read, what, breaking in BROKEN]
)
def test_a_template_without_the_thing_does_not(read: Read, breaking: Breaking) -> None:
    [check, *_] = [check for check in FACTS.values() if check.read == read]
    broken = document()
    breaking(broken["Resources"])

    found = findings(read, Template.of(broken, **dict(check.parameters)))

    assert [finding for finding in found if not finding.holds] or not found


def test_every_fact_is_broken_once() -> None:
    always = {access.resources}  # it only counts

    assert {check.read for check in FACTS.values()} - {read for read, _, _ in BROKEN} == always
