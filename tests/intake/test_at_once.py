"""Two people at once, a crash at any moment, a full disk, a busy database: all or nothing, and the next run works."""

from __future__ import annotations

import multiprocessing
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lims.audit.record import declare
from lims.domain.errors import Conflict
from lims.domain.vocabulary import BatchState
from lims.intake import run
from lims.models import Animal, ImportBatch
from tests.intake.desk import EVERYTHING, Desk, weights

pytestmark = pytest.mark.child
KILLS = 15
MOST_TRIES = 10 * KILLS
GOLDEN = 0.618034
"""Multiples of it, modulo 1, spread evenly over the time that a commit takes."""


def batch_states(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        return [state.value for state in session.scalars(select(ImportBatch.state).order_by(ImportBatch.id))]


def cohort(first: int, animals: int = 10, weeks: int = 20) -> str:
    """Write `animals` × `weeks` weights; `first` numbers the animals."""
    return weights(
        *(
            (f"M{first + mouse}", f"2025-{1 + week // 4:02}-{1 + week % 4 * 7:02}", 20 + (first + mouse + week) % 9 / 10)
            for mouse in range(animals)
            for week in range(weeks)
        )
    )


def hold(session: Session, desk: Desk) -> None:
    """Take the database's write lock."""
    declare(session, desk.actor, "system:set-up")
    session.execute(select(1))


def at_once(jobs: list[Callable[[], object]]) -> list[object]:
    """Run jobs in threads that start together; gives what each returned, or the exception it raised."""
    gate = threading.Barrier(len(jobs))

    def go(job: Callable[[], object]) -> object:
        gate.wait(30)
        try:
            return job()
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(go, jobs))


def test_of_eight_people_with_the_same_file_one_wins(desk_on_each: Desk) -> None:
    desk = desk_on_each
    content = cohort(1)

    results = at_once([lambda: desk.record(content)] * 8)

    won = [one for one in results if isinstance(one, run.Outcome) and one.state is BatchState.COMMITTED]
    assert len(won) == 1
    assert all("committed already" in str(one) for one in results if one not in won)
    assert (batch_states(desk), len(desk.readings()), len(desk.codes(Animal))) == (["committed"], 200, 10)
    desk.sound()


def test_overlapping_files_at_once_double_nothing_and_lose_nothing(desk_on_each: Desk) -> None:
    desk = desk_on_each
    contents = [cohort(1 + 5 * number, weeks=4) for number in range(5)]

    results = at_once([lambda content=content: desk.record(content) for content in contents])

    assert all(isinstance(one, run.Outcome) and one.state is BatchState.COMMITTED for one in results), results
    animals = {f"M{number}" for number in range(1, 31)}
    readings = desk.readings()
    assert {animal for animal, *_ in readings} == animals
    assert len(readings) == len(set(readings)) == 30 * 4
    desk.sound()


def test_a_check_while_somebody_records_leaves_the_record_alone(desk_on_each: Desk) -> None:
    desk = desk_on_each
    batch = desk.drop(cohort(1), choices={"create": EVERYTHING})

    at_once([lambda: desk.commit(batch), *[lambda: desk.look(batch)] * 3])

    assert (batch_states(desk), len(desk.readings())) == (["committed"], 200)
    desk.sound()


def test_a_commit_that_is_killed_at_any_moment_leaves_all_or_nothing(desk_on_each: Desk) -> None:
    desk = desk_on_each
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lims.intake.run"])

    def start(first: int) -> multiprocessing.process.BaseProcess:
        batch = desk.drop(cohort(first), choices={"create": EVERYTHING})
        task = run.Task(desk.settings.url, desk.settings, batch, desk.actor, commit=True)
        child = context.Process(target=run.process, args=(task,))
        child.start()
        return child

    start(1).join()
    begun = time.monotonic()
    start(1001).join()
    whole = time.monotonic() - begun
    assert len(desk.readings()) == 400

    died = 0
    for number in range(MOST_TRIES):
        if died == KILLS:
            break
        child, started = start(2000 + 100 * number), time.monotonic()
        time.sleep(whole * ((number * GOLDEN) % 1))
        child.kill()
        child.join()
        if child.exitcode == -signal.SIGKILL:
            died += 1
        else:  # it was quicker than we thought: the machine is less busy now
            whole = min(whole, time.monotonic() - started)
        with desk.database.transaction() as session:
            hold(session, desk)  # waits until the server let go of what the dead one held
        recorded = batch_states(desk).count("committed")
        assert len(desk.readings()) == 200 * recorded
        assert len(desk.codes(Animal)) == 10 * recorded

    assert died == KILLS
    desk.sound()
    assert desk.record(cohort(2000 + 100 * MOST_TRIES)).state is BatchState.COMMITTED
    assert desk.record(cohort(2000), create=EVERYTHING).state is BatchState.COMMITTED
    desk.sound()


def test_a_full_disk_is_a_clean_failure_and_the_file_is_recorded_once_there_is_room(desk: Desk) -> None:
    batch = desk.drop(cohort(1, weeks=24), choices={"create": EVERYTHING})
    task = run.Task(desk.settings.url, desk.settings, batch, desk.actor, commit=True)

    def fill(connection: sqlite3.Connection, record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")

    event.listen(Engine, "connect", fill)
    try:
        with pytest.raises(OperationalError, match="full"):
            run.process(task)
    finally:
        event.remove(Engine, "connect", fill)
    assert (batch_states(desk), desk.readings(), desk.codes(Animal)) == (["stored"], [], [])
    desk.sound()

    assert desk.commit(batch).state is BatchState.COMMITTED
    assert len(desk.readings()) == 240
    desk.sound()


def test_a_commit_waits_for_a_database_that_somebody_else_holds(desk_on_each: Desk) -> None:
    desk = desk_on_each
    batch = desk.drop(cohort(1), choices={"create": EVERYTHING})
    with ThreadPoolExecutor(1) as pool:
        with desk.database.transaction() as session:
            hold(session, desk)
            waiting = pool.submit(desk.commit, batch)
            time.sleep(0.7)
            assert not waiting.done()
        assert waiting.result(60).state is BatchState.COMMITTED
    assert len(desk.readings()) == 200


def test_a_stored_file_that_is_gone_or_changed_is_a_sentence(desk: Desk, tmp_path: Path) -> None:
    from lims.intake.store import StoredFileDamaged

    batch = desk.drop(cohort(1))
    (stored,) = (path for path in desk.settings.file_dir.rglob("*") if path.is_file())
    stored.write_bytes(b"something else")
    with pytest.raises(StoredFileDamaged, match="changed on disk"):
        desk.look(batch)
    stored.unlink()
    with pytest.raises(StoredFileDamaged, match="missing"):
        desk.look(batch)
    assert batch_states(desk) == ["stored"]
