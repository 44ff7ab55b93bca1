"""Reads ClickInfo files of Living Image: what one bioluminescence image is of, and what its regions measured where they say so.

The file says who was imaged, when and by whom; the light itself mostly stands in the table of measurements that Living Image
exports (`importers.living_image`). So the image is offered as a procedure of the animal, and its regions' light is read where
there is any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from importers import values
from importers.base import Choices, Claim, Clock, Finding, Option, Reading, Records, Refused, Series, SetAside, Severity
from importers.columns import Header, header, in_words
from importers.lines import columns_of, lines_of, set_aside
from importers.living_image import FLUX, RADIANCE, saturated
from importers.questions import Asked
from importers.sheets import Sheet, Workbook

KINDS = ((FLUX, "bli_total_flux"), (RADIANCE, "bli_radiance"))
NOTED = ("Comment1", "Comment2", "Time Point", "View", "Luc Injection Time", "Reporter")
"""What is kept beside the procedure, in the file's own words."""

TITLES = {"animal_number": "Animal Number", "subject_id": "Subject ID", "subject_label": "Subject Label", "label": "Label"}
"""Entries that may name the animal, by the answer that chooses them; the last three stand with each region."""

_BLOCK = re.compile(r"\*{3}\s*(?P<name>[^:]+?)\s*:\s*(?P<rest>.*)")
_PAIR = re.compile(r"(?P<key>[^:;]+?)\s*:\s*(?P<value>.*)")
_REGION = re.compile(r"ROI\s+(?P<number>\d+)\s*:\s*(?P<rest>.*)")
UNREAD = "not of who was imaged, when or how brightly"
_IMAGE_BLOCKS = ("luminescent image", "ClickNumber", "User Label Name Set")
"""Where a key may stand several times, the block that is believed first."""
_CLICK_TIME = re.compile(r"[A-Za-z]*(\d{8})(\d{6})(?!\d)")
_NO_SUBJECT = ("", "_none_")


@dataclass(frozen=True, slots=True)
class _Region:
    row: int
    number: str
    facts: Mapping[str, str]

    def label(self, key: str) -> str:
        told = self.facts.get(key, "").strip()
        return "" if told.casefold() in _NO_SUBJECT else told


@dataclass(slots=True)
class _Click:
    """facts: block → key → (row, value). read: rows of what was used."""

    facts: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    regions: list[_Region] = field(default_factory=list)
    read: set[int] = field(default_factory=set)

    def get(self, key: str) -> str:
        """Give what the file says under a key: in the image's own block, else in the first that says anything."""
        blocks = [self.facts[name] for name in _IMAGE_BLOCKS if name in self.facts]
        for block in (*blocks, *self.facts.values()):
            row, value = block.get(key, (0, ""))
            if value:
                self.read.add(row)
                return value
        return ""


class ClickInfo:
    """One image of Living Image, as its ClickInfo tells it."""

    key = "click_info"
    title = "ClickInfo of an image (IVIS)"
    reads = (
        "ClickInfo.txt of Living Image: blocks that begin with ***, with animal, day and operator of one image, and its regions. "
        "A bioluminescence procedure; kinds where regions state light: bli_total_flux, bli_radiance."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim text with a block of a click, an image or regions, that says when it was acquired."""
        click = _click(lines_of(book))
        if not click.facts or not click.get("Acquisition Date"):
            return None
        said = in_words([f"*** {name}" for name in click.facts if name][:4])
        return Claim(self.key, (f"it has the blocks {said}", 'and says "Acquisition Date"'), 0, 1)

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read the animal, the time and the regions; a saturated image is recorded as suspect."""
        asked, sheet = Asked(choices), book.sheets[0]
        click = _click(lines_of(book))
        if not click.facts:
            raise Refused("table-missing", f'"{book.name}" has no block that begins with ***')
        clock, when = _when(asked, sheet, click)
        regions, background = _regions(sheet, click)
        animals = _animals(asked, sheet, click, regions)
        found = _light(asked, sheet, regions)
        series = _series(sheet, click, regions, animals, clock, when, found) if when is not None else []
        records = _procedure(asked, sheet, click, regions, animals, when)
        regioned = [region.row for region in click.regions]
        heads = sorted(click.read - set(regioned))
        rows = regioned or heads[:1]
        return Reading(
            importer=self.key,
            series=tuple(series),
            data_rows={0: rows},
            columns=columns_of(sheet, rows, "region", "ROI"),
            header_rows={0: [row for row in heads if row not in rows]},
            set_aside=(
                *background,
                *_only_places(sheet, regions, series, records),
                *set_aside(sheet, {*heads, *rows}, UNREAD),
            ),
            findings=tuple(asked.findings),
            questions=tuple(asked.questions),
            records=records,
        )


def _click(lines: Sequence[str]) -> _Click:
    click, block = _Click(), ""
    for row, line in enumerate(lines, 1):
        if told := _BLOCK.match(line):
            block = told["name"]
            click.facts.setdefault(block, {})[block] = (row, told["rest"].strip())
        elif not click.facts:
            if line.strip():
                return click
        elif told := _REGION.match(line):
            pairs = (part.partition("=") for part in told["rest"].split(";"))
            click.regions.append(_Region(row, told["number"], {key.strip(): value.strip() for key, mark, value in pairs if mark}))
        elif told := _PAIR.match(line):
            click.facts[block].setdefault(told["key"].strip(), (row, told["value"].strip()))
    return click


def _when(asked: Asked, sheet: Sheet, click: _Click) -> tuple[Clock, date | datetime | None]:
    """Read when the image was taken; a click number that tells another day is a warning."""
    told, clock = click.get("Acquisition Date"), click.get("Acquisition Time")
    (day,), problems = values.dates([told], None)
    row = next((entry[0] for block in click.facts.values() if (entry := block.get("Acquisition Date"))), 1)
    asked.findings += values.problem_findings(problems, [told], sheet=sheet.name, rows=[row], column=1)
    if day is None:
        return Clock.DATE, None
    number = _CLICK_TIME.match(click.get("ClickNumber"))
    if number and number[1] != f"{day:%Y%m%d}":
        asked.findings.append(
            Finding(
                *(Severity.WARNING, "dates-disagree"),
                f'the acquisition date is {day:%Y-%m-%d}, and the click number "{number[0]}" tells {number[1]}; the first is used',
                sheet=sheet.name,
                row=row,
                column=1,
                value=told,
                expected="one date for each image",
                remedy="look whether the file was copied from another image",
            )
        )
    try:
        return Clock.DATETIME, datetime.combine(day, time.fromisoformat(clock))
    except ValueError:
        return Clock.DATE, day


def _regions(sheet: Sheet, click: _Click) -> tuple[list[_Region], list[SetAside]]:
    """Part the regions that measure from those that give the background, or outline a subject."""
    measuring = [one for one in click.regions if one.facts.get("ROI Type", "Measurement") in ("", "Measurement")]
    aside = [
        SetAside(sheet.index, one.row, one.row, 1, len(sheet.rows[one.row - 1]), f"{one.facts['ROI Type']} region", row_fate=True)
        for one in click.regions
        if one not in measuring
    ]
    return measuring, aside


def _animals(asked: Asked, sheet: Sheet, click: _Click, regions: Sequence[_Region]) -> list[str]:
    """Read the animal of each region; where an image has several regions and names, a person says which name counts."""
    number = click.get("Animal Number")
    if number and len(regions) < 2:
        return [number]
    sources = {"animal_number": [number] * max(len(regions), 1)}
    sources |= {key: [one.label(title) for one in regions] for key, title in TITLES.items() if key != "animal_number"}
    filled = {key: labels for key, labels in sources.items() if labels and all(labels)}
    if not filled:
        told = "Which animal was imaged? The file does not say."
        answer = asked.ask("animal", told, evidence=f"“{click.get('ClickNumber')}” has no Animal Number.", sheet=sheet.name)
        return [answer] * max(len(regions), 1) if answer else []
    likely = [key for key, labels in filled.items() if len(set(labels)) == len(regions) and key != "label"]
    source = asked.ask(
        "animal_source",
        "Which entry names the animal of each region?",
        [Option(key, TITLES[key]) for key in filled],
        proposed=likely[0] if likely else None,
        evidence=in_words([f"{TITLES[key]} says {', '.join(labels[:3])}" for key, labels in filled.items()]) + ".",
        samples=[labels[0] for labels in filled.values()][:3],
        sheet=sheet.name,
    )
    return filled[source] if source else []


def _light(asked: Asked, sheet: Sheet, regions: Sequence[_Region]) -> dict[str, list[tuple[int, float, str]]]:
    """Give kind → (place of the region, value, as written); light without a calibrated unit is an error."""
    found: dict[str, list[tuple[int, float, str]]] = {}
    before = len(asked.findings)
    for place, region in enumerate(regions):
        for key, text in region.facts.items():
            told = header(key, 1)
            for role, kind in KINDS:
                if role.rank(told) is None or not text:
                    continue
                (value,), problems = values.numbers([text], ".", ("N/A", "NA"))
                asked.findings += values.problem_findings(problems, [text], sheet=sheet.name, rows=[region.row], column=1)
                if told.unit not in role.units:
                    asked.findings.append(_uncalibrated(sheet, region, told))
                elif value is not None:
                    found.setdefault(kind, []).append((place, value, text))
    if regions and not found and len(asked.findings) == before:
        asked.findings.append(
            Finding(
                *(Severity.WARNING, "light-missing", "the file says where its regions lie, and not how bright they are"),
                sheet=sheet.name,
                row=regions[0].row,
                column=1,
                expected="Total Flux [p/s] or Avg Radiance [p/s/cm²/sr] of each region",
                remedy="export the table of ROI measurements from Living Image, and upload that for the light",
            )
        )
    return found


def _uncalibrated(sheet: Sheet, region: _Region, told: Header) -> Finding:
    return Finding(
        *(Severity.ERROR, "unit-not-calibrated", f'"{told.text}" of ROI {region.number} is not calibrated light'),
        sheet=sheet.name,
        row=region.row,
        column=1,
        value=told.text,
        expected="Total Flux [p/s] or Avg Radiance [p/s/cm²/sr]",
        remedy="set the units to Radiance (Photons) in Living Image and export the measurements again",
    )


def _series(
    sheet: Sheet,
    click: _Click,
    regions: Sequence[_Region],
    animals: Sequence[str],
    clock: Clock,
    when: date | datetime,
    found: Mapping[str, Sequence[tuple[int, float, str]]],
) -> list[Series]:
    if not animals:
        return []
    mark, operator = click.get("Saturated"), click.get("User")
    suspect = saturated(mark)
    return [
        Series(
            *(kind, sheet.index, clock, [regions[place].row for place, _, _ in entries], 1),
            [animals[place] for place, _, _ in entries],
            [when] * len(entries),
            [value for _, value, _ in entries],
            [text for _, _, text in entries],
            operators=[operator or None] * len(entries),
            suspect=dict.fromkeys(range(len(entries)), suspect) if suspect else {},
        )
        for kind, entries in found.items()
    ]


def _procedure(
    asked: Asked, sheet: Sheet, click: _Click, regions: Sequence[_Region], animals: Sequence[str], when: date | datetime | None
) -> tuple[Records, ...]:
    """Offer the image as a procedure of each animal in it."""
    different = list(dict.fromkeys(animals))
    if not different or when is None:
        return ()
    noted = [f"{key}: {value}" for key in NOTED if (value := click.get(key))]
    if suspect := saturated(click.get("Saturated")):
        noted.append(suspect)
    operator = click.get("User")
    answer = asked.ask(
        "procedure",
        "Record the imaging as a procedure of the animal?",
        (Option("yes", "yes, bioluminescence"), Option("no", "no")),
        proposed="yes",
        evidence=f"The file says that {in_words(different)} was imaged on {when:%Y-%m-%d}{f' by {operator}' if operator else ''}.",
        samples=noted[:3],
        sheet=sheet.name,
    )
    if answer != "yes":
        return ()
    rows = [regions[animals.index(one)].row if regions else min(click.read) for one in different]
    timed = isinstance(when, datetime)
    fields: dict[str, Sequence[Any]] = {
        "animal": different,
        "kind": ["bioluminescence"] * len(different),
        "done_on": [when.date() if isinstance(when, datetime) else when] * len(different),
        "done_at": [when if timed else None] * len(different),
        "device": ["IVIS"] * len(different),
        "operator": [operator or None] * len(different),
        "note": ["; ".join(noted) or None] * len(different),
    }
    raw = [f"{click.get('ClickNumber')} {one}".strip() for one in different]
    return (Records("procedure", sheet.index, rows, 1, fields, {}, raw),)


def _only_places(sheet: Sheet, regions: Sequence[_Region], series: Sequence[Series], records: Sequence[Records]) -> list[SetAside]:
    """Set aside the regions that only say where they lie."""
    used = {row for rows in (*(one.rows for one in series), *(one.rows for one in records)) for row in rows}
    reason = "says where the region lies, not its light"
    return [
        SetAside(sheet.index, one.row, one.row, 1, len(sheet.rows[one.row - 1]), reason, row_fate=True)
        for one in regions
        if one.row not in used
    ]


IMPORTER = ClickInfo()
