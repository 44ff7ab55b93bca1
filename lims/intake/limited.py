"""Runs a function in a child process with limits on memory and processor time.

The library that reads spreadsheets can be made to abort, or to ask for gigabytes, by a file of a kilobyte. Whatever a
file does to the child, the server lives on and says what happened.
"""

from __future__ import annotations

import gc
import multiprocessing
import resource
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from importers.base import Refused

Result = TypeVar("Result")

_PRELOAD = ["lims.intake.run"]
AT_ONCE = 2
"""Children of one process at a time: what they may take together is bounded too. Others wait."""
WAITING_SECONDS = 120
"""How long a file waits for its turn, and how much longer than its processor time a child may sit idle."""
_turns = threading.BoundedSemaphore(AT_ONCE)


def run_limited(function: Callable[..., Result], *args: Any, memory_mb: int, seconds: int) -> Result:
    """Call `function(*args)` in a child with `memory_mb` MiB of address space and `seconds` of processor time.

    Function, arguments and result are pickled; keep them small. Exceptions of the function are raised here.

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
        return _run(function, args, memory_mb, seconds)
    finally:
        _turns.release()


def _run(function: Callable[..., Result], args: tuple[Any, ...], memory_mb: int, seconds: int) -> Result:
    # A process with several threads must not fork itself: it asks a clean, single-threaded server process to fork.
    method = "fork" if threading.active_count() == 1 else "forkserver"
    context: Any = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(_PRELOAD)
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(theirs, function, args, memory_mb, seconds), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds + WAITING_SECONDS):
            child.kill()
        succeeded, result = ours.recv()
    except EOFError:
        child.join()
        raise _died(child.exitcode, memory_mb, seconds) from None
    finally:
        ours.close()
    child.join()
    if not succeeded:
        raise result
    return result  # type: ignore[no-any-return]  # what the function returned, through the pipe


def _work(pipe: Connection, function: Callable[..., Any], args: tuple[Any, ...], memory_mb: int, seconds: int) -> None:
    in_use = _address_space()
    ceiling = in_use + memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The child ends with its file, within its limits: looking for cycles would walk a million cells again and again.
    gc.disable()
    try:
        pipe.send((True, function(*args)))
    except MemoryError:
        pipe.send((False, _out_of_memory(memory_mb)))
    except Exception as problem:  # noqa: BLE001  # every exception travels to the parent, which raises it there
        pipe.send((False, problem))
    pipe.close()


def _address_space() -> int:
    """Give the bytes of address space this process has already, which a forked child inherits."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123  # a kernel interface, not a file
        return int(statm.read().split()[0]) * resource.getpagesize()


def _died(exit_code: int | None, memory_mb: int, seconds: int) -> Refused:
    if exit_code == -signal.SIGXCPU:
        return Refused(
            "reading-too-long",
            f"Reading this file took more than {seconds} seconds of processor time, so it was stopped.",
            expected="a table of measurements of the size an instrument writes",
            remedy="Save only the sheet with the measurements, without images and formatting, and upload that.",
        )
    return Refused(
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
