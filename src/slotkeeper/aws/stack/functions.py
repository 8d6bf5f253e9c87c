"""The four functions: their code, memory, time, settings and logs, and what becomes of what they fail at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slotkeeper.aws.stack.language import Json, att, ref, resource, split, sub, tags, when
from slotkeeper.stores.items import SORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function. `fails_to` says what becomes of what it fails at; empty: AWS keeps the event in the dead letters."""

    module: str
    meaning: str
    memory: int
    seconds: int
    settings: Mapping[str, Any]
    fails_to: str = ""

    @property
    def handler(self) -> str:
        return f"slotkeeper.aws.{self.module}.handler"


LOGGING = {"SLOTKEEPER_LOG_FORMAT": "json", "SLOTKEEPER_LOG_LEVEL": ref("LogLevel")}
COMMON = {"SLOTKEEPER_DATABASE": sub("dynamodb:${Table}"), **LOGGING}
PAGES_URL = when(
    "HasDomain",
    sub("https://${DomainName}"),
    sub("https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${StageName}"),
)
"""Where our pages are, where any are served."""

SENDING = {
    # Where no page is served there is nothing to link to.
    "SLOTKEEPER_PUBLIC_URL": when("ServesPages", PAGES_URL, ""),
    "SLOTKEEPER_AWS_TOPIC": ref("EventTopic"),
    "SLOTKEEPER_AWS_FROM_ADDRESS": ref("FromAddress"),
    "SLOTKEEPER_AWS_SMS": ref("TextMessages"),
}

FUNCTIONS: Mapping[str, Function] = {
    "ConflictDetector": Function(
        module="conflict_detector",
        meaning="Answers the API: offers, books, moves and cancels, and never books a time twice",
        # A third of a processor: at half of that a cold start takes twice as long, at double it saves little more.
        memory=512,
        # API Gateway gives up after 29. The store tries for 3 seconds a call, and a request makes a few calls.
        seconds=20,
        settings={
            **COMMON,
            "SLOTKEEPER_AWS_TOPIC": ref("EventTopic"),
            "SLOTKEEPER_AWS_ALLOWED_ORIGIN": ref("AllowedOrigin"),
            "SLOTKEEPER_AWS_COGNITO": when("UsesCognito", "true", "false"),
            "SLOTKEEPER_PAGES_EMBED_ORIGINS": ref("EmbedOrigins"),
        },
        fails_to="API Gateway waits for the answer and tells the caller of a failure; there is no event to keep",
    ),
    "ReminderSender": Function(
        module="reminder_sender",
        meaning="Delivers the messages of the appointments that it is woken for",
        memory=512,
        # A message is claimed for 120 (courier, LEASE_SECONDS), and what was sent by then must still be noted.
        seconds=150,
        settings={**COMMON, **SENDING},
    ),
    "Planner": Function(
        module="planner",
        meaning="Reads the table's stream, and sets and clears the alarms of appointments",
        memory=256,
        # 25 changes with a call of Scheduler each, tried again when throttled.
        seconds=60,
        settings={
            **LOGGING,
            "SLOTKEEPER_AWS_SCHEDULE_GROUP": ref("ScheduleGroup"),
            "SLOTKEEPER_AWS_SCHEDULE_ROLE": att("SchedulerRole"),
            "SLOTKEEPER_AWS_REMINDER_SENDER": att("ReminderSender"),
            "SLOTKEEPER_AWS_DEAD_LETTERS": att("DeadLetterQueue"),
            "SLOTKEEPER_AWS_ASIDE_URL": ref("AsideQueue"),
        },
        fails_to="the stream's mapping tries again, and then sends word of the batch to the dead letters",
    ),
    "Sweep": Function(
        module="sweep",
        meaning="Every five minutes delivers what is overdue, whatever woke nobody, and what was set aside",
        memory=512,
        # It is over before the next one starts.
        seconds=240,
        settings={**COMMON, **SENDING, "SLOTKEEPER_AWS_ASIDE_URL": ref("AsideQueue")},
    ),
}

RECORDS_AT_ONCE = 25
TRIES = 2
"""Lambda's own of a failed event, with a minute and two between."""


def resources() -> Json:
    made: Json = {}
    for name, function in FUNCTIONS.items():
        made[name] = _function(name, function)
        made[f"{name}Logs"] = log_group(sub(f"/slotkeeper/${{AWS::StackName}}/{function.module}"))
        if not function.fails_to:
            made[f"{name}Failures"] = _failures(name)
    return made | {"StreamMapping": _mapping(), "ApiMayInvoke": _api_may_invoke()}


def log_group(name: Any, only: str = "") -> Json:
    return resource(
        "Logs::LogGroup",
        {
            "LogGroupName": name,
            "RetentionInDays": ref("LogRetentionDays"),
            "KmsKeyId": when("HasOwnKey", att("DataKey")),
            "Tags": tags(),
        },
        only=only,
    )


def _function(name: str, function: Function) -> Json:
    properties = {
        "Description": function.meaning,
        "Handler": function.handler,
        "Runtime": ref("PythonRuntime"),
        "Architectures": [ref("Architecture")],
        "Code": {"S3Bucket": ref("CodeBucket"), "S3Key": ref("CodeKey")},
        "MemorySize": function.memory,
        "Timeout": function.seconds,
        "Role": att(f"{name}Role"),
        "Environment": {"Variables": {**function.settings, "AWS_SDK_UA_APP_ID": name}},
        "LoggingConfig": {
            "LogFormat": "JSON",
            "LogGroup": ref(f"{name}Logs"),
            "ApplicationLogLevel": {"Fn::FindInMap": ["LambdaLogLevels", ref("LogLevel"), "Level"]},
            # A start, an end and a report of each call cost more than all that we say ourselves.
            "SystemLogLevel": "WARN",
        },
        "TracingConfig": {"Mode": "Active"},
        "VpcConfig": when(
            "HasVpc",
            {"SecurityGroupIds": [att("FunctionSecurityGroup", "GroupId")], "SubnetIds": split("SubnetIds")},
        ),
        "Tags": tags(),
    }
    if name == "ConflictDetector":
        properties["ReservedConcurrentExecutions"] = when("ReservesConcurrency", ref("ReservedConcurrency"))
    return resource("Lambda::Function", properties, checkov=_unchecked(name, function), nag=_unnagged(function))


def _unchecked(name: str, function: Function) -> dict[str, str]:
    return {
        "CKV_AWS_115": "a reservation takes from the account's share: ReservedConcurrency makes one for the API",
        "CKV_AWS_116": function.fails_to or f"{name}Failures sends failed events to a queue, with their error",
        "CKV_AWS_117": "UseVpc puts the functions into a VPC; without one there is nothing to reach, and no cost",
        "CKV_AWS_173": "names of resources only, no secret",
        "CKV_AWS_272": "the code comes from the bucket of who deploys; signing it needs a profile of that account",
    }


def _unnagged(function: Function) -> dict[str, str]:
    chosen = "PythonRuntime chooses, and offers the newest"
    return {
        "AwsSolutions-L1": chosen,
        "Serverless-LambdaLatestVersion": chosen,
        "Serverless-LambdaDLQ": function.fails_to or "the function's EventInvokeConfig sends failed events there",
    }


def _failures(name: str) -> Json:
    """A failed sweep is not repeated: the next one does what it left. What ReminderSender fails at it attends to: a new
    appointment stands in no list of what is due yet."""
    tries, queue = (0, "DeadLetterQueue") if name == "Sweep" else (TRIES, "AsideQueue")
    return resource(
        "Lambda::EventInvokeConfig",
        {
            "FunctionName": ref(name),
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": tries,
            "MaximumEventAgeInSeconds": 3600,
            "DestinationConfig": {"OnFailure": {"Destination": att(queue)}},
        },
    )


def _mapping() -> Json:
    """The stream wakes the planner for appointments only, from the first one on, in the order of each one's changes."""
    pattern = f'{{"dynamodb": {{"Keys": {{"{SORT}": {{"S": ["appointment"]}}}}}}}}'
    return resource(
        "Lambda::EventSourceMapping",
        {
            "EventSourceArn": att("Table", "StreamArn"),
            "FunctionName": att("Planner"),
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": RECORDS_AT_ONCE,
            "ParallelizationFactor": 4,
            "FilterCriteria": {"Filters": [{"Pattern": pattern}]},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BisectBatchOnFunctionError": True,
            # As often and as long as the stream keeps its records, a day: a new appointment stands in no list of what
            # is due until it was attended to, so this is what tells of it. Our code sets aside what cannot be read.
            "MaximumRetryAttempts": -1,
            "MaximumRecordAgeInSeconds": -1,
            "DestinationConfig": {"OnFailure": {"Destination": att("DeadLetterQueue")}},
            "Tags": tags(),
        },
    )


def _api_may_invoke() -> Json:
    return resource(
        "Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": ref("ConflictDetector"),
            "Principal": "apigateway.amazonaws.com",
            "SourceAccount": ref("AWS::AccountId"),
            "SourceArn": sub(
                "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${StageName}/*"
            ),
        },
    )
