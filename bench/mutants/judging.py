"""What the verdicts come to: shares by package, survivors that nobody has explained, and explanations out of date."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from rich.table import Table

from bench.mutants.trying import Verdict

REASONS = Path(__file__).with_name("survivors.toml")
"""Why each mutant that survives may: `[[survivors]]` with a `why` and the names of `mutants`."""

TARGET = 0.9


class Survivors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    why: str
    mutants: list[str]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one package. `killed` counts those that a test has noticed, `late` those that did not come to an
    end, which a test would notice too, and `survived` the others."""

    package: str
    killed: int
    late: int
    survived: int

    @property
    def all(self) -> int:
        return self.killed + self.late + self.survived

    @property
    def noticed(self) -> float:
        return (self.killed + self.late) / self.all if self.all else 1.0


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """`unexplained` are the names of survivors without a reason, `outdated` those that have one and are no survivors,
    `unsound` what the machinery failed at."""

    shares: list[Share]
    unexplained: list[str]
    outdated: list[str]
    unsound: list[str]

    @property
    def is_good(self) -> bool:
        return not self.complaints() and all(share.noticed >= TARGET for share in self.shares)

    def complaints(self) -> dict[str, list[str]]:
        """What is not as it should be, under a title each."""
        titled = {
            "no test notices these, and nobody says why": self.unexplained,
            "a reason is given for these, and they do not survive": self.outdated,
            "these could not be judged": self.unsound,
        }
        return {title: names for title, names in titled.items() if names}


def reasons(path: Path = REASONS) -> dict[str, str]:
    """Why each mutant may survive, by its name.

    Raises:
        ValueError: one is named twice.
    """
    groups = msgspec.convert(tomllib.loads(path.read_text("utf-8"))["survivors"], list[Survivors])
    names = Counter(name for group in groups for name in group.mutants)
    if twice := [name for name, times in names.items() if times > 1]:
        raise ValueError(f"named twice: {twice[0]}")
    return {name: group.why for group in groups for name in group.mutants}


def judge(
    verdicts: Sequence[Verdict], known: Mapping[str, str], whole: Iterable[str], alarms: Sequence[str]
) -> Judgement:
    """What the verdicts come to, by the reasons that are known. `whole` are the modules of which all mutants were
    tried, `alarms` the tests that fail without any."""
    survivors = {verdict.name for verdict in verdicts if verdict.result in ("survived", "no test")}
    tried = {verdict.name for verdict in verdicts} | {name for name in known if name.startswith(tuple(whole))}
    return Judgement(
        shares=list(_shares(verdicts)),
        unexplained=sorted(survivors - known.keys()),
        outdated=sorted(known.keys() & tried - survivors),
        unsound=[f"{each.name}: {each.by}" for each in verdicts if each.result in ("crashed", "refused")] + [*alarms],
    )


def _shares(verdicts: Iterable[Verdict]) -> Iterable[Share]:
    packages: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        packages.setdefault(verdict.name.partition("/")[0], Counter())[verdict.result] += 1
    for package, results in packages.items():
        yield Share(
            package=package,
            killed=results["killed"],
            late=results["timed out"],
            survived=results["survived"] + results["no test"],
        )


def table_of(judgement: Judgement) -> Table:
    """The figures, for people."""
    table = Table(title="Small faults put into the code, and what the tests made of them")
    for name in ("package", "mutants", "noticed", "without end", "survived", "noticed in all"):
        table.add_column(name, justify="left" if name == "package" else "right")
    for share in judgement.shares:
        figures = (share.all, share.killed, share.late, share.survived)
        table.add_row(f"{share.package}/", *(f"{figure:,}" for figure in figures), f"{share.noticed:.1%}")
    return table
