"""Opens what instruments and labs write, by content and never by extension, into sheets of addressed cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import PurePath
from zipfile import ZipFile

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from importers.asm_rows import COUNTS
from importers.base import Choices, Finding, Refused, Severity
from importers.json_rows import read_rows
from importers.preflight import ZipFacts, check_cells, check_grid, check_size, check_zip, damaged, password_protected
from importers.sheets import Sheet, Workbook
from importers.template_format import LISTS, marker_of
from importers.text import decimal_mark, read_text

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_EXTENSIONS = {
    "xlsx": (".xlsx", ".xlsm", ".xltx", ".xltm"),
    "xlsb": (".xlsb",),
    "xls": (".xls", ".xlt"),
    "ods": (".ods", ".ots"),
}
_PARTS = {"xl/workbook.xml": "xlsx", "xl/workbook.bin": "xlsb", "content.xml": "ods"}
_OTHER_ZIPS = {"word/document.xml": "a Word document", "ppt/presentation.xml": "a PowerPoint presentation"}
_NOT_TABLES = (
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|II\*\x00|MM\x00\*|BM.{4}\x00\x00\x00\x00", re.DOTALL), "an image"),
    (re.compile(rb"MZ[^\n]{0,60}\x00|\x7fELF|\xcf\xfa\xed\xfe", re.DOTALL), "a program"),
    (re.compile(rb"\x1f\x8b|Rar!\x1a|7z\xbc\xaf\x27\x1c|BZh\d1AY"), "a compressed archive"),
    (re.compile(rb"\{\\rtf"), "a rich-text document"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|table|\?xml)", re.IGNORECASE), "a web page or XML"),
    (re.compile(rb".{128}DICM", re.DOTALL), "a DICOM image"),
)
_ROWS_NAMED = 10
_DATE_1904 = re.compile(rb"date1904\s*=\s*[\"'](?:1|true)[\"']")


def open_workbook(content: bytes, name: str, choices: Choices | None = None) -> Workbook:
    """Open a file by its content, whatever its name ends in.

    Error cells and formulas that were never calculated are in `Sheet.problems` for xlsx only; the reader gives them as
    blank cells in xls, xlsb and ods, where they cannot be told from blanks. Hidden rows are known for xlsx only, and the
    far bounds of xls and xlsb only once the reader has them.

    Raises `importers.base.Refused` for what cannot or must not be read (encrypted, truncated, hostile, oversize, empty).
    """
    check_size(content)
    if content.startswith(_ZIP):
        facts = check_zip(content)
        return _open_spreadsheet(content, name, _zip_kind(facts), facts, choices or {})
    if content.startswith(_OLE2):
        _check_ole2(content)
        return _open_spreadsheet(content, name, "xls", ZipFacts((), {}, {}), choices or {})
    for signature, what in _NOT_TABLES:
        if signature.match(content):
            raise _not_a_table(what)
    told = read_rows(content)
    if told is not None:
        noun, rows = told
        return Workbook(name, "asm" if noun == COUNTS else "json", (Sheet(noun, 0, rows),))
    table = read_text(content, choices or {})
    sheet = Sheet(PurePath(name).stem, 0, table.rows)
    notes = tuple(extension_notes(name, "text"))
    return Workbook(name, "text", (sheet,), notes, table.questions, table.decimal, table.delimiter or "")


def is_text(head: bytes) -> bool:
    """Tell by its first bytes whether a file may be delimited text."""
    return not head.startswith((*_ZIP, _OLE2)) and not any(signature.match(head) for signature, _ in _NOT_TABLES)


def _zip_kind(facts: ZipFacts) -> str:
    kind = next((kind for part, kind in _PARTS.items() if part in facts.names), None)
    if kind is None:
        raise _not_a_table(
            next((what for part, what in _OTHER_ZIPS.items() if part in facts.names), "a zip archive of other files")
        )
    if any(part.startswith("xl/externalLinks/") for part in facts.names):
        raise Refused(
            "external-links",
            "The workbook takes values from other workbooks, which are not in the file.",
            expected="a workbook that stands alone",
            remedy="In Excel: Data, Edit Links, Break Link; save and upload again.",
        )
    return kind


def _check_ole2(content: bytes) -> None:
    sector = 1 << min(int.from_bytes(content[30:32], "little"), 12)
    directory = int.from_bytes(content[48:52], "little")
    if (directory + 2) * sector > len(content):
        raise damaged()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise password_protected()
    if not any(stream.encode("utf-16-le") in content for stream in ("Workbook", "Book")):
        raise _not_a_table("an older Office document or a program's own file")


def _not_a_table(what: str) -> Refused:
    return Refused(
        "not-a-table",
        f"The file is {what}, not a table, whatever its name says.",
        expected="a workbook (xlsx, xls, xlsb, ods) or delimited text (csv, tsv, txt)",
        remedy="Open it in the program that wrote it, save the table as xlsx or csv and upload that.",
    )


def _open_spreadsheet(content: bytes, name: str, kind: str, facts: ZipFacts, choices: Choices) -> Workbook:
    with _reader_failures(), CalamineWorkbook.from_filelike(BytesIO(content)) as book:
        sheets, findings = _read_sheets(book, facts)
    if not any(sheet.rows for sheet in sheets):
        raise Refused(
            "empty-file", "No sheet of the workbook holds a cell.", expected="a table", remedy="Export it again and upload that."
        )
    findings += extension_notes(name, kind) + _workbook_notes(content, kind, facts)
    for sheet in sheets:
        findings += _hidden(sheet) if sheet.visible or not _own_lists(sheet, sheets) else []
    decimal, question = decimal_mark([row for sheet in sheets for row in sheet.rows], choices)
    return Workbook(name, kind, tuple(sheets), tuple(findings), (question,) if question else (), decimal)


@contextmanager
def _reader_failures() -> Iterator[None]:
    """Say in a sentence what the reader gave up on."""
    try:
        yield
    except PasswordError as error:
        raise password_protected() from error
    except CalamineError as error:
        raise damaged() from error
    except BaseException as error:
        # On some truncated xls the reader panics, which reaches Python as a BaseException whose class cannot be imported.
        if type(error).__name__ == "PanicException":
            raise damaged() from error
        raise


def _read_sheets(book: CalamineWorkbook, facts: ZipFacts) -> tuple[list[Sheet], list[Finding]]:
    by_tab = {facts.tabs[part]: sheet for part, sheet in facts.sheets.items() if part in facts.tabs}
    sheets: list[Sheet] = []
    findings: list[Finding] = []
    cells = 0
    for number, meta in enumerate(book.sheets_metadata):
        if meta.typ is not SheetTypeEnum.WorkSheet:
            message = f"`{meta.name}` is a chart or macro sheet: it is not read."
            findings.append(Finding(Severity.NOTE, "not-a-worksheet", message, sheet=meta.name))
            continue
        grid = book.get_sheet_by_index(number)
        last_row, last_column = grid.end or (-1, -1)
        check_grid(last_row + 1, last_column + 1, meta.name)
        cells += (last_row + 1) * (last_column + 1)
        check_cells(cells)
        merged = tuple((top + 1, left + 1, bottom + 1, right + 1) for (top, left), (bottom, right) in grid.merged_cell_ranges or ())
        known = by_tab.get(meta.name)
        sheets.append(
            Sheet(
                meta.name,
                len(sheets),
                grid.to_python(skip_empty_area=False),
                meta.visible is SheetVisibleEnum.Visible,
                merged,
                known.problems if known else {},
                known.hidden_rows if known else frozenset(),
            )
        )
    return sheets, findings


def _own_lists(sheet: Sheet, sheets: Sequence[Sheet]) -> bool:
    """Tell whether it is the sheet behind the drop-downs of a template of ours, which is hidden on purpose."""
    return sheet.name == LISTS and marker_of(sheets) is not None


def _hidden(sheet: Sheet) -> list[Finding]:
    findings = []
    if not sheet.visible:
        findings.append(
            Finding(
                Severity.WARNING,
                "hidden-sheet",
                f"The sheet `{sheet.name}` is hidden in the workbook.",
                sheet=sheet.name,
                remedy="Read it only if it is meant to be part of the data.",
            )
        )
    if sheet.hidden_rows:
        rows = sorted(sheet.hidden_rows)
        named = ", ".join(map(str, rows[:_ROWS_NAMED])) + (
            f" and {len(rows) - _ROWS_NAMED:,} more" if len(rows) > _ROWS_NAMED else ""
        )
        findings.append(
            Finding(
                Severity.WARNING,
                "hidden-rows",
                f"The sheet `{sheet.name}` has hidden rows: {named}. They are read like the others.",
                sheet=sheet.name,
                row=rows[0],
                remedy="Exclude them on the check page if they do not belong to the data.",
            )
        )
    return findings


def extension_notes(name: str, kind: str) -> list[Finding]:
    """Say that a file's name speaks of another kind than it is."""
    suffix = PurePath(name).suffix.lower()
    claimed = next((other for other, suffixes in _EXTENSIONS.items() if suffix in suffixes), "text" if suffix else kind)
    if claimed == kind:
        return []
    is_what = "delimited text" if kind == "text" else f"an {kind} workbook"
    return [
        Finding(Severity.NOTE, "extension-differs", f"The name ends in `{suffix}`, but the file is {is_what} and was read as such.")
    ]


def _workbook_notes(content: bytes, kind: str, facts: ZipFacts) -> list[Finding]:
    findings = []
    if any(part.endswith("vbaProject.bin") for part in facts.names) or (
        kind == "xls" and "_VBA_PROJECT".encode("utf-16-le") in content
    ):
        findings.append(Finding(Severity.NOTE, "macros-ignored", "The workbook holds macros. They were not run and are ignored."))
    if kind == "xlsx":
        with ZipFile(BytesIO(content)) as archive:
            if _DATE_1904.search(archive.read("xl/workbook.xml")):
                message = "The workbook counts its dates from 1904, as Excel on the Macintosh did. They were read that way."
                findings.append(Finding(Severity.NOTE, "dates-from-1904", message))
    return findings
