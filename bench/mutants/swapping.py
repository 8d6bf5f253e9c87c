"""Putting a mutant into a process: into functions that are there, or in the place of a module not yet imported."""

import gc
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, FunctionType, ModuleType

from bench.mutants.forking import Refused
from bench.mutants.mutating import SOURCES, Mutant

Live = dict[tuple[str, str], list[FunctionType]]
"""The functions of this process, by file and qualified name, in the order of their text."""


def live_functions() -> Live:
    """All of Slotkeeper's, however they are wrapped: methods, properties, cached ones, and those inside others."""
    found: Live = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(str(SOURCES)):
            code = each.__code__
            found[code.co_filename, code.co_qualname].append(each)
    return found


def swap(mutant: Mutant, live: Live) -> None:
    """Give the mutant's function, and those within it, the code that they have in the mutant.

    Raises:
        Refused: that cannot be done, so the module has to be imported anew.
    """
    file = str(SOURCES / mutant.path)
    inside = mutant.function + ".<locals>."
    codes: dict[str, list[CodeType]] = defaultdict(list)
    for code in _codes(compile(mutant.source(), file, "exec", dont_inherit=True)):
        if code.co_qualname == mutant.function or code.co_qualname.startswith(inside):
            codes[code.co_qualname].append(code)
    if not live.get((file, mutant.function)):
        raise Refused(mutant.name)
    for name, new in codes.items():
        functions = live.get((file, name), [])
        lines = sorted({function.__code__.co_firstlineno for function in functions})
        if name == mutant.function and len(lines) != len(new):
            raise Refused(mutant.name)
        for function in functions:
            _give(function, new[lines.index(function.__code__.co_firstlineno)])


def _give(function: FunctionType, code: CodeType) -> None:
    try:
        function.__code__ = code
    except ValueError as error:  # another number of variables from outside
        raise Refused(function.__qualname__) from error


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def plant(mutant: Mutant) -> None:
    """Let the mutant be what is imported in the place of its module."""
    module = "slotkeeper." + mutant.path.removesuffix(".py").replace("/", ".")
    if module in sys.modules:
        raise RuntimeError(f"{module} is imported already")
    sys.meta_path.insert(0, _Finder(module, mutant))


class _Finder(MetaPathFinder):
    def __init__(self, module: str, mutant: Mutant) -> None:
        self._module = module
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        file = str(SOURCES / self._mutant.path)
        return spec_from_file_location(fullname, file, loader=_Loader(fullname, file, self._mutant.source()))


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)
