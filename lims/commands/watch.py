"""`lims watch`: takes in every complete file that is put into a folder, so that it waits for somebody to look at and record it."""

from __future__ import annotations

import hashlib
import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lims.commands.loading import collecting_later
from lims.commands.support import command_line_actor, open_database, require_current_tables, resolve_project, settings_of

if TYPE_CHECKING:
    from lims.config import Settings

_TEMPORARY = re.compile(r"\.|~|.*(~|\.(part|partial|crdownload|download|tmp|temp|filepart|swp|lock|!ut))$", re.IGNORECASE)
"""How programs name what they are still writing, or keep for themselves: `.hidden`, `~$open.xlsx`, `scan.csv.part`."""
_log = logging.getLogger("lims.watch")

Seen = tuple[int, int]
"""Size and time of the last change, by which a file that goes on growing is told from one that is complete."""


@dataclass(slots=True)
class Folder:
    """One watched folder. take: takes in a file that is complete, and says what became of it; each is taken in once as it is.

    seen: what was there at the last look. done: what was taken in, as it was then. failed: why others could not be; they are
    tried again at every look, and told about once.
    """

    path: Path
    take: Callable[[Path], str]
    seen: dict[Path, Seen] = field(default_factory=dict)
    done: dict[Path, Seen] = field(default_factory=dict)
    failed: dict[Path, str] = field(default_factory=dict)

    def look(self) -> int:
        """Take in what did not change since the last look; gives how many files that were. Nothing here ends the watch."""
        now = dict(self._files())
        complete = [one for one, size in now.items() if self.seen.get(one) == size and self.done.get(one) != size]
        self.seen = now
        self.done = {one: size for one, size in self.done.items() if one in now}
        for one in complete:
            self._take(one, now[one])
        return len(complete)

    def _files(self) -> Iterator[tuple[Path, Seen]]:
        try:
            found = sorted(self.path.iterdir())
        except OSError as gone:
            self._fail(self.path, f"cannot be read ({gone.strerror})")
            return
        self.failed.pop(self.path, None)
        for one in found:
            try:
                status = one.stat()
                if one.is_file() and status.st_size and not _TEMPORARY.match(one.name):
                    yield one, (status.st_size, status.st_mtime_ns)
            except OSError:
                continue  # gone between one look and the next

    def _take(self, file: Path, as_it_is: Seen) -> None:
        try:
            told = self.take(file)
        except OSError as unreadable:
            self._fail(file, f"cannot be read ({unreadable.strerror})")
        except Exception as refused:  # noqa: BLE001  # one file must not end the watch over the others
            self._fail(file, f"was not taken in: {str(refused) or type(refused).__name__}")
        else:
            self.done[file] = as_it_is
            self.failed.pop(file, None)
            _log.info("%s: %s", file.name, told)

    def _fail(self, place: Path, why: str) -> None:
        if self.failed.get(place) != why:
            self.failed[place] = why
            _log.warning("%s %s. It is tried again at every look.", place.name, why.rstrip("."))


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--project", "project_code", help="Project by code; not needed where there is only one.")
@click.option("--profile", metavar="NAME", help="Import profile to read every file by; otherwise each is recognised by itself.")
@click.option("--every", default=5.0, type=click.FloatRange(0.05, 3600), show_default=True, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Take in what is there and complete, then end.")
@click.pass_context
def watch(context: click.Context, folder: Path, project_code: str | None, profile: str | None, every: float, *, once: bool) -> None:
    """Take in what is put into FOLDER and check it, until interrupted. Nothing is recorded, moved or removed.

    A file is complete once its size and time stay the same from one look to the next. What a project was given before, in
    whatever file, is not taken in again.
    """
    settings = settings_of(context)
    require_current_tables(settings.url)
    with collecting_later():
        from lims import logs
        from lims.queries.import_profiles import profile_named

    logs.configure()
    with open_database(settings) as database, database.reading() as session:
        project = resolve_project(session, project_code).code
        if profile:
            profile_named(session, resolve_project(session, project_code).id, profile)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    watched = Folder(folder, lambda file: take_in(settings, project, file, profile))
    _log.info("watching %s for project %s%s", folder, project, f", read by {profile}" if profile else "")
    watched.look()
    while not stop.wait(every):
        watched.look()
        if once:
            break
    _log.info("stopped watching %s", folder)


def take_in(settings: Settings, project_code: str, file: Path, profile: str | None) -> str:
    """Store a file and check it, unless the project was given the same bytes before; gives what became of it in words."""
    from lims.commands.imports import require_size
    from lims.intake import run
    from lims.intake.profiles import receive_by_profile
    from lims.intake.store import FileStore
    from lims.intake.upload import receive
    from lims.queries.imports import batch_of_bytes

    require_size(file)
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    with open_database(settings) as database:
        with database.reading() as session:
            known = batch_of_bytes(session, resolve_project(session, project_code).id, sha256)
            if known is not None:
                return f"is {known.audit_label} already ({known.state.value})."
        with database.transaction() as session:
            place = (session, command_line_actor(), FileStore(settings.file_dir), resolve_project(session, project_code))
            taken, _ = receive_by_profile(*place, file.name, file, profile) if profile else receive(*place, file.name, file)
            batch_id = taken.id
    outcome = run.check(settings, settings.url, batch_id, command_line_actor())
    first = next((one.message for one in outcome.findings if one.severity.value == "error"), "")
    return f"batch {batch_id}, {outcome.state.value}, {outcome.report['rows']['read']} rows. {first}".strip()
