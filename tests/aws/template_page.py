"""Writes docs/reference/template.md from the template: `python -m tests.aws.template_page`.

A test compares what it would write with what is committed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slotkeeper.aws import stack
from slotkeeper.aws.stack import outputs
from slotkeeper.aws.stack.parameters import GROUPS
from slotkeeper.aws.stack.roles import CALLS, actions_of
from slotkeeper.aws.stack.watching import ALARMS

PAGE = Path(stack.__file__).parents[4] / "docs" / "reference" / "template.md"

HEAD = """# The CloudFormation template

`src/slotkeeper/aws/template.json` is all of Slotkeeper on AWS: [why it is as it is](../decisions/0011-one-template.md).
`slotkeeper aws deploy` uploads it and deploys it; `--parameter Name=Value` sets what stands here. It is larger than
CloudFormation takes by itself (51,200 bytes), so any other tool must give it by an address in S3.

While nobody books, a stack without any parameter costs about $1.40 a month: the topics' key, and the alarms beyond the
ten that an account has free. What has a price of its own says so.

An account that SES keeps in its sandbox may only write to addresses that are verified too; the functions may send as
`FromAddress` alone, so ask for the sandbox to be left before real customers are written to.

## Parameters
"""

STAYS = """
## What stays when the stack goes

The table, and with it the key of `OwnKey`, the backup vault and the user pool: deleting the stack leaves them behind,
and the table and the pool are protected against being deleted by mistake. A new stack makes a new table; the old one
can be taken in with CloudFormation's import. The role by which API Gateway writes logs stays as well: other APIs of the
region may use it.

## What each function may call

Besides these AWS itself needs rights in their name: to write logs and traces, to read the stream, to use keys, to keep
failed events.

| function | calls |
|---|---|
"""


def template_page() -> str:
    """docs/reference/template.md."""
    parts = [HEAD]
    for label, group in GROUPS.items():
        parts.append(f"\n### {label}\n\n| parameter | default | may be | meaning |\n|---|---|---|---|\n")
        parts += [f"| `{name}` | {' | '.join(_cells(facts))} |\n" for name, facts in group.items()]
    parts.append("\n## Outputs\n\n| output | only with | what it is |\n|---|---|---|\n")
    parts += [f"| `{name}` | {_only(each)} | {each['Description']} |\n" for name, each in outputs().items()]
    parts.append(STAYS)
    parts += [f"| `{name}` | {', '.join(f'`{each}`' for each in sorted(actions_of(name)))} |\n" for name in CALLS]
    parts.append(
        "\n## Alarms\n\nThey tell `AlarmTopic`, and `AlarmEmail` where it is given.\n\n| alarm | says |\n|---|---|\n"
    )
    parts += [f"| `{name}` | {alarm.meaning} |\n" for name, alarm in ALARMS.items()]
    return "".join(parts)


def _cells(facts: dict[str, Any]) -> Iterator[str]:
    default = facts.get("Default")
    yield "needed" if default is None else "none" if default == "" else f"`{default}`"
    if "AllowedValues" in facts:
        yield ", ".join(str(each) for each in facts["AllowedValues"])
    elif "MinValue" in facts:
        yield f"{facts['MinValue']} to {facts['MaxValue']}"
    elif facts["Type"] == "CommaDelimitedList":
        yield "words with commas between"
    else:
        yield facts.get("ConstraintDescription", "text").removeprefix("it must be ").removeprefix("it must ")
    yield facts["Description"]


_WHERE = {
    "UsesApiKeys": "`Authentication=ApiKey`",
    "UsesCognito": "`Authentication=Cognito`",
    "HasDomain": "`DomainName`",
    "ServesPages": "`VisitorsMayBook` or `StaffPages`",
}


def _only(output: dict[str, Any]) -> str:
    return _WHERE[output["Condition"]] if "Condition" in output else ""


if __name__ == "__main__":
    PAGE.write_text(template_page(), "utf-8")
