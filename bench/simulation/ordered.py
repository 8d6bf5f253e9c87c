"""A set of texts in order, for stores that keep their lists in memory."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

BLOCK = 512
"""Texts in a block. What is put in shifts half a block on average, and no more."""


class Ordered:
    """Texts in the order of their code points, each once; adding, taking out and finding take the time of a block."""

    def __init__(self) -> None:
        self._blocks: list[list[str]] = []
        self._lasts: list[str] = []

    def add(self, text: str) -> None:
        """Put in a text that is not there."""
        if not self._blocks:
            self._blocks, self._lasts = [[text]], [text]
            return
        at = min(bisect_left(self._lasts, text), len(self._blocks) - 1)
        block = self._blocks[at]
        insort(block, text)
        if len(block) > 2 * BLOCK:
            self._blocks[at : at + 1] = [block[:BLOCK], block[BLOCK:]]
            self._lasts[at : at + 1] = [block[BLOCK - 1], block[-1]]
        else:
            self._lasts[at] = block[-1]

    def remove(self, text: str) -> None:
        """Take out a text that is there."""
        at = bisect_left(self._lasts, text)
        block = self._blocks[at]
        del block[bisect_left(block, text)]
        if block:
            self._lasts[at] = block[-1]
        else:
            del self._blocks[at], self._lasts[at]

    def forth(self, first: str, last: str) -> Iterator[str]:
        """The texts from `first` to `last`, both included."""
        start = bisect_left(self._lasts, first)
        for number in range(start, len(self._blocks)):
            block = self._blocks[number]
            for at in range(bisect_left(block, first) if number == start else 0, len(block)):
                if block[at] > last:
                    return
                yield block[at]

    def back(self, first: str, last: str) -> Iterator[str]:
        """The same, the last one first."""
        end = min(bisect_left(self._lasts, last), len(self._blocks) - 1)
        for number in range(end, -1, -1):
            block = self._blocks[number]
            for at in range((bisect_right(block, last) if number == end else len(block)) - 1, -1, -1):
                if block[at] < first:
                    return
                yield block[at]
