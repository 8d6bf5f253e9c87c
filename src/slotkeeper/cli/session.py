"""One run of the command line: its settings, the database it opens, and the business it is about."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from functools import update_wrapper
from pathlib import Path
from typing import Any, Concatenate

import click

from slotkeeper.cli.complaints import Needs
from slotkeeper.contracts import Clock, Store
from slotkeeper.core.actor import SCOPES, Actor
from slotkeeper.core.appointment import Endpoint
from slotkeeper.core.errors import Missing, Refused
from slotkeeper.core.service import Business
from slotkeeper.desk import catalogue
from slotkeeper.desk.desk import Desk
from slotkeeper.desk.keys import ApiKey
from slotkeeper.documents import business_key, business_of, decoded
from slotkeeper.process import new_id, now
from slotkeeper.settings import DYNAMODB, Settings, aws_access, load
from slotkeeper.stores.sqlite import IN_MEMORY, SqliteStore

CLI = "cli"
"""Who does what is done by the command line, in events and in the audit log."""


@dataclass
class Session:
    """What the root command was told. Settings are read when they are first needed, so that help never fails."""

    clock: Clock = now
    config: str | None = None
    given: dict[str, str] = field(default_factory=dict)

    def settings(self, **more: str | None) -> Settings:
        """The settings; `more` comes from the command's own options, by name in TOML.

        Raises:
            WrongSettings: as `settings.load` says.
        """
        given = self.given | {name: value for name, value in more.items() if value is not None}
        return load(config=Path(self.config) if self.config else None, given=given)

    @contextmanager
    def opened(self, *, is_new_allowed: bool = False) -> Iterator["Home"]:
        """The database, open. A file may be new where that is allowed, a table never.

        Raises:
            Needs: it is not there. Unreachable: it cannot be opened.
        """
        settings = self.settings()
        # Whoever serves the table may have a topic: what is done from here is told there too.
        endpoints = (Endpoint("", channel="topic"),) if settings.table and settings.aws.topic else ()
        with _opened(settings, is_new_allowed=is_new_allowed) as store:
            yield Home(settings, store, Desk(store, self.clock, new_id, endpoints))


def _opened(settings: Settings, *, is_new_allowed: bool) -> AbstractContextManager[Store]:
    if settings.database.startswith(DYNAMODB):
        from slotkeeper.cli.table import a_table  # who works on a file need not load it

        return a_table(settings.table, aws_access())
    if not is_new_allowed and settings.database != IN_MEMORY and not Path(settings.database).exists():
        raise Needs(
            f"there is no database at {settings.database}",
            "Make one with `slotkeeper init` or `slotkeeper demo`, or name another with --database FILE.",
        )
    return closing(SqliteStore(settings.database))


@dataclass(frozen=True, slots=True)
class Home:
    """An open database."""

    settings: Settings
    store: Store
    desk: Desk

    @property
    def file(self) -> SqliteStore | None:
        """The store, when it is a file."""
        return self.store if isinstance(self.store, SqliteStore) else None

    def businesses(self) -> list[str]:
        """The businesses that have a key, by id; where no key was ever made, all that there are."""
        keys = self.store.walk("-/apiKey/")
        found = {decoded(doc, ApiKey).business for doc in keys}
        found = found or {business_of(doc.key) for doc in self.store.walk()} - {"-"}
        return sorted(each for each in found if self.store.read([business_key(each)]))

    def at(self, business: str | None) -> "Office":
        """The business of that id; without one, the only one that there is.

        Raises:
            Needs: there is none, or several, or none of that id.
        """
        if business is None:
            return self.office(self._only())
        try:
            return self.office(business)
        except Missing as error:
            found = self.businesses()
            hint = f"These are there: {', '.join(found)}." if found else "Make one with `slotkeeper init`."
            raise Needs(f"there is no business {business!r}", hint) from error

    def office(self, business: str) -> "Office":
        """Raises `Missing` when there is no such business."""
        actor = Actor(business=business, id=CLI, scopes=frozenset(SCOPES))
        return Office(self, actor, catalogue.profile(self.desk, actor).value)

    def _only(self) -> str:
        found = self.businesses()
        if not found:
            raise Needs(
                f"there is no business in {self.settings.database} yet",
                "Make one with `slotkeeper init`, or a clinic to try things with `slotkeeper demo`.",
            )
        if len(found) > 1:
            raise Needs(
                f"there are several businesses: {', '.join(found)}",
                f"Say which one is meant, for example: --business {found[0]}",
            )
        return found[0]


@dataclass(frozen=True, slots=True)
class Office:
    """One business, as the command line works for it."""

    home: Home
    actor: Actor
    profile: Business

    @property
    def desk(self) -> Desk:
        return self.home.desk

    @property
    def zone(self) -> str:
        return self.profile.zone


def at_business(command: Callable[Concatenate[Office, ...], object]) -> Callable[..., None]:
    """Give the command `--business`, and call it with that business's office."""

    @click.option("--business", metavar="ID", help="Whose; needed only when there are several.")
    @click.pass_obj
    def opened(session: Session, /, business: str | None, **others: Any) -> None:
        with session.opened() as home:
            office = home.at(business)
            try:
                command(office, **others)
            except Refused as refused:
                refused.facts.setdefault("zone", office.zone)
                raise

    return update_wrapper(opened, command)
