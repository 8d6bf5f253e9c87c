"""The catalogues of the pages' words, kept with the sources: `python -m tests.catalogues` brings them up to date.

It finds every text that is marked, adds the new ones to each language's `pages.po` (untranslated), drops those that are
gone, and compiles each into `pages.mo`, which is what the pages read.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WEB = Path(__file__).parent.parent / "src" / "slotkeeper" / "web"
LOCALE = WEB / "locale"
LANGUAGES = ("es", "fr", "de", "ar")
VISITORS_ONLY = ("es", "de", "ar")
"""Languages that speak to visitors alone."""

_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_OPTIONS = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true", "extensions": "jinja2.ext.do"}}
_KEYWORDS = {**DEFAULT_KEYWORDS, "say": None, "say_count": (1, 2)}
_PLACE = re.compile(r"%\(\w+\)[sd]|%%")


def template() -> Catalog:
    """All that the pages say, without translations; the places are files, for who translates."""
    catalog = Catalog(project="Slotkeeper", charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        WEB, method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS, comment_tags=("L10N:",)
    )
    for place, _, message, comments, context in sorted(found, key=lambda each: (each[0], each[1])):
        if message:
            catalog.add(message, None, [(place, None)], auto_comments=comments, context=context)  # type: ignore[list-item] # a place without its line, which changes too often
    return catalog


def kept(language: str) -> Catalog:
    """The catalogue as it lies there; an empty one for a new language."""
    path = _path(language)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language, charset="utf-8")


def updated(language: str) -> Catalog:
    """The catalogue with all that the pages say now: what is kept of it is translated as before."""
    before, after = kept(language), _empty(language)
    for message in wanted(language):
        old = before.get(message.id)
        string = old.string if old is not None and not old.fuzzy else None
        after.add(message.id, string, message.locations, auto_comments=message.auto_comments)
    return after


def wanted(language: str) -> Iterator[Message]:
    """What is to be said in the language: all, or what visitors are told."""
    for message in template():
        if message.id and (language not in VISITORS_ONLY or not _is_for_members(message)):
            yield message


def written(catalog: Catalog) -> tuple[bytes, bytes]:
    """The catalogue as its two files, the same for the same words: no dates."""
    text, compiled = BytesIO(), BytesIO()
    write_po(text, catalog, width=120, omit_header=True, sort_output=True, include_lineno=False)
    write_mo(compiled, catalog)
    return _header(catalog) + text.getvalue(), compiled.getvalue()


def complaints(language: str) -> list[str]:
    """What is not translated, or loses or gains something that is filled in."""
    found = []
    catalog = kept(language)
    for message in wanted(language):
        have = catalog.get(message.id)
        strings = [] if have is None else _all_of(have.string)
        ids = _all_of(message.id)
        if not strings or not all(strings):
            found.append(f"not translated: {ids[0]!r}")
        elif any(
            _places(each) - _places(" ".join(ids)) or _places(ids[0]) - {"%(num)s"} - _places(each) for each in strings
        ):
            found.append(f"other places than in {ids[0]!r}")
    return found


def main() -> None:
    for language in LANGUAGES:
        text, compiled = written(updated(language))
        path = _path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        path.with_suffix(".mo").write_bytes(compiled)
        missing = complaints(language)
        sys.stdout.write(f"{language}: {len(list(wanted(language)))} texts, {len(missing)} to be translated\n")


def _empty(language: str) -> Catalog:
    """A catalogue of no date: the same words make the same file."""
    never = datetime(2000, 1, 1, tzinfo=UTC)
    return Catalog(locale=language, charset="utf-8", fuzzy=False, creation_date=never, revision_date=never)


def _path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "pages.po"


def _header(catalog: Catalog) -> bytes:
    return (
        f'msgid ""\nmsgstr ""\n"Language: {catalog.locale_identifier}\\n"\n'
        f'"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    ).encode()


def _is_for_members(message: Message) -> bool:
    return all("staff/" in place for place, _ in message.locations)


def _all_of(words: Any) -> list[str]:
    """A message's one form, or its several."""
    return [words] if isinstance(words, str) else list(words or ())


def _places(text: str) -> set[str]:
    return set(_PLACE.findall(text))


if __name__ == "__main__":
    main()
