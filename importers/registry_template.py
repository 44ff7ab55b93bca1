"""Reads the workbooks that the application wrote for a registry to be filled in: what each column holds stands in the file.

Whether the file is of this project and of today's columns is judged before it is read (`lims.intake.own_templates`), so
that the columns which the file describes can be trusted here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import compress
from typing import Any

from importers.base import Choices, Claim, Clock, Finding, Reading, Records, Refused, Series, SetAside, Severity
from importers.columns import Layout, data_rows, headers_in, other_sheets, uses
from importers.sheets import Sheet, Workbook
from importers.tables import TableReader
from importers.template_format import (
    ABOUT,
    DESCRIBING,
    EXAMPLE,
    RECORD,
    RECORDED_AGENTS,
    VERSION,
    ColumnKind,
    TemplateColumn,
    described_columns,
    marker_of,
)
from importers.template_values import read_column
from importers.values import cell_text

KEY = "registry_template"
READINGS = "measurement"
"""The registry whose lines are readings, not records of a noun."""
_WHOLE = re.compile(r"[0-9]{1,18}")


class RegistryTemplate:
    """Registries in our own templates."""

    key = KEY
    title = "Registry template"
    reads = (
        "A workbook of the page Templates, or of `lims template`, filled in or edited: patients, consents, therapy lines, "
        "specimens, assays, alterations, aliquots, models, animals, cages, implants, studies, arms, doses, measurements, "
        "fates and others."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a workbook that says of itself what it is; no other importer is asked then."""
        marker = marker_of(book.sheets)
        if marker is None:
            return None
        sheet = next((sheet for sheet in book.sheets if sheet.name not in DESCRIBING), None)
        said = f'sheet "{ABOUT}" says: template of the registry "{marker.noun}" of project {marker.project}, {marker.version}'
        return Claim(KEY, (said,), sheet.index if sheet else 0, certain=True)

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read every line but the example; a line with a cell that cannot be read is refused whole."""
        marker, layout = marker_of(book.sheets), _layout(book, book.sheets[claim.sheet])
        if marker is None or RECORD not in layout.found:
            raise Refused(
                "template-damaged",
                f'The sheet "{layout.sheet.name}" does not begin with the headers of its template.',
                expected=f'"{RECORD}", "{VERSION}" and the columns of the registry in row 1',
                remedy="Download the template again, copy your lines into it, and upload that.",
            )
        lines = _Lines(TableReader(book, layout, choices), described_columns(book))
        series: tuple[Series, ...] = ()
        records: tuple[Records, ...] = ()
        if marker.noun == READINGS:
            series = lines.readings()
        else:
            records = lines.records(marker.noun)
        reader = lines.reader
        return Reading(
            importer=KEY,
            series=series,
            records=records,
            data_rows={claim.sheet: [row for row in data_rows(layout.sheet, 1) if not lines.examples[row - 2]]},
            columns=uses(layout, reader.unread, "no column of this template; not read"),
            header_rows={claim.sheet: [1]},
            set_aside=(*lines.set_aside, *other_sheets(book, [claim.sheet], "describes the template")),
            findings=(*reader.findings, *_strangers(layout), *reader.asked.findings),
            questions=tuple(reader.asked.questions),
        )


def _layout(book: Workbook, sheet: Sheet) -> Layout:
    """Give each column of the template its place by its exact header; of two alike the first one counts."""
    headers = headers_in(sheet, 1) if sheet.rows else ()
    places = {one.text: one for one in reversed(headers)}
    known = [RECORD, VERSION, *(one.header for one in described_columns(book))]
    return Layout(sheet, 1, headers, {name: places[name] for name in known if name in places}, {}, {})


def _strangers(layout: Layout) -> list[Finding]:
    """Say which columns a person added: they are listed as unread, and that may surprise."""
    known = {one.column for one in layout.found.values()}
    return [
        Finding(
            Severity.WARNING,
            "column-unknown",
            f'"{one.text}" is no column of this template; nothing of it is recorded.',
            sheet=layout.sheet.name,
            row=1,
            column=one.column,
            value=one.text,
            expected="the columns that the template came with",
            remedy="Move what belongs there into a column of the template, such as the note, or leave it.",
        )
        for one in layout.headers
        if one.column not in known
    ]


class _Lines:
    """The lines of the sheet, in columns. refused: places of those that are not read. emptied: of those left with nothing."""

    def __init__(self, reader: TableReader, columns: Sequence[TemplateColumn]) -> None:
        self.reader, self.sheet = reader, reader.sheet
        self.columns = [one for one in columns if one.header in reader.layout.found]
        self.refused: set[int] = set()
        self.emptied: set[int] = set()
        keys = reader.texts(RECORD)
        self.examples = [key.casefold().startswith(EXAMPLE) for key in keys]
        filled = set(data_rows(self.sheet, 1))
        self.used = [place + 2 in filled and not example for place, example in enumerate(self.examples)]
        width = max(map(len, self.sheet.rows), default=1)
        self.set_aside = [
            SetAside(self.sheet.index, place + 2, place + 2, 1, width, "the template's example")
            for place, example in enumerate(self.examples)
            if example
        ]

    def records(self, noun: str) -> tuple[Records, ...]:
        """Give the lines as records of a noun, and the agents of lines of therapy as records after them."""
        known, versions = self._known()
        fields: dict[str, Sequence[Any]] = {}
        places: dict[str, int] = {}
        for one in self.columns:
            values = self._read(one)
            parts = list(zip(*values, strict=True)) if one.kind is ColumnKind.POSITION else [values]
            for name, part in zip(one.fields, parts, strict=False):
                fields[name], places[name] = part, self._column(one.header)
        agents = self._agents(fields, places)
        keep = self._kept()
        if not any(keep):
            return ()
        rows = [place + 2 for place, kept in enumerate(keep) if kept]
        lines = Records(
            noun,
            self.sheet.index,
            rows,
            self._column(self.columns[0].header) if self.columns else 1,
            {name: list(compress(values, keep)) for name, values in fields.items()},
            places,
            [_raw(self.sheet.rows[row - 1]) for row in rows],
            list(compress(known, keep)),
            list(compress(versions, keep)),
            blank_clears=True,
        )
        return (lines, *agents)

    def _agents(self, fields: dict[str, Sequence[Any]], places: dict[str, int]) -> tuple[Records, ...]:
        """Take the agents out of the fields of lines of therapy, as records that refer to them."""
        column = places.pop("agents", None)
        before, named = fields.pop(RECORDED_AGENTS, None), fields.pop("agents", None)
        places.pop(RECORDED_AGENTS, None)
        if named is None or column is None or not {"patient", "line_number"} <= places.keys():
            return ()
        found = []
        for place, kept in enumerate(self._kept()):
            if kept:
                gone = [one for one in (before[place] if before else None) or () if one not in (named[place] or ())]
                self._tell_gone(place, column, gone)
                line = (fields["patient"][place], fields["line_number"][place])
                found += [(place + 2, *line, *agent) for agent in named[place] or ()]
        if not found:
            return ()
        rows, *columns = map(list, zip(*found, strict=True))
        names = ("patient", "therapy_line", "name", "agent_class")
        fields_of = dict(zip(names, columns, strict=True))
        read_from = {"patient": places["patient"], "therapy_line": places["line_number"], "name": column, "agent_class": column}
        raw = [f"{name} [{kind}]" for *_, name, kind in found]
        return (Records("therapy_agent", self.sheet.index, rows, column, fields_of, read_from, raw),)

    def _tell_gone(self, place: int, column: int, gone: Sequence[tuple[str, str]]) -> None:
        """Say that an agent which was taken out of a cell stays: a line that a file leaves out takes nothing away."""
        for name, _ in gone:
            told = f"{name} was taken out of the cell; it stays recorded."
            where = (self.sheet.name, place + 2, column, name)
            remedy = "Take it out on the page of the line of therapy, if it is wrong."
            self.reader.findings.append(
                Finding(Severity.WARNING, "agent-left-out", told, *where, "every agent of the line", remedy)
            )

    def readings(self) -> tuple[Series, ...]:
        """Give the lines as series, one for each kind and clock."""
        by = {one.fields[0]: self._read(one) for one in self.columns}
        blank: list[Any] = [None] * self.reader.length
        values, lengths, widths = (by.get(name, blank) for name in ("value", "length_mm", "width_mm"))
        place = self._column("value") if "value" in by else 1
        lacks = [value is None and None in (length, width) for value, length, width in zip(values, lengths, widths, strict=True)]
        self._refuse(lacks, place, "value-missing", "the line has no value", "a value, or length and width")
        keep, found = self._kept(), list[Series]()
        clocks = [Clock.DATETIME if isinstance(one, datetime) else Clock.DATE for one in by.get("when", blank)]
        for group in dict.fromkeys(compress(zip(by.get("kind", blank), clocks, strict=True), keep)):
            chosen = [
                kept and (kind, clock) == group for kept, kind, clock in zip(keep, by.get("kind", blank), clocks, strict=True)
            ]

            def of(name: str, chosen: Sequence[bool] = chosen) -> list[Any]:
                return list(compress(by.get(name, blank), chosen))

            kind, clock = group
            sized = any(one is not None for one in of("length_mm"))
            found.append(
                Series(
                    kind,
                    self.sheet.index,
                    clock,
                    [at + 2 for at, kept in enumerate(chosen) if kept],
                    place,
                    of("animal"),
                    of("when"),
                    of("value"),
                    ["" if one is None else f"{one:g}" for one in of("value")],
                    tumours=of("implant") if "implant" in by else None,
                    lengths=of("length_mm") if sized else None,
                    widths=of("width_mm") if sized else None,
                    stated=of("value") if sized else None,
                    operators=of("operator") if "operator" in by else None,
                    devices=of("device") if "device" in by else None,
                )
            )
        return tuple(found)

    def _kept(self) -> list[bool]:
        return [used and place not in self.refused for place, used in enumerate(self.used)]

    def _column(self, header: str) -> int:
        return self.reader.layout.found[header].column

    def _known(self) -> tuple[list[int | None], list[int | None]]:
        """Read number and version of the records that lines are about."""
        numbers, versions = self._whole(RECORD), self._whole(VERSION)
        times = Counter(number for number, used in zip(numbers, self.used, strict=True) if used and number is not None)
        twice = [number is not None and times[number] > 1 for number in numbers]
        self._refuse(twice, self._column(RECORD), "record-twice", "the record stands on several lines", "one line for a record")
        unversioned = [number is not None and version is None for number, version in zip(numbers, versions, strict=True)]
        told = "the line has a record's number and not its version, so nobody can tell whether it changed meanwhile"
        self._refuse(unversioned, self._column(RECORD), "version-missing", told, "number and version as they were exported")
        own = {self._column(name) for name in (RECORD, VERSION) if name in self.reader.layout.found}
        said = [any(cell_text(cell) for at, cell in enumerate(row, 1) if at not in own) for row in self.sheet.rows[1:]]
        emptied = [number is not None and not anything for number, anything in zip(numbers, said, strict=True)]
        self.emptied = {place for place, wrong in enumerate(emptied) if wrong}
        expected = "a filled line, or no line: a record is withdrawn on its page"
        self._refuse(emptied, self._column(RECORD), "line-emptied", "the line was emptied; that takes nothing away", expected)
        return numbers, versions

    def _whole(self, header: str) -> list[int | None]:
        if header not in self.reader.layout.found:
            return [None] * self.reader.length
        texts = self.reader.texts(header)
        wrong = [bool(text) and not _WHOLE.fullmatch(text) for text in texts]
        self._refuse(wrong, self._column(header), f"{header}-number", "this is no number of a record", "as exported, or blank")
        return [int(text) if _WHOLE.fullmatch(text) else None for text in texts]

    def _read(self, one: TemplateColumn) -> Sequence[Any]:
        """Read a column by what it holds; what cannot be read, or is missing, refuses its line."""
        self.reader.texts(one.header)  # says which cells hold an error, or a formula that was never calculated
        cells = ["" if example else cell for cell, example in zip(self.reader.layout.cells(one.header), self.examples, strict=True)]
        read, problems = read_column(one, cells, self.reader)
        problems = {place: problem for place, problem in problems.items() if self.used[place]}
        if one.needed:
            missing = [not cell_text(cell) and place not in self.emptied for place, cell in enumerate(cells)]
            told = f'"{one.header}" is needed, and this cell is blank'
            self._refuse(missing, self._column(one.header), "value-missing", told, "a value in every line")
        self.reader.note_problems(self._column(one.header), cells, problems)
        self.refused |= problems.keys()
        self.refused |= {row - 2 for row, column in self.sheet.problems if column == self._column(one.header)}
        return read

    def _refuse(self, marked: Sequence[bool], column: int, code: str, told: str, expected: str) -> None:
        for place, wrong in enumerate(marked):
            if wrong and self.used[place]:
                row, cells = place + 2, self.sheet.rows[place + 1]
                value = cell_text(cells[column - 1]) if column <= len(cells) else ""
                where = (self.sheet.name, row, column, value)
                remedy = "Correct the line, or leave out what is refused."
                self.reader.findings.append(
                    Finding(Severity.ERROR, code, f"{told[:1].upper()}{told[1:]}.", *where, expected, remedy)
                )
                self.refused.add(place)


def _raw(cells: Sequence[Any]) -> str:
    """Give a line as the sheet shows it."""
    return " · ".join(text for cell in cells[2:] if (text := cell_text(cell)))


IMPORTER = RegistryTemplate()
