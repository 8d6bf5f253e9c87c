"""Plots as SVG, drawn here: they need no script, take their colours from the style sheet, and say what they show.

A plot is told by a title and a sentence; beside it stands a table with its numbers, which is the page's to draw.
"""

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

WIDTH, HEIGHT = 720, 190
_TOP, _BOTTOM, _MARGIN = 22, 24, 16
_HEAT_LEVELS = 5
_CELL, _LEFT = 27, 66


class Column(msgspec.Struct, frozen=True):
    """One column: what stands under it (or nothing), what it is, and its parts from the bottom up."""

    label: str
    name: str
    parts: Sequence[int]
    text: str = ""

    @property
    def total(self) -> int:
        return sum(self.parts)


def columns(title: str, about: str, found: Sequence[Column]) -> Markup:
    """Columns side by side, their parts on top of one another in the colours `part0`, `part1`. A column's text stands
    on it; without any the highest is told its total."""
    highest = max((each.total for each in found), default=0) or 1
    step, room = WIDTH / max(len(found), 1), HEIGHT - _TOP - _BOTTOM
    body = [Markup('<line class="axis" x1="0" x2="{}" y1="{y}" y2="{y}"/>').format(WIDTH, y=HEIGHT - _BOTTOM)]
    is_told = any(each.text for each in found)
    told = next((at for at, each in enumerate(found) if each.total == highest), None)
    for at, each in enumerate(found):
        x, y = at * step, float(HEIGHT - _BOTTOM)
        drawn = [Markup("<title>{}</title>").format(each.name)]
        for number, part in enumerate(each.parts):
            high = part / highest * room
            y -= high
            if part:
                drawn.append(_rect(f"part{number}", x + step * 0.12, y, step * 0.76, high))
        text = each.text if is_told else str(each.total) if at == told else ""
        if text:
            drawn.append(_text("value", x + step / 2, y - 6, text))
        if each.label:
            drawn.append(_text("label", x + step / 2, HEIGHT - 6, each.label))
        body.append(Markup("<g>{}</g>").format(Markup().join(drawn)))
    return _plot(title, about, WIDTH, HEIGHT, body, margin=_MARGIN)


def heat(title: str, about: str, rows: Sequence[tuple[str, Sequence[int]]], heads: Sequence[str]) -> Markup:
    """A row for each day and a square for each hour, the stronger the more; the number stands in it."""
    most = max((max(counts, default=0) for _, counts in rows), default=0) or 1
    body = []
    for at, head in enumerate(heads):
        body.append(_text("label", _LEFT + (at + 0.5) * _CELL, 14, head))
    for line, (name, counts) in enumerate(rows):
        y = 22 + line * _CELL
        body.append(_text("name", 0, y + _CELL * 0.65, name))
        for at, count in enumerate(counts):
            level = -(-count * _HEAT_LEVELS // most)
            x = _LEFT + at * _CELL
            body.append(_rect(f"heat{level}", x + 1, y + 1, _CELL - 2, _CELL - 2))
            if count:
                body.append(_text(f"in in{level}", x + _CELL / 2, y + _CELL * 0.65, str(count)))
    return _plot(title, about, _LEFT + _CELL * len(heads), 26 + _CELL * len(rows), body)


def bar(share: float) -> Markup:
    """A bar as long as the share of its line, for the cell of a table that says the number beside it."""
    kept = min(max(share, 0.0), 1.0) * 100
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="rail" width="100" height="8"/><rect class="part0" width="{:.2f}" height="8"/></svg>'
    ).format(kept)


def _plot(title: str, about: str, width: int, height: int, body: Sequence[Markup], margin: int = 0) -> Markup:
    return Markup(
        '<svg class="plot" viewBox="{} 0 {} {}" role="img" aria-label="{}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(-margin, width + 2 * margin, height, f"{title}. {about}", title, about, Markup().join(body))


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        kind, x, y, width, height
    )


def _text(kind: str, x: float, y: float, text: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(kind, x, y, text)
