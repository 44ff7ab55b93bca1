"""How long a person waits: for `lims --help`, and from `lims serve` to the first page."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Figure, Spent, Unmeasured, alternate, apart, figure, spent

PROJECT = Path(__file__).parents[1]
LIMS = ("-m", "lims.cli")
BARE = ("-c", "import flask, sqlalchemy")
PATIENCE_SECONDS = 60
TARGET = 2.0


@dataclass(frozen=True, slots=True)
class Installed:
    """A Python with what an installation has, and the folder for its compiled modules."""

    python: str
    compiled: str

    def command(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """Give the whole command line."""
        return (self.python, *arguments)

    def environment(self) -> dict[str, str]:
        """Give the environment: an installation's own settings, and its modules compiled, by the round not counted."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIMS_", "PYTHON"))}
        return {**kept, "PYTHONPYCACHEPREFIX": self.compiled}


@contextmanager
def installed() -> Iterator[Installed]:
    """Make an environment with the runtime's packages alone: some load what only developers have, once it is there.

    Rich comes with a tool that checks layers, and structlog loads it wherever it finds it.
    """
    with TemporaryDirectory(prefix="lims-bench-") as folder, TemporaryDirectory(prefix="lims-bench-") as compiled:
        venv.create(folder, symlinks=True)
        (site,) = Path(folder).glob("lib/python*/site-packages")
        needed = re.findall(r"^([\w.-]+)==", (PROJECT / "requirements/runtime.txt").read_text(), re.MULTILINE)
        for name in (*needed, "bcbm-lims"):
            _link(name, site)
        yield Installed(str(Path(folder, "bin/python")), compiled)


def _link(name: str, site: Path) -> None:
    try:
        package = distribution(name)
    except PackageNotFoundError as missing:
        raise Unmeasured(f"{name} is not installed") from missing
    for part in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
        if not (site / part).exists():
            (site / part).symlink_to(Path(str(package.locate_file(part))))


def _run(arguments: tuple[str, ...], where: Installed) -> None:
    subprocess.run(where.command(arguments), check=True, stdout=subprocess.DEVNULL, env=where.environment(), cwd=PROJECT)


def run_once(arguments: tuple[str, ...], where: Installed) -> Spent:
    """Run Python with these arguments to its end."""
    return spent(partial(_run, arguments, where))[0]


def first_page(folder: Path, where: Installed) -> Spent:
    """Start the server on a folder that `lims init` has set up, and wait for its sign-in page."""
    return spent(partial(_serve, folder, _free_port(), where))[0]


def _serve(folder: Path, port: int, where: Installed) -> None:
    server = subprocess.Popen(
        where.command((*LIMS, "--data", str(folder), "serve", "--port", str(port))),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=where.environment(),
        cwd=PROJECT,
        start_new_session=True,
    )
    try:
        _wait(server, port)
    finally:
        # Its worker too, which would be starting still while the next round is timed.
        os.killpg(server.pid, signal.SIGKILL)
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
    with installed() as where, TemporaryDirectory(prefix="lims-bench-") as folder:
        floor = partial(apart, run_once, BARE, where)
        values, floors = alternate("startup_help", partial(apart, run_once, (*LIMS, "--help"), where), floor, rounds)
        yield figure("startup_help", values, floors, TARGET)
        apart(run_once, (*LIMS, "--data", folder, "init"), where)
        values, floors = alternate("startup_serve", partial(apart, first_page, Path(folder), where), floor, rounds)
        yield figure("startup_serve", values, floors, TARGET)
