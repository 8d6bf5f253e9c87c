"""`slotkeeper import` and `export`: appointments, or a whole business, as JSON Lines or CSV."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from slotkeeper.cli import copying
from slotkeeper.cli.importing import Bad, Format, Importer, Tally
from slotkeeper.cli.lines import Source
from slotkeeper.cli.rows import COLUMNS, cells_of, line_of, row_of
from slotkeeper.cli.screen import progress
from slotkeeper.cli.session import CLI, Home, Office, Session, at_business
from slotkeeper.cli.walltime import day_start, read_date
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.errors import Invalid, SlotkeeperError
from slotkeeper.core.service import Business
from slotkeeper.desk.catalogue import put_profile
from slotkeeper.desk.keys import Made, create_key, keys
from slotkeeper.documents import business_key

SHOWN = 50
SUFFIXES: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv"}
TICK_ROWS = 500
PEEK_BYTES = 8192

format_option = click.option(
    "--format", "kind", type=click.Choice(("jsonl", "csv")), help="The format, when the suffix of FILE does not tell."
)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@format_option
@click.option(
    "--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write the bad rows here, as JSON Lines."
)
@click.option("--notify", is_flag=True, help="Tell customers of each booking, as if it had just been made.")
@click.option("--business", metavar="ID", help="Whose; needed only when there are several.")
@click.pass_context
def import_(
    ctx: click.Context, file: Path, kind: Format | None, errors: Path | None, notify: bool, business: str | None
) -> None:
    """Read appointments from FILE; - is standard input.

    Each row is booked as the API would, so conflicts are found. A bad row is named with its line and its reason, and
    the rest goes on. Rows with an id may be read again: nothing is booked twice. Exit code 1: some rows were bad.

    JSON Lines that `slotkeeper export --all` wrote bring the whole business along; it gets a new key, as keys are
    not copied.
    """
    session: Session = ctx.obj
    kind = _format(file, kind)
    with _read(file) as stream, _errors(errors) as errors_file:
        brought = copying.business_in(_first_line(stream))
        with session.opened(is_new_allowed=brought is not None) as home:
            office = _office(home, brought, business)
            job = _Job(Importer(office, is_told=notify), Source(stream), errors_file)
            tally = job.run(kind, file.stat().st_size if str(file) != "-" else None)
            made = _first_key(office) if brought is not None else None
    _sum_up(tally, errors)
    if made is not None:
        click.echo(f"Keys are not copied. A new one, shown this once: {made.secret}")
    ctx.exit(1 if tally.bad else 0)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@format_option
@click.option("--all", "is_whole", is_flag=True, help="The whole business, to be moved: JSON Lines only.")
@click.option("--from", "first", metavar="DATE", help="The first day.")
@click.option("--to", "last", metavar="DATE", help="The day after the last.")
@click.option("--force", is_flag=True, help="Write over FILE.")
@at_business
def export(
    office: Office,
    file: Path,
    kind: Format | None,
    is_whole: bool,
    first: str | None,
    last: str | None,
    force: bool,
) -> None:
    """Write the appointments to FILE, one row each; - is standard output.

    In CSV a cell that a spreadsheet could take for a formula gets a quote before it; reading it in takes it away.
    """
    kind = _format(file, kind)
    if is_whole and (kind != "jsonl" or first or last):
        raise click.UsageError("--all writes JSON Lines, and everything: leave --format csv, --from and --to out")
    rows = copying.lines(office) if is_whole else _rows(office, kind, first, last)
    count = 0
    with _written(file, force=force) as stream, progress("Writing") as advance:
        for row in rows:
            stream.write(row)
            count += 1
            if count % TICK_ROWS == 0:
                advance(count, note=f"{count:,} lines")
    written = count - 1 if kind == "csv" else count
    click.echo(f"{written:,} {'lines' if is_whole else 'appointments'} written to {file}.", err=True)


@dataclass(slots=True)
class _Job:
    """One import: what reads, what is read, and where bad rows go."""

    importer: Importer
    source: Source
    errors: BinaryIO | None
    shown: int = 0

    def run(self, kind: Format, size: int | None) -> Tally:
        """Read it all; bad rows are told of as they come."""
        tally = Tally()
        with progress("Reading", size) as advance:
            for tally, bad in self.importer.run(self.source, kind):
                note = f"{tally.rows:,} rows" + (f", {tally.bad:,} bad" if tally.bad else "")
                advance(self.source.bytes_read, note=note)
                for each in bad:
                    self._tell(each)
        return tally

    def _tell(self, bad: Bad) -> None:
        if self.errors is not None:
            line = {"line": bad.number, "code": bad.code, "field": bad.field, "reason": bad.reason}
            self.errors.write(msgspec.json.encode(line) + b"\n")
        self.shown += 1
        if self.shown <= SHOWN:
            where = f"{bad.field}: " if bad.field else ""
            click.echo(f"line {bad.number}: {where}{bad.reason}", err=True)
        elif self.shown == SHOWN + 1:
            more = "" if self.errors else " (--errors FILE writes them all)"
            click.echo(f"... more bad rows are counted, not shown{more}", err=True)


def _sum_up(tally: Tally, errors: Path | None) -> None:
    known = f", {tally.known:,} were here already" if tally.known else ""
    click.echo(f"{tally.rows:,} rows read: {tally.entered:,} entered{known}, {tally.bad:,} bad.")
    if tally.bad:
        codes = ", ".join(f"{count:,} {code}" for code, count in tally.codes.most_common())
        click.secho(f"Bad rows: {codes}." + (f" All of them are in {errors}." if errors else ""), fg="yellow")


def _office(home: Home, brought: tuple[str, Business] | None, business: str | None) -> Office:
    """Where the rows go: the business that is named, the one that the file brings along, or the only one."""
    if brought is None:
        return home.at(business)
    id = business or brought[0]
    if not home.store.read([business_key(id)]):
        actor = Actor(business=id, id=CLI, scopes=frozenset(SCOPES))
        put_profile(home.desk, actor, brought[1], seen_version="0")
    return home.office(id)


def _first_key(office: Office) -> Made | None:
    """A key for a business that came without any: by its keys it is found, here as at the door."""
    if keys(office.desk, office.actor):
        return None
    return create_key(office.desk, office.actor, "first key", SCOPES)


def _first_line(stream: BinaryIO) -> str:
    """The first line, as far as it is buffered; nothing is taken away."""
    buffered = stream.peek(PEEK_BYTES) if isinstance(stream, BufferedReader) else b""
    return buffered.partition(b"\n")[0].decode(errors="replace")


def _rows(office: Office, kind: Format, first: str | None, last: str | None) -> Iterator[bytes]:
    bounds = [_place(office, date) if date else None for date in (first, last)]
    found = copying.appointments(office, bounds[0] or "", bounds[1] or "\U0010ffff")
    if kind == "jsonl":
        return (msgspec.json.encode(row_of(each)) + b"\n" for each in found)
    return (line_of(cells) for cells in _with_head(cells_of(each) for each in found))


def _place(office: Office, date: str) -> str:
    start = day_start(read_date(date, office.zone, office.desk.now()), office.zone)
    return f"{start:012d}"


def _with_head(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield list(COLUMNS)
    yield from rows


def _format(file: Path, given: Format | None) -> Format:
    found = given or SUFFIXES.get(file.suffix.lower())
    if found is None:
        raise Invalid(f"{file} does not tell its format by its suffix: say --format jsonl or --format csv")
    return found


def _read(file: Path) -> AbstractContextManager[BinaryIO]:
    if str(file) == "-":
        return nullcontext(sys.stdin.buffer)
    return file.open("rb")


def _errors(file: Path | None) -> AbstractContextManager[BinaryIO | None]:
    return nullcontext(None) if file is None else _private(file)


def _private(file: Path) -> BinaryIO:
    """A new file that only its owner may read: it holds people's data."""
    return os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb")


@contextmanager
def _written(file: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all, or standard output."""
    if str(file) == "-":
        yield sys.stdout.buffer
        return
    if file.exists() and not file.is_file():
        raise Exists(f"{file} is no ordinary file, and would be replaced by one: write to - for standard output")
    if file.exists() and not force:
        raise Exists(f"{file} is there already: name another file, or say --force")
    partial = file.with_name(file.name + ".partial")
    try:
        with _private(partial) as stream:
            yield stream
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


class Exists(SlotkeeperError):
    """The file that was to be written is there already."""


COMMANDS = {"import": import_, "export": export}
