"""Every language that the pages speak says all that they say, and the catalogues are those of the sources."""

import pytest

from slotkeeper.web.look.languages import CODES, speech
from tests import catalogues
from tests.catalogues import LANGUAGES, LOCALE, complaints, updated, written


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_in_english(language: str) -> None:
    assert complaints(language) == [], "run `make languages`, and translate what is new"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogues_are_those_of_the_sources(language: str) -> None:
    text, compiled = written(updated(language))
    folder = LOCALE / language / "LC_MESSAGES"

    assert (folder / "pages.po").read_bytes() == text, "run `make languages`"
    assert (folder / "pages.mo").read_bytes() == compiled, "run `make languages`"


def test_a_text_without_its_translation_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    poorer = catalogues.kept("fr")
    poorer["Skip to the content"].string = ""
    poorer["Sign in"].string = "%(surprise)s"
    monkeypatch.setattr(catalogues, "kept", lambda language: poorer)

    assert complaints("fr") == ["not translated: 'Skip to the content'", "other places than in 'Sign in'"]


def test_each_language_is_spoken() -> None:
    said = {code: speech(code).say("Skip to the content") for code in CODES}

    assert len(set(said.values())) == len(CODES)
    assert said["de"] != said["en"] == "Skip to the content"
