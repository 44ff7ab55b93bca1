"""`lims user` and `lims project`: people, projects and who belongs where."""

from __future__ import annotations

import os

import click

from lims.commands.support import command_line_actor, open_database, resolve_project, settings_of
from lims.domain.vocabulary import RoleName

PASSWORD_VARIABLE = "LIMS_NEW_PASSWORD"  # noqa: S105  # a variable's name


@click.group()
def user() -> None:
    """Add people, reset their passwords."""


@click.group()
def project() -> None:
    """Make projects."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in RoleName]), help="Role in the project.")
@click.option("--project", "code", metavar="CODE", help="Project; not needed where there is one only.")
@click.option("--name", help="Printed name; otherwise what stands before the @.")
@click.option("--administrator", is_flag=True, help="Manages people and projects of the whole installation.")
@click.pass_context
def add_user(
    context: click.Context, email: str, role: str | None, code: str | None, name: str | None, *, administrator: bool
) -> None:
    """Add a person; prints a password once, unless LIMS_NEW_PASSWORD gives one.

    Somebody who has an account is added to the project with it.
    """
    from lims.domain.errors import NotFound
    from lims.queries.accounts import user_by_email
    from lims.records.accounts import create_user
    from lims.records.passwords import check_password, generate_password, hash_password
    from lims.records.projects import add_member

    if role is None and not administrator:
        raise click.UsageError("Say what the person may do: --role ROLE in a project, or --administrator of the installation.")
    settings, actor = settings_of(context), command_line_actor()
    given = os.environ.get(PASSWORD_VARIABLE)
    password = given or generate_password()
    with open_database(settings) as database, database.transaction() as session:
        try:
            person, new = user_by_email(session, email), False
        except NotFound:
            new = True
            person = create_user(
                session,
                actor,
                email=email,
                name=name or email.partition("@")[0],
                password_hash=hash_password(check_password(password), settings.password_memory_kib),
                administrator=administrator,
            )
        if role is not None:
            add_member(session, actor, resolve_project(session, code), person, RoleName(role))
    click.echo(f"{person.email} {'was added' if new else 'had an account already'}.")
    if new and not given:
        click.echo(f"Password, shown once: {password}")


@user.command("reset")
@click.argument("email")
@click.pass_context
def reset_user(context: click.Context, email: str) -> None:
    """Give a person a new password; prints it once, unless LIMS_NEW_PASSWORD gives one. Ends all their sessions."""
    from lims.queries.accounts import user_by_email
    from lims.records.accounts import set_password
    from lims.records.passwords import check_password, generate_password, hash_password

    settings = settings_of(context)
    given = os.environ.get(PASSWORD_VARIABLE)
    password = given or generate_password()
    with open_database(settings) as database, database.transaction() as session:
        hashed = hash_password(check_password(password), settings.password_memory_kib)
        person = user_by_email(session, email)
        set_password(session, command_line_actor(), person, password_hash=hashed, reason="reset on the command line")
    click.echo(f"{person.email} has a new password.")
    if not given:
        click.echo(f"Password, shown once: {password}")


@project.command("add")
@click.argument("code")
@click.option("--title", required=True, help="What the project is about.")
@click.pass_context
def add_project(context: click.Context, code: str, title: str) -> None:
    """Make a project."""
    from lims.records.projects import create_project

    with open_database(settings_of(context)) as database, database.transaction() as session:
        made = create_project(session, command_line_actor(), code=code, title=title)
    click.echo(f"Project {made.code} was made.")
