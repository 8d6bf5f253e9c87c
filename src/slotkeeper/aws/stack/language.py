"""CloudFormation's own words as plain dicts: references, conditions, tags, and why a linter's rule does not fit."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
"""A piece of the template."""

NO_VALUE: Json = {"Ref": "AWS::NoValue"}
"""In place of a property: as if it were not there."""


def ref(name: str) -> Json:
    """A parameter's value, or what a resource is called by."""
    return {"Ref": name}


def att(resource: str, attribute: str = "Arn") -> Json:
    return {"Fn::GetAtt": [resource, attribute]}


def sub(text: str, **values: Any) -> Json:
    """The text with `${...}` filled in; `values` are those that are neither parameters nor resources."""
    return {"Fn::Sub": [text, values] if values else text}


def split(parameter: str) -> Json:
    """The words of a parameter that has commas between them."""
    return {"Fn::Split": [",", ref(parameter)]}


def arn(service: str, rest: str) -> Json:
    """An ARN of this account in this region, whatever the partition."""
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")


def when(condition: str, then: Any, otherwise: Any = NO_VALUE) -> Json:
    return {"Fn::If": [condition, then, otherwise]}


def condition(name: str) -> Json:
    return {"Condition": name}


def equals(left: Any, right: Any) -> Json:
    return {"Fn::Equals": [left, right]}


def neither(of: Json) -> Json:
    return {"Fn::Not": [of]}


def both(*of: Json) -> Json:
    return {"Fn::And": list(of)}


def either(*of: Json) -> Json:
    return {"Fn::Or": list(of)}


def is_on(parameter: str) -> Json:
    return equals(ref(parameter), "true")


def is_given(parameter: str) -> Json:
    return neither(equals(ref(parameter), ""))


TAGS: Mapping[str, Any] = {
    "Project": ref("Project"),
    "CostCenter": ref("CostCenter"),
    "Stack": ref("AWS::StackName"),
}
"""What costs are told apart by: to be switched on once under Billing, Cost allocation tags."""


def tags() -> list[Json]:
    """The tags as most types take them."""
    return [{"Key": key, "Value": value} for key, value in TAGS.items()]


PASSING = frozenset({"KMS::Key", "Logs::LogGroup", "SQS::Queue"})
"""What holds data, and goes with the stack all the same: it says so."""


def resource(
    kind: str,
    properties: Mapping[str, Any],
    *,
    only: str = "",
    after: Sequence[str] = (),
    kept: bool = False,
    checkov: Mapping[str, str] | None = None,
    nag: Mapping[str, str] | None = None,
) -> Json:
    """One resource: made `only` under a condition, `after` others, `kept` when the stack goes.

    `checkov` and `nag` (cdk-nag) say for each of their rules that does not fit here why it does not.
    """
    made: Json = {"Type": f"AWS::{kind}"}
    if only:
        made["Condition"] = only
    if after:
        made["DependsOn"] = list(after)
    if kept or kind in PASSING:
        fate = "Retain" if kept else "Delete"
        made |= {"DeletionPolicy": fate, "UpdateReplacePolicy": fate}
    metadata: Json = {}
    if checkov:
        metadata["checkov"] = {"skip": [{"id": id, "comment": why} for id, why in checkov.items()]}
    if nag:
        metadata["cdk_nag"] = {"rules_to_suppress": [{"id": id, "reason": why} for id, why in nag.items()]}
    if metadata:
        made["Metadata"] = metadata
    made["Properties"] = dict(properties)
    return made


def joined(*parts: Mapping[str, Any]) -> Json:
    """All of the parts.

    Raises:
        ValueError: two have something of the same name.
    """
    whole: Json = {}
    for part in parts:
        if twice := sorted(whole.keys() & part.keys()):
            raise ValueError(f"{', '.join(twice)} stands in the template twice")
        whole |= part
    return whole


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Sequence[str], resources: Any, conditions: Json | None = None, **more: Any) -> Json:
    """A statement that allows; `conditions` narrow it, `more` are such as Principal or Sid."""
    statement: Json = {"Effect": "Allow", **more, "Action": list(actions), "Resource": resources}
    return statement | ({"Condition": conditions} if conditions else {})


def without_tls(actions: Sequence[str], resources: Any) -> Json:
    """The statement that refuses calls that are not encrypted on their way."""
    return {
        "Sid": "EncryptedOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
