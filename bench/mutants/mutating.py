"""The mutants of a module: each is one change of a few words, told by where it is and what it says."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import msgspec
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider

from bench.mutants.operators import is_left_alone, pairs_at

SOURCES = Path(__file__).parents[2] / "src" / "slotkeeper"
SHOWN = 80
"""So much of what a mutant changes is told."""

WORD = 4
"""What is no longer than this is told with what is around it."""


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One change: the bytes `start..end` of the file at `path` below `SOURCES` become `text`.

    `function` is the outermost function whose body it is in, or empty: then it takes effect when the module is
    imported. `first..last` are the lines of its statement.
    """

    name: str
    path: str
    function: str
    first: int
    last: int
    start: int
    end: int
    text: str

    def source(self) -> str:
        """The whole module with the change."""
        whole = (SOURCES / self.path).read_bytes()
        return (whole[: self.start] + self.text.encode() + whole[self.end :]).decode()


def mutants_of(path: str) -> list[Mutant]:
    """All of the file at `path` below `SOURCES`, in the order of its text. No two are the same."""
    source = (SOURCES / path).read_bytes()
    wrapper = MetadataWrapper(cst.parse_module(source))
    finder = _Finder(path, wrapper, source)
    wrapper.visit(finder)
    seen, names, found = {_packed(source.decode())}, Counter[str](), []
    for mutant in finder.found:
        packed = _packed(mutant.source())
        if packed in seen:
            continue
        seen.add(packed)
        names[mutant.name] += 1
        count = names[mutant.name]
        found.append(msgspec.structs.replace(mutant, name=f"{mutant.name} (no. {count})") if count > 1 else mutant)
    return found


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, ByteSpanPositionProvider)

    def __init__(self, path: str, wrapper: MetadataWrapper, source: bytes) -> None:
        super().__init__()
        self._source = source
        self._parents: list[cst.CSTNode] = []
        self.found: list[Mutant] = []
        self._path = path
        self._module = wrapper.module
        self._names: list[str] = []
        self._function = ""
        self._body: cst.CSTNode | None = None
        self._statements: list[cst.CSTNode] = []
        self._annotations = 0
        self._meta = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if is_left_alone(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._names.append(node.name.value)
            if isinstance(node, cst.FunctionDef) and self._body is None:
                self._body = node.body
        if node is self._body:
            self._function = ".".join(self._names)
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            self._statements.append(node)
        self._annotations += isinstance(node, cst.Annotation)
        self._meta += _is_meta(node)
        if not self._annotations or self._meta:
            for before, after in pairs_at(node):
                self._note(before, after)
        self._parents.append(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        node = original_node
        if is_left_alone(node):
            return
        self._parents.pop()
        self._annotations -= isinstance(node, cst.Annotation)
        self._meta -= _is_meta(node)
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            self._statements.pop()
        if node is self._body:
            self._function, self._body = "", None
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._names.pop()

    def _note(self, before: cst.CSTNode, after: cst.CSTNode) -> None:
        span = self.get_metadata(ByteSpanPositionProvider, before)
        here = self.get_metadata(PositionProvider, before)
        text = self._module.code_for_node(after)
        first, last = here.start.line, here.end.line
        if self._statements:
            statement = self.get_metadata(PositionProvider, self._statements[-1])
            first = min(first, statement.start.line)
            if isinstance(self._statements[-1], cst.SimpleStatementLine):
                last = max(last, statement.end.line)
        where = ".".join(self._names)
        self.found.append(
            Mutant(
                name=f"{self._path}{' ' * bool(where)}{where}: {self._told(before, after)}",
                path=self._path,
                function=self._function,
                first=first,
                last=last,
                start=span.start,
                end=span.start + span.length,
                text=text,
            )
        )

    def _told(self, before: cst.CSTNode, after: cst.CSTNode) -> str:
        """What was and what is now; of a call only the argument that is another."""
        if isinstance(before, cst.Call) and isinstance(after, cst.Call):
            gone = [arg for arg in before.args if all(arg is not other for other in after.args)]
            if len(gone) == 1:
                function = _cut(self._code(before.func))
                named = f"{gone[0].keyword.value}=" if gone[0].keyword else ""
                return f"{function}(): {_cut(named + self._code(gone[0].value))} -> {'(left out)' if named else None}"
        was, now = self._around(before, self._module.code_for_node(after))
        return _shown(" ".join(was.split()), " ".join(now.split()))

    def _around(self, node: cst.CSTNode, text: str) -> tuple[str, str]:
        """The smallest part of the module that is more than a word or two and has the node in it, as it is and with
        the text in the node's place."""
        span = self.get_metadata(ByteSpanPositionProvider, node)
        last = span.start + span.length
        around = span
        for parent in reversed(self._parents):
            if around.length >= len(text) + WORD or isinstance(parent, cst.BaseStatement):
                break
            around = self.get_metadata(ByteSpanPositionProvider, parent, around)
        before = self._source[around.start : span.start].decode()
        after = self._source[last : around.start + around.length].decode()
        return before + self._source[span.start : last].decode() + after, before + text + after

    def _code(self, node: cst.CSTNode) -> str:
        return " ".join(self._module.code_for_node(node).split())


def _packed(source: str) -> str:
    """The text without white space and brackets that only hold together: the same text is the same mutant."""
    return "".join(source.split()).replace(",)", ")")


def _is_meta(node: cst.CSTNode) -> bool:
    """Whether it says within an annotation what a value may be."""
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "Meta"


def _shown(was: str, now: str) -> str:
    """`was -> now`; of long ones only the part that differs, with what is around it."""
    if len(was) <= SHOWN:
        return f"{was} -> {now}"
    common = 0
    while common < min(len(was), len(now)) and was[common] == now[common]:
        common += 1
    cut = max(common - SHOWN // 3, 0)
    return f"{'...' if cut else ''}{_cut(was[cut:])} -> {'...' if cut else ''}{_cut(now[cut:])}"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def functions_of(path: str) -> Iterator[tuple[str, int, int]]:
    """The outermost functions of a file: their qualified name, first line (of the `def`) and last."""
    yield from _functions(ast.parse((SOURCES / path).read_bytes()), "")


def _functions(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, int, int]]:
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + each.name, each.lineno, each.end_lineno or each.lineno
        elif isinstance(each, ast.ClassDef):
            yield from _functions(each, f"{prefix}{each.name}.")
