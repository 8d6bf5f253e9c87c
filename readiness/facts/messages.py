"""Facts of messages: topics and who listens, queues for what failed, and what wakes the sender."""

from collections.abc import Iterator

from readiness.checks import Finding
from readiness.facts.reading import each_says, named, says
from readiness.template import Template, shown


def topics(template: Template) -> Iterator[Finding]:
    """How the topics are encrypted."""
    keys = {f"{id}.Arn" for id in template.all("KMS::Key")} | set(template.all("KMS::Key"))
    yield from each_says(template.all("SNS::Topic"), "topics", "KmsMasterKeyId", lambda key: shown(key) in keys)
    yield says(template, "EventKey", "EnableKeyRotation", True)


def subscriptions(template: Template) -> Iterator[Finding]:
    """Who may listen to the topics, with these parameters."""
    listeners = template.all("SNS::Subscription")
    ways = sorted(f"{shown(each['TopicArn'])} by {each['Protocol']}" for each in listeners.values())
    yield Finding(
        f"subscriptions: {named(ways)}", {each["Protocol"] for each in listeners.values()} >= {"email", "https", "sqs"}
    )
    yield from each_says(listeners, "subscriptions", "RedrivePolicy", bool)


def queues(template: Template) -> Iterator[Finding]:
    """How long what failed is kept, and encrypted."""
    yield from each_says(
        template.all("SQS::Queue"), "queues", "MessageRetentionPeriod", lambda kept: kept >= 14 * 86_400
    )
    yield from each_says(template.all("SQS::Queue"), "queues", "SqsManagedSseEnabled", True)


def schedules(template: Template) -> Iterator[Finding]:
    """What wakes the sender: a group for one-time schedules, no rule, and a sweep under them."""
    groups, rules = template.all("Scheduler::ScheduleGroup"), template.all("Events::Rule")
    yield Finding(f"schedule groups: {named(list(groups))}" if groups else "no schedule group", bool(groups))
    yield Finding(f"EventBridge rules: {named(list(rules)) if rules else 'none'}", not rules)
    sweeps = template.all("Scheduler::Schedule")
    yield from each_says(sweeps, "standing schedules", "ScheduleExpression", lambda text: text.startswith("rate("))
