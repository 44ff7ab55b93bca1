"""Runs a function in a child process with limits on memory and processor time.

The library that reads spreadsheets can be made to abort, or to ask for gigabytes, by a file of a kilobyte. Whatever a
file does to the child, the server lives on and says what happened. And whatever becomes of the server, the child does not
outlive it: what nobody waits for any more is not recorded behind everybody's back.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import select
import signal
import threading
import time
from collections.abc import Callable
from enum import Enum, auto
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from importers.base import Refused
from lims import progress

Result = TypeVar("Result")

_PRELOAD = ["lims.intake.run"]
AT_ONCE = 2
"""Children of one process at a time: what they may take together is bounded too. Others wait."""
WAITING_SECONDS = 120
"""How long a file waits for its turn, and how much longer than its processor time a child may sit idle."""
_turns = threading.BoundedSemaphore(AT_ONCE)


def get_ready() -> None:
    """Start the server process that forks children, so that the first file need not wait for it."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(_PRELOAD)
    forkserver.ensure_running()


def run_limited(
    function: Callable[..., Result], *args: Any, memory_mb: int, seconds: int, listener: progress.Listener | None = None
) -> Result:
    """Call `function(*args)` in a child with `memory_mb` MiB of address space and `seconds` of processor time.

    Function, arguments and result are pickled; keep them small. Exceptions of the function are raised here. A `listener` is
    told, in this process, how far the child is (`lims.progress`).

    Raises:
        Refused: the child ran out of memory or time, the reader aborted it, or other files took all turns.
    """
    if not _turns.acquire(timeout=WAITING_SECONDS):
        raise Refused(
            "reading-busy",
            f"Other files are being read, and this one waited {WAITING_SECONDS} seconds for its turn.",
            expected="a free turn",
            remedy="The file is stored. Try again in a few minutes.",
        )
    try:
        try:
            return _run(function, args, memory_mb, seconds, listener)
        except _Killed:
            # Somebody else ended it, such as a machine short of memory: that says little of the file, so once more.
            return _run(function, args, memory_mb, seconds, listener)
    finally:
        _turns.release()


class _Killed(Refused):
    """The child was killed, and not by its limits."""


def _run(
    function: Callable[..., Result], args: tuple[Any, ...], memory_mb: int, seconds: int, listener: progress.Listener | None
) -> Result:
    # A process with several threads must not fork itself: it asks a clean, single-threaded server process to fork.
    method = "fork" if threading.active_count() == 1 else "forkserver"
    context: Any = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(_PRELOAD)
    ours, theirs = context.Pipe(duplex=False)
    work = (ours, theirs, function, args, memory_mb, seconds, listener is not None)
    child = context.Process(target=_work, args=work, daemon=True)
    child.start()
    theirs.close()
    deadline = time.monotonic() + seconds + WAITING_SECONDS
    try:
        while True:
            if not ours.poll(max(0.0, deadline - time.monotonic())):
                child.kill()
            told, result = ours.recv()
            if told is not _Told.STEP:
                break
            if listener is not None:
                listener(result)
    except EOFError:
        child.join()
        late = time.monotonic() >= deadline
        raise _died(child.exitcode, memory_mb, seconds, by_others=not late) from None
    finally:
        ours.close()
    child.join()
    if told is _Told.RAISED:
        raise result
    return result  # type: ignore[no-any-return]  # what the function returned, through the pipe


class _Told(Enum):
    """What the child sends."""

    STEP = auto()
    RETURNED = auto()
    RAISED = auto()


def _work(
    ours: Connection,
    pipe: Connection,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    memory_mb: int,
    seconds: int,
    telling: bool,
) -> None:
    ours.close()  # as long as anybody holds this end, nobody notices that the parent is gone
    _end_with_parent(pipe)
    in_use = _address_space()
    ceiling = in_use + memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The child ends with its file, within its limits: looking for cycles would walk a million cells again and again.
    gc.disable()
    progress.listen((lambda step: pipe.send((_Told.STEP, step))) if telling else None)
    try:
        pipe.send((_Told.RETURNED, function(*args)))
    except MemoryError:
        pipe.send((_Told.RAISED, _out_of_memory(memory_mb)))
    except Exception as problem:  # noqa: BLE001  # every exception travels to the parent, which raises it there
        pipe.send((_Told.RAISED, problem))
    pipe.close()


def _end_with_parent(pipe: Connection) -> None:
    """Let this process be killed as soon as nobody is left to read what it sends: a transaction at hand is rolled back."""
    gone = select.poll()
    gone.register(pipe.fileno(), 0)  # nothing to read or to write: only the other end's closing
    waiting = threading.Event()

    def watch() -> None:
        waiting.set()
        gone.poll()
        if not pipe.closed:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    waiting.wait()  # its memory counts as in use already, and not against the limit


def _address_space() -> int:
    """Give the bytes of address space this process has already, which a forked child inherits."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123  # a kernel interface, not a file
        return int(statm.read().split()[0]) * resource.getpagesize()


def _died(exit_code: int | None, memory_mb: int, seconds: int, *, by_others: bool) -> Refused:
    if exit_code == -signal.SIGXCPU:
        return Refused(
            "reading-too-long",
            f"Reading this file took more than {seconds} seconds of processor time, so it was stopped.",
            expected="a table of measurements of the size an instrument writes",
            remedy="Save only the sheet with the measurements, without images and formatting, and upload that.",
        )
    died = _Killed if by_others and exit_code == -signal.SIGKILL else Refused
    return died(
        "reader-aborted",
        f"The spreadsheet reader stopped on this file (it needed more than {memory_mb} MB, or the file is damaged).",
        expected="an undamaged workbook",
        remedy="Open it in a spreadsheet program, save the sheet as a new .xlsx or .csv file, and upload that.",
    )


def _out_of_memory(memory_mb: int) -> Refused:
    return Refused(
        "reading-too-large",
        f"Reading this file needs more than {memory_mb} MB of memory, so it was stopped.",
        expected="a table of measurements of the size an instrument writes",
        remedy="Save only the sheet with the measurements, without images and formatting, and upload that.",
    )
