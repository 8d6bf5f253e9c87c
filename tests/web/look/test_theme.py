"""Whatever colour a business chooses, everybody can read its pages."""

import re
from itertools import product

import pytest

from slotkeeper.web.look.assets import asset
from slotkeeper.web.look.theme import ENOUGH, Shades, contrast, shades, style

GRID = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in product(range(0, 256, 51), repeat=3)]
GROUNDS = {False: ("#fbfaf7", "#ffffff"), True: ("#12151c", "#191d27", "#20252f")}


@pytest.mark.parametrize("is_dark", [False, True])
def test_every_colour_becomes_one_that_can_be_read(is_dark: bool) -> None:
    for accent in GRID:
        made = shades(accent, is_dark=is_dark)

        assert not _unreadable(made, is_dark), accent


@pytest.mark.parametrize("is_dark", [False, True])
def test_a_theme_that_takes_the_colour_as_it_is_would_be_found_out(is_dark: bool) -> None:
    careless = [accent for accent in GRID if _unreadable(Shades(accent, "#ffffff", "#ffffff"), is_dark)]

    assert len(careless) > len(GRID) // 3


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert shades("#0b6e5f", is_dark=False).accent == "#0b6e5f"
    assert shades("#5ad1bd", is_dark=True).accent == "#5ad1bd"


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#ffffff") == pytest.approx(1)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # the darkest grey that passes on white


def test_the_style_says_both_looks_and_nothing_else() -> None:
    text = style("#ffdd00").decode()

    assert re.fullmatch(
        r":root{--accent:#\w{6};--on-accent:#\w{6};--tint:#\w{6}}@media \(prefers-color-scheme:dark\){:root{.*}}", text
    )


def test_the_grounds_are_those_of_our_tokens() -> None:
    tokens = asset("staff.css").body.decode()

    for ground in (*GROUNDS[False], *GROUNDS[True]):
        assert re.search(rf"--(ground|panel|raised): ({ground}|#fff);", tokens), ground


def _unreadable(made: Shades, is_dark: bool) -> list[str]:
    behind = (*GROUNDS[is_dark], made.on_accent, made.tint)
    return [each for each in behind if contrast(made.accent, each) < ENOUGH]
