"""One CloudFormation stack: what would change, then the change, event by event, and why it failed."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from slotkeeper.aws.account import Account, code_of, told
from slotkeeper.aws.hindered import Hindered

REVIEW = "REVIEW_IN_PROGRESS"
"""A first change set was made and never carried out: the stack has a name, and nothing else."""
NEW = ("", REVIEW)
DONE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE"})
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
FIRST_POLL_SECONDS = 0.1
POLL_SECONDS = 2.0
PLAN_SECONDS = 300
TABLES = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")
HOLDERS = frozenset(
    {
        *TABLES,
        "AWS::ApiGateway::ApiKey",
        "AWS::ApiGateway::RestApi",
        "AWS::Backup::BackupVault",
        "AWS::Cognito::UserPool",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
    }
)
"""Types that hold what a new one would not have: data, a key that others know, an address that others call. Of the rest
a replacement is worth no warning when it only may happen, as with each reference to a function that changes."""
_KEPT = ("Retain", "RetainExceptOnCreate")
_UNCHANGED = re.compile(r"didn't contain changes|[Nn]o updates are to be performed")

_ADVICE = (
    (r"already exists", "Something of that name is there, perhaps kept from an earlier stack: use another name."),
    (r"not authorized|AccessDenied|is not allowed", "Use credentials that may make this."),
    (r"[Ll]imit ?[Ee]xceeded|quota", "Ask for a higher quota, or set less: see Service Quotas in AWS's console."),
    (r"not empty", "Empty it first; nothing is emptied without you."),
)
"""What to do about a resource's reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What would happen to one resource. `replacement` is True, False or Conditional; empty when there is none."""

    action: str
    id: str
    type: str
    replacement: str
    is_kept: bool

    @property
    def is_loss(self) -> bool:
        """Whether something that is there would go, or may go with all that it holds."""
        is_risked = self.replacement == "Conditional" and self.type in HOLDERS
        return self.action == "Remove" or self.replacement == "True" or is_risked


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A change set that can be carried out. `is_first` when it makes the stack; `made_stack` when the stack's name was
    taken just for it."""

    arn: str
    is_first: bool
    made_stack: bool
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to one resource, or to the stack itself."""

    key: str
    id: str
    type: str
    status: str
    reason: str
    is_of_stack: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A resource that stays when the stack goes."""

    id: str
    type: str
    name: str


class Stack:
    """A stack by its name, in the region of the account."""

    def __init__(self, account: Account, name: str) -> None:
        self.name = name
        self._cloud = account.client("cloudformation")

    def facts(self) -> dict[str, Any]:
        """What CloudFormation knows of the stack; empty when there is none."""
        from botocore.exceptions import ClientError

        with told():
            try:
                found: dict[str, Any] = self._cloud.describe_stacks(StackName=self.name)["Stacks"][0]
            except ClientError as error:
                if code_of(error) == "ValidationError" and "does not exist" in str(error):
                    return {}
                raise
        return found

    def state(self) -> str:
        """Such as CREATE_COMPLETE; empty when there is no such stack."""
        return str(self.facts().get("StackStatus", ""))

    def parameters(self) -> dict[str, str]:
        """The values that the stack has; a hidden one (NoEcho) shows as stars."""
        return {each["ParameterKey"]: each["ParameterValue"] for each in self.facts().get("Parameters", ())}

    def outputs(self) -> dict[str, str]:
        """What the stack tells of itself, by name.

        Raises:
            Hindered: there is no such stack.
        """
        facts = self.facts()
        if facts.get("StackStatus", "") in NEW:
            raise no_stack(self.name)
        return {each["OutputKey"]: each["OutputValue"] for each in facts.get("Outputs", ())}

    def plan(self, template_url: str, parameters: Sequence[Mapping[str, Any]], tags: Mapping[str, str]) -> Plan | None:
        """Make a change set; None when nothing would change. Tags that the stack has already stay.

        Raises:
            Hindered: the stack can take no change as it is, or CloudFormation refuses the template.
        """
        facts = self.facts()
        state = facts.get("StackStatus", "")
        check_ready(self.name, state)
        all_tags = {each["Key"]: each["Value"] for each in facts.get("Tags", ())} | dict(tags)
        with told():
            made = self._cloud.create_change_set(
                StackName=self.name,
                ChangeSetName=f"slotkeeper-{uuid4().hex}",
                ChangeSetType="CREATE" if state in NEW else "UPDATE",
                TemplateURL=template_url,
                Parameters=list(parameters),
                Capabilities=CAPABILITIES,
                Tags=[{"Key": name, "Value": value} for name, value in all_tags.items()],
            )
        arn = made["Id"]
        status, reason = self._planned(arn)
        if status == "CREATE_COMPLETE":
            changes = tuple(self._changes(arn))
            return Plan(arn=arn, is_first=state in NEW, made_stack=not state, changes=changes)
        self.discard(arn, with_stack=not state)
        if _UNCHANGED.search(reason):
            return None
        raise Hindered(f"CloudFormation refused the change: {reason or status}", advice(reason))

    def discard(self, arn: str, *, with_stack: bool) -> None:
        """Forget a change set, and the empty stack that was made for it."""
        with told():
            self._cloud.delete_change_set(ChangeSetName=arn)
            if with_stack:
                self._cloud.delete_stack(StackName=self.name)

    def carry_out(self, plan: Plan) -> Iterator[Event]:
        """Change the stack, and tell what happens until it is done; the last event is the stack's own."""
        facts = self.facts()
        before = frozenset(event.key for event in self._events(facts["StackId"]))
        with told():
            self._cloud.execute_change_set(ChangeSetName=plan.arn)
        return self._watch(facts["StackId"], before)

    def delete(self) -> Iterator[Event]:
        """Delete the stack, and tell what happens until it is done.

        Raises:
            Hindered: there is none, or it is protected.
        """
        facts = self.facts()
        if not facts:
            raise no_stack(self.name)
        if facts.get("EnableTerminationProtection"):
            raise Hindered(
                f"the stack {self.name} is protected from being deleted",
                f"aws cloudformation update-termination-protection --no-enable-termination-protection"
                f" --stack-name {self.name}",
            )
        before = frozenset(event.key for event in self._events(facts["StackId"]))
        with told():
            self._cloud.delete_stack(StackName=self.name)
        return self._watch(facts["StackId"], before)

    def kept(self) -> list[Kept]:
        """The resources that stay when the stack is deleted, because the template retains them."""
        with told():
            template = self._cloud.get_template(StackName=self.name, TemplateStage="Processed")["TemplateBody"]
            pages = self._cloud.get_paginator("list_stack_resources").paginate(StackName=self.name)
            there = [each for page in pages for each in page["StackResourceSummaries"]]
        resources = template["Resources"] if isinstance(template, dict) else {}
        return [
            Kept(id=each["LogicalResourceId"], type=each["ResourceType"], name=each.get("PhysicalResourceId", ""))
            for each in there
            if resources.get(each["LogicalResourceId"], {}).get("DeletionPolicy") in _KEPT
            and not each["ResourceStatus"].startswith("DELETE")
        ]

    def _planned(self, arn: str) -> tuple[str, str]:
        """Wait for the change set; returns its status and the reason for it."""
        deadline, pauses = time.monotonic() + PLAN_SECONDS, _pauses()
        while True:
            with told():
                found = self._cloud.describe_change_set(ChangeSetName=arn)
            if not found["Status"].endswith(("_PENDING", "_IN_PROGRESS")) or time.monotonic() > deadline:
                return found["Status"], found.get("StatusReason", "")
            time.sleep(next(pauses))

    def _changes(self, arn: str) -> Iterator[Change]:
        token: dict[str, str] = {}
        while True:
            with told():
                page = self._cloud.describe_change_set(ChangeSetName=arn, **token)
            for each in page.get("Changes", ()):
                facts = each["ResourceChange"]
                yield Change(
                    action=facts["Action"],
                    id=facts["LogicalResourceId"],
                    type=facts["ResourceType"],
                    replacement=facts.get("Replacement", ""),
                    is_kept="Retain" in facts.get("PolicyAction", ""),
                )
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _watch(self, stack_id: str, before: frozenset[str]) -> Iterator[Event]:
        """Events that are not in `before`, oldest first, until the stack's own says that it rests."""
        seen = set(before)
        for pause in _pauses():
            fresh = [event for event in self._events(stack_id, until=seen) if event.key not in seen]
            for event in reversed(fresh):
                seen.add(event.key)
                yield event
                if event.is_of_stack and not event.status.endswith("_IN_PROGRESS"):
                    return
            time.sleep(pause)

    def _events(self, stack_id: str, until: Iterable[str] = ()) -> Iterator[Event]:
        """The events, newest first, back to one of `until`."""
        with told():
            for page in self._cloud.get_paginator("describe_stack_events").paginate(StackName=stack_id):
                for each in page["StackEvents"]:
                    if each["EventId"] in until:
                        return
                    yield Event(
                        key=each["EventId"],
                        id=each["LogicalResourceId"],
                        type=each["ResourceType"],
                        status=each["ResourceStatus"],
                        reason=each.get("ResourceStatusReason", ""),
                        is_of_stack=each.get("PhysicalResourceId") == stack_id,
                    )


def _pauses() -> Iterator[float]:
    """Seconds between two looks: short at first, as small changes are done at once, then `POLL_SECONDS` for ever."""
    pause = FIRST_POLL_SECONDS
    while True:
        yield pause
        pause = min(2 * pause, POLL_SECONDS)


def check_ready(name: str, state: str) -> None:
    """Raises `Hindered` when a stack in that state can take no change."""
    if state in NEW or state in DONE or state in ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"):
        return
    if state.endswith("_IN_PROGRESS"):
        raise Hindered(f"the stack {name} is busy: {state}", "Wait until it is done, then try again.")
    if state == "UPDATE_ROLLBACK_FAILED":
        raise Hindered(
            f"the stack {name} could not go back to what it was ({state})",
            f"Mend what stands in the way, then: aws cloudformation continue-update-rollback --stack-name {name}",
        )
    raise Hindered(
        f"the stack {name} was never made whole ({state}), and cannot be changed",
        f"Remove what is left of it, then deploy again: slotkeeper aws delete --stack {name}",
    )


def no_stack(name: str) -> Hindered:
    """That there is no such stack."""
    return Hindered(
        f"there is no stack {name} in this region", "Make it: slotkeeper aws deploy; or look at --stack and --region."
    )


def failure(events: Iterable[Event]) -> Event | None:
    """The first event that failed by itself, not because another had; None when none did."""
    failed = [event for event in events if event.status.endswith("_FAILED")]
    own = [event for event in failed if not event.is_of_stack and "cancelled" not in event.reason.lower()]
    return next(iter(own or failed), None)


def advice(reason: str) -> str:
    """What to do about a resource's reason; empty when nobody knows."""
    return next((hint for pattern, hint in _ADVICE if re.search(pattern, reason)), "")
