"""What each function may do: no more than what its code calls, and what AWS does in its name.

`CALLS` is the one place that says which function makes which call; a test can hold it equal to the calls of a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slotkeeper.aws.stack.language import Json, allow, arn, att, policy, ref, resource, sub, tags, when

READS = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
WRITES = ("dynamodb:PutItem",)
"""Nothing is ever only expected: what a commit rests on it writes too, so no condition is checked by itself."""
DELETES = ("dynamodb:DeleteItem",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Actions on resources; `only` under a condition of the template, `given` one of IAM. `but_not`: on all resources
    but those. A `*` in the resources has its reason in `why`."""

    actions: tuple[str, ...]
    on: Any = None
    but_not: Any = None
    only: str = ""
    given: Json | None = None
    why: str = ""

    def statement(self) -> Json:
        made = allow(self.actions, self.on, self.given)
        if self.but_not is not None:
            del made["Resource"]
            made["NotResource"] = self.but_not
        return when(self.only, made) if self.only else made


def _indexes(*names: str) -> list[Json]:
    return [sub(f"${{Table.Arn}}/index/{name}") for name in names]


def _via(service: str) -> Json:
    return {"StringEquals": {"kms:ViaService": sub(f"{service}.${{AWS::Region}}.amazonaws.com")}}


DOCUMENTS = Grant(actions=(*READS, *WRITES), on=att("Table"))
DOCUMENTS_THAT_GO = Grant(actions=(*READS, *WRITES, *DELETES), on=att("Table"))

IDENTITIES = [
    arn("ses", "identity/${FromAddress}"),
    sub(
        "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${Domain}",
        Domain={"Fn::Select": [1, {"Fn::Split": ["@", ref("FromAddress")]}]},
    ),
]


def _mails(action: str) -> Grant:
    given = {"StringEquals": {"ses:FromAddress": ref("FromAddress")}}
    return Grant(actions=(action,), on=IDENTITIES, only="SendsMail", given=given)


SENDS = (
    _mails("ses:SendEmail"),
    Grant(actions=("sns:Publish",), on=ref("EventTopic")),
    Grant(
        actions=("sns:Publish",),
        but_not=sub("arn:${AWS::Partition}:sns:*:*:*"),
        only="SendsTexts",
        why="a text message goes to a phone number, which is no resource; every topic is left out",
    ),
)

CALLS: Mapping[str, tuple[Grant, ...]] = {
    "ConflictDetector": (
        DOCUMENTS_THAT_GO,
        Grant(actions=("dynamodb:Query",), on=_indexes("customer", "start", "log", "dead")),
    ),
    "ReminderSender": (DOCUMENTS, *SENDS),
    "Planner": (
        Grant(
            actions=("scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule"),
            on=arn("scheduler", "schedule/${ScheduleGroup}/*"),
            why="a schedule is named for its appointment; the group is ours alone",
        ),
        Grant(actions=("lambda:InvokeFunction",), on=att("ReminderSender")),
        Grant(actions=("sqs:SendMessage",), on=att("AsideQueue")),
    ),
    "Sweep": (
        DOCUMENTS_THAT_GO,
        Grant(actions=("dynamodb:Query",), on=_indexes("due")),
        *SENDS,
        Grant(actions=("sqs:DeleteMessage", "sqs:ReceiveMessage"), on=att("AsideQueue")),
    ),
}
"""What each function's code calls."""

_TRACES = Grant(
    actions=("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    on="*",
    why="X-Ray knows no resources to name for these",
)
_INTERFACES = Grant(
    actions=(
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ),
    on="*",
    only="HasVpc",
    why="Lambda makes a function's network interfaces by its role, and they have no names beforehand",
)
_TABLE_KEY = Grant(
    actions=(
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ),
    on=att("DataKey"),
    only="HasOwnKey",
    given=_via("dynamodb"),
)
_TOPIC_KEY = Grant(actions=("kms:Decrypt", "kms:GenerateDataKey"), on=att("EventKey"), given=_via("sns"))
_RAW_MAIL = _mails("ses:SendRawEmail")
"""SES asks for it as well when SendEmail brings a whole MIME message."""
_FAILED = Grant(actions=("sqs:SendMessage",), on=att("DeadLetterQueue"))
_FAILED_FOR_NOW = Grant(actions=("sqs:SendMessage",), on=att("AsideQueue"))


def _logs(function: str) -> Grant:
    return Grant(actions=("logs:CreateLogStream", "logs:PutLogEvents"), on=att(f"{function}Logs"))


BEHIND: Mapping[str, tuple[Grant, ...]] = {
    "ConflictDetector": (_logs("ConflictDetector"), _TRACES, _INTERFACES, _TABLE_KEY),
    "ReminderSender": (
        _logs("ReminderSender"),
        _TRACES,
        _INTERFACES,
        _TABLE_KEY,
        _TOPIC_KEY,
        _RAW_MAIL,
        _FAILED_FOR_NOW,
    ),
    "Planner": (
        _logs("Planner"),
        _TRACES,
        _INTERFACES,
        _TABLE_KEY,
        _FAILED,
        Grant(
            actions=(
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ),
            on=att("Table", "StreamArn"),
        ),
        Grant(
            actions=("iam:PassRole",),
            on=att("SchedulerRole"),
            given={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
        ),
    ),
    "Sweep": (_logs("Sweep"), _TRACES, _INTERFACES, _TABLE_KEY, _TOPIC_KEY, _RAW_MAIL, _FAILED),
}
"""What AWS does in the function's name: logs, traces, the stream, keys, failed events, the role that it passes on."""


def actions_of(function: str) -> frozenset[str]:
    """The actions that the function's code needs; those of `BEHIND` come on top."""
    return frozenset(action for grant in CALLS[function] for action in grant.actions)


def resources() -> Json:
    made = {f"{function}Role": _role_of(function) for function in CALLS}
    return made | {
        "SchedulerRole": _scheduler_role(
            "The alarms of appointments",
            att("ScheduleGroup"),
            Grant(actions=("lambda:InvokeFunction",), on=att("ReminderSender")),
            Grant(actions=("sqs:SendMessage",), on=att("DeadLetterQueue")),
        ),
        # Of its own, and its schedule outside our group: the planner can neither pass it on nor touch the sweep.
        "SweepScheduleRole": _scheduler_role(
            "The sweep every five minutes",
            arn("scheduler", "schedule-group/default"),
            Grant(actions=("lambda:InvokeFunction",), on=att("Sweep")),
            Grant(actions=("sqs:SendMessage",), on=att("DeadLetterQueue")),
        ),
    }


def trust(service: str, conditions: Json | None = None) -> Json:
    statement: Json = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return policy(statement | ({"Condition": conditions} if conditions else {}))


def _role_of(function: str) -> Json:
    grants = (*CALLS[function], *BEHIND[function])
    return resource(
        "IAM::Role",
        {
            "Description": sub(f"What {function} of ${{AWS::StackName}} may do"),
            "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
            "Policies": [
                {"PolicyName": "calls", "PolicyDocument": policy(*(each.statement() for each in CALLS[function]))},
                {"PolicyName": "behind", "PolicyDocument": policy(*(each.statement() for each in BEHIND[function]))},
            ],
            "Tags": tags(),
        },
        nag=_excuses(grants),
    )


def _excuses(grants: tuple[Grant, ...]) -> dict[str, str]:
    """Each `*` with its reason, in the words of cdk-nag."""
    found = {}
    for grant in grants:
        if grant.why and grant.but_not is None:
            named = "*" if grant.on == "*" else grant.on["Fn::Sub"].replace("${", "<").replace("}", ">")
            found[f"AwsSolutions-IAM5[Resource::{named}]"] = grant.why
            if grant.on == "*":
                found["Serverless-LambdaStarPermissions"] = grant.why
    return found


def _scheduler_role(meaning: str, group: Json, *grants: Grant) -> Json:
    return resource(
        "IAM::Role",
        {
            "Description": sub(f"{meaning} of ${{AWS::StackName}}"),
            "AssumeRolePolicyDocument": trust(
                "scheduler.amazonaws.com",
                {
                    "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
                    "ArnLike": {"aws:SourceArn": group},
                },
            ),
            "Policies": [{"PolicyName": "calls", "PolicyDocument": policy(*(each.statement() for each in grants))}],
            "Tags": tags(),
        },
    )
