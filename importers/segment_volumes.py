"""Reads volumes of segments in one scan: 3D Slicer's segment statistics, and ITK-SNAP's volumes in both of its layouts.

Neither names the animal or the day; the file's name does (`importers.file_names`), or a person. A scan is segmented into more
than tumours, so which segments are lesions is proposed from their names and confirmed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from importers import values
from importers.base import Choices, Claim, Clock, ColumnUse, Finding, Option, Reading, Refused, Series, SetAside, Severity
from importers.columns import HEADER_SEARCH_ROWS, Header, data_rows, header, in_words, is_blank, other_sheets, squash
from importers.file_names import scan_of
from importers.lines import columns_of, lines_of, set_aside
from importers.questions import ANSWER_IT, Asked
from importers.sheets import CellValue, Sheet, Workbook

NOT_A_NUMBER = ("nan", "-nan", "n/a", "none")
"""What stands where a segment is empty."""

_INDEX = re.compile(r"\s*\(\w{1,3}\)\s*$")
_PLUGIN = re.compile(r"\w*SegmentStatisticsPlugin\.(?P<name>\w+?)(?:_(?P<unit>mm3|cm3))?")
_SNAP = "snapvoxelcountfile"
_FIELDS = re.compile(r"#\s*LABEL\s*:\s*(?P<fields>[A-Z /]+)")
_LESION = re.compile(r"tumou?rs?|lesions?|met(?:s|astas[ei]s)?|gtv|nodules?|brainmets?|bm", re.IGNORECASE)
_ONLY = re.compile(r"(?:tumou?r|lesion|metastasis|met|gtv|segment(?:[ _]?1)?|label(?:[ _]?1)?)", re.IGNORECASE)
"""Names that say no more than that it is the tumour, or a segment."""


@dataclass(frozen=True, slots=True)
class _Segments:
    """What one file holds: a row, name and volume (mm³, `None` where there is none) of each segment, and the books."""

    rows: list[int]
    names: list[str]
    volumes: list[float | None]
    raw: list[str]
    column: int
    header_rows: list[int]
    columns: tuple[ColumnUse, ...]
    set_aside: tuple[SetAside, ...]
    findings: list[Finding]


class SegmentVolumes:
    """Volumes of segments, of one scan of one animal."""

    key = "segment_volumes"
    title = "Segment volumes (3D Slicer, ITK-SNAP)"
    reads = (
        "Volumes of the segments of one MRI or µCT scan: 3D Slicer's segment statistics (Segment, Volume [mm3] (1)) or ITK-SNAP's "
        "volumes and voxel counts. Animal and date stand in the file's name or are asked. Kind: mri_volume."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a table of segments with their volumes, or a voxel count file."""
        for sheet in book.sheets:
            found = _table(sheet)
            if found is not None:
                row, segment, volumes = found
                said = in_words([f'"{one.text}"' for one in (segment, *volumes)])
                return Claim(self.key, (f'header row {row} of sheet "{sheet.name}" has {said}',), sheet.index, row)
        fields = _voxel_count_fields(lines_of(book))
        if fields is not None:
            row, names = fields
            return Claim(self.key, (f"row {row} says that it is an ITK-SNAP voxel count file with {' / '.join(names)}",), 0, row)
        return None

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read the volume of each segment that is a lesion."""
        asked = Asked(choices)
        sheet = book.sheets[claim.sheet]
        found = _read_table(book, sheet) or _read_voxel_counts(book)
        if found is None:
            raise Refused("table-missing", f'the sheet "{sheet.name}" has no volumes of segments')
        series, skipped = _series(asked, book, sheet, found)
        return Reading(
            importer=self.key,
            series=() if series is None else (series,),
            data_rows={sheet.index: found.rows},
            columns=found.columns,
            header_rows={sheet.index: found.header_rows},
            set_aside=(*found.set_aside, *skipped, *other_sheets(book, [sheet.index])),
            findings=(*found.findings, *asked.findings),
            questions=tuple(asked.questions),
        )


def _header(cell: CellValue, column: int) -> Header:
    """Read a header without the index of its plugin: `Volume [mm3] (2)` is a volume in mm³, as is `….volume_mm3`."""
    text = str(cell).strip()
    if told := _PLUGIN.fullmatch(text):
        return Header(column, text, squash(text), squash(told["name"]), told["unit"])
    plain = header(_INDEX.sub("", text) if "[" in text else text, column)
    return Header(column, text, plain.full, plain.name, plain.unit)


def _table(sheet: Sheet) -> tuple[int, Header, list[Header]] | None:
    """Find the header row: a column that names the segment, and its volumes in mm³ and cm³."""
    for row in range(1, min(len(sheet.rows), HEADER_SEARCH_ROWS) + 1):
        headers = [_header(cell, column) for column, cell in enumerate(sheet.rows[row - 1], 1) if not is_blank(cell)]
        segment = next((one for one in headers if one.name in ("segment", "labelname")), None)
        volumes = [one for one in headers if one.name == "volume" and one.unit in ("mm3", "cm3")]
        if segment and volumes and any(one.name in ("numberofvoxels", "voxelcount", "labelid") for one in headers):
            return row, segment, volumes
    return None


def _read_table(book: Workbook, sheet: Sheet) -> _Segments | None:
    found = _table(sheet)
    if found is None:
        return None
    row, segment, volumes = found
    rows = data_rows(sheet, row)
    findings: list[Finding] = []
    numbers = {one.column: _numbers(book, sheet, rows, one.column, findings) for one in volumes}
    in_mm3 = [one for one in volumes if one.unit == "mm3"]
    chosen = next(
        (one for one in (*in_mm3, *volumes) if any(number is not None for number in numbers[one.column])), (*in_mm3, *volumes)[0]
    )
    factor = 1.0 if chosen.unit == "mm3" else 1000.0
    read = [None if number is None else number * factor for number in numbers[chosen.column]]
    for other in volumes:
        if other is not chosen:
            findings += _compared(sheet, rows, chosen, read, other, numbers[other.column])
    return _Segments(
        rows,
        [values.cell_text(_cell(sheet, one, segment.column)) for one in rows],
        read,
        [values.cell_text(_cell(sheet, one, chosen.column)) for one in rows],
        chosen.column,
        [row],
        _uses(sheet, row, segment, chosen, volumes),
        tuple(SetAside(sheet.index, 1, row - 1, 1, max(map(len, sheet.rows)), "stands above the table") for _ in range(row > 1)),
        findings,
    )


def _cell(sheet: Sheet, row: int, column: int) -> CellValue:
    cells = sheet.rows[row - 1]
    return cells[column - 1] if column <= len(cells) else ""


def _numbers(book: Workbook, sheet: Sheet, rows: Sequence[int], column: int, findings: list[Finding]) -> list[float | None]:
    cells = [_cell(sheet, row, column) for row in rows]
    numbers, problems = values.numbers(cells, book.decimal, NOT_A_NUMBER)
    findings += values.problem_findings(problems, cells, sheet=sheet.name, rows=rows, column=column)
    return numbers


def _uses(sheet: Sheet, row: int, segment: Header, chosen: Header, volumes: Sequence[Header]) -> tuple[ColumnUse, ...]:
    reasons = {one.column: f'compared with "{chosen.text}", which is read' for one in volumes}
    roles = {segment.column: "tumour", chosen.column: "volume"}
    headers = [_header(cell, column) for column, cell in enumerate(sheet.rows[row - 1], 1)]
    headers += [Header(column, "", "", "") for column in range(len(headers) + 1, max(map(len, sheet.rows)) + 1)]
    return tuple(
        ColumnUse(sheet.index, one.column, one.text, roles[one.column])
        if one.column in roles
        else ColumnUse(sheet.index, one.column, one.text, None, reasons.get(one.column, "no volume of a lesion"))
        for one in headers
    )


def _compared(
    sheet: Sheet, rows: Sequence[int], chosen: Header, read: Sequence[float | None], other: Header, numbers: Sequence[float | None]
) -> list[Finding]:
    """Say where another column gives another volume for the same segment than rounding explains."""
    findings = []
    for row, volume, number in zip(rows, read, numbers, strict=True):
        text = values.cell_text(_cell(sheet, row, other.column))
        factor = 1.0 if other.unit == "mm3" else 1000.0
        rounded = 0.51 * factor * 10.0 ** -len(text.partition(".")[2]) if "e" not in text.casefold() else 0.0
        if volume is None or number is None or abs(number * factor - volume) <= max(rounded, 0.01 * volume):
            continue
        findings.append(
            Finding(
                *(Severity.WARNING, "volumes-disagree"),
                f'"{chosen.text}" says {volume:,g} mm³ and "{other.text}" {number * factor:,g} mm³; the first is read',
                sheet=sheet.name,
                row=row,
                column=other.column,
                value=text,
                expected="one volume of a segment",
                remedy="look at the segmentation again: the two were measured by different means, or one was edited",
            )
        )
    return findings


def _voxel_count_fields(lines: Sequence[str]) -> tuple[int, list[str]] | None:
    """Find the line of a voxel count file that names its fields, with or without an id; `None` for another file."""
    head = lines[:HEADER_SEARCH_ROWS]
    if not any(line.startswith("#") and squash(line) == _SNAP for line in head):
        return None
    for row, line in enumerate(head, 1):
        if told := _FIELDS.match(line):
            return row, [name.strip() for name in told["fields"].split("/")]
    return None


def _read_voxel_counts(book: Workbook) -> _Segments | None:
    lines, sheet = lines_of(book), book.sheets[0]
    fields = _voxel_count_fields(lines)
    if fields is None:
        return None
    preamble = [row for row, line in enumerate(lines, 1) if line.startswith("#")]
    rows = [row for row, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    names, raw, findings = [], [], list[Finding]()
    for row in rows:
        name, _, told = lines[row - 1].rpartition(":")
        parts = [part.strip() for part in told.split("/")]
        names.append(name.strip())
        raw.append(parts[fields[1].index("VOLUME")] if len(parts) == len(fields[1]) and name.strip() else "")
        if not raw[-1]:
            findings.append(_unlike(sheet, row, lines[row - 1], fields[1]))
    volumes, problems = values.numbers(raw, ".", NOT_A_NUMBER)
    findings += values.problem_findings(problems, raw, sheet=sheet.name, rows=rows, column=1)
    columns = columns_of(sheet, rows, "volume", " / ".join(fields[1]))
    return _Segments(rows, names, volumes, raw, 1, preamble, columns, set_aside(sheet, {*preamble, *rows}, "blank"), findings)


def _unlike(sheet: Sheet, row: int, line: str, fields: Sequence[str]) -> Finding:
    return Finding(
        *(Severity.ERROR, "line-unreadable", f"the line is not a label with {' / '.join(fields)}"),
        sheet=sheet.name,
        row=row,
        column=1,
        value=line[:200],
        expected=f"label : {' / '.join(fields)}",
        remedy="export the volumes again, or leave the line out",
    )


def _series(asked: Asked, book: Workbook, sheet: Sheet, found: _Segments) -> tuple[Series | None, list[SetAside]]:
    """Make readings of the lesions; what is none, or has no volume, is set aside with its reason."""
    if not any(found.names):
        return None, []  # there is none, or none that can be read, which its finding says
    lesions = _lesions(asked, sheet, found)
    scan = scan_of(asked, book.name)
    told = {finding.row for finding in found.findings if finding.severity is Severity.ERROR}
    kept, skipped = [], []
    for index, (row, name, volume) in enumerate(zip(found.rows, found.names, found.volumes, strict=True)):
        if row in told or lesions is None:
            continue
        if name.casefold() in lesions and volume is not None:
            kept.append(index)
            continue
        reason = "no volume in the row" if volume is None else f"the segment “{name}” is no lesion"
        skipped.append(SetAside(sheet.index, row, row, 1, max(map(len, sheet.rows)), reason, row_fate=True))
    if not kept or scan.animal is None or scan.taken_on is None:
        return None, skipped
    names = [found.names[index] for index in kept]
    series = Series(
        *("mri_volume", sheet.index, Clock.DATE, [found.rows[index] for index in kept], found.column),
        [scan.animal] * len(kept),
        [scan.taken_on] * len(kept),
        [found.volumes[index] for index in kept],
        [found.raw[index] for index in kept],
        tumours=None if len(names) == 1 and _ONLY.fullmatch(names[0]) else list(names),
    )
    return series, skipped


def _lesions(asked: Asked, sheet: Sheet, found: _Segments) -> set[str] | None:
    """Ask which segments are lesions: proposed are those whose names say so, or the only one."""
    names = list(dict.fromkeys(filter(None, found.names)))
    likely = [name for name in names if any(_LESION.fullmatch(part) for part in re.split(r"[\W_\d]+", name))]
    proposed = likely or (names if len(names) == 1 else [])
    told = f"The segments are {in_words([f'“{name}”' for name in names])}"
    if proposed:
        why = "the names say so of" if likely else "the only one is"
        told += f"; {why} {in_words([f'“{name}”' for name in proposed])}"
    answer = asked.ask(
        "lesions",
        "Which segments are lesions? Other segments are not recorded.",
        [Option("all", "all of them")],
        proposed=", ".join(proposed) or None,
        evidence=f"{told}.",
        samples=names[:3],
        sheet=sheet.name,
        typed="their names, with commas between",
    )
    if answer is None:
        return None
    if answer.strip().casefold() == "all":
        return {name.casefold() for name in names}
    chosen = {part.strip().casefold() for part in answer.split(",")} - {""}
    unknown = sorted(chosen - {name.casefold() for name in names})
    if unknown:
        asked.findings.append(
            Finding(
                *(Severity.ERROR, "question-lesions", f"the file has no segment {in_words([f'“{name}”' for name in unknown])}"),
                sheet=sheet.name,
                value=answer,
                expected=f"some of {', '.join(names)}, or all",
                remedy=ANSWER_IT,
                option=f"--set lesions={names[0]}",
            )
        )
    return chosen


IMPORTER = SegmentVolumes()
