"""Opens text that is too long to hold: its first rows show what it is, and all of its rows pass by one at a time."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from importers.base import Choices, Refused
from importers.preflight import MAX_STREAMED_BYTES, check_grid, too_large
from importers.sheets import Sheet, Workbook
from importers.text import MAX_CELL, open_quote, read_text
from importers.workbook import extension_notes, is_text

LONG_BYTES = 4 * 1024 * 1024
"""Text up to here is held whole, whoever reads it."""

_HEAD_BYTES = 512 * 1024
_CHUNK = 1024 * 1024
_AROUND = 200
_ENDS = (b"\n", b"\r")


def open_long_text(path: Path, name: str, choices: Choices | None = None) -> Workbook | None:
    """Open text of more than `LONG_BYTES` by its first rows; `None` for what is shorter, or no text.

    Encoding, delimiter and decimal mark are found as those of any text, by the head; that it is UTF-8 by all of its bytes.

    Raises `importers.base.Refused` above `MAX_STREAMED_BYTES`, and while rows pass by for bytes of another encoding and a
    quotation mark that never closes.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    whole_lines = max(map(head.rfind, _ENDS)) + 1
    if size <= LONG_BYTES or not whole_lines or not is_text(head):
        return None
    if size > MAX_STREAMED_BYTES:
        raise too_large(size)
    head = head[:whole_lines]
    wide = b"\x00" in head
    beyond = b"" if wide or (choices or {}).get("encoding") else _not_utf8(path)
    table = read_text(head[: len(head) // 2 * 2] if wide else head, choices or {}, beyond)
    check_grid(len(table.rows), max(map(len, table.rows)))
    stream_rows = partial(_rows, path, table.codec, table.delimiter)
    sheet = Sheet(path.stem if not name else Path(name).stem, 0, table.rows, stream=stream_rows)
    notes = tuple(extension_notes(name, "text"))
    return Workbook(name, "text", (sheet,), notes, table.questions, table.decimal, table.delimiter or "")


def _not_utf8(path: Path) -> bytes:
    """Give the first bytes that are no UTF-8, with what stands around them, so that they are judged with the head."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        chunk = b"\n"
        while chunk:
            chunk = stream.read(_CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return error.object[max(error.start - _AROUND, 0) : error.start + _AROUND]
    return b""


def _rows(path: Path, codec: str, delimiter: str | None) -> Iterator[list[str]]:
    """Give the rows of a text one after the other, cut as `importers.text` cuts them."""
    csv.field_size_limit(MAX_CELL)
    number, row = 0, [""]
    with path.open(encoding=codec, newline="") as stream:
        if stream.read(1) != "\ufeff":
            stream.seek(0)
        try:
            if delimiter is None:
                yield from ([line.rstrip("\r\n")] for line in stream)
                return
            for number, row in enumerate(csv.reader(stream, delimiter=delimiter), 1):  # noqa: B007  # both are used below
                yield row
        except csv.Error as error:
            raise open_quote(number + 1) from error
        except UnicodeDecodeError as error:
            raise _other_encoding(codec, number) from error
    if any("\n" in cell or "\r" in cell for cell in row):
        raise open_quote(number)


def _other_encoding(codec: str, number: int) -> Refused:
    return Refused(
        "encoding-wrong",
        f"The file is not {codec} text: after row {number:,} stand bytes that cannot be read as such.",
        expected="text in the encoding chosen",
        remedy="Choose another encoding, or save the file as UTF-8 and upload it again.",
    )
