"""Reads the measurement tables of Living Image (IVIS bioluminescence): total flux and average radiance of each ROI."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from importers import values
from importers.base import Choices, Claim, Clock, Finding, Option, Reading, Refused, SetAside, Severity
from importers.claims import claim_table
from importers.columns import (
    HEADER_SEARCH_ROWS,
    Layout,
    Role,
    above,
    data_rows,
    find_table,
    in_words,
    other_sheets,
    unit_findings,
    uses,
)
from importers.sheets import CellValue, Workbook
from importers.table_columns import When
from importers.tables import Measured, TableReader

IMAGE = Role("image", ("image number", "image", "click number", "clicknumber"))
ROI = Role("roi", ("roi", "roi id"))
ROI_LABEL = Role("roi_label", ("roi label",))
ANIMAL_NUMBER = Role("animal_number", ("animal number", "animal id", "mouse id", "mouse number", "mouse", "subject id"))
FLUX = Role("total_flux", ("total flux",), {"p/s": 1.0})
RADIANCE = Role("avg_radiance", ("avg radiance", "average radiance"), {"p/s/cm2/sr": 1.0})
COUNTS = Role("counts", ("total counts", "avg counts", "total signal", "rlu"))
TAKEN = Role("date_and_time", ("date and time", "acquisition date", "date"))
EXPERIMENT = Role("experiment", ("experiment",))
SATURATED = Role("saturated", ("saturated", "saturation"))
OPERATOR = Role("operator", ("user", "user id", "operator"))

ROLES = (IMAGE, ROI, ROI_LABEL, ANIMAL_NUMBER, FLUX, RADIANCE, COUNTS, TAKEN, EXPERIMENT, SATURATED, OPERATOR)
REQUIRED = (("image", "roi", "total_flux"), ("image", "roi", "avg_radiance"), ("image", "roi", "counts"))
KINDS = (("total_flux", "bli_total_flux"), ("avg_radiance", "bli_radiance"))
NOT_MEASURED = ("N/A", "NA")
"""What Living Image writes where it has no value."""

DATE_SOURCES = ("experiment", "date_and_time", "image")
DATE_AND_TIME_ORDER = "mdy"
"""Living Image writes mm/dd/yyyy, whatever the computer's own setting."""

_IMAGE_TIME = re.compile(r"[A-Za-z]*(\d{14})(?!\d)")
_BACKGROUND = re.compile(r"\bbkg|\bbgd?\b|background", re.IGNORECASE)
_NOT_SATURATED = frozenset(("", "0", "no", "false", "n/a"))


class LivingImage:
    """Living Image measurements."""

    key = "living_image"
    title = "Living Image measurements (IVIS)"
    reads = (
        "The ROI measurement table of Living Image, comma, tab or semicolon: Image Number, ROI, Total Flux [p/s], Avg Radiance "
        "[p/s/cm²/sr], ROI Label. Kinds: bli_total_flux, bli_radiance."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim the first sheet with image, ROI, and flux, radiance or counts."""
        shown = ("image", "roi", "total_flux", "avg_radiance", "counts", "roi_label")
        return claim_table(self.key, book, lambda sheet: find_table(sheet, ROLES, REQUIRED), *shown)

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read each ROI's flux and radiance; background regions and repeated lines are set aside."""
        sheet = book.sheets[claim.sheet]
        layout = find_table(sheet, ROLES, REQUIRED)
        if layout is None:
            raise Refused(
                "table-missing", f'the sheet "{sheet.name}" has no Living Image table in its first {HEADER_SEARCH_ROWS} rows'
            )
        reader = TableReader(book, layout, choices)
        measured = _measured(reader)
        animals = _animals(reader)
        clock, when = _when(reader)
        aside = _rows_aside(reader, animals, measured)
        carrying = [any(marks) for marks in zip(*(one.present() for one in measured), strict=True)] or [False] * reader.length
        present = [mark and index not in aside for index, mark in enumerate(carrying)]
        usable = reader.usable(present, animals, when)
        series = [one for entry in measured if (one := reader.series(entry, usable, animals, clock, when))]
        suspect = _saturated(reader)
        rows = {reader.first_row + index: reason for index, reason in aside.items()}
        return Reading(
            importer=self.key,
            series=tuple(
                replace(one, suspect={at: suspect[row] for at, row in enumerate(one.rows) if row in suspect}) for one in series
            ),
            data_rows={sheet.index: data_rows(sheet, layout.header_row)},
            columns=uses(reader.layout, {**layout.not_chosen(), **reader.unread}),
            header_rows={sheet.index: [layout.header_row]},
            animals=reader.facts([animal if mark else "" for animal, mark in zip(animals, usable, strict=True)]),
            set_aside=(
                *above(layout),
                *other_sheets(book, [sheet.index]),
                *reader.blank_rows([carries or index in aside for index, carries in enumerate(carrying)]),
                *(
                    SetAside(sheet.index, row, row, 1, len(sheet.rows[row - 1]), reason, row_fate=True)
                    for row, reason in rows.items()
                ),
            ),
            findings=(*reader.findings, *reader.asked.findings),
            questions=tuple(reader.asked.questions),
        )


def _measured(reader: TableReader) -> list[Measured]:
    """Read the calibrated columns. Counts and light units without calibration depend on the camera's settings: refused."""
    layout = reader.layout
    findings = unit_findings(layout, ["total_flux", "avg_radiance"])
    measured = []
    for key, kind in KINDS:
        if not layout.has(key):
            continue
        found = layout.found[key]
        if found.unit is None:
            findings.append(_uncalibrated(layout, key, "states no unit"))
        elif layout.factor(key) is not None:
            measured.append(reader.measured(kind, key, NOT_MEASURED))
    if layout.has("counts") and not measured:
        findings.append(_uncalibrated(layout, "counts", "is not calibrated"))
    reader.findings += findings
    reader.unread |= {finding.column: finding.message for finding in findings if finding.column is not None}
    if layout.has("counts"):
        reader.unread[layout.found["counts"].column] = "counts are not calibrated: they depend on exposure and aperture"
    return measured


def _uncalibrated(layout: Layout, key: str, why: str) -> Finding:
    found = layout.found[key]
    return Finding(
        Severity.ERROR,
        "unit-not-calibrated",
        f'column "{found.text}" {why}',
        sheet=layout.sheet.name,
        row=layout.header_row,
        column=found.column,
        value=found.text,
        expected="Total Flux [p/s] or Avg Radiance [p/s/cm²/sr]",
        remedy="set the units to Radiance (Photons) in Living Image and export the measurements again",
    )


def _animals(reader: TableReader) -> list[str]:
    """Read which animal each ROI is of, from the column a person confirms."""
    layout = reader.layout
    candidates = [key for key in ("animal_number", "roi_label", "roi") if layout.has(key)]
    texts = {key: reader.texts(key) for key in candidates}
    filled = [key for key in candidates if key != "roi" and any(texts[key])]
    answer = reader.asked.ask(
        "animal_column",
        "Which column names the animal?",
        [Option(key, layout.found[key].text) for key in candidates],
        proposed=filled[0] if filled else None,
        evidence=f"{layout.quoted(*filled)} {'is' if len(filled) == 1 else 'are'} filled in."
        if filled
        else "No column with an animal or label is filled in.",
        samples=list(dict.fromkeys(filter(None, texts[(filled or candidates)[0]])))[:3],
        sheet=reader.sheet.name,
    )
    if answer is None:
        return [""] * reader.length
    reader.layout = replace(layout, found={**layout.found, "animal": layout.found[answer]})
    return reader.animals()


def _when(reader: TableReader) -> tuple[Clock, Sequence[When | None]]:
    """Read when the images were taken, from one of up to three sources; where they disagree, a person is asked."""
    layout = reader.layout
    sources = {key: dates for key in DATE_SOURCES if layout.has(key) and any(dates := _dates_of(layout, key))}
    if not sources:
        return reader.when()
    first = next(key for key in ("date_and_time", "experiment", "image") if key in sources)
    chosen: str | None = first
    clash = next((index for index, row in enumerate(zip(*sources.values(), strict=True)) if len({*row} - {None}) > 1), None)
    if clash is not None:
        said = in_words([f'"{layout.found[key].text}" says {dates[clash]}' for key, dates in sources.items() if dates[clash]])
        chosen = reader.asked.ask(
            "date_source",
            "Which column says when the images were taken?",
            [Option(key, layout.found[key].text) for key in sources],
            proposed="experiment" if "experiment" in sources else first,
            evidence=f"In row {reader.first_row + clash} {said}.",
            samples=[str(dates[clash]) for dates in sources.values() if dates[clash]],
            sheet=reader.sheet.name,
        )
        reader.findings.append(
            Finding(
                Severity.WARNING,
                "dates-disagree",
                f"{said}" + (f'; the date under "{layout.found[chosen].text}" is used' if chosen else ""),
                sheet=reader.sheet.name,
                row=reader.first_row + clash,
                expected="one date for each image",
                remedy="acknowledge if that is right, or answer which date counts",
                option=f"--set date_source={'|'.join(sources)}",
            )
        )
    if chosen is None:
        return Clock.DATE, [None] * reader.length
    reader.layout = replace(layout, found={**layout.found, "date": layout.found[chosen]})
    if chosen == "image":
        return Clock.DATETIME, [_image_time(cell) for cell in layout.cells("image")]
    return reader.dates(chosen, DATE_AND_TIME_ORDER)


def _dates_of(layout: Layout, key: str) -> list[date | None]:
    cells = layout.cells(key)
    if key == "image":
        moments: Sequence[date | None] = [_image_time(cell) for cell in cells]
    else:
        moments, _ = values.dates(cells, DATE_AND_TIME_ORDER if key == "date_and_time" else None)
    return [moment.date() if isinstance(moment, datetime) else moment for moment in moments]


def _image_time(cell: CellValue) -> datetime | None:
    """Read the time in an image number: `MFM20231016090235_001A` was taken on 2023-10-16 at 09:02:35."""
    match = _IMAGE_TIME.match(str(cell))
    try:
        return datetime.fromisoformat(f"{match[1][:8]}T{match[1][8:]}") if match else None
    except ValueError:
        return None


def _rows_aside(reader: TableReader, animals: Sequence[str], measured: Sequence[Measured]) -> dict[int, str]:
    """Find background regions and lines that repeat an earlier one. An image and ROI used again for something else is a warning."""
    images, rois = reader.texts("image"), reader.texts("roi")
    labels = reader.texts("roi_label") if reader.layout.has("roi_label") else rois
    aside = {
        index: "background region"
        for index, (roi, label, animal) in enumerate(zip(rois, labels, animals, strict=True))
        if _BACKGROUND.search(f"{roi} {label} {animal}")
    }
    first: dict[tuple[str, str], int] = {}
    reused: list[tuple[int, int]] = []
    for index, slot in enumerate(zip(images, rois, strict=True)):
        before = first.setdefault(slot, index)
        if before == index or not any(slot) or index in aside:
            continue
        if animals[index] == animals[before] and all(one.values[index] == one.values[before] for one in measured):
            aside[index] = f"the same image and ROI as row {reader.first_row + before}"
        else:
            reused.append((before, index))
    if reused:
        before, index = reused[0]
        reader.findings.append(
            Finding(
                Severity.WARNING,
                "roi-reused",
                f"{len(reused)} rows have the image and ROI of an earlier row with another label or other values; the first: "
                f"{images[index]}, {rois[index]} in row {reader.first_row + before} (animal {animals[before]}) "
                f"and row {reader.first_row + index} (animal {animals[index]}); each row is read as a reading of its own",
                sheet=reader.sheet.name,
                row=reader.first_row + index,
                column=reader.layout.found["roi"].column,
                value=rois[index],
                expected="each ROI of an image once",
                remedy="acknowledge if the labels are right, else correct the image or ROI",
            )
        )
    return aside


def _saturated(reader: TableReader) -> dict[int, str]:
    """Find the sheet's rows that the instrument marked as saturated."""
    if not reader.layout.has("saturated"):
        return {}
    marks = enumerate(reader.texts("saturated"), reader.first_row)
    return {row: reason for row, mark in marks if (reason := saturated(mark))}


def saturated(mark: str) -> str:
    """Give why a reading is suspect whose image is marked so; nothing for a mark that says it is not."""
    return "" if mark.casefold() in _NOT_SATURATED else f'the instrument says "Saturated: {mark}"'


IMPORTER = LivingImage()
