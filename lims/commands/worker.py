"""`lims worker`: does what was asked for on pages and by programs, until it is stopped."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from lims.commands.loading import collecting_later
from lims.commands.support import require_current_tables, settings_of
from lims.config import JobsRun, Settings

if TYPE_CHECKING:
    from lims.db import Database

THREADS = 2
"""Jobs of one worker at a time: as many as children may read at once (`lims.intake.limited`)."""
LOOKS = {"initial_delay": 0.05, "max_delay": 0.2, "backoff": 1.15}
"""Seconds between looks into a queue that is a file; PostgreSQL tells by itself."""
SHUTDOWN_SECONDS = 20
"""How long a job may go on when the worker is asked to stop; what is not done then is taken up again."""
FIRST_SECONDS = 1.0
"""Between the start of a server and that of its worker: as it loads, the first page would wait for the processor."""
AGAIN_SECONDS = 5
"""Between the end of a worker that should run and the start of the next."""


@click.command()
@click.option("--with-parent", is_flag=True, help="Stop when standard input ends: for whoever starts it as a child.")
@click.pass_context
def worker(context: click.Context, *, with_parent: bool) -> None:
    """Check and record what is uploaded, until interrupted; `lims serve` starts one by itself."""
    settings = settings_of(context)
    require_current_tables(settings.url)
    with collecting_later():
        from lims import logs
        from lims.db import Database
        from lims.intake.limited import get_ready
        from lims.jobs import queue

    logs.configure()
    logging.getLogger("huey").setLevel(logging.WARNING)
    if with_parent:
        threading.Thread(target=_stop_with_parent, daemon=True).start()
    get_ready()
    database = Database(settings.url, settings.zone)
    with queue.opened(settings, prepare=True) as tasks, ExitStack() as signs:
        wake = queue.wakes(tasks, lambda: _work(database, settings, signs))
        wake()  # what waits since before, or was interrupted, is begun at once
        consumer = tasks.create_consumer(workers=THREADS, graceful_signal="TERM", shutdown_timeout=SHUTDOWN_SECONDS, **LOOKS)
        consumer.run()
    database.close()


def _work(database: Database, settings: Settings, signs: ExitStack) -> None:
    """Show that a worker runs, again if the database's server was started anew meanwhile, and do what waits."""
    from lims.jobs.locks import WORKER, held, holding
    from lims.jobs.work import work_off

    if not held(database, settings, WORKER):
        signs.enter_context(holding(database, settings, WORKER, shared=True))
    work_off(settings)


def _stop_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGINT)


@contextmanager
def worker_beside(settings: Settings) -> Iterator[None]:
    """Keep a worker running meanwhile, in a process of its own that ends with this one, however that ends."""
    if settings.jobs is JobsRun.HERE:
        yield
        return
    keeper = _Keeper([sys.executable, "-m", "lims.cli", "--data", str(settings.data_dir), "worker", "--with-parent"])
    threading.Thread(target=keeper.keep, name="worker", daemon=True).start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper:
    """Starts a process after a moment, and again whenever it ends."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()

    def keep(self) -> None:
        self._stopping.wait(FIRST_SECONDS)
        while not self._stopping.is_set():
            # A session of its own: an interrupt at the keyboard is for the server, which then ends it.
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603  # our own command
            status = self._process.wait()
            if not self._stopping.is_set():
                logging.getLogger("lims.jobs").warning("the worker ended with status %s; another one follows", status)
                self._stopping.wait(AGAIN_SECONDS)

    def stop(self) -> None:
        self._stopping.set()
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
