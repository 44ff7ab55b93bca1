"""How long a person waits: for `lims --help`, and from `lims serve` to the first page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Figure, Spent, Unmeasured, alternate, apart, figure, spent

LIMS = (sys.executable, "-m", "lims.cli")
BARE = (sys.executable, "-c", "import flask, sqlalchemy")
PATIENCE_SECONDS = 60
TARGET = 2.0


def _environment(compiled: str) -> dict[str, str]:
    """Give the environment of an installed program: its own settings, and its modules compiled, by the round not counted."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIMS_", "PYTHON"))}
    return {**kept, "PYTHONPYCACHEPREFIX": compiled}


def _run(command: tuple[str, ...], compiled: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=_environment(compiled))


def run_once(command: tuple[str, ...], compiled: str) -> Spent:
    """Run a command to its end; `compiled` is the folder of its compiled modules."""
    return spent(partial(_run, command, compiled))[0]


def first_page(folder: Path, compiled: str) -> Spent:
    """Start the server on a folder that `lims init` has set up, and wait for its sign-in page."""
    return spent(partial(_serve, folder, _free_port(), compiled))[0]


def _serve(folder: Path, port: int, compiled: str) -> None:
    command = (*LIMS, "--data", str(folder), "serve", "--port", str(port))
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment(compiled))
    try:
        _wait(server, port)
    finally:
        server.terminate()
        server.wait()


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and server.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/login")
            if connection.getresponse().status == 200:
                return
            raise Unmeasured("the sign-in page did not come")
        except ConnectionRefusedError:
            # Asking more often would be work of its own, for the same processor.
            time.sleep(0.02)
        finally:
            connection.close()
    raise Unmeasured("the server did not start")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def startup(_size: int, rounds: int) -> Iterator[Figure]:
    """Compare with starting Python and importing the two libraries that everything needs."""
    with TemporaryDirectory(prefix="lims-bench-") as folder, TemporaryDirectory(prefix="lims-bench-") as compiled:
        floor = partial(apart, run_once, BARE, compiled)
        values, floors = alternate("startup_help", partial(apart, run_once, (*LIMS, "--help"), compiled), floor, rounds)
        yield figure("startup_help", values, floors, TARGET)
        apart(run_once, (*LIMS, "--data", folder, "init"), compiled)
        values, floors = alternate("startup_serve", partial(apart, first_page, Path(folder), compiled), floor, rounds)
        yield figure("startup_serve", values, floors, TARGET)
