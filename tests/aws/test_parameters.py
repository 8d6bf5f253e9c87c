"""A template's parameters are checked, and keep what they were."""

import pytest

from slotkeeper.aws.parameters import chosen, pairs
from slotkeeper.core.errors import Invalid
from tests.aws.cloud import template


def test_a_deploy_that_forgot_what_was_set_would_be_seen() -> None:
    kept = {"Seconds": "40", "Mode": "large"}

    assert chosen(template(), {}, kept) != chosen(template(), {}, ())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Mode=huge", "Mode may be small, large, not 'huge'"),
        ("mode=small", "did you mean Mode?"),
        ("Qqqqq=1", "there are Mode, Needed, Seconds, Word"),
        ("Word=a b", "one word, please"),
        ("Mode=large", "--parameter Needed=..."),
    ],
)
def test_a_wrong_value_is_told_of_before_aws_is_asked(given: str, said: str) -> None:
    what = template()
    what["Parameters"] |= {
        "Needed": {"Type": "String"},
        "Word": {
            "Type": "String",
            "Default": "",
            "AllowedPattern": "[a-z]*",
            "ConstraintDescription": "one word, please",
        },
    }

    with pytest.raises(Invalid) as caught:
        chosen(what, pairs([given]))
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["Mode", "=small", ""])
def test_a_parameter_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="write Name=Value"):
        pairs([text])


def test_a_value_may_be_empty_and_may_hold_equals_signs() -> None:
    assert pairs(["A=", "B=c=d", "B=e=f"]) == {"A": "", "B": "e=f"}
