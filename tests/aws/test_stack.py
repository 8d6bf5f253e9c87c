"""What a stack's state, changes and failures mean, and how they are told."""

from collections.abc import Callable

import pytest

from slotkeeper.aws.deploying import Change, Event, Plan, advice, check_ready, failure
from slotkeeper.aws.hindered import Hindered
from slotkeeper.cli.stack import show


@pytest.mark.parametrize("state", ["", "REVIEW_IN_PROGRESS", "CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_at_rest_can_be_changed(state: str) -> None:
    check_ready("x", state)


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        ("UPDATE_IN_PROGRESS", "Wait until it is done"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Wait until it is done"),
        ("DELETE_IN_PROGRESS", "Wait until it is done"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name x"),
        ("ROLLBACK_COMPLETE", "slotkeeper aws delete --stack x"),
        ("ROLLBACK_FAILED", "slotkeeper aws delete --stack x"),
        ("CREATE_FAILED", "slotkeeper aws delete --stack x"),
        ("DELETE_FAILED", "slotkeeper aws delete --stack x"),
    ],
)
def test_a_stack_that_can_take_no_change_is_told_of_with_what_to_do(state: str, hint: str) -> None:
    with pytest.raises(Hindered) as caught:
        check_ready("x", state)
    assert state in str(caught.value)
    assert hint in caught.value.hint


def event(id: str, status: str, reason: str = "", *, is_of_stack: bool = False) -> Event:
    """Something that happened to a resource."""
    kind = "AWS::CloudFormation::Stack" if is_of_stack else "AWS::SQS::Queue"
    return Event(key=id + status, id=id, type=kind, status=status, reason=reason, is_of_stack=is_of_stack)


EVENTS = [
    event("Early", "CREATE_COMPLETE"),
    event("Bystander", "CREATE_FAILED", "Resource creation cancelled"),
    event("Culprit", "CREATE_FAILED", "The role may not be assumed"),
    event("Other", "CREATE_FAILED", "Later"),
    event("stack", "ROLLBACK_FAILED", "The following resource(s) failed", is_of_stack=True),
]


def test_the_first_that_failed_by_itself_is_named() -> None:
    found = failure(EVENTS)

    assert found is not None
    assert found.id == "Culprit"


@pytest.mark.parametrize(
    "broken",
    [
        lambda events: next(each for each in events if each.status.endswith("_FAILED")),
        lambda events: [each for each in events if each.status.endswith("_FAILED")][-1],
    ],
    ids=["the first of all", "the last"],
)
def test_a_bystander_or_the_stack_itself_would_be_the_wrong_one(broken: Callable[[list[Event]], Event]) -> None:
    assert broken(EVENTS).id != "Culprit"


def test_when_all_were_cancelled_one_of_them_is_named_and_when_none_failed_none() -> None:
    assert failure(EVENTS[:2]) == EVENTS[1]
    assert failure(EVENTS[:1]) is None


def test_a_reason_that_nobody_knows_gets_no_advice() -> None:
    assert advice("the moon is full") == ""
    assert "quota" in advice("LimitExceededException: too many")


def change(id: str, action: str = "Add", kind: str = "AWS::SNS::Topic", replacement: str = "") -> Change:
    """What would happen to a resource."""
    return Change(action=action, id=id, type=kind, replacement=replacement, is_kept=False)


def test_alike_changes_share_a_row_but_no_loss_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    topics = [change(f"Topic{number}") for number in range(9)]
    queues = [change(f"Queue{number}", "Modify", "AWS::SQS::Queue", "True") for number in range(9)]

    show(Plan(arn="", is_first=False, made_stack=False, changes=topics + queues), "stack")

    table, _, warning = capsys.readouterr().out.partition("What these hold now goes, or may go: ")
    assert "Topic3 and 5 more" in table
    assert "Topic4" not in table
    assert table.index("Queue0") < table.index("Topic0")
    assert all(f"Queue{number}" in table and f"Queue{number}" in warning for number in range(9))


@pytest.mark.parametrize(
    ("made", "is_loss"),
    [
        (change("A"), False),
        (change("A", "Remove"), True),
        (change("A", "Modify", replacement="False"), False),
        (change("A", "Modify", replacement="True"), True),
        (change("A", "Modify", replacement="Conditional"), False),
        (change("A", "Modify", "AWS::DynamoDB::GlobalTable", "Conditional"), True),
    ],
)
def test_a_change_is_a_loss_when_what_it_holds_may_go(made: Change, is_loss: bool) -> None:
    assert made.is_loss is is_loss
