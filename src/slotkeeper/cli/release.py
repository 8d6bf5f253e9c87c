"""The code that goes to AWS with a deploy: packed, uploaded, and told to the template."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from slotkeeper.aws.packing import Package, pack
from slotkeeper.aws.parameters import chosen
from slotkeeper.aws.uploading import Shelf
from slotkeeper.aws.wheels import ARCHITECTURES, Architecture
from slotkeeper.cli.screen import progress
from slotkeeper.core.errors import Invalid

DEFAULT_ARCHITECTURE: Architecture = "arm64"
DEFAULT_PYTHON = "3.13"

OURS = {
    "CodeBucket": "--bucket",
    "CodeKey": "the package itself",
    "Architecture": "--architecture",
    "PythonRuntime": "--python",
}
"""Parameters of the template that follow from something else than --parameter, and from what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a deploy puts into the bucket `target`. `given` are the parameters asked for, `kept` those of the stack."""

    target: Shelf
    template: Mapping[str, Any]
    given: Mapping[str, str]
    kept: Mapping[str, str]
    architecture: Architecture
    python: str

    def check(self) -> None:
        """Raises `Invalid` for parameters that cannot be, before anything is made."""
        for name, source in OURS.items():
            if name in self.given:
                raise Invalid(f"{name} follows from {source}", field="parameter")
        self._parameters("any")

    def uploaded(self) -> tuple[str, list[dict[str, Any]]]:
        """Package and upload; returns the template's address, and all its parameters."""
        if self.target.ensure():
            click.echo(f"Made the bucket {self.target.bucket} for the code: private, encrypted.")
        key = self._code() if "CodeKey" in self._known else ""
        return self.target.put_template(self.template), self._parameters(key)

    @property
    def _known(self) -> Mapping[str, Any]:
        known: Mapping[str, Any] = self.template.get("Parameters", {})
        return known

    def _code(self) -> str:
        with TemporaryDirectory() as folder:
            made = packed(Path(folder) / "slotkeeper.zip", self.architecture, self.python)
            tell_compiler(made)
            return uploaded(self.target, made)

    def _parameters(self, key: str) -> list[dict[str, Any]]:
        ours = {
            "CodeBucket": self.target.bucket,
            "CodeKey": key,
            "Architecture": self.architecture,
            "PythonRuntime": f"python{self.python}",
        }
        own = {name: value for name, value in ours.items() if name in self._known}
        return chosen(self.template, {**self.given, **own}, self.kept)


def release(
    target: Shelf,
    template: Mapping[str, Any],
    given: Mapping[str, str],
    kept: Mapping[str, str],
    architecture: Architecture | None,
    python: str | None,
) -> Release:
    """A release for the architecture and Python that are asked for, else for those that the stack has."""
    has = next((each for each in ARCHITECTURES if each == kept.get("Architecture")), DEFAULT_ARCHITECTURE)
    runs = kept.get("PythonRuntime", "").removeprefix("python") or DEFAULT_PYTHON
    return Release(
        target=target,
        template=template,
        given=given,
        kept=kept,
        architecture=architecture or has,
        python=python or runs,
    )


def packed(path: Path, architecture: Architecture, python: str, *, is_compiled: bool = True) -> Package:
    """The package, made at `path` while that is shown."""
    with progress(f"Packing for {architecture}, Python {python}"):
        return pack(path, architecture, python, is_compiled=is_compiled)


def uploaded(target: Shelf, made: Package) -> str:
    """Upload the package while that is shown; returns its key."""
    with progress(f"Uploading {made.size / 2**20:.1f} MB"):
        return target.put_package(made)


def tell_compiler(made: Package) -> None:
    """Say so when nothing could be compiled."""
    if not made.compiler:
        hint = f"Not compiled, as there is no python{made.python} here: cold starts take longer."
        click.secho(hint, fg="yellow", err=True)
