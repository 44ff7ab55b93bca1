"""`lims template`: a registry as a workbook to fill in, blank or with the records there are."""

from __future__ import annotations

from pathlib import Path

import click

from lims.commands.support import command_line_actor, open_database, resolve_project, settings_of


@click.command("template")
@click.argument("noun", required=False)
@click.option("--project", "project_code", help="Code of the project; needed where there are several.")
@click.option("--filled", is_flag=True, help="With the records there are; without what would tell an arm of a blinded study.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The workbook to write.")
@click.pass_context
def template(context: click.Context, noun: str | None, project_code: str | None, output: Path | None, *, filled: bool) -> None:
    """Write the workbook of a registry, such as `patient`; without NOUN, list the registries."""
    from lims.audit.record import declare
    from lims.exports.template_rows import Reader
    from lims.exports.templates import template_blocks
    from lims.records.registries import REGISTRIES, registry_named

    if noun is None:
        for registry in REGISTRIES.values():
            click.echo(f"{registry.name:<12} {registry.title}, {len(registry.columns)} columns")
        return
    if output is None:
        raise click.UsageError("Say where to write it: -o FILE.xlsx")
    settings = settings_of(context)
    with open_database(settings) as database:
        registry = registry_named(noun)
        with database.transaction() as writing:
            project = resolve_project(writing, project_code)
            key, code = project.id, project.code
            detail = {"template": registry.title, "version": registry.version, "filled": filled}
            declare(writing, command_line_actor(), f"{registry.name}:export", project=key, detail=detail)
        with database.reader() as session:
            # Who runs this may be anybody in the laboratory: hidden arms stay hidden.
            contents = Reader(session, key, unblinded=False, zone=settings.zone).contents(registry, code, filled=filled)
            with output.open("wb") as file:
                file.writelines(template_blocks(contents))
    click.echo(f"Wrote {output}")
