"""Whatever a file does to the child that reads it, the parent lives on and says what happened."""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from importers.base import Finding, Refused, Severity
from lims import progress
from lims.domain.errors import Conflict
from lims.intake.limited import run_limited
from lims.progress import Progress, Step

LIMITS = {"memory_mb": 256, "seconds": 60}


def eat() -> int:
    hoard = []
    while True:
        hoard.append(bytearray(16 * 2**20))


def spin() -> None:
    while True:
        pass


def die(how: str) -> None:
    faulthandler.disable()
    if how == "abort":
        os.abort()
    if how == "exit":
        os._exit(0)
    if how == "sys.exit":
        sys.exit(3)
    os.kill(os.getpid(), signal.SIGKILL)


def refuse() -> None:
    raise Refused("file-damaged", "It is cut off.", expected="a whole file", remedy="Copy it again.")


def conflict() -> None:
    raise Conflict("Batch 1 is committed already.", remedy="Open its page.")


def unpicklable() -> object:
    return lambda: None


def test_the_result_comes_back() -> None:
    assert run_limited(max, 3, 7, **LIMITS) == 7


def test_a_child_that_eats_memory_is_stopped() -> None:
    with pytest.raises(Refused) as refused:
        run_limited(eat, **LIMITS)

    assert refused.value.finding.code in {"reading-too-large", "reader-aborted"}
    assert "256 MB" in refused.value.finding.message


def test_a_child_that_spins_is_stopped() -> None:
    start = time.monotonic()
    with pytest.raises(Refused) as refused:
        run_limited(spin, memory_mb=256, seconds=1)

    assert refused.value.finding.code == "reading-too-long"
    assert "1 seconds" in refused.value.finding.message or "1 second " in refused.value.finding.message
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("how", ["abort", "exit", "sys.exit", "kill"])
def test_a_child_that_dies_is_a_sentence(how: str) -> None:
    with pytest.raises(Refused) as refused:
        run_limited(die, how, **LIMITS)

    finding = refused.value.finding
    assert (finding.code, finding.severity) == ("reader-aborted", Severity.ERROR)
    assert finding.expected
    assert finding.remedy


def test_exceptions_travel_whole() -> None:
    with pytest.raises(Refused) as refused:
        run_limited(refuse, **LIMITS)
    assert refused.value.finding == Finding(
        Severity.ERROR, "file-damaged", "It is cut off.", expected="a whole file", remedy="Copy it again."
    )

    with pytest.raises(Conflict, match="committed already") as conflicting:
        run_limited(conflict, **LIMITS)
    assert conflicting.value.remedy == "Open its page."


def test_a_result_that_cannot_travel_is_a_defect_told_as_such() -> None:
    with pytest.raises((AttributeError, TypeError), match="pickle"):
        run_limited(unpicklable, **LIMITS)


def test_eight_threads_read_at_once() -> None:
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda number=number: results.append(run_limited(pow, number, 2, **LIMITS))) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(results) == [number**2 for number in range(8)]


SINGLE_THREADED = """
import os, threading
from importers.base import Refused
from lims.intake.limited import run_limited
from tests.intake.test_limited import die
assert threading.active_count() == 1
parent = os.getpid()
assert run_limited(os.getppid, memory_mb=256, seconds=60) == parent, "forked by itself"
try:
    run_limited(die, "abort", memory_mb=256, seconds=60)
except Refused as refused:
    print(refused.finding.code)
"""


def test_a_process_with_one_thread_forks_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SINGLE_THREADED], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )

    assert (done.returncode, done.stdout) == (0, "reader-aborted\n"), done.stderr


def test_a_child_that_only_waits_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lims.intake.limited.WAITING_SECONDS", 0.5)
    began = time.monotonic()

    with pytest.raises(Refused, match="stopped"):
        run_limited(time.sleep, 60, memory_mb=256, seconds=1)

    assert time.monotonic() - began < 20


def test_more_files_than_turns_wait_and_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lims.intake.limited.WAITING_SECONDS", 1)
    busy = [threading.Thread(target=run_limited, args=(time.sleep, 4), kwargs=LIMITS) for _ in range(2)]
    for one in busy:
        one.start()
    time.sleep(0.5)

    with pytest.raises(Refused) as refused:
        run_limited(max, 1, 2, **LIMITS)

    for one in busy:
        one.join()
    assert refused.value.finding.code == "reading-busy"
    assert run_limited(max, 1, 2, **LIMITS) == 2


ABANDONED = """
import os, sys, threading, time
from lims.intake.limited import run_limited
from tests.intake.test_limited import wait_long
if sys.argv[1] == "threads":
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
run_limited(wait_long, memory_mb=256, seconds=60)
"""


def wait_long() -> None:
    print(os.getpid(), flush=True)
    time.sleep(600)


@pytest.mark.parametrize("parent", ["alone", "threads"])
def test_a_child_does_not_outlive_its_parent(parent: str) -> None:
    command = [sys.executable, "-c", ABANDONED, parent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
            assert time.monotonic() < deadline, "it goes on by itself"
            time.sleep(0.05)


def steps() -> str:
    progress.begin(Step.READ)
    progress.begin(Step.JUDGE, 10)
    progress.advance(10)
    progress.begin(Step.RESOLVE)
    progress.begin(Step.WRITE, 4)
    return "done"


def test_a_listener_hears_how_far_the_child_is_and_never_that_it_goes_back() -> None:
    heard: list[Progress] = []
    assert run_limited(steps, **LIMITS, listener=heard.append) == "done"
    assert [one.step for one in heard] == [Step.READ, Step.JUDGE, Step.WRITE]
    assert run_limited(steps, **LIMITS) == "done"
