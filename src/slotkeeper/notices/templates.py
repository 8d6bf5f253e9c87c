"""A business's own templates: what may stand in one, and which one serves a message.

A template may print what `NAMES` lists, with `if`, a loop over `resources` and some filters, and nothing else: it can
neither reach into the program nor keep it busy.
"""

from collections.abc import Iterable
from typing import get_args

from jinja2 import TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from slotkeeper.core.errors import Invalid
from slotkeeper.documents import Template, TemplateKind

KINDS: tuple[TemplateKind, ...] = get_args(TemplateKind)

NAMES: dict[str, frozenset[str]] = {
    "business": frozenset({"name", "location", "email", "zone"}),
    "service": frozenset({"name", "description", "minutes"}),
    "appointment": frozenset(
        {"id", "when", "date", "time", "zone", "customerTime", "was", "expires", "reason"},
    ),
    "customer": frozenset({"name", "email", "phone"}),
    "resources": frozenset(),
    "lead": frozenset(),
    "notes": frozenset(),
    "location": frozenset(),
    "link": frozenset(),
    "details": frozenset(),
}
"""What a template may name, and the parts of each. `details` is the block of service, time, place and people; `link` is
the address where the customer can see, move or cancel the appointment, or empty."""

FILTERS = frozenset({"upper", "lower", "title", "capitalize", "trim", "default", "d", "join", "escape", "e", "length"})

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.If,
    nodes.CondExpr, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand, nodes.Filter, nodes.Keyword,
    nodes.For, nodes.Concat,
)  # fmt: skip
_COMPARISONS = ("eq", "ne")
_MAX_LEVELS = 30
"""How deep `if`, filters and parentheses may stand in one another: Python compiles no more than 100 indents."""

_TOO_DEEP = f"the template is nested deeper than {_MAX_LEVELS} levels: say it with fewer ifs, filters and parentheses"
_parser = ImmutableSandboxedEnvironment()


def check_template(template: Template) -> None:
    """Raises `Invalid`, naming the field, for a template that does not compile, or uses what is not known."""
    for field in ("subject", "text", "html"):
        try:
            check_source(getattr(template, field))
        except Invalid as error:
            raise error.within(field) from None


def check_source(source: str) -> None:
    """Raises `Invalid` for a source that does not compile, or uses what is not known."""
    try:
        tree = _parser.parse(source)
        own = {loop.target.name for loop in tree.find_all(nodes.For) if isinstance(loop.target, nodes.Name)}
    except TemplateError as error:
        raise Invalid(f"the template does not compile: {error}") from None
    except RecursionError:
        raise Invalid(_TOO_DEEP) from None
    except ValueError:
        raise Invalid("the template does not compile: a number in it has too many digits") from None
    own.add("loop")
    _check(tree, own, is_in_loop=False, levels=_MAX_LEVELS)


def chosen(templates: Iterable[Template], kind: str, service_id: str, languages: Iterable[str]) -> Template | None:
    """The template for a message: of the service before that of all, in the languages' order before that of all.

    `languages` are tried in turn, each also without its region. None: our own words serve.
    """
    mine = {(each.service_id, each.language.lower()): each for each in templates if each.kind == kind}
    if not mine:
        return None
    tags = [tag.lower() for tag in languages if tag]
    wanted = [form for tag in tags for form in (tag, tag.split("-", 1)[0])]
    for service in dict.fromkeys([service_id, ""]):
        for language in (*wanted[:2], "", *wanted[2:]):
            if (service, language) in mine:
                return mine[service, language]
    return None


def _check(node: nodes.Node, own: set[str], *, is_in_loop: bool, levels: int) -> None:
    if not levels:
        raise Invalid(_TOO_DEEP)
    if not isinstance(node, _ALLOWED):
        raise Invalid(f"line {node.lineno}: a template prints names, with if, for and filters, and nothing else")
    match node:
        case nodes.Name(name=name) if name not in NAMES and name not in own:
            raise Invalid(f"line {node.lineno}: unknown name {name!r}; known are {', '.join(sorted(NAMES))}")
        case nodes.Getattr():
            _check_part(node, own)
        case nodes.Filter() if node.name not in FILTERS:
            raise Invalid(f"line {node.lineno}: unknown filter {node.name!r}; known are {', '.join(sorted(FILTERS))}")
        case nodes.Operand() if node.op not in _COMPARISONS:
            raise Invalid(f"line {node.lineno}: compare with == and != only")
        case nodes.For():
            if is_in_loop or not isinstance(node.iter, nodes.Name) or node.iter.name != "resources" or node.recursive:
                raise Invalid(f"line {node.lineno}: the only loop is one over resources")
            is_in_loop = True
        case _:
            pass
    for child in node.iter_child_nodes():
        _check(child, own, is_in_loop=is_in_loop, levels=levels - 1)


def _check_part(node: nodes.Getattr, own: set[str]) -> None:
    whole = node.node
    if isinstance(whole, nodes.Name) and whole.name == "loop" and "loop" in own and node.attr in ("first", "last"):
        return
    if not isinstance(whole, nodes.Name) or node.attr not in NAMES.get(whole.name, frozenset()):
        name = whole.name if isinstance(whole, nodes.Name) else ""
        names = [name] if NAMES.get(name) else sorted(NAMES)
        known = ", ".join(f"{each}.{part}" for each in names for part in sorted(NAMES[each]))
        raise Invalid(f"line {node.lineno}: unknown part {node.attr!r}; known are {known}")
