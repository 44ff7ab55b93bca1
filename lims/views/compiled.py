"""Templates as the application keeps them: compiled, between starts, in the data folder, and their globals close at hand.

Compiling them is most of a page's first answer. What lies there is run as code, so a folder that anybody but this account
may write is not used.
"""

from __future__ import annotations

import os
import stat
from collections.abc import MutableMapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import structlog
from flask.templating import Environment
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

FOLDER = "compiled-templates"
log = structlog.stdlib.get_logger("lims.compiled")


class Templates(Environment):
    """Flask's templates, which hold the globals that the application has as each is first used.

    Jinja would look every one of them up through a chain of mappings, for each template of macros that a page imports: as much
    work as all the rest of a page's frame.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Give the globals of a template, those that are its own before all templates'."""
        return {**self.globals, **(d or {})}


class KeptTemplates(FileSystemBytecodeCache):
    """Jinja's own cache, except that a page never fails for a copy that cannot be read or written."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a compiled template; Jinja compares the checksum of its source."""
        try:
            super().load_bytecode(bucket)
        except (OSError, EOFError, ValueError, TypeError) as failed:
            bucket.reset()
            log.warning("compiled template not read", error=type(failed).__name__)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template; a full disk keeps none."""
        try:
            super().dump_bytecode(bucket)
        except OSError as failed:
            log.warning("compiled template not kept", error=type(failed).__name__)


def kept_templates(data_dir: Path) -> KeptTemplates | None:
    """Give the cache in the data folder; None where that folder is not there or not this account's alone."""
    folder = data_dir / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        alone = all(_own(place) for place in (data_dir, folder))
        # Jinja compares a template's source and Python's version; its own version and our filters shape the outcome too.
        made_by = f"jinja-{version('jinja2')}-lims-{version('bcbm-lims')}"
    except (OSError, PackageNotFoundError):
        return None
    return KeptTemplates(str(folder), f"{made_by}-%s") if alone else None


def _own(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
