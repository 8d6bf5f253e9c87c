"""The small changes that make a mutant, and the places that are left alone because no change there can matter.

Most are mutmut's. Ours are added where its list is silent: a call for its effect that is left out, a bare condition
turned round, an error that is no longer caught, and the comparisons inside a query's text.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst
from libcst import matchers as m
from mutmut.mutation import mutators

Pair = tuple[cst.CSTNode, cst.CSTNode]
"""A node of the tree, and what stands in its place in the mutant."""

THEIRS = [
    (kind, operator)
    for kind, operator in mutators.mutation_operators
    if operator not in (mutators.operator_string, mutators.operator_match)
]
"""Without its strings, which it makes three of, and its `match`, which cannot be written as a change of a few words."""

OUTSIDE = {"NewType", "TypeVar", "ParamSpec", "cast", "getLogger", "assert_never", "lru_cache", "overload"}
"""Calls that say something to readers, to the type checker or about speed, and nothing that a caller could notice."""

WITHOUT_ARGUMENTS = {"len", "isinstance", "issubclass", "super"}
"""Calls whose arguments are changed no further: without them they only fail."""

ASIDE = {"frozen", "kw_only", "slots", "total", "cache_hash", "gc", "strict"}
"""What a class says of itself to the type checker or about speed, and how `zip` guards what is so already."""

_QUERY = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|ORDER BY|PRAGMA|BEGIN|BETWEEN|#part|attribute_not_exists|:version)"
)
_WORDS = {" <= ": " < ", " < ": " <= ", " >= ": " > ", " > ": " >= ", " = ": " <> ", " AND ": " OR ", " DESC": " ASC"}
_WORD = re.compile("|".join(map(re.escape, _WORDS)))


def is_left_alone(node: cst.CSTNode) -> bool:
    """Whether nothing in the node is changed: docstrings, wording, log lines, hints for types and for speed."""
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString | cst.ConcatenatedString):
        return True
    if isinstance(node, cst.Import | cst.ImportFrom | cst.Assert):
        return True
    if isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value in ASIDE:
        return True
    if m.matches(node, m.If(test=m.Name("TYPE_CHECKING"))):
        return True
    if m.matches(node, m.Assign(targets=[m.AssignTarget(target=m.Name("__slots__"))])):
        return True
    if isinstance(node, cst.Assign) and isinstance(node.value, cst.Call) and is_left_alone(node.value):
        return True
    if isinstance(node, cst.Call):
        return _name(node.func) in OUTSIDE or m.matches(node.func, m.Attribute(value=m.Name("_log")))
    return is_wording(node)


def is_wording(node: cst.CSTNode) -> bool:
    """Whether it is text for people: it has a blank in it, and is no query."""
    return isinstance(node, cst.BaseString) and " " in (text := _text(node)) and not _QUERY.search(text)


def pairs_at(node: cst.CSTNode) -> Iterator[Pair]:
    """Each change at this node, though not below it."""
    if isinstance(node, cst.Call) and _name(node.func) in WITHOUT_ARGUMENTS:
        return
    for kind, operator in THEIRS:
        if isinstance(node, kind):
            for changed in operator(node):
                if not _is_idle(node, changed) and not _is_alias(node):
                    yield node, changed
    for ours in OURS:
        yield from ours(node)


def _strings(node: cst.CSTNode) -> Iterator[Pair]:
    if not isinstance(node, cst.SimpleString | cst.FormattedStringText):
        return
    if _QUERY.search(_text(node)):
        for found in _WORD.finditer(node.value):
            changed = node.value[: found.start()] + _WORDS[found[0]] + node.value[found.end() :]
            yield node, node.with_changes(value=changed)
    elif isinstance(node, cst.SimpleString):
        for changed_node in mutators.operator_string(node):
            yield node, changed_node
            return


def _effects(node: cst.CSTNode) -> Iterator[Pair]:
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        yield node, cst.Pass()


def _conditions(node: cst.CSTNode) -> Iterator[Pair]:
    if isinstance(node, cst.If | cst.CompIf) and isinstance(node.test, cst.Name | cst.Attribute | cst.Call):
        yield node.test, cst.UnaryOperation(cst.Not(), node.test)


def _caught(node: cst.CSTNode) -> Iterator[Pair]:
    if not isinstance(node, cst.ExceptHandler) or node.type is None:
        return
    if not isinstance(node.type, cst.Tuple):
        yield node.type, cst.Tuple([])
        return
    for at in range(len(node.type.elements)):
        left = [element for other, element in enumerate(node.type.elements) if other != at]
        yield node.type, node.type.with_changes(elements=left)


OURS: list[Callable[[cst.CSTNode], Iterator[Pair]]] = [_strings, _effects, _conditions, _caught]


def _is_idle(node: cst.CSTNode, changed: cst.CSTNode) -> bool:
    """Whether a call with another argument tells nothing: text for people, or what another mutant tells as well.

    mutmut makes of each argument None, and leaves it out. A named one is left out here, another becomes None.
    """
    if not isinstance(node, cst.Call) or not isinstance(changed, cst.Call):
        return False
    gone = [arg for arg in node.args if all(arg is not other for other in changed.args)]
    if len(gone) != 1:
        return False
    if gone[0].keyword is not None and gone[0].keyword.value in ASIDE:
        return True
    is_left_out = len(changed.args) < len(node.args)
    return is_wording(gone[0].value) or is_left_out == (gone[0].keyword is None)


def _is_alias(node: cst.CSTNode) -> bool:
    """Whether it names a type for annotations alone."""
    return m.matches(node, m.Assign(value=m.Subscript(value=m.Name("Callable") | m.Name("dict") | m.Name("tuple"))))


def _name(function: cst.BaseExpression) -> str:
    return function.value if isinstance(function, cst.Name) else ""


def _text(node: Any) -> str:
    match node:
        case cst.SimpleString() | cst.FormattedStringText():
            return node.value
        case cst.FormattedString():
            return "".join(part.value for part in node.parts if isinstance(part, cst.FormattedStringText))
        case cst.ConcatenatedString():
            return _text(node.left) + _text(node.right)
        case _:
            return ""
