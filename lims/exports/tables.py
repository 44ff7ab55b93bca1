"""Tables out as csv, xlsx and JSON: the same rows as the page shows, numbers as numbers, text never a formula."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import IO, Any, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile

import orjson

from lims.domain.formulas import harmless

Row: TypeAlias = Sequence[Any]
Writer: TypeAlias = Callable[[Sequence[str], Iterable[Row]], Iterator[bytes]]
BLOCK_BYTES = 64 * 1024
_IN_MEMORY = 4 * 2**20
_LONGEST_CELL = 32_767
"""Characters in one cell of an xlsx file."""


def plain(value: Any) -> Any:
    """Give a value as files hold it: terms and dates as text, times in UTC with Z, numbers and truth as they are."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value


def _one_cell(value: Any) -> Any:
    """Give a value as one cell holds it: of several, such as the targets of an agent, all in one text."""
    value = plain(value)
    return "; ".join(str(plain(one)) for one in value) if isinstance(value, list) else value


def _for_csv(value: Any) -> Any:
    value = _one_cell(value)
    return harmless(value) if isinstance(value, str) else value


def csv_blocks(headers: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """Write UTF-8 csv with a byte-order mark, which Excel needs, in blocks of about 64 KiB."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([harmless(header) for header in headers])
    for row in rows:
        writer.writerow([_for_csv(value) for value in row])
        if buffer.tell() >= BLOCK_BYTES:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def json_blocks(headers: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """Write one JSON array of objects, in blocks of about 64 KiB."""
    block, before = bytearray(b"["), b"\n"
    for row in rows:
        block += before + orjson.dumps(dict(zip(headers, map(plain, row), strict=True)))
        before = b",\n"
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block + b"\n]\n")


def xlsx_blocks(headers: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """Write an xlsx file of one sheet without a formula in it, in blocks of about 64 KiB."""
    return workbook_blocks([("Table", headers, rows)])


def printable(text: str) -> str:
    """Give a text as a cell of an xlsx file can hold it."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:_LONGEST_CELL]


def workbook_blocks(sheets: Iterable[tuple[str, Sequence[str], Iterable[Row]]]) -> Iterator[bytes]:
    """Write an xlsx file of several sheets (title, headers, rows), then give it in blocks; never whole in memory."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    workbook = Workbook(write_only=True)

    def cell(sheet: Any, value: Any) -> Any:
        value = _one_cell(value)
        if not isinstance(value, str):
            return value
        made = WriteOnlyCell(sheet)
        made.value = printable(value)
        made.data_type = "s"  # openpyxl takes text that begins with = for a formula
        return made

    for title, headers, rows in sheets:
        sheet = workbook.create_sheet(title)
        sheet.freeze_panes = "A2"
        sheet.append([cell(sheet, header) for header in headers])
        for row in rows:
            sheet.append([cell(sheet, value) for value in row])
    yield from stored(workbook.save)


def zip_blocks(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Write a zip archive of files (name, content), then give it in blocks; never whole in memory."""

    def write(archive: IO[bytes]) -> None:
        with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
            for name, content in files:
                with packed.open(name, "w", force_zip64=True) as member:
                    for block in content:
                        member.write(block)

    yield from stored(write)


def stored(write: Callable[[IO[bytes]], None]) -> Iterator[bytes]:
    """Let `write` fill a file, on disk above 4 MiB, and give what is in it in blocks."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        write(file)
        file.seek(0)
        while block := file.read(BLOCK_BYTES):
            yield block


FORMATS: dict[str, tuple[str, Writer]] = {
    "csv": ("text/csv; charset=utf-8", csv_blocks),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_blocks),
    "json": ("application/json", json_blocks),
}
