"""Tests of what a server loads once nobody asks for anything."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from flask import Flask

from lims.commands.warm import loaded_when_idle

IDLE = 0.05
LONGEST = 10.0


@pytest.fixture
def app() -> Flask:
    return Flask(__name__)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of a module that nobody has loaded."""
    name = "loaded_when_idle_only"
    (tmp_path / f"{name}.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_it_is_loaded_after_the_first_page_and_not_before(app: Flask, module: str) -> None:
    with loaded_when_idle(app, module, IDLE):
        time.sleep(3 * IDLE)
        assert module not in sys.modules, "the start is not for it"
        app.test_client().get("/")
        until = time.monotonic() + LONGEST
        while module not in sys.modules and time.monotonic() < until:
            time.sleep(IDLE / 5)
        assert module in sys.modules


def test_a_server_that_ends_does_not_wait_for_it(app: Flask, module: str) -> None:
    with loaded_when_idle(app, module, LONGEST * 6):
        app.test_client().get("/")
        began = time.monotonic()
    assert time.monotonic() - began < LONGEST
    assert module not in sys.modules
