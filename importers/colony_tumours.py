"""The tumours of a colony's log: diameters by tumour label, labels that fit no tumour, and what is left out and why."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from importers.base import Finding, Option, SetAside, Severity
from importers.columns import in_words, is_blank
from importers.table_columns import raw_texts
from importers.tables import Measured, TableReader, Unit, times

LENGTH_UNIT = Unit("length_unit", "mm", 1.0, 40)
"""Small grafts are followed from 1 mm on."""

LEAVE_OUT = "leave out"
"""Answer for a tumour that stays unknown: its sizes are not recorded."""

COMMON = 0.9
"""Share of the labels that must have one shape before another one looks like a slip of the pen."""

STATED_TOLERANCE = 1.0
"""mm³ between the size a file states and ½·L·W²: programs round it to whole mm³."""

SHOWN = 5
SIZE_KEYS = ("tumour", "length", "width", "volume")


@dataclass(slots=True)
class Tumours:
    """What the log says about tumours. measured: all rows, `None` where nothing is read. left_out: index → why."""

    measured: Measured | None = None
    left_out: dict[int, str] = field(default_factory=dict)
    of_animal: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_tumours(reader: TableReader, animals: Sequence[str]) -> Tumours:
    """Read labels, diameters and the stated size of every row; each value that is left out is a warning."""
    if not holds_any(reader, *(key for key in SIZE_KEYS if key != "tumour")):
        return Tumours()
    lengths, widths = reader.numbers("length"), reader.numbers("width")
    stated = reader.numbers("volume") if reader.layout.has("volume") else [None] * reader.length
    factor = reader.factor(["length", "width"], [*lengths, *widths], LENGTH_UNIT)
    if factor is None:
        return Tumours()
    lengths, widths = times(lengths, factor), times(widths, factor)
    stated = times(stated, (reader.layout.factor("volume") or 1.0) if reader.layout.has("volume") else 1.0)
    found = Tumours()
    whole = [length is not None and width is not None for length, width in zip(lengths, widths, strict=True)]
    _report_incomplete(reader, found, whole, stated)
    labels = _labels(reader, animals, whole, found)
    keep = [complete and index not in found.left_out for index, complete in enumerate(whole)]
    kept_lengths = [length if kept else None for length, kept in zip(lengths, keep, strict=True)]
    kept_widths = [width if kept else None for width, kept in zip(widths, keep, strict=True)]
    found.measured = _measured(reader, labels, kept_lengths, kept_widths, stated)
    found.of_animal = _of_animal(animals, labels, keep)
    _report_longer_width(reader, kept_lengths, kept_widths)
    _report_stated(reader, kept_lengths, kept_widths, stated)
    return found


def holds_any(reader: TableReader, *keys: str) -> bool:
    """Whether one of these columns holds anything; the unit of an empty column is not worth a question."""
    return any(not is_blank(cell) for key in keys if reader.layout.has(key) for cell in reader.layout.cells(key))


def _measured(
    reader: TableReader,
    labels: Sequence[str],
    lengths: Sequence[float | None],
    widths: Sequence[float | None],
    stated: Sequence[float | None],
) -> Measured:
    raw_lengths, raw_widths = (raw_texts(reader.layout.cells(key)) for key in ("length", "width"))
    return Measured(
        "caliper_volume",
        reader.layout.found["length"].column,
        [None] * reader.length,
        [f"{length} × {width}" for length, width in zip(raw_lengths, raw_widths, strict=True)],
        [label or None for label in labels],
        lengths,
        widths,
        stated=stated,
    )


def set_sizes_aside(reader: TableReader, left_out: Mapping[int, str], recorded: set[int]) -> list[SetAside]:
    """Set aside the size cells of the rows left out. Where nothing else of the row is recorded, the row counts as skipped."""
    columns = [reader.layout.found[key].column for key in SIZE_KEYS if reader.layout.has(key)]
    first, last, sheet = min(columns), max(columns), reader.sheet.index
    rows = ((reader.first_row + index, reason) for index, reason in sorted(left_out.items()))
    return [SetAside(sheet, row, row, first, last, reason, row_fate=row not in recorded) for row, reason in rows]


def _report_incomplete(reader: TableReader, found: Tumours, whole: Sequence[bool], stated: Sequence[float | None]) -> None:
    """Warn of a diameter without the other, and of a stated size without diameters. Unreadable cells are errors already."""
    blank = {key: [is_blank(cell) for cell in reader.layout.cells(key)] for key in ("length", "width")}
    for index, complete in enumerate(whole):
        missing = [key for key in ("length", "width") if blank[key][index]]
        if complete or not missing or (len(missing) == 2 and stated[index] is None):
            continue
        key = "length" if missing == ["width"] else "width" if missing == ["length"] else "volume"
        header = reader.layout.found[key]
        text = raw_texts([reader.layout.cells(key)[index]])[0]
        names = in_words([f'"{reader.layout.found[one].text}"' for one in missing])
        are_blank = f"{names} {'is' if len(missing) == 1 else 'are'} blank"
        found.left_out[index] = f"{are_blank}: no volume without both diameters"
        reader.findings.append(
            Finding(
                Severity.WARNING,
                "diameter-missing" if len(missing) == 1 else "size-without-diameters",
                f'"{header.text}" is {text}, but {are_blank}; no size is recorded from this row',
                sheet=reader.sheet.name,
                row=reader.first_row + index,
                column=header.column,
                value=text,
                expected="both diameters",
                remedy="write the missing diameter and upload the file again, or acknowledge that this size is left out",
            )
        )


def _labels(reader: TableReader, animals: Sequence[str], whole: Sequence[bool], found: Tumours) -> list[str]:
    """Read which tumour each row is about; a label that no tumour has, or none at all, is asked and left out until said."""
    labels = reader.texts("tumour")
    counts = Counter(label for label in labels if label)
    slips = _slips(counts)
    known: dict[str, set[str]] = defaultdict(set)
    for animal, label in set(zip(animals, labels, strict=True)):
        if label and label not in slips:
            known[animal].add(label)
    for index, (animal, complete) in enumerate(zip(animals, whole, strict=True)):
        label = labels[index]
        if not complete or (label not in slips and (label or not known[animal])):
            continue
        row = reader.first_row + index
        chosen = _ask(reader, row, label, animal, sorted(known[animal]))
        if chosen in (None, LEAVE_OUT):
            found.left_out[index] = (
                f'the tumour "{label}" is not known' if label else "the row does not say which tumour it is about"
            )
        else:
            labels[index] = chosen or ""
    return labels


def _slips(counts: Mapping[str, int]) -> set[str]:
    """Find labels written once, of a shape that no other label has, where nearly all others share one shape."""
    shapes: Counter[str] = Counter()
    for label, count in counts.items():
        shapes[_shape(label)] += count
    if not shapes or shapes.most_common(1)[0][1] < COMMON * shapes.total():
        return set()
    usual = shapes.most_common(1)[0][0]
    return {label for label, count in counts.items() if count == 1 and _shape(label) != usual and shapes[_shape(label)] == 1}


def _shape(label: str) -> str:
    """Reduce a label to its shape: `MG L4` and `MG R5` → `AA A9`, `MG L40.2` → `AA A99.9`."""
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", label))


def _ask(reader: TableReader, row: int, label: str, animal: str, known: Sequence[str]) -> str | None:
    """Ask which tumour is meant, by `tumour:MG L40.2` or, where the cell is blank, `tumour:row 1884`."""
    key = f"tumour:{label}" if label else f"tumour:row {row}"
    header = reader.layout.found["tumour"]
    tumours = in_words(known) or "no other tumour in this file"
    told = (
        f'"{label}" is written once, and no other label looks like it'
        if label
        else "the row has a size but does not name the tumour"
    )
    answer = reader.asked.ask(
        key,
        f"Which tumour of animal {animal} is row {row} about?",
        (*(Option(one, one) for one in known), Option(LEAVE_OUT, "not known: leave this size out")),
        proposed=LEAVE_OUT,
        evidence=f"{told}; the animal has {tumours}.",
        samples=tuple(filter(None, (label, *known))),
        sheet=reader.sheet.name,
    )
    if key not in reader.asked.choices:
        example = known[0] if known else "LABEL"
        reader.findings.append(
            Finding(
                Severity.WARNING,
                "tumour-unknown" if label else "tumour-missing",
                f"{told}, so it is not known which tumour of animal {animal} was measured; the size is left out",
                sheet=reader.sheet.name,
                row=row,
                column=header.column,
                value=label,
                expected=f"a tumour of animal {animal}: {tumours}",
                remedy="say which it is, or acknowledge that it is left out",
                option=f'--set "{key}={example}"',
            )
        )
    return answer


def _of_animal(animals: Sequence[str], labels: Sequence[str], keep: Sequence[bool]) -> dict[str, tuple[str, ...]]:
    of_animal: dict[str, set[str]] = defaultdict(set)
    for animal, label, kept in set(zip(animals, labels, keep, strict=True)):
        if kept and label:
            of_animal[animal].add(label)
    return {animal: tuple(sorted(tumours)) for animal, tumours in of_animal.items()}


def _report_longer_width(reader: TableReader, lengths: Sequence[float | None], widths: Sequence[float | None]) -> None:
    rows = [
        reader.first_row + index
        for index, (length, width) in enumerate(zip(lengths, widths, strict=True))
        if length is not None and width is not None and length < width
    ]
    if rows:
        _summarise(
            reader,
            Severity.WARNING,
            "length-below-width",
            f"in {_rows_in_words(rows, len(rows))} the length is smaller than the width",
            rows[0],
            "the longer diameter as the length",
            "acknowledge: both are kept as written, and the longer one counts as the length in the volume",
        )


def _report_stated(
    reader: TableReader, lengths: Sequence[float | None], widths: Sequence[float | None], stated: Sequence[float | None]
) -> None:
    """Say how many stated sizes are not ½·L·W², with L the longer diameter."""
    rows = [
        reader.first_row + index
        for index, (length, width, size) in enumerate(zip(lengths, widths, stated, strict=True))
        if length is not None
        and width is not None
        and size is not None
        and abs(size - max(length, width) * min(length, width) ** 2 / 2) > STATED_TOLERANCE
    ]
    if rows:
        header = reader.layout.found["volume"]
        _summarise(
            reader,
            Severity.NOTE,
            "stated-size-differs",
            f'"{header.text}" differs from ½·L·W² by more than {STATED_TOLERANCE:g} mm³ in {_rows_in_words(rows, SHOWN)}',
            rows[0],
            "the volume of the diameters in the same row",
            "nothing: the volume is computed from the diameters, and the stated size is kept beside it",
        )


def _rows_in_words(rows: Sequence[int], shown: int) -> str:
    named = [str(row) for row in rows[:shown]]
    rest = len(rows) - len(named)
    return f"{len(rows):,} row{'s' if len(rows) > 1 else ''}: {in_words([*named, f'{rest:,} more'] if rest else named)}"


def _summarise(reader: TableReader, severity: Severity, code: str, message: str, row: int, expected: str, remedy: str) -> None:
    reader.findings.append(Finding(severity, code, message, reader.sheet.name, row, expected=expected, remedy=remedy))
