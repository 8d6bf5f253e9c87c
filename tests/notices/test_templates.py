"""A business's own templates: what is refused, and which one serves."""

import pytest

from slotkeeper.core.errors import Invalid
from slotkeeper.documents import Template
from slotkeeper.notices.templates import NAMES, check_source, check_template, chosen

EVERYTHING = " ".join(
    f"{{{{ {name}.{part} }}}}" if part else f"{{{{ {name} }}}}"
    for name, parts in NAMES.items()
    for part in (parts or {""})
)


def a_template(language: str = "", service_id: str = "", kind: str = "reminder", **others: str) -> Template:
    facts = {"subject": f"{service_id}/{language}", "text": "Hello"} | others
    return Template(kind=kind, language=language, service_id=service_id, **facts)  # type: ignore[arg-type] # a str of KINDS


@pytest.mark.parametrize(
    "source",
    [
        "",
        "plain words",
        EVERYTHING,
        "{% if customer.name and lead %}a{% elif not notes %}b{% else %}c{% endif %}",
        "{% for name in resources %}{{ name }}{% if not loop.last %}, {% endif %}{% endfor %}",
        "{{ resources|join(', ') }} {{ notes|default('none')|upper }} {{ 'a' if lead == 'now' else 'b' }}",
        "{# a remark #}",
    ],
)
def test_a_template_may_print_what_is_promised(source: str) -> None:
    check_source(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ nobody }}",
        "{{ customer.password }}",
        "{{ customer.__class__.__mro__ }}",
        "{{ customer['name'] }}",
        "{{ ''.__class__ }}",
        "{{ customer.name.upper() }}",
        "{{ range(10) }}",
        "{% for a in range(1000000) %}x{% endfor %}",
        "{% for a in resources %}{% for b in resources %}x{% endfor %}{% endfor %}",
        "{% for a in notes %}x{% endfor %}",
        "{{ notes * 1000000 }}",
        "{{ 'x'|center(1000000000) }}",
        "{{ '%s'|format(notes) }}",
        "{{ 2 ** 99999999 }}",
        "{{ notes > 3 }}",
        "{% set x = 1 %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{% if %}",
        "{{ notes",
        "{{ self }}",
        "{{ loop.index }}",
        "{% filter upper %}x{% endfilter %}",
        "{{ notes|safe }}",
        "{{ " + "(" * 9000 + "lead" + ")" * 9000 + " }}",
        "{{ " + "not " * 4000 + "lead }}",
        "{{ lead" + "|upper" * 2500 + " }}",
        "{{ " + "lead if lead else " * 900 + "lead }}",
        "{% if lead %}" * 100 + "x" + "{% endif %}" * 100,
        "{{ " + "9" * 5000 + " }}",
    ],
    ids=lambda source: source[:40],
)
def test_a_template_may_do_nothing_else(source: str) -> None:
    with pytest.raises(Invalid):
        check_source(source)


def test_a_wrong_part_is_answered_with_those_of_its_name() -> None:
    with pytest.raises(Invalid, match=r"known are customer\.email, customer\.name, customer\.phone$"):
        check_source("{{ customer.nam }}")


@pytest.mark.parametrize("field", ["subject", "text", "html"])
def test_the_field_that_is_wrong_is_named(field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_template(a_template(**{field: "{{ nobody }}"}))

    assert caught.value.field == field
    assert "nobody" in caught.value.message


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ([("de", "visit"), ("", "visit"), ("de", ""), ("", "")], "visit/de"),
        ([("", "visit"), ("de", ""), ("", "")], "visit/"),
        ([("de", ""), ("", "")], "/de"),
        ([("", ""), ("fr", ""), ("de", "other")], "/"),
        ([("en", "")], "/en"),
        ([("fr", ""), ("fr", "visit"), ("de", "other")], None),
        ([], None),
    ],
)
def test_the_nearest_template_serves(stored: list[tuple[str, str]], found: str | None) -> None:
    templates = [a_template(language, service) for language, service in stored]

    template = chosen([*templates, a_template("de", "visit", "booked")], "reminder", "visit", ("de-AT", "en"))

    assert (template.subject if template else None) == found
