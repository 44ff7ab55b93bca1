"""Loads, once nobody asks for anything, what the first curves of survival would otherwise wait for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

STATISTICS = "statsmodels.duration.survfunc"
"""It brings pandas and SciPy, whichever of its parts is used: seconds, and nobody else needs them."""
IDLE_SECONDS = 10.0
"""Nobody asked for a page so long: by then the start is over, and whoever began to work looks at what came."""


@contextmanager
def loaded_when_idle(app: Flask, module: str = STATISTICS, idle: float = IDLE_SECONDS) -> Iterator[None]:
    """Load a module in the meantime, after the first page and once nobody has asked for another for a while."""
    asked, stopping = threading.Event(), threading.Event()
    app.before_request(asked.set)
    # No daemon: a process that ends waits until its libraries are whole.
    thread = threading.Thread(target=_load, args=(module, idle, asked, stopping), name="warm")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        asked.set()
        thread.join()


def _load(module: str, idle: float, asked: threading.Event, stopping: threading.Event) -> None:
    asked.wait()
    while True:
        asked.clear()
        if stopping.is_set():
            return
        if not asked.wait(idle):
            import_module(module)
            return
