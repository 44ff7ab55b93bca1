"""Stands in for the limited child process that reads files, where what is tested is not the child."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import TypeVar

from lims import progress

Result = TypeVar("Result")


def run_here(
    function: Callable[..., Result], *args: object, memory_mb: int, seconds: int, listener: progress.Listener | None = None
) -> Result:
    """Call `function(*args)` in this process, with all that would travel to a child and back pickled as it would be."""
    function, args = pickle.loads(pickle.dumps((function, args)))
    progress.listen(listener)
    try:
        result: Result = pickle.loads(pickle.dumps(function(*args)))
    except Exception as problem:
        raise pickle.loads(pickle.dumps(problem)) from problem
    finally:
        progress.listen(None)
    return result
