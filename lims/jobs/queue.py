"""The queue that wakes workers, and says how far they are. Nothing is lost with it: the table `job` has what is to be done.

SQLite: a file of its own in the data folder, because whoever records holds the database. PostgreSQL: tables in a schema of
their own. A queue that fails is logged; a worker looks through the table every minute anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from lims.config import Settings
from lims.progress import Progress, Step

if TYPE_CHECKING:
    from huey.api import Huey

NAME = "lims"
FILE = "queue.db"
SCHEMA = "lims_queue"
log = structlog.stdlib.get_logger("lims.jobs")


@contextmanager
def opened(settings: Settings, *, prepare: bool = False) -> Iterator[Huey]:
    """Open the queue; `prepare` makes its tables, which is for workers."""
    # Loaded by those who have work: it brings the PostgreSQL driver along.
    from huey.api import PostgresHuey, SqliteHuey
    from sqlalchemy.engine import make_url

    url = make_url(settings.url)
    common = {"results": False, "serializer": _Plain()}
    if url.get_backend_name() == "sqlite":
        file = settings.data_dir / FILE
        queue: Huey = SqliteHuey(NAME, filename=str(file), fsync=True, create_tables=prepare or not file.exists(), **common)
    else:
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        if prepare:
            _make_schema(address)
        queue = PostgresHuey(NAME, dsn=address, options=f"-c search_path={SCHEMA}", create_tables=prepare, **common)
    try:
        yield queue
    finally:
        queue.storage.close()


def _make_schema(address: str) -> None:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        try:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        except psycopg.errors.UniqueViolation:
            log.info("another worker made the schema of the queue")


class _Plain:
    """JSON, where the library would pickle: whoever can write to the queue must not be able to run code."""

    @staticmethod
    def serialize(data: Any) -> bytes:
        return orjson.dumps(data._asdict() if hasattr(data, "_asdict") else data)

    @staticmethod
    def deserialize(data: bytes) -> Any:
        from huey.registry import Message

        told = orjson.loads(bytes(data))
        return Message(**told) if "retries" in told else told


def wakes(queue: Huey, work: Callable[[], None]) -> Callable[[], object]:
    """Let a worker on this queue call `work` when it is woken, and every minute; gives what wakes it."""
    from huey.api import crontab

    def run() -> None:
        work()

    queue.periodic_task(crontab(), name="look")(run)
    waking: Callable[[], object] = queue.task(name="work")(run)
    return waking


def wake(settings: Settings) -> None:
    """Wake a worker. Where the queue does not work, one comes by within a minute."""
    with _mattering_little(), opened(settings) as queue:
        wakes(queue, lambda: None)()


def tell(settings: Settings, job_id: int, now: Progress) -> None:
    """Say how far a job is."""
    with _mattering_little(), opened(settings) as queue:
        queue.put(str(job_id), {"step": now.step, "done": now.done, "total": now.total})


def told(settings: Settings, job_id: int) -> Progress | None:
    """Give how far a job is, where anybody said so."""
    with _mattering_little(), opened(settings) as queue:
        found = queue.get(str(job_id), peek=True)
        return Progress(Step(found["step"]), found["done"], found["total"]) if found else None
    return None


def forget(settings: Settings, job_id: int) -> None:
    """Keep no longer how far a job was."""
    with _mattering_little(), opened(settings) as queue:
        queue.get(str(job_id))


@contextmanager
def _mattering_little() -> Iterator[None]:
    """Log what goes wrong and go on: a full disk or a server that restarts costs a look at the progress, no job."""
    try:
        yield
    except Exception as failed:  # noqa: BLE001  # whatever ails the queue
        log.warning("queue", error=type(failed).__name__, says=str(failed).partition("\n")[0])
