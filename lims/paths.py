"""Where what ships beside the code lies: in the wheel under `lims/_bundled`, in a checkout at the repository's top level."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    bundled = _PACKAGE / "_bundled" / name
    return bundled if bundled.is_dir() else _PACKAGE.parent / name


def templates_dir() -> Path:
    """Give the folder of the page templates."""
    return _shipped("templates")


def migrations_dir() -> Path:
    """Give the folder of the database migrations."""
    return _shipped("migrations")
