"""The `lims` command. Each command's module is loaded when it is called, so that `lims --help` answers at once."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from lims.commands.loading import collecting_later


class LazyGroup(click.Group):
    """A group that knows its commands' names and help lines, and loads a command's module only to run it."""

    def __init__(self, *args: object, lazy: dict[str, tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # click's own signature, handed through
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order they are told about."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command; `module:function`."""
        if cmd_name not in self.lazy:
            return None
        module, _, name = self.lazy[cmd_name][0].partition(":")
        if module not in sys.modules:
            with collecting_later():
                import_module(module)
        command: click.Command = getattr(sys.modules[module], name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their help lines, loading none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in self.lazy.items()])


COMMANDS = {
    "init": ("lims.commands.init:init", "Set up the data folder and the database."),
    "demo": ("lims.commands.demo:demo", "Make a synthetic laboratory and serve it."),
    "serve": ("lims.commands.serve:serve", "Serve the pages."),
    "worker": ("lims.commands.worker:worker", "Check and record uploads; serve starts one by itself."),
    "upgrade": ("lims.commands.init:upgrade", "Bring the database's tables up to date."),
    "doctor": ("lims.commands.doctor:doctor", "Look whether everything is in order."),
    "user": ("lims.commands.accounts:user", "Add people, reset their passwords."),
    "project": ("lims.commands.accounts:project", "Make projects."),
    "import": ("lims.commands.imports:import_file", "Take in a file an instrument or a lab wrote."),
    "watch": ("lims.commands.watch:watch", "Take in what is put into a folder, for somebody to look at."),
    "importers": ("lims.commands.imports:list_importers", "List the kinds of file that can be taken in."),
    "template": ("lims.commands.templates:template", "Write a registry as a workbook to fill in."),
    "audit": ("lims.commands.audit:audit", "Verify and export the audit trail."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Data folder: database, stored files, keys. Otherwise LIMS_DATA_DIR, otherwise this account's own.",
)
@click.version_option(package_name="bcbm-lims", message="%(version)s")
@click.pass_context
def main(context: click.Context, data: Path | None) -> None:
    """The record of patient-derived xenograft work in breast-cancer brain metastasis.

    Exit status 0: done; 1: refused, with the reason; 2: wrong usage.
    """
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from lims.config import Settings

    try:
        context.obj = Settings(data_dir=data) if data else Settings()
    except ValidationError as refused:
        told = "; ".join(f"LIMS_{'_'.join(map(str, error['loc'])).upper()}: {error['msg']}" for error in refused.errors())
        raise click.UsageError(f"The settings cannot be used: {told}") from refused
    except SettingsError as unreadable:
        raise click.UsageError(f'{unreadable}; a list is written as JSON, such as ["lims.lab.org"]') from unreadable


if __name__ == "__main__":
    main()
