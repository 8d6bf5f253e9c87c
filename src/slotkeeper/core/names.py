"""The order of names, as people expect it."""

import re


def in_order(name: str) -> list[str | int]:
    """What names are sorted by: their numbers as numbers, so that Room 2 comes before Room 10, and capitals or not."""
    return [int(part) if at % 2 else part for at, part in enumerate(re.split(r"(\d+)", name.casefold()))]
