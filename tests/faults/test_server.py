"""Faults 25 and 26 against the server itself: slow clients, and bodies that are larger than any file may be."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from importers.preflight import MAX_UPLOAD_BYTES
from tests.browser.conftest import free_port, wait_for
from tests.support.databases import SqliteTemplate

SLOW = 50
SECONDS = 4
PATIENCE_SECONDS = 15
"""A busy machine answers late; a server whose threads wait for fifty slow clients does not answer at all."""


@pytest.fixture(scope="module")
def port(sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Give the port of a server, started as `lims serve` starts it."""
    data = tmp_path_factory.mktemp("served")
    sqlite_template.copy(data)
    port, log = free_port(), data / "server.log"
    command = [sys.executable, "-m", "lims.cli", "--data", str(data), "serve", "--port", str(port)]
    environment = {**os.environ, "TMPDIR": str(data)}
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment) as process:
        try:
            wait_for(port, process, log)
            yield port
        finally:
            process.terminate()


def status(port: int) -> int:
    """Ask for a page as anybody does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/login")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_others_are_served_while_fifty_send_a_byte_a_second(port: int) -> None:
    body = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nemail="
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(SLOW)]
        for number, client in enumerate(slow):  # half of them dawdle in the headers, half in the body
            client.sendall(body if number % 2 else body[:30])
        for _ in range(SECONDS):
            for client in slow:
                client.sendall(b"x")
            begun = time.monotonic()
            assert status(port) == 200
            assert time.monotonic() - begun < PATIENCE_SECONDS
            time.sleep(0.5)
    assert status(port) == 200


def test_a_body_of_a_gigabyte_is_refused_before_it_is_sent(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**30 - 1}\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_a_length_is_cut_off(port: int) -> None:
    chunk = b"%x\r\n" % 2**20 + b"x" * 2**20 + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            while sent < 8 * MAX_UPLOAD_BYTES:
                client.sendall(chunk)
                sent += 2**20
        assert sent < 8 * MAX_UPLOAD_BYTES
