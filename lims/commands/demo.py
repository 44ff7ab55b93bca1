"""`lims demo`: a synthetic laboratory in a database of its own, and the pages to look at it."""

from __future__ import annotations

from datetime import datetime

import click

from lims.commands.serve import serve
from lims.commands.support import Refusal, command_line_actor, open_database, settings_of
from lims.config import Settings

FOLDER = "bcbm-lims-demo"
THIS_MACHINE = "127.0.0.1"
"""The demo's passwords are printed here and in its source, so it answers to nobody else."""


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Otherwise LIMS_PORT, otherwise 5000.")
@click.option("--no-serve", is_flag=True, help="Fill the database and stop.")
@click.pass_context
def demo(context: click.Context, port: int | None, *, no_serve: bool) -> None:
    """Fill an empty database with a synthetic laboratory and serve it to this machine.

    It has a data folder of its own, unless --data or LIMS_DATA_DIR names one. A database that holds anything but the
    demo is refused.
    """
    settings = demo_settings(settings_of(context))
    click.echo(f"Data folder of the demo: {settings.data_dir}")
    fill(settings)
    click.echo(told(settings, port or settings.port))
    if not no_serve:
        context.obj = settings
        context.invoke(serve, host=THIS_MACHINE, port=port)


def demo_settings(settings: Settings) -> Settings:
    """Give the settings with the demo's own data folder, unless somebody named one."""
    from platformdirs import user_data_path

    if "data_dir" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"data_dir": user_data_path(FOLDER)})


def fill(settings: Settings) -> None:
    """Make the demo, unless it is there and complete.

    Raises:
        Refusal: the database holds anything else.
    """
    from lims import migrate
    from lims.demo.seed import Contents, contents, seed

    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open_database(settings) as database:
        with database.reading() as session:
            held = contents(session)
        if held is Contents.OTHER:
            raise Refusal(
                "This database holds data that is not the demo, or a demo that was interrupted; nothing was changed. "
                "Name an empty folder: lims --data FOLDER demo. An interrupted demo's folder can be deleted by hand."
            )
        try:
            migrate.upgrade(settings.url)
        except migrate.MigrationError as refused:
            raise Refusal(str(refused)) from refused
        if held is Contents.DEMO:
            click.echo("The demo is there already; its data stays as you left it.")
            return
        click.echo("Making a synthetic laboratory; this takes some seconds.")
        today = datetime.now(settings.zone).date()
        seed(settings, database, command_line_actor(), today, lambda line: click.echo(f"  {line}"))


def told(settings: Settings, port: int) -> str:
    """Say where the demo is and who can sign in to it."""
    from lims.demo.people import PEOPLE
    from lims.domain.permissions import ROLE_TITLES

    people = [f"  {ROLE_TITLES[one.role]:<15} {one.email:<28} {one.password}" for one in PEOPLE]
    return "\n".join(
        [
            "",
            f"Address: http://{THIS_MACHINE}:{port}",
            "Sign in as any of these. The addresses and passwords are known to everybody and for the demo only:",
            *people,
            "All data is synthetic: no patient, animal or person in it exists.",
            "",
        ]
    )
