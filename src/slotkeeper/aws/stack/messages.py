"""How messages travel: the topics with their key, the queues for what failed, and the schedules."""

from typing import Any

from slotkeeper.aws.stack.data import administration
from slotkeeper.aws.stack.language import (
    Json,
    allow,
    arn,
    att,
    policy,
    ref,
    resource,
    sub,
    tags,
    when,
    without_tls,
)

SSE_SQS = {"CKV_AWS_27": "encrypted by SQS's own keys: ids of documents only, and no key to pay and to grant"}
FOURTEEN_DAYS = 1_209_600
ASIDE_TRIES = 300
"""A day of sweeps: what lies aside while the table is away must not become a dead letter. An alarm tells of its age."""
SWEEP_MINUTES = 5


def resources() -> Json:
    return {
        "EventKey": _key(),
        "EventTopic": _topic("Slotkeeper events"),
        "EventTopicPolicy": _topic_policy("EventTopic"),
        "AlarmTopic": _topic("Slotkeeper alarms"),
        "AlarmTopicPolicy": _topic_policy("AlarmTopic", _alarms_may_publish()),
        "AlarmSubscription": _subscription("AlarmTopic", "email", ref("AlarmEmail"), "HasAlarmEmail"),
        "EmailSubscription": _subscription("EventTopic", "email", ref("EventEmail"), "TellsByEmail"),
        "HttpsSubscription": _subscription("EventTopic", "https", ref("EventHttpsEndpoint"), "TellsByHttps"),
        "QueueSubscription": _subscription("EventTopic", "sqs", ref("EventQueueArn"), "TellsByQueue"),
        "AsideQueue": _aside(),
        "AsideQueuePolicy": _queue_policy("AsideQueue"),
        "DeadLetterQueue": _dead_letters(),
        "DeadLetterQueuePolicy": _queue_policy("DeadLetterQueue", _topics_may_send()),
        "ScheduleGroup": resource("Scheduler::ScheduleGroup", {"Tags": tags()}),
        "SweepSchedule": _sweep(),
    }


def _key() -> Json:
    """The topics' key. By it only SNS encrypts, for those of this account who may publish, and for our alarms."""
    of_this_account = {"kms:CallerAccount": ref("AWS::AccountId"), "kms:ViaService": _regional("sns")}
    return resource(
        "KMS::Key",
        {
            "Description": sub("The topics of ${AWS::StackName}"),
            "EnableKeyRotation": True,
            "KeyPolicy": policy(
                administration(),
                allow(
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    "*",
                    {"StringEquals": of_this_account},
                    Sid="UseByPublishers",
                    Principal={"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
                ),
                allow(
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    "*",
                    _of_our_alarms(),
                    Sid="UseByAlarms",
                    Principal={"Service": "cloudwatch.amazonaws.com"},
                ),
            ),
            "PendingWindowInDays": 7,
            "Tags": tags(),
        },
    )


def _regional(service: str) -> Json:
    return sub(f"{service}.${{AWS::Region}}.amazonaws.com")


def _of_our_alarms() -> Json:
    return {
        "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
        "ArnLike": {"aws:SourceArn": arn("cloudwatch", "alarm:*")},
    }


def _topic(name: str) -> Json:
    return resource(
        "SNS::Topic", {"DisplayName": name, "KmsMasterKeyId": att("EventKey"), "SignatureVersion": "2", "Tags": tags()}
    )


def _topic_policy(topic: str, *statements: Json) -> Json:
    return resource(
        "SNS::TopicPolicy",
        {
            "Topics": [ref(topic)],
            "PolicyDocument": policy(without_tls(["sns:Publish"], ref(topic)), *statements),
        },
    )


def _alarms_may_publish() -> Json:
    return allow(
        ["sns:Publish"],
        ref("AlarmTopic"),
        _of_our_alarms(),
        Sid="Alarms",
        Principal={"Service": "cloudwatch.amazonaws.com"},
    )


def _subscription(topic: str, protocol: str, endpoint: Any, only: str) -> Json:
    """What cannot be delivered to a program goes to the dead letters; a person's mail is not."""
    properties: Json = {"TopicArn": ref(topic), "Protocol": protocol, "Endpoint": endpoint}
    if topic == "EventTopic":
        properties["FilterPolicyScope"] = "MessageAttributes"
        properties["FilterPolicy"] = when(
            "PicksEvents",
            {
                "type": when("PicksTypes", ref("EventTypes")),
                "business": when("PicksBusinesses", ref("EventBusinesses")),
            },
        )
    properties["RedrivePolicy"] = {"deadLetterTargetArn": att("DeadLetterQueue")}
    return resource("SNS::Subscription", properties, only=only)


def _aside() -> Json:
    """Stream records that could not be planned, for the next sweep. Hidden for longer than a sweep may take."""
    return resource(
        "SQS::Queue",
        {
            "SqsManagedSseEnabled": True,
            "VisibilityTimeout": 300,
            "MessageRetentionPeriod": FOURTEEN_DAYS,
            "RedrivePolicy": {"deadLetterTargetArn": att("DeadLetterQueue"), "maxReceiveCount": ASIDE_TRIES},
            "Tags": tags(),
        },
        checkov=SSE_SQS,
    )


def _dead_letters() -> Json:
    return resource(
        "SQS::Queue",
        {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": FOURTEEN_DAYS, "Tags": tags()},
        checkov=SSE_SQS,
        nag={
            "Serverless-SQSRedrivePolicy": "this is the last queue: an alarm tells people of what comes here",
        },
    )


def _queue_policy(queue: str, *statements: Json) -> Json:
    return resource(
        "SQS::QueuePolicy",
        {"Queues": [ref(queue)], "PolicyDocument": policy(without_tls(["sqs:*"], att(queue)), *statements)},
    )


def _topics_may_send() -> Json:
    return allow(
        ["sqs:SendMessage"],
        att("DeadLetterQueue"),
        {"ArnEquals": {"aws:SourceArn": [ref("EventTopic"), ref("AlarmTopic")]}},
        Sid="Undelivered",
        Principal={"Service": "sns.amazonaws.com"},
    )


def _sweep() -> Json:
    return resource(
        "Scheduler::Schedule",
        {
            "Description": "Delivers what is overdue: the net under all alarms",
            "ScheduleExpression": f"rate({SWEEP_MINUTES} minutes)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": att("Sweep"),
                "RoleArn": att("SweepScheduleRole"),
                # The next one does what this one should have.
                "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 240},
                "DeadLetterConfig": {"Arn": att("DeadLetterQueue")},
            },
        },
    )
