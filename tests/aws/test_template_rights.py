"""What roles, keys, topics and queues allow: no more than is needed, and no star without its reason."""

from collections.abc import Iterator
from typing import Any

import pytest

from slotkeeper.aws.stack.roles import CALLS, actions_of
from tests.aws.evaluated import EVERYTHING, Json, committed, of_type, resources


def statements(role: Json) -> Iterator[Json]:
    for each in role["Properties"]["Policies"]:
        yield from each["PolicyDocument"]["Statement"]


def texts(part: Any) -> Iterator[str]:
    """Every text in a value, whatever stands around it."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for each in part.values():
            yield from texts(each)
    elif isinstance(part, list):
        for each in part:
            yield from texts(each)


def unexplained(template: Json, **parameters: str) -> list[str]:
    """The stars in what roles are allowed that no reason in their Metadata speaks of."""
    found = []
    for name, role in resources(template, **parameters).items():
        if role["Type"] != "AWS::IAM::Role":
            continue
        excuses = role.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", [])
        excused = " ".join(each["id"] for each in excuses if each["reason"])
        for statement in statements(role):
            found += [f"{name}: {action}" for action in statement["Action"] if "*" in action]
            found += [
                f"{name}: {text}"
                for text in texts(statement.get("Resource"))
                if "*" in text and f"[Resource::{text.replace('${', '<').replace('}', '>')}]" not in excused
            ]
    return found


@pytest.mark.parametrize("parameters", [{}, EVERYTHING])
def test_every_star_in_a_role_has_its_reason(parameters: dict[str, str]) -> None:
    assert unexplained(committed(), **parameters) == []


def test_a_star_without_a_reason_is_seen() -> None:
    template = committed()
    planner = template["Resources"]["PlannerRole"]
    next(statements(planner))["Action"].append("scheduler:*")
    del planner["Metadata"]

    found = unexplained(template)

    assert "PlannerRole: scheduler:*" in found
    assert any("schedule/${ScheduleGroup}/*" in each for each in found)


@pytest.mark.parametrize("function", CALLS)
def test_each_role_holds_the_calls_of_its_function(function: str) -> None:
    role = resources(committed(), **EVERYTHING)[f"{function}Role"]
    calls = next(each for each in role["Properties"]["Policies"] if each["PolicyName"] == "calls")
    allowed = {action for each in calls["PolicyDocument"]["Statement"] for action in each["Action"]}

    assert allowed == actions_of(function)


def test_only_the_planner_passes_a_role_on_and_only_the_alarms_to_the_scheduler() -> None:
    passing = [
        (name, statement)
        for name, role in resources(committed(), **EVERYTHING).items()
        if role["Type"] == "AWS::IAM::Role"
        for statement in statements(role)
        if "iam:PassRole" in statement["Action"]
    ]

    ((name, statement),) = passing
    assert name == "PlannerRole"
    assert statement["Action"] == ["iam:PassRole"]
    assert statement["Resource"] == {"Fn::GetAtt": ["SchedulerRole", "Arn"]}
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    given = resources(committed())["Planner"]["Properties"]["Environment"]["Variables"]
    assert given["SLOTKEEPER_AWS_SCHEDULE_ROLE"] == statement["Resource"]


def test_the_alarms_role_wakes_the_sender_and_nothing_else() -> None:
    role = resources(committed())["SchedulerRole"]

    assert [(each["Action"], each["Resource"]) for each in statements(role)] == [
        (["lambda:InvokeFunction"], {"Fn::GetAtt": ["ReminderSender", "Arn"]}),
        (["sqs:SendMessage"], {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}),
    ]


def test_what_the_sender_fails_at_goes_where_the_sweep_looks() -> None:
    made = resources(committed())
    destination = made["ReminderSenderFailures"]["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]

    assert destination == {"Fn::GetAtt": ["AsideQueue", "Arn"]}
    assert (["sqs:SendMessage"], destination) in [
        (each["Action"], each.get("Resource")) for each in statements(made["ReminderSenderRole"])
    ]
    assert made["Sweep"]["Properties"]["Environment"]["Variables"]["SLOTKEEPER_AWS_ASIDE_URL"] == {"Ref": "AsideQueue"}


def test_a_text_message_can_go_to_no_topic() -> None:
    sender = resources(committed(), TextMessages="true")["ReminderSenderRole"]
    publishing = [each for each in statements(sender) if each["Action"] == ["sns:Publish"]]

    assert [each.get("Resource") for each in publishing] == [{"Ref": "EventTopic"}, None]
    assert list(texts(publishing[1]["NotResource"])) == ["arn:${AWS::Partition}:sns:*:*:*"]


def test_keys_turn_and_give_no_service_more_than_its_own() -> None:
    for key in of_type(resources(committed(), OwnKey="true"), "KMS::Key").values():
        assert key["EnableKeyRotation"] is True
        for statement in key["KeyPolicy"]["Statement"]:
            assert "kms:*" not in statement["Action"]
            assert statement["Sid"] == "Administration" or statement["Condition"]


@pytest.mark.parametrize("kind", ["SNS::Topic", "SQS::Queue"])
def test_topics_and_queues_are_encrypted_and_refuse_what_came_in_clear(kind: str) -> None:
    made = resources(committed())
    policies = [*of_type(made, "SNS::TopicPolicy").values(), *of_type(made, "SQS::QueuePolicy").values()]
    closed = {
        (each.get("Topics") or each["Queues"])[0]["Ref"]
        for each in policies
        for statement in each["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }

    assert of_type(made, kind).keys() <= closed
    assert all("KmsMasterKeyId" in each or each["SqsManagedSseEnabled"] for each in of_type(made, kind).values())
