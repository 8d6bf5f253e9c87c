"""A business's own colour on our pages, made lighter or darker until all can read what is written in it and on it.

Contrast is that of WCAG 2.2 (1.4.3): text needs 4.5 to 1 against what is behind it.
"""

import colorsys
from collections.abc import Iterator
from functools import lru_cache

import msgspec

ENOUGH = 4.5
_LIGHT_GROUNDS, _DARK_GROUNDS = ("#fbfaf7", "#ffffff"), ("#12151c", "#191d27", "#20252f")
_ON_LIGHT_ACCENT, _ON_DARK_ACCENT = "#ffffff", "#0b0f14"
_STEPS = 200


class Shades(msgspec.Struct, frozen=True):
    """What a theme is made of, for one of light and dark: the colour itself, what is written on it, and a tint that
    text and accent can stand on."""

    accent: str
    on_accent: str
    tint: str


def contrast(one: str, other: str) -> float:
    """How far two colours (`#rrggbb`) are apart, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def shades(accent: str, *, is_dark: bool) -> Shades:
    """The theme of a colour: of its hue, and as near to it as can be read on all our grounds and on its own tint."""
    grounds, on_accent = (_DARK_GROUNDS, _ON_DARK_ACCENT) if is_dark else (_LIGHT_GROUNDS, _ON_LIGHT_ACCENT)
    for shade in _nearer_to(accent, lightest=is_dark):
        tint = _mixed(shade, grounds[1], 0.12 if is_dark else 0.1)
        if min(contrast(shade, behind) for behind in (*grounds, on_accent, tint)) >= ENOUGH:
            return Shades(shade, on_accent, tint)
    raise AssertionError("black and white can be read everywhere")


@lru_cache(maxsize=1024)
def style(accent: str) -> bytes:
    """The style sheet that puts the colour in place of ours."""
    light, dark = _variables(shades(accent, is_dark=False)), _variables(shades(accent, is_dark=True))
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}".encode()


def _variables(one: Shades) -> str:
    return f"--accent:{one.accent};--on-accent:{one.on_accent};--tint:{one.tint}"


def _nearer_to(accent: str, *, lightest: bool) -> Iterator[str]:
    """The colour, then others of its hue: ever darker, or ever lighter."""
    yield accent
    hue, light, saturation = colorsys.rgb_to_hls(*_parts(accent))
    end = 1.0 if lightest else 0.0
    for step in range(1, _STEPS + 1):
        there = light + (end - light) * step / _STEPS
        yield _colour(colorsys.hls_to_rgb(hue, there, saturation))


def _mixed(one: str, other: str, share: float) -> str:
    return _colour([a * share + b * (1 - share) for a, b in zip(_parts(one), _parts(other), strict=True)])


def _luminance(colour: str) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def _colour(parts: "list[float] | tuple[float, float, float]") -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)
