"""Reading what HTML forms send: as strictly as JSON, also where the handler declares the fields."""

import msgspec
import pytest

from slotkeeper.core.errors import Invalid
from slotkeeper.web.bodies import Malformed, TooLarge, WrongMedia
from slotkeeper.web.forms import DeclaredForm, MemberForm, read_form
from slotkeeper.web.http import Request
from slotkeeper.web.look.languages import speech
from slotkeeper.web.staff.fields import Number, Span, Text, Tick, Ticks, read

MEDIA = "application/x-www-form-urlencoded"
ENGLISH = speech("en")
FIELDS = (
    Text(name="name", label="Name", is_needed=True, most=5),
    Number(name="count", label="Count", least=1, most=9),
    Tick(name="active", label="Active"),
    Ticks(name="days", label="Days", options=(("mon", "Monday"), ("tue", "Tuesday"))),
    Span(name="lead", label="Lead", least=5, most=2880),
)


class Plain(MemberForm, frozen=True, kw_only=True):
    """A form of one field."""

    name: str = ""


def request(body: bytes, media: str = MEDIA) -> Request:
    return Request("POST", "/", headers={"content-type": media}, body=body)


def test_a_declared_form_keeps_what_was_typed_by_name() -> None:
    form = read_form(request(b"csrf=x&day=mon&day=tue&note=a%0D%0Ab&empty="), DeclaredForm)

    assert form.csrf == "x"
    assert form.typed == {"day": ("mon", "tue"), "note": ("a\nb",), "empty": ("",)}


@pytest.mark.parametrize("kind", [Plain, DeclaredForm])
@pytest.mark.parametrize(
    "body", [b"csrf=a&csrf=b", b"name=%", b"name", b"name=%ff", "name=\u00e9".encode(), b"&" * 3000]
)
def test_what_two_readers_could_take_in_two_ways_is_refused(kind: type[MemberForm], body: bytes) -> None:
    with pytest.raises(Malformed):
        read_form(request(body), kind)


@pytest.mark.parametrize("kind", [Plain, DeclaredForm])
def test_a_form_has_its_media_type_and_a_size(kind: type[MemberForm]) -> None:
    with pytest.raises(WrongMedia):
        read_form(request(b"name=a", "multipart/form-data; boundary=x"), kind)
    with pytest.raises(TooLarge):
        read_form(request(b"name=" + b"a" * 100), kind, 100)


def test_a_form_of_named_fields_takes_each_once_and_no_other() -> None:
    assert read_form(request(b"csrf=x&name=Ada"), Plain).name == "Ada"
    with pytest.raises(Malformed, match="only once"):
        read_form(request(b"name=a&name=b"), Plain)
    with pytest.raises(Invalid, match="no such field"):
        read_form(request(b"other=a"), Plain)


def test_a_declared_form_has_at_most_two_thousand_fields() -> None:
    assert len(read_form(request(b"&".join([b"a=1"] * 2000)), DeclaredForm).typed["a"]) == 2000
    with pytest.raises(Malformed, match="2000"):
        read_form(request(b"&".join([b"a=1"] * 2001)), DeclaredForm)


def test_all_that_is_wrong_is_told_at_once_and_what_was_typed_is_kept() -> None:
    typed = {"name": ("Adelaide",), "count": ("ten",), "days": ("sun",), "lead": ("3",), "lead.unit": ("1440",)}

    filled = read(FIELDS, typed, ENGLISH)

    assert filled.wrong == {
        "name": "Use at most 5 characters; these are 8",
        "count": "Write a whole number",
        "days": "Choose one of these",
        "lead": "This is from 5 to 2880 minutes",
    }
    assert filled.typed == typed | {"active": ("",)}


def test_what_is_right_becomes_values() -> None:
    typed = {"name": (" Ada ",), "active": ("yes",), "days": ("tue",), "lead": ("2",), "lead.unit": ("60",)}

    assert read(FIELDS, typed, ENGLISH).values == {
        "name": "Ada", "count": None, "active": True, "days": ("tue",), "lead": 120,
    }  # fmt: skip


@pytest.mark.parametrize("typed", [{"name": ("a", "b")}, {"lead.unit": ("1", "60")}, {"version": ("1", "2")}])
def test_a_declared_field_that_may_come_once_comes_once(typed: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(Malformed, match="only once"):
        read(FIELDS, typed, ENGLISH)


def test_a_field_that_was_not_declared_is_refused() -> None:
    with pytest.raises(Invalid, match="no such field"):
        read(FIELDS, {"role": ("owner",)}, ENGLISH)


def test_characters_that_nobody_sees_are_taken_out_and_told_of() -> None:
    filled = read(FIELDS, {"name": ("A\u202eda",)}, ENGLISH)

    assert filled.typed["name"] == ("Ada",)
    assert "cannot be seen" in filled.wrong["name"]


@pytest.mark.parametrize("minutes", [0, 5, 60, 90, 1440, 2880])
def test_a_length_is_typed_as_it_was_written(minutes: int) -> None:
    span = Span(name="lead", label="Lead")

    assert span.read(span.write(minutes)) == minutes


def test_forms_are_frozen() -> None:
    with pytest.raises(AttributeError):
        DeclaredForm().csrf = "x"  # type: ignore[misc] # that is the point
    assert msgspec.structs.asdict(DeclaredForm()) == {"csrf": "", "typed": {}}
