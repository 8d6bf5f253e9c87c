"""Runs the Python blocks of README.md and docs/, and reads the JSON and TOML ones, as tests."""

import json
import tomllib

from hypothesis import settings
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

# No deadlines: how long one example takes says more of what else the machine does.
settings.register_profile("usual", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=25)  # for `make fast`
settings.load_profile("usual")


def _reads_as_json(example: Example) -> None:
    json.loads(example.parsed)


def _reads_as_toml(example: Example) -> None:
    tomllib.loads(example.parsed)


# `<!-- skip: next "why" -->` before a block leaves it out, and says why.
pytest_collect_file = Sybil(
    parsers=[
        SkipParser(),
        PythonCodeBlockParser(),
        CodeBlockParser("json", _reads_as_json),
        CodeBlockParser("toml", _reads_as_toml),
    ],
    patterns=["README.md", "docs/**/*.md"],
).pytest()
