"""Pages a second: eight connections ask two server processes on PostgreSQL, in turn with a bare page that is served alike."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from itertools import cycle, islice
from multiprocessing import get_context
from statistics import median
from typing import Any

import waitress

from benchmarks.cohort_data import Size
from benchmarks.cohorts import Filled, addresses, bare_app, filled, signed_in
from benchmarks.measure import Figure, Unmeasured, apart, say
from lims import logs
from lims.app import create_app
from lims.commands.serve import THREADS
from lims.db import Database

CONNECTIONS, PROCESSES = 8, 2
SECONDS = 5.0
"""How long a round asks."""
PATIENCE_SECONDS = 60
TARGET = 0.5
PAGES = ("today", "animals", "measurements", "animal", "measurement", "study", "study_animals", "study_design")
"""What the connections ask for, each beginning at another one."""


def _application(one: Filled) -> Any:
    logs.configure(logging.WARNING)
    return create_app(one.settings, Database(one.url))


def _bare(one: Filled) -> Any:
    return bare_app(Database(one.url).engine)


@contextmanager
def _served(make: Callable[[Filled], Any], one: Filled) -> Iterator[int]:
    """Let two processes serve an application on one socket; gives its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS) as listening:
        forked = get_context("fork")
        servers = [forked.Process(target=_serve, args=(make, one, listening), daemon=True) for _ in range(PROCESSES)]
        for server in servers:
            server.start()
        try:
            yield listening.getsockname()[1]
        finally:
            for server in servers:
                server.kill()
                server.join()


def _serve(make: Callable[[Filled], Any], one: Filled, listening: socket.socket) -> None:
    waitress.serve(make(one), sockets=[listening], threads=THREADS, _quiet=True)


def _rate(port: int, paths: Sequence[str], headers: Mapping[str, str]) -> float:
    """Ask for pages by all connections for a while; gives the pages that came in a second."""
    until = time.monotonic() + SECONDS
    turns = [islice(cycle(paths), start % len(paths), None) for start in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        begun = time.monotonic()
        came = sum(pool.map(lambda turn: _ask(port, turn, headers, until), turns))
        return came / (time.monotonic() - begun)


def _ask(port: int, paths: Iterator[str], headers: Mapping[str, str], until: float) -> int:
    connection, came = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS), 0
    while time.monotonic() < until:
        path = next(paths)
        connection.request("GET", path, headers=dict(headers))
        with connection.getresponse() as response:
            response.read()
            if response.status != 200:
                raise Unmeasured(f"{path} answered {response.status}")
        came += 1
    connection.close()
    return came


def _signed_in(one: Filled) -> tuple[list[str], dict[str, str]]:
    """Give the pages to ask for, and the headers of somebody who has signed in."""
    database = Database(one.url)
    try:
        app = create_app(one.settings, database)
        cookie = signed_in(app).get_cookie(app.config["SESSION_COOKIE_NAME"])
        if cookie is None:
            raise Unmeasured("nobody is signed in")
        known = addresses(database)
        return [known[name] for name in PAGES], {"Cookie": f"{cookie.key}={cookie.value}"}
    finally:
        database.close()


def _rounds(one: Filled, rounds: int) -> list[tuple[float, float]]:
    """Give pages a second of the application and of the bare page, after a round of each that does not count."""
    paths, headers = _signed_in(one)
    with _served(_application, one) as port, _served(_bare, one) as other:
        value, floor = partial(_rate, port, paths, headers), partial(_rate, other, ["/"], {})
        rates = []
        for number in range(rounds + 1):
            say("pages_per_second: " + (f"round {number} of {rounds}" if number else "warming up"))
            rates.append((value(), floor()))
    return rates[1:]


def throughput(studies: int, rounds: int) -> Iterator[Figure]:
    """Measure how many pages come in a second, nothing being recorded meanwhile."""
    with filled("postgresql", Size(studies)) as one:
        rates = apart(_rounds, one, rounds)
    ratios = [value / floor for value, floor in rates]
    values, floors = (median(column) for column in zip(*rates, strict=True))
    spread = min(ratios), max(ratios)
    yield Figure("pages_per_second", values, "pages/s", floors, median(ratios), TARGET, rounds, spread, size=CONNECTIONS)
