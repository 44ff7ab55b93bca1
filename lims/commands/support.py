"""What every command shares: the settings, the database, who acts, and how a refusal leaves."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.config import Settings
from lims.db import Database, why_unavailable
from lims.domain.errors import DomainError, told
from lims.domain.vocabulary import RecordStatus
from lims.models import Project


class Refusal(click.ClickException):
    """Something was refused, with a sentence: exit status 1."""

    exit_code = 1


def settings_of(context: click.Context) -> Settings:
    """Give the settings that the `lims` group read."""
    settings = context.find_object(Settings)
    if settings is None:
        raise click.UsageError("run this through the lims command")
    return settings


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Open the database for a command; what the domain refuses leaves as a sentence and exit status 1."""
    database = Database(settings.url, settings.zone)
    try:
        yield database
    except DomainError as refused:
        raise Refusal(told(refused)) from refused
    except (OperationalError, ProgrammingError) as broken:
        if "no such table" in str(broken) or "does not exist" in str(broken):
            raise Refusal("This database has no tables yet: run `lims init` first.") from broken
        if isinstance(broken, OperationalError):
            raise Refusal(why_unavailable(broken)) from broken
        raise
    finally:
        database.close()


def command_line_actor() -> Actor:
    """Say who acts on the command line: the operating system's account."""
    return Actor(None, f"command line ({getpass.getuser()})", "command line")


def resolve_project(session: Session, code: str | None) -> Project:
    """Find the project a command works in: the one named, or the only one there is.

    Raises:
        click.UsageError: no such project, none at all, or several and none named.
    """
    projects = list(session.scalars(select(Project).where(Project.status == RecordStatus.ACTIVE).order_by(Project.code)))
    codes = ", ".join(project.code for project in projects)
    if not projects:
        raise click.UsageError("There is no project yet. Make one: lims project add CODE --title TITLE")
    if code is None:
        if len(projects) > 1:
            raise click.UsageError(f"Say which project: --project with one of {codes}")
        return projects[0]
    for project in projects:
        if project.code == code:
            return project
    raise click.UsageError(f'There is no project "{code}". There are: {codes}')


def require_current_tables(url: str) -> None:
    """Refuse to serve a database whose tables are older or newer than the code."""
    from lims import migrate

    at, heads = migrate.current(url), migrate.heads()
    if at is None:
        raise Refusal("This database has no tables yet: run `lims init` first.")
    if at not in heads:
        needed = ", ".join(heads)
        raise Refusal(f"The database's tables are at {at}, this version needs {needed}: back it up, then run `lims upgrade`.")
