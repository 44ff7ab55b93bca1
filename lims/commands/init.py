"""`lims init` and `lims upgrade`: a data folder and a database, ready for use."""

from __future__ import annotations

import click

from lims.commands.support import command_line_actor, open_database, settings_of


@click.command()
@click.option("--project", "code", metavar="CODE", help="Make a first project with this code.")
@click.option("--title", help="Title of the first project.")
@click.pass_context
def init(context: click.Context, code: str | None, title: str | None) -> None:
    """Set up the data folder and the database; what is there already stays."""
    from sqlalchemy import select

    from lims import migrate
    from lims.app import stored_secret_key
    from lims.audit.record import declare
    from lims.domain.vocabulary import RoleName
    from lims.models import Project
    from lims.records.accounts import role_named
    from lims.records.projects import create_project

    if title and not code:
        raise click.UsageError("--title names the project of --project CODE")
    settings = settings_of(context)
    # Readable by this account alone: it holds the record, the files and the keys.
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.file_dir.mkdir(parents=True, exist_ok=True)
    if settings.secret_key is None:
        stored_secret_key(settings.data_dir)
    migrate.upgrade(settings.url)
    with open_database(settings) as database, database.transaction() as session:
        declare(session, command_line_actor(), "system:set-up")
        for role in RoleName:
            role_named(session, role)
        if code and session.scalar(select(Project.id).where(Project.code == code)) is None:
            create_project(session, command_line_actor(), code=code, title=title or code)
    click.echo(f"Ready. Data folder: {settings.data_dir}")
    click.echo("Next: lims user add ADDRESS --administrator, then lims serve")


@click.command()
@click.pass_context
def upgrade(context: click.Context) -> None:
    """Bring the database's tables up to date. Make a backup first."""
    from lims import migrate

    settings = settings_of(context)
    before = migrate.current(settings.url)
    migrate.upgrade(settings.url)
    after = migrate.current(settings.url)
    moved = f"The database was at {before or 'no revision'}, it is at {after} now."
    click.echo(f"Up to date: {after}" if before == after else moved)
