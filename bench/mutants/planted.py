"""Changes of which it is known what must become of them: by these the machinery itself is judged."""

from collections.abc import Mapping

from bench.mutants.mutating import SOURCES, Mutant, functions_of
from bench.mutants.trying import Result

MODULE = "core/sheet.py"
PLANTED = "planted: "
TESTS = "tests/core/test_sheet.py"


def planted() -> Mapping[str, tuple[Mutant, Result]]:
    """By what each is, the change and what must become of it: faults that tests notice, and other words for the same,
    which none can. Some are within a function, some take effect when the module is imported."""
    kept, loop = "claim.owner != owner)", "while True:\n        owner += owner[:0]\n    return tuple(claim"
    return {
        "a fault": (_change("removed", kept, "claim.owner == owner)"), "killed"),
        "a fault at import": (_change("", "NEVER = 0", "NEVER = 1"), "killed"),
        "what cannot be imported": (_change("", "NEVER = 0", "NEVER = 0 // 0"), "killed"),
        "a loop without end": (_change("removed", "return tuple(claim", loop), "timed out"),
        "other words": (_change("removed", kept, "not claim.owner == owner)"), "survived"),
        "other words at import": (_change("", "NEVER = 0", "NEVER = 1 - 1"), "survived"),
    }


def _change(function: str, was: str, now: str) -> Mutant:
    source = (SOURCES / MODULE).read_text("utf-8")
    if source.count(was) != 1:
        raise ValueError(f"{was!r} does not stand once in {MODULE}")
    start = source.index(was)
    line = source.count("\n", 0, start) + 1
    if function not in {"", *(name for name, first, last in functions_of(MODULE) if first <= line <= last)}:
        raise ValueError(f"{was!r} is not in {function}")
    return Mutant(
        name=PLANTED + now,
        path=MODULE,
        function=function,
        first=line,
        last=line,
        start=len(source[:start].encode()),
        end=len(source[: start + len(was)].encode()),
        text=now,
    )
