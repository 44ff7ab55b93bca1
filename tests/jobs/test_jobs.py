"""A job is done once and whole, whoever is killed meanwhile; what stands in the way is said, and it can be tried again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from lims.config import JobsRun, Settings
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import BatchState, JobKind, JobState
from lims.jobs import queue, table
from lims.jobs.locks import WORKER, held, holding
from lims.jobs.start import interrupted, start, wait, worker_runs
from lims.jobs.work import do, work_off
from lims.models import ImportBatch, Job
from lims.progress import Progress, Step
from tests.intake.desk import Desk
from tests.intake.test_at_once import cohort

KILLS = (0.15, 0.45, 0.7, 0.95)
"""When a worker is killed, in parts of the time that it takes."""


def asked(desk: Desk, batch: int, kind: JobKind = JobKind.COMMIT) -> int:
    """Put a job into the table; gives its number."""
    with desk.database.transaction() as session:
        return table.ask(session, desk.actor, session.get_one(ImportBatch, batch), kind, accept=["all"]).id


def job_of(desk: Desk, job_id: int) -> Job:
    with desk.database.reading() as session:
        return session.get_one(Job, job_id)


def with_worker(desk: Desk) -> Settings:
    desk.settings.data_dir.mkdir(exist_ok=True)
    return desk.settings.model_copy(update={"jobs": JobsRun.WORKER})


def processes() -> Any:
    """Give the way to processes that begin clean, with what a worker needs loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lims.intake.run"])
    return context


def hold_until_killed(settings: Settings, number: int, ready: Any) -> None:
    database = Database(settings.url)
    with holding(database, settings, number) as ours:
        ready.put(ours)
        time.sleep(600)


def test_a_lock_is_one_processs_and_free_when_that_is_killed(desk_on_each: Desk) -> None:
    settings, database, context = desk_on_each.settings, desk_on_each.database, processes()
    settings.data_dir.mkdir(exist_ok=True)
    ready = context.Queue()
    holder = context.Process(target=hold_until_killed, args=(settings, 7, ready))
    holder.start()
    assert ready.get(timeout=60) is True
    assert (held(database, settings, 7), held(database, settings, 8)) == (True, False)
    with holding(database, settings, 7) as ours:
        assert not ours
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    until(lambda: not held(database, settings, 7))
    with holding(database, settings, 7) as ours, holding(database, settings, 7) as twice:
        assert (ours, twice) == (True, False), "two threads of one process keep each other out too"
    with holding(database, settings, WORKER, shared=True) as one, holding(database, settings, WORKER, shared=True) as other:
        assert (one, other, worker_runs(settings, database)) == (True, True, True)
    assert not worker_runs(settings, database)


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is true; a server notices the end of a connection a moment later."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_that_is_killed_leaves_all_or_nothing_and_the_next_one_goes_on(desk_on_each: Desk) -> None:
    desk, context = desk_on_each, processes()

    def begin(first: int) -> tuple[int, Any]:
        job = asked(desk, desk.drop(cohort(first), choices={"create": "animals,arms,study"}))
        worker = context.Process(target=work_off, args=(desk.settings,))
        worker.start()
        return job, worker

    begin(1)[1].join()
    begun = time.monotonic()
    begin(1001)[1].join()
    whole = time.monotonic() - begun
    assert len(desk.readings()) == 400

    for number, part in enumerate(KILLS):
        job, worker = begin(2000 + 100 * number)
        time.sleep(part * whole)
        worker.kill()
        worker.join()
        until(lambda job=job: not held(desk.database, desk.settings, job))
        with desk.database.transaction() as session:  # waits for what the dead one's child still holds, if anything
            recorded = session.scalar(select(func.count()).where(ImportBatch.state == BatchState.COMMITTED))
            assert session.get_one(Job, job).state in (JobState.QUEUED, JobState.RUNNING, JobState.DONE)
        assert len(desk.readings()) == 200 * (recorded or 0), "torn"

        work_off(desk.settings)
        assert job_of(desk, job).state is JobState.DONE, job_of(desk, job).message
        assert len(desk.readings()) == 200 * (3 + number)
    desk.sound()


def test_of_four_workers_one_does_a_job(desk_on_each: Desk) -> None:
    desk = desk_on_each
    job = asked(desk, desk.drop(cohort(1, weeks=4), choices={"create": "animals"}))
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: do(desk.database, desk.settings, job), range(4)))
    assert sorted(done) == [False, False, False, True]
    assert (job_of(desk, job).state, job_of(desk, job).attempts, len(desk.readings())) == (JobState.DONE, 1, 40)
    assert desk.events().count("batch:commit") == 1


def test_of_a_batch_one_thing_is_done_at_a_time(desk: Desk) -> None:
    batch = desk.drop(cohort(1, weeks=1))
    asked(desk, batch, JobKind.CHECK)
    with pytest.raises(Conflict, match="Batch 1 is being read already"):
        asked(desk, batch)
    work_off(desk.settings)
    asked(desk, batch)


def test_what_was_killed_between_its_commit_and_saying_so_is_not_done_again(desk: Desk) -> None:
    batch = desk.drop(cohort(1, weeks=1), choices={"create": "animals"})
    job = asked(desk, batch)
    assert table.begin(desk.database, job) is not None
    desk.commit(batch)
    assert interrupted(desk.settings, desk.database, job_of(desk, job))
    work_off(desk.settings)
    assert (job_of(desk, job).state, job_of(desk, job).message, len(desk.readings())) == (JobState.DONE, None, 10)


def test_a_job_that_takes_its_process_down_again_and_again_is_given_up(desk: Desk) -> None:
    job = asked(desk, desk.drop(cohort(1, weeks=1)), JobKind.CHECK)
    for _ in range(table.MOST_ATTEMPTS):
        assert table.begin(desk.database, job) is not None
    work_off(desk.settings)
    assert job_of(desk, job).state is JobState.FAILED
    assert "interrupted 3 times" in (job_of(desk, job).message or "")


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (OperationalError("INSERT", {}, Exception("database or disk is full")), "disk of the database is full"),
        (OperationalError("INSERT", {}, Exception("database is locked")), "busy for too long"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (DomainError("It cannot be.", remedy="Leave it."), "It cannot be. Leave it."),
        (RuntimeError("a secret of the code"), "was noted under job 1"),
    ],
)
def test_what_stands_in_the_way_is_said_and_can_be_tried_again(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    sentence: str,
) -> None:
    def fail(*args: object, **settings: object) -> None:
        raise failure

    batch = desk.drop(cohort(1, weeks=1), choices={"create": "animals"})
    with monkeypatch.context() as broken:
        broken.setattr("lims.intake.run.commit", fail)
        failed = start(desk.settings, desk.database, asked(desk, batch))
    assert failed.state is JobState.FAILED
    assert sentence in (failed.message or "")
    assert "secret" not in (failed.message or "")
    assert desk.readings() == []
    assert start(desk.settings, desk.database, asked(desk, batch)).state is JobState.DONE
    assert len(desk.readings()) == 10


@pytest.mark.child
def test_the_queue_keeps_how_far_a_job_is_and_forgets_it(desk_on_each: Desk) -> None:
    settings = with_worker(desk_on_each)
    queue.wake(settings)  # nobody has made it yet: logged, and no harm
    with queue.opened(settings, prepare=True):
        pass
    queue.tell(settings, 3, Progress(Step.JUDGE, 50, 200))
    queue.tell(settings, 3, Progress(Step.WRITE, 100, 200))
    now = queue.told(settings, 3)
    assert now == Progress(Step.WRITE, 100, 200)
    assert (now.words, now.counted, round(now.fraction, 2)) == ("Recording", "100 of 200", 0.75)
    queue.forget(settings, 3)
    assert queue.told(settings, 3) is None
    assert desk_on_each.database.dialect == "sqlite" or "huey_task" not in table_names(desk_on_each)


def table_names(desk: Desk) -> list[str]:
    from sqlalchemy import inspect

    return inspect(desk.database.engine).get_table_names()


def test_what_is_in_the_queue_is_data_and_no_code(desk: Desk) -> None:
    settings = with_worker(desk)
    queue.wake(settings)
    with queue.opened(settings) as opened:
        (waiting,) = opened.storage.enqueued_items()
        assert bytes(waiting).startswith(b'{"id":')
        woken: list[str] = []
        queue.wakes(opened, lambda: woken.append("here"))
        opened.execute(opened.dequeue())
    assert woken == ["here"]


@pytest.mark.slow
def test_a_real_worker_is_woken_killed_and_followed_by_another(desk_on_each: Desk, tmp_path: Path) -> None:
    desk, settings = desk_on_each, with_worker(desk_on_each)
    environment = os.environ | {"LIMS_DATABASE_URL": settings.url, "LIMS_JOBS": "worker"}
    command = [sys.executable, "-m", "lims.cli", "--data", str(settings.data_dir), "worker", "--with-parent"]

    def begin(log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as output:
            started = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=output, env=environment)
        until(lambda: worker_runs(settings, desk.database) or started.poll() is not None, 60)
        assert started.poll() is None, log.read_text()
        return started

    first = begin(tmp_path / "first.log")
    job = start(settings, desk.database, asked(desk, desk.drop(cohort(1), choices={"create": "animals"})))
    assert wait(desk.database, job.id, 60).state is JobState.DONE
    long = start(settings, desk.database, asked(desk, desk.drop(cohort(1000, 100, 40), choices={"create": "animals"})))
    until(lambda: not long.active or job_of(desk, long.id).attempts == 1)
    first.kill()
    first.wait()
    until(lambda: not worker_runs(settings, desk.database))
    second = begin(tmp_path / "second.log")
    over = wait(desk.database, long.id, 60)
    assert (over.state, over.message, len(desk.readings())) == (JobState.DONE, None, 4200)
    assert second.stdin is not None
    second.stdin.close()
    assert second.wait(30) == 0, "it ends with whoever started it"
    first.stdin.close()  # type: ignore[union-attr]  # a pipe was asked for
    desk.sound()
