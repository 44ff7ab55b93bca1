"""Refuses what would harm the reader, before the reader sees it: bombs, far cells, entities, files out of all measure.

The reader builds a dense grid from A1 to the last cell, so two cells far apart in a file of a kilobyte take it down with
the process. The directory of a zip and a sheet's `<dimension>` may lie: sizes are counted while inflating, and the bounds
are those of the cells themselves. One pass over each sheet proves it plain; only a sheet that is not (formulas, error
cells, hidden rows, unusual addresses) is walked element by element.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import IO

from defusedxml import DTDForbidden, EntitiesForbidden
from defusedxml.ElementTree import ParseError

from importers.base import Refused
from importers.sheetxml import SheetFacts, part_names, walk_ods, walk_sheet
from lims.domain.cells import column_letter

MAX_UPLOAD_BYTES = 50 * 1024 * 1024
"""Of a file that comes by the web, and of every file that is held whole while it is read."""
MAX_STREAMED_BYTES = 4 * 1024**3
"""Of text that is summarised while its rows pass by (`importers.registry.STREAMED`); it is imported on the command line."""
MAX_INFLATED_BYTES = 600 * 1024 * 1024
MAX_MEMBERS = 2_000
MAX_RATIO = 200
"""Inflated to compressed size of one member; sheets of real readings reach 5 to 40, a bomb about 1,000."""
RATIO_FROM_BYTES = 16 * 1024 * 1024
"""Members smaller than this are not judged by their ratio."""
MAX_ROWS = 200_000
MAX_COLUMNS = 1_000
MAX_CELLS = 20_000_000

_CHUNK = 1024 * 1024
_DOCTYPE = b"<!DOCTYPE"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
"""How XML starts in UTF-16, which no spreadsheet writes and in which a document type would go unseen."""
_ODS_CONTENT = "content.xml"


def _far(columns: str, rows: str) -> re.Pattern[bytes]:
    """Find a cell whose address does not come first, as plain text, and within these columns and rows."""
    return re.compile(rf'<c(?! r="(?:{columns})(?:{rows})")[\s/>]'.encode())


_PAST_Z = re.compile(rb'<c(?! r="[A-Z]\d{1,5}+")[\s/>]')
"""A cell outside the first 26 columns and 99,999 rows: most sheets have none, and the wider questions below take longer."""
_FAR_IF_TALL = _far("[A-Z]|[AB][A-Z]|C[A-V]", r"\d{1,5}|1\d{5}|200000")
"""Within 100 columns (CV) by 200,000 rows, which is `MAX_CELLS`."""
_FAR_IF_WIDE = _far("[A-Z]{1,2}|A[A-K][A-Z]|AL[A-L]", r"\d{1,4}|1\d{4}|20000")
"""Within 1,000 columns (ALL) by 20,000 rows, which is `MAX_CELLS`."""
_ODD_ROW = re.compile(rb'<row(?! r="(?:\d{1,5}|1\d{5}|200000)"(?![^>]* hidden))[\s/>]')
"""A row that is hidden, far down or without a plain number."""
_ERROR_CELL = re.compile(rb"\st\s*=\s*[\"']e[\"']")
_PREFIXED = re.compile(rb"<[\w.-]+:(?:c|row|f)[\s/>]")


@dataclass(frozen=True, slots=True)
class ZipFacts:
    """What the pass over a zipped workbook found: its members' names, and facts of each sheet that is not plain.

    tabs: sheet part → name on its tab, in the workbook's order. sheets: sheet part → its facts. Both only for xlsx.
    """

    names: tuple[str, ...]
    tabs: dict[str, str]
    sheets: dict[str, SheetFacts]


def check_size(content: bytes) -> None:
    """Refuse an empty file and one above the upload limit."""
    if not content.strip(b"\x00\t\r\n\xef\xbb\xbf\xff\xfe "):
        raise Refused("empty-file", "The file is empty.", expected="a table", remedy="Export it again and upload the new file.")
    if len(content) > MAX_UPLOAD_BYTES:
        raise too_large(len(content))


def too_large(size: int) -> Refused:
    """Say that a file of `size` bytes is above the limit, and what to do."""
    return Refused(
        "too-large",
        f"The file has {size / 1024**2:,.0f} MB.",
        expected=f"at most {MAX_UPLOAD_BYTES // 1024**2} MB; "
        f"an object table of QuPath or HALO may have {MAX_STREAMED_BYTES // 1024**3} GB on the command line",
        remedy="Export a shorter period, or split the file and import the parts.",
    )


def check_grid(rows: int, columns: int, sheet: str | None = None) -> None:
    """Refuse a grid of more rows, columns or cells than the limits allow."""
    where = f"Sheet `{sheet}`" if sheet else "The file"
    remedy = "Delete what lies outside the table, or split the file, and upload it again."
    if rows > MAX_ROWS:
        raise Refused("too-many-rows", f"{where} reaches row {rows:,}.", expected=f"at most {MAX_ROWS:,} rows", remedy=remedy)
    if columns > MAX_COLUMNS:
        raise Refused(
            "too-many-columns",
            f"{where} reaches column {column_letter(columns)}, the {columns:,}th.",
            expected=f"at most {MAX_COLUMNS:,} columns",
            remedy=remedy,
        )
    if rows * columns > MAX_CELLS:
        raise _too_many_cells(f"{where} spans {rows:,} rows by {columns:,} columns.")


def check_cells(cells: int) -> None:
    """Refuse a workbook whose sheets hold more cells together than the limit allows."""
    if cells > MAX_CELLS:
        raise _too_many_cells(f"The sheets span {cells:,} cells together.")


def _too_many_cells(message: str) -> Refused:
    return Refused(
        "too-many-cells",
        message,
        expected=f"at most {MAX_CELLS:,} cells",
        remedy="Delete what lies outside the table, or split the file, and upload it again.",
    )


def check_zip(content: bytes) -> ZipFacts:
    """Inflate every member of a zipped workbook within the limits and prove its grids small enough to read.

    Raises `Refused` for a damaged or encrypted zip, a bomb, a document type or entity, and a grid beyond the limits.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            _check_directory(members)
            inflated = 0
            to_walk: list[str] = []
            for member in members:
                size, unusual = _check_member(archive, member, MAX_INFLATED_BYTES - inflated)
                inflated += size
                if unusual:
                    to_walk.append(member.filename)
            tabs = _tabs(archive)
            walked = [name for name in to_walk if name.endswith(".xml") or name in tabs]
            sheets = {name: facts for name in walked if (facts := _walk(archive, name, tabs.get(name)))}
            return ZipFacts(tuple(archive.namelist()), tabs, sheets)
    except (DTDForbidden, EntitiesForbidden) as error:
        raise _entities() from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ParseError, ValueError) as error:
        raise damaged() from error


def damaged() -> Refused:
    """Say that a workbook is cut off or damaged."""
    return Refused(
        "file-damaged",
        "The workbook is damaged or was cut off while it was copied: it cannot be opened.",
        expected="a complete workbook",
        remedy="Open it in Excel or LibreOffice, save it again and upload the new file.",
    )


def _check_directory(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise _bomb(f"it holds {len(members):,} files", f"at most {MAX_MEMBERS:,} files inside")
    if len({member.filename.lower() for member in members}) < len(members):
        raise damaged()
    if any(member.flag_bits & 0x1 for member in members):
        raise password_protected()
    if sum(member.file_size for member in members) > MAX_INFLATED_BYTES:
        raise _too_much()


def password_protected() -> Refused:
    """Say that a file is encrypted, and what to do."""
    return Refused(
        "password-protected",
        "The file is password-protected: open it in Excel, remove the password, save, upload again.",
        expected="a file without a password",
        remedy="In Excel: File, Info, Protect Workbook, Encrypt with Password; empty the box and save.",
    )


def _bomb(what: str, expected: str) -> Refused:
    remedy = "Save the table alone as a new workbook and upload that."
    return Refused("zip-bomb", f"The workbook is not read: {what}.", expected=expected, remedy=remedy)


def _too_much() -> Refused:
    limit = f"{MAX_INFLATED_BYTES // 1024**2} MB"
    return _bomb(f"unpacked, it would take more than {limit}", f"at most {limit} unpacked")


def _entities() -> Refused:
    return Refused(
        "xml-entities",
        "The workbook holds a document type or entities, which Excel never writes and which can make a reader fetch or swell data.",
        expected="a workbook as Excel or LibreOffice saves it",
        remedy="Open it in Excel or LibreOffice, save it again and upload the new file.",
    )


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: int) -> tuple[int, bool]:
    """Inflate one member; give its true size, and whether it has to be walked. Raises `Refused` above the budget."""
    declared = member.file_size
    # A stream ends where the directory says; with a size no member may have, it ends where the data do.
    member.file_size = MAX_INFLATED_BYTES + 1
    size = 0
    plain = tall = member.filename != _ODS_CONTENT
    is_xml = member.filename.endswith((".xml", ".rels"))
    with archive.open(member) as stream:
        for chunk in _chunks(stream):
            if is_xml and _has_document_type(chunk, first=size == 0):
                raise _entities()
            size += len(chunk)
            if size > budget:
                raise _too_much()
            if size > RATIO_FROM_BYTES and size > MAX_RATIO * member.compress_size:
                raise _bomb(f"`{member.filename}` unpacks to more than {MAX_RATIO} times its size", "a workbook of readings")
            plain = plain and not _has_more_than_values(chunk)
            tall = plain and tall and not (_PAST_Z.search(chunk) and _FAR_IF_TALL.search(chunk))
    if size != declared:
        raise damaged()
    return size, not (plain and (tall or _is_wide_only(archive, member)))


def _is_wide_only(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Tell whether a sheet with more than 100 columns has few enough rows; a second pass, which few sheets need."""
    with archive.open(member) as stream:
        return not any(_FAR_IF_WIDE.search(chunk) for chunk in _chunks(stream))


def _has_document_type(chunk: bytes, *, first: bool) -> bool:
    """Tell whether a piece of XML has a document type, or is the first and of an encoding in which one would go unseen."""
    return (b"!" in chunk and _DOCTYPE in chunk) or (first and chunk.startswith(_WIDE_MARKS))


def _has_more_than_values(chunk: bytes) -> bool:
    """Tell whether a piece of a sheet has a formula, an error cell, an odd row or names with a prefix.

    Every error value begins with # and every prefix ends in a colon: where a piece has none, which is seen at once, the
    slower search is left out. Formulas without text of their own only repeat one that has a text.
    """
    return bool(
        b"</f>" in chunk
        or _ODD_ROW.search(chunk)
        or (b"#" in chunk and _ERROR_CELL.search(chunk))
        or (b":" in chunk and _PREFIXED.search(chunk))
    )


def _walk(archive: zipfile.ZipFile, name: str, tab: str | None) -> SheetFacts | None:
    with archive.open(name) as stream:
        if name == _ODS_CONTENT:
            walk_ods(stream, check_grid)
            return None
        return walk_sheet(stream, partial(check_grid, sheet=tab or name))


def _tabs(archive: zipfile.ZipFile) -> dict[str, str]:
    parts = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    if not all(part in archive.NameToInfo for part in parts):
        return {}
    with archive.open(parts[0]) as workbook, archive.open(parts[1]) as relations:
        return part_names(workbook, relations)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Read in pieces that end before a `<`, so that no tag is cut in two."""
    rest = b""
    while piece := stream.read(_CHUNK):
        head, mark, tail = piece.rpartition(b"<")
        yield rest + head
        rest = mark + tail
    yield rest
