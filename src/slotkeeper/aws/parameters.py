"""The parameters of a template: which there are, what was asked for, and what stays as it was."""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from slotkeeper.core.errors import Invalid

FIELD = "parameter"


def pairs(texts: Iterable[str], field: str = FIELD) -> dict[str, str]:
    """`Name=Value` texts as a dict; the value may be empty, and the last of a name counts.

    Raises:
        Invalid: one has no `=`, or no name.
    """
    found = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise Invalid(f"{text[:60]!r} is no pair: write Name=Value", field=field)
        found[name] = value
    return found


def chosen(template: Mapping[str, Any], given: Mapping[str, str], kept: Collection[str] = ()) -> list[dict[str, Any]]:
    """The parameters as CloudFormation takes them: what is given, else what the stack has (`kept` names those), else
    the template's default.

    Raises:
        Invalid: one is not in the template, has a value that it does not allow, or is needed and not given.
    """
    known: Mapping[str, Mapping[str, Any]] = template.get("Parameters", {})
    for name, value in given.items():
        _check(name, value, known)
    missing = [name for name, facts in known.items() if "Default" not in facts and name not in {*given, *kept}]
    if missing:
        wanted = " ".join(f"--parameter {name}=..." for name in missing)
        raise Invalid(f"the template needs a value: {wanted}", field=FIELD)
    return [
        {"ParameterKey": name, "ParameterValue": given[name]}
        if name in given
        else {"ParameterKey": name, "UsePreviousValue": True}
        for name in known
        if name in given or name in kept
    ]


def _check(name: str, value: str, known: Mapping[str, Mapping[str, Any]]) -> None:
    """CloudFormation would refuse these too, but later, and without the nearest name."""
    if name not in known:
        close = get_close_matches(name, known, n=1, cutoff=0.5)
        close = close or [each for each in known if each.lower() == name.lower()]
        better = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known)) or 'none'}"
        raise Invalid(f"the template has no parameter {name[:60]!r}: {better}", field=FIELD)
    facts = known[name]
    allowed = [str(each) for each in facts.get("AllowedValues", ())]
    if allowed and value not in allowed:
        raise Invalid(f"{name} may be {', '.join(allowed)}, not {value[:60]!r}", field=FIELD)
    if "AllowedPattern" in facts and not re.fullmatch(facts["AllowedPattern"], value):
        why = facts.get("ConstraintDescription") or f"it must match {facts['AllowedPattern']}"
        raise Invalid(f"{name} cannot be {value[:60]!r}: {why}", field=FIELD)
