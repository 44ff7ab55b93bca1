"""Reads delimited text as instruments write it: encoding, delimiter and decimal mark by evidence, never by silent guess."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importers.base import Choices, Option, Question, Refused
from importers.preflight import MAX_ROWS, check_grid

DELIMITERS = {"tab": "\t", "semicolon": ";", "comma": ","}
"""Answers to the question "delimiter". The order settles ties: tabs hardly ever stand inside a cell, commas often do."""

DECIMALS = {"point": ".", "comma": ","}
"""Answers to the question "decimal"."""

DECIMAL_OPEN = "?"
"""The decimal mark of a file that cannot tell `1,234` from 1.234 until a person answers."""

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows, Western European (cp1252)",
    "cp1250": "Windows, Central European (cp1250)",
    "mac-roman": "Macintosh (Mac Roman)",
}
"""Answers to the question "encoding", by Python's codec name."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SAMPLES = 3
_LEAST_SHARE = 0.25
_DELIMITER_LINES = 200
_TIE = 0.05
MAX_CELL = 1_000_000

_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMA_NUMBER = re.compile(r"[-+−]?\d+,\d+(?:[eE][-+]?\d+)?\Z")
_POINT_NUMBER = re.compile(r"[-+−]?\d+\.\d+(?:[eE][-+]?\d+)?\Z")
_COMMA_EITHER_WAY = re.compile(r"[-+−]?[1-9]\d{0,2},\d{3}\Z")
_COMMA_GROUPS = re.compile(r"[-+−]?\d{1,3}(?:,\d{3}){2,}\Z|[-+−]?\d{1,3}(?:,\d{3})+\.\d+\Z")
_POINT_GROUPS = re.compile(r"[-+−]?\d{1,3}(?:\.\d{3})+,\d+\Z")


@dataclass(frozen=True, slots=True)
class TextTable:
    """Delimited text, cut into cells as written. `decimal` is `.`, `,` or `?` while a person has to say which.

    codec: Python's name of the encoding. delimiter: where it was cut; `None` where each line is one cell.
    """

    rows: list[list[str]]
    decimal: str
    questions: tuple[Question, ...]
    codec: str
    delimiter: str | None


def read_text(content: bytes, choices: Choices, beyond: bytes = b"") -> TextTable:
    """Decode and cut a text file into rows of cells; blank lines stay as empty rows, so row numbers are the file's.

    beyond: bytes from farther down in a file of which `content` is the head, by which the encoding is judged too.
    Raises `Refused` for text that cannot be decoded, is cut off inside quotation marks, or exceeds the grid limits.
    """
    codec, encoding_question = _codec(content + beyond, choices)
    text = _decode_as(content, codec).removeprefix("\ufeff")
    if "\x00" in text:
        raise binary()
    delimiter, delimiter_question = _delimiter(text, choices)
    rows = _cut(text, delimiter)
    check_grid(len(rows), max(map(len, rows), default=0))
    decimal, decimal_question = decimal_mark(rows, choices)
    questions = (encoding_question, delimiter_question, decimal_question)
    return TextTable(rows, decimal, tuple(question for question in questions if question is not None), codec, delimiter)


def decimal_mark(rows: Sequence[Sequence[object]], choices: Choices) -> tuple[str, Question | None]:
    """Find the decimal mark of the cells that are text: `.`, `,`, or `?` where only a person knows; the question if any.

    `12,5` can only be a decimal comma and `1,234.5` only a decimal point, but `1,234` is either, a thousand times apart.
    """
    with_comma = list(_texts_with(",", rows))
    commas = [text for text in with_comma if _COMMA_NUMBER.match(text)]
    groups = [text for text in with_comma if _COMMA_GROUPS.match(text)]
    point_groups = [text for text in with_comma if _POINT_GROUPS.match(text)]
    if not commas and not groups and not point_groups:
        return ".", None
    open_commas = [text for text in commas if _COMMA_EITHER_WAY.match(text)]
    sure_commas = [text for text in commas if not _COMMA_EITHER_WAY.match(text) and not _COMMA_GROUPS.match(text)]
    points = [text for text in _texts_with(".", rows) if _POINT_NUMBER.match(text)]
    if groups and not sure_commas and not point_groups and not open_commas:
        return ".", None
    proposed, evidence = _weigh_decimal(groups, sure_commas + point_groups, points)
    answer = _answer("decimal", DECIMALS, choices) or proposed
    samples = tuple(dict.fromkeys(groups[:1] + point_groups[:1] + sure_commas[:1] + open_commas + sure_commas + points))[:_SAMPLES]
    question = Question(
        "decimal",
        "Which mark separates the decimals of numbers written with a comma?",
        (
            Option("point", "Point: 1,234 is one thousand two hundred thirty-four"),
            Option("comma", "Comma: 1,234 is a little more than one"),
        ),
        proposed=proposed,
        evidence=evidence,
        samples=samples,
        answer=answer,
    )
    return (DECIMALS[answer] if answer else DECIMAL_OPEN), question


def _weigh_decimal(for_point: Sequence[str], for_comma: Sequence[str], points: Sequence[str]) -> tuple[str | None, str]:
    if for_point and not for_comma:
        return "point", f"`{for_point[0]}` has a comma between thousands"
    if for_comma and not for_point and not points:
        return "comma", f"`{for_comma[0]}` has a comma where no thousands can end"
    if for_comma:
        other = (for_point or points)[0]
        return None, f"`{for_comma[0]}` has a decimal comma, `{other}` a decimal point: the file mixes both"
    return None, "every comma has exactly three digits after it, so it could stand between thousands or before decimals"


def _texts_with(mark: str, rows: Sequence[Sequence[object]]) -> Iterator[str]:
    return (cell.strip() for row in rows for cell in row if type(cell) is str and mark in cell)


def _answer(key: str, allowed: dict[str, str], choices: Choices) -> str | None:
    answer = choices.get(key)
    if answer is not None and answer not in allowed:
        raise Refused(
            "answer-unknown",
            f"The answer `{answer}` to the question about the file's {key} is not one of its options.",
            expected=", ".join(allowed),
            remedy="Choose one of the options.",
        )
    return answer


def _codec(content: bytes, choices: Choices) -> tuple[str, Question | None]:
    """Find the encoding: by its mark, by its zero bytes, as UTF-8 where it is valid, otherwise proposed and asked."""
    for bom, codec in _BOMS:
        if content.startswith(bom):
            return codec, None
    unmarked = _utf16_without_bom(content)
    if unmarked:
        return unmarked, None
    answer = _answer("encoding", ENCODINGS, choices)
    if answer is None and (content.isascii() or _is_utf8(content)):
        return "utf-8", None
    proposed = "utf-8" if _is_utf8(content) else "cp1252" if _decodes(content, "cp1252") else "mac-roman"
    codec = answer or proposed
    text = _decode_as(content, codec)
    if content.isascii():
        return codec, None
    samples = tuple(dict.fromkeys(re.findall(r"[^\t\r\n;,\"]{0,20}[^\x00-\x7f][^\t\r\n;,\"]{0,20}", text)))[:_SAMPLES]
    question = Question(
        "encoding",
        "Which encoding was the file written in? It is right when the special characters below read as they should.",
        tuple(Option(value, label) for value, label in ENCODINGS.items() if _decodes(content, value)),
        proposed=proposed,
        evidence=_encoding_evidence(content, proposed),
        samples=samples,
        answer=codec,
    )
    return codec, question


def _encoding_evidence(content: bytes, proposed: str) -> str:
    if proposed == "utf-8":
        return "every byte sequence is valid UTF-8"
    if proposed == "mac-roman":
        return "the bytes are neither UTF-8 nor defined in cp1252"
    if b"\xb2" in content:
        return "the bytes are not UTF-8, and byte 0xB2 reads as ² in cp1252, as in cm²"
    return "the bytes are not UTF-8; Windows programs in Western Europe and America write cp1252"


def _utf16_without_bom(content: bytes) -> str | None:
    """Tell UTF-16 by its zero bytes: every other byte of mostly Latin text, on one side only."""
    head = content[:4096]
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if max(odd, even) * 10 < len(head) * 4:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_utf8(content: bytes) -> bool:
    return _decodes(content, "utf-8")


def _decodes(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _decode_as(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        raise Refused(
            "encoding-wrong",
            f"The file is not {codec} text: byte {error.start + 1} (0x{error.object[error.start]:02X}) cannot be read as such.",
            expected="text in the encoding chosen",
            remedy="Choose another encoding, or save the file as UTF-8 and upload it again.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Cutting:
    """How one delimiter would cut the first lines: the share of lines in tables, the longest one's width, the first one's start."""

    key: str
    share: float
    width: int
    start: int
    sample: tuple[str, ...]


def _delimiter(text: str, choices: Choices) -> tuple[str | None, Question | None]:
    """Choose the delimiter that cuts most lines into tables, header first; `None` leaves each line one cell."""
    lines = _LINE_END.split(text, _DELIMITER_LINES + 1)[:_DELIMITER_LINES]
    cuttings = [cutting for key in DELIMITERS if (cutting := _try_delimiter(key, lines)) and cutting.share >= _LEAST_SHARE]
    answer = _answer("delimiter", DELIMITERS, choices)
    if not cuttings:
        return (DELIMITERS[answer] if answer else None), None
    top = max(cutting.share for cutting in cuttings)
    close = [cutting for cutting in cuttings if cutting.share >= top - _TIE]
    earliest = min(cutting.start for cutting in close)
    equal = [cutting for cutting in close if cutting.start == earliest]
    best = equal[0]
    if answer is None and len(equal) == 1:
        return DELIMITERS[best.key], None
    question = Question(
        "delimiter",
        "Which character separates the columns?",
        tuple(Option(cutting.key, f"{cutting.key}: {cutting.width} columns") for cutting in cuttings),
        proposed=best.key,
        evidence=f"cut at each {best.key}, {best.share:.0%} of the lines have {best.width} columns",
        samples=best.sample,
        answer=answer or best.key,
    )
    return DELIMITERS[answer or best.key], question


def _try_delimiter(key: str, lines: Sequence[str]) -> _Cutting | None:
    """Cut the lines at one delimiter and find the runs of neighbours of equal width, which is what a table looks like."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=DELIMITERS[key]) if row]
    except csv.Error:
        return None
    runs: list[list[list[str]]] = []
    for row in rows:
        if runs and len(runs[-1][0]) == len(row):
            runs[-1].append(row)
        else:
            runs.append([row])
    tables = [run for run in runs if len(run[0]) > 1 and (len(run) > 1 or len(rows) == 1)]
    if not tables:
        return None
    longest = max(tables, key=len)
    start = next(number for number, row in enumerate(rows) if row is tables[0][0])
    sample = tuple(cell for cell in longest[0] if cell.strip())[:_SAMPLES]
    return _Cutting(key, sum(map(len, tables)) / len(rows), len(longest[0]), start, sample)


def _cut(text: str, delimiter: str | None) -> list[list[str]]:
    """Cut the text into rows. A row past the limit is never built: the file is refused as soon as one is met."""
    if delimiter is None:
        lines = _LINE_END.split(text.rstrip("\r\n"))
        return [[line] if line else [] for line in lines]
    csv.field_size_limit(MAX_CELL)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(row)
            if len(rows) > MAX_ROWS:
                check_grid(len(rows), len(row))
    except csv.Error as error:
        raise open_quote(len(rows) + 1) from error
    if rows and rows[-1] and "\n" in rows[-1][-1].replace("\r", "\n") and not text.rstrip().endswith('"'):
        raise open_quote(len(rows))
    return rows


def binary() -> Refused:
    """Say that a file is neither text nor a workbook."""
    return Refused(
        "not-a-table",
        "The file is neither text nor a workbook: it holds binary data.",
        expected="a workbook (xlsx, xls, xlsb, ods) or delimited text (csv, tsv, txt)",
        remedy="Export the table from the program that wrote the file and upload that.",
    )


def open_quote(row: int) -> Refused:
    """Say that a cell that begins in a row never ends."""
    return Refused(
        "quote-open",
        f'A quotation mark (") opened in row {row} is never closed, so the rest of the file would be one cell.',
        expected='a closing quotation mark (") at the end of the cell',
        remedy="Close or remove the quotation mark and upload the file again.",
    )
