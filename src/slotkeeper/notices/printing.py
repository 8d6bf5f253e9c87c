"""How templates are kept ready and printed: each is compiled once, and can reach nothing but what it is given."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import jinja2
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

KEPT = 1024


class Sandbox(ImmutableSandboxedEnvironment):
    """Prints names and the parts of dicts. There are no globals."""

    def __init__(self, *, is_html: bool) -> None:
        super().__init__(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=is_html)
        self.globals.clear()

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A dict's item, where it has one. The library asks for an attribute first, and a raised error is dear."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_TEXT, _HTML = Sandbox(is_html=False), Sandbox(is_html=True)


def printed(source: str, names: Mapping[str, object]) -> str:
    """The template as plain text.

    Raises:
        TemplateError, TypeError, ValueError, RecursionError, SyntaxError: it cannot be printed.
    """
    return _compiled(_TEXT, source).render(names)


def printed_html(source: str, names: Mapping[str, object]) -> str:
    """The template as HTML: what stands in it is markup, what is printed in it is escaped. Raises as `printed`."""
    return _compiled(_HTML, source).render(names)


@cache
def layout() -> str:
    """The template of the page that a message is set in."""
    return _file("layout.html").read_text("utf-8")


@cache
def packaged(language: str, kind: str) -> tuple[str, str]:
    """The subject and text of our own template; English where the language has none.

    Raises:
        KeyError: there is no such kind.
    """
    for code in (language, "en"):
        path = _file(f"{code}/{kind}.txt")
        if path.is_file():
            subject, _, text = path.read_text("utf-8").partition("\n")
            return subject, text
    raise KeyError(kind)


@lru_cache(maxsize=KEPT)
def _compiled(sandbox: Sandbox, source: str) -> jinja2.Template:
    template = sandbox.from_string(source)
    template.globals = {}  # every message would look through the chain of maps that stands here
    return template


def _file(name: str) -> Traversable:
    return files("slotkeeper.notices").joinpath("templates", name)
