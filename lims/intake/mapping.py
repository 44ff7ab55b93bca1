"""Looks into a stored file for its mapping page, in the limited child: only what the page shows comes back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from importers.base import Claim
from importers.mapping import mapping_in, signature
from importers.mapping_look import KnownKind, TableLook, look
from importers.preflight import MAX_UPLOAD_BYTES, too_large
from importers.registry import by_key
from importers.sheets import Workbook
from importers.workbook import open_workbook
from lims.config import Settings
from lims.domain.errors import DomainError
from lims.intake.limited import run_limited
from lims.intake.profiles import Known, nearest
from lims.intake.store import FileStore
from lims.models import ImportBatch


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a file is looked at, and how its text is to be read; `profiles` are compared with it."""

    choices: dict[str, str]
    kinds: tuple[KnownKind, ...] = ()
    sheet: int | None = None
    header_row: int | None = None
    apart: bool = False
    profiles: tuple[Known, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A table, and the profile whose headers are most like those of its file, with what differs."""

    table: TableLook
    near: Known | None = None
    differs: str = ""


def look_at(settings: Settings, batch: ImportBatch, wanted: Wanted) -> Seen:
    """Look at a table of a batch's file, as it was mapped before, or as the profile says that is most like it.

    Raises:
        Refused: the file cannot be opened as a table at all.
    """
    seen: Seen = _in_child(_look, settings, batch, wanted)
    return seen


def _in_child(function: Any, settings: Settings, batch: ImportBatch, *args: Any) -> Any:
    path = FileStore(settings.file_dir).checked(batch.file.sha256)
    memory, seconds = settings.import_memory_mb, settings.import_seconds
    return run_limited(function, path, batch.file_name, *args, memory_mb=memory, seconds=seconds)


def _opened(path: Path, name: str, choices: dict[str, str]) -> Workbook:
    size = path.stat().st_size
    if size > MAX_UPLOAD_BYTES:
        raise too_large(size)
    return open_workbook(path.read_bytes(), name, choices)


def _look(path: Path, name: str, wanted: Wanted) -> Seen:
    book = _opened(path, name, wanted.choices)
    near = nearest(book, wanted.profiles)
    known = mapping_in(wanted.choices) or (mapping_in(near[0].choices) if near else None)
    place = {"sheet": wanted.sheet, "header_row": wanted.header_row}
    table = look(book, wanted.kinds, **place, apart=wanted.apart, known=known)
    return Seen(table, *near) if near else Seen(table)


def headers_of(settings: Settings, batch: ImportBatch) -> list[str]:
    """Give the headers by which the next file of a batch's source is known; none where its format has no row of them.

    Raises:
        DomainError: nobody knows yet how the file is read.
        Refused: the file cannot be read that way.
    """
    if batch.importer is None:
        raise DomainError("Nobody has said yet how this file is read.", remedy="Map its columns, or choose its format, first.")
    found: list[str] = _in_child(_headers, settings, batch, batch.choices, batch.importer)
    return found


def _headers(path: Path, name: str, choices: dict[str, str], importer: str) -> list[str]:
    book = _opened(path, name, choices)
    claim = by_key(importer).claim(book)
    if claim is None:
        rows = by_key(importer).read(book, Claim(importer, ()), choices).header_rows
        sheet, header_row = next(((sheet, of_sheet[0]) for sheet, of_sheet in rows.items() if of_sheet), (0, 0))
    else:
        sheet, header_row = claim.sheet, claim.header_row
    return signature(book.sheets[sheet].rows[header_row - 1]) if header_row else []
