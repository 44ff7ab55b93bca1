"""`lims doctor`: looks whether everything a lab relies on is in order, and says what to do where it is not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from lims.commands.support import settings_of

if TYPE_CHECKING:
    from lims.config import Settings


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found; `remedy` is empty where all is well."""

    what: str
    found: str
    remedy: str = ""


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Look whether everything is in order; exit status 1 where something is not."""
    settings = settings_of(context)
    looked = [*_data_folder(settings), *_database(settings), *_network(settings)]
    for one in looked:
        click.echo(f"{'look ' if one.remedy else 'ok   '} {one.what}: {one.found}" + (f" → {one.remedy}" if one.remedy else ""))
    context.exit(1 if any(one.remedy for one in looked) else 0)


def _data_folder(settings: Settings) -> Iterator[Looked]:
    folder = settings.data_dir
    if not folder.is_dir():
        yield Looked("data folder", f"{folder} is not there", "run `lims init`")
        return
    writable = os.access(folder, os.W_OK | os.X_OK)
    yield Looked("data folder", str(folder), "" if writable else "this account cannot write there")
    mode = stat.S_IMODE(folder.stat().st_mode)
    yield Looked("data folder's readers", f"mode {mode:o}", f"chmod 700 {folder}" if mode & 0o077 else "")
    key = folder / "secret-key"
    if settings.secret_key is None and key.is_file():
        mode = stat.S_IMODE(key.stat().st_mode)
        yield Looked("secret key", f"mode {mode:o}", f"chmod 600 {key}" if mode & 0o077 else "")
    else:
        yield Looked("secret key", "from the settings" if settings.secret_key else "made at the first start")


def _database(settings: Settings) -> Iterator[Looked]:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import OperationalError

    from lims import migrate

    where = make_url(settings.url).render_as_string(hide_password=True)
    try:
        at = migrate.current(settings.url)
    except OperationalError as failed:
        told = str(failed.orig).splitlines()[0]
        yield Looked("database", f"{where} does not answer: {told}", "start it, or correct LIMS_DATABASE_URL")
        return
    yield Looked("database", where)
    needed = ", ".join(migrate.heads())
    yield Looked("tables", f"at {at}, needed {needed}", "" if at == needed else "run `lims upgrade`" if at else "run `lims init`")
    if at == needed:
        yield _worker(settings)


def _worker(settings: Settings) -> Looked:
    from lims.config import JobsRun
    from lims.db import Database
    from lims.jobs.start import worker_runs
    from lims.jobs.table import waiting

    if settings.jobs is JobsRun.HERE:
        return Looked("worker", "none needed: imports run in the process that is asked")
    database = Database(settings.url, settings.zone)
    try:
        jobs = len(waiting(database))
        told = f"{jobs} job{'s' if jobs != 1 else ''} to do" if jobs else "nothing to do"
        if worker_runs(settings, database):
            return Looked("worker", f"runs, {told}")
        return Looked("worker", f"none runs, {told}", "run `lims serve` or `lims worker`" if jobs else "")
    finally:
        database.close()


def _network(settings: Settings) -> Iterator[Looked]:
    alone = settings.host in ("127.0.0.1", "localhost", "::1")
    found = f"http://{settings.host}:{settings.port}"
    unencrypted = "passwords cross the network unencrypted: put a proxy with a certificate in front and set LIMS_HTTPS_ONLY"
    yield Looked("address", found, "" if alone or settings.https_only else unencrypted)
    hosts = ", ".join(settings.trusted_hosts)
    yield Looked("host names", hosts or "any", "" if hosts or alone else "set LIMS_TRUSTED_HOSTS")
    if settings.mail_server is None:
        yield Looked("mail", "none: administrators reset passwords")
    else:
        needed = "set LIMS_TRUSTED_HOSTS: without it `lims serve` refuses to start"
        yield Looked("mail", settings.mail_server, "" if hosts else needed)
