"""Reads a subject of ParaVision (Bruker MRI, JCAMP-DX): a body weight where one was typed, facts of the animal, the session."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from importers import values
from importers.base import (
    AnimalFacts,
    Choices,
    Claim,
    Clock,
    Finding,
    Option,
    Reading,
    Records,
    Refused,
    Series,
    Severity,
)
from importers.columns import in_words
from importers.file_names import asked_day
from importers.lines import columns_of, lines_of, set_aside
from importers.questions import Asked
from importers.sheets import Sheet, Workbook

ANIMAL = ("SUBJECT_id", "SUBJECT_name_string")
TAKEN = ("SUBJECT_date", "SUBJECT_study_date", "SUBJECT_abs_date")
WEIGHT = ("SUBJECT_weight", "SUBJECT_study_weight")
"""In kg; ParaVision writes `NO_WEIGHT` where nobody typed one."""
SEX = ("SUBJECT_sex_animal", "SUBJECT_gender", "SUBJECT_sex")
BORN = ("SUBJECT_dbirth", "SUBJECT_study_dbirth")
OPERATOR = ("SUBJECT_study_operator", "SUBJECT_referral")
NOTED = {"SUBJECT_study_name": "study", "SUBJECT_purpose": "purpose", "SUBJECT_remarks": "remarks", "SUBJECT_position": "position"}
INSTRUMENT = ("SUBJECT_instrument_name", "SUBJECT_study_instrument", "ORIGIN")

NO_WEIGHT = 0.001
G_PER_KG = 1000.0
MICE = (0.005, 0.080)
"""Weights of mice, in kg."""

_ENTRY = re.compile(r"##\$?(?P<key>[^=]+)=(?P<value>.*)")
_SIZE = re.compile(r"\(\s*\d+(?:\s*,\s*\d+)*\s*\)\s*")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})")
_LEGACY = re.compile(r"(\d{2}:\d{2}:\d{2})\s+(\d{1,2}\s+[A-Za-z]{3}\s+\d{4})")
_STRUCT = re.compile(r"\(\s*(\d{9,11})\s*,\s*\d+\s*,\s*(-?\d+)\s*\)")
_NOTHING = ("", "undefined", "unknown", "none", "n/a")


@dataclass(frozen=True, slots=True)
class _Subject:
    """entries: key → (row of its value, value, all rows that it takes)."""

    entries: Mapping[str, tuple[int, str, range]]

    def get(self, *keys: str) -> tuple[str, int, str] | None:
        """Give key, row and value of the first of these that says something."""
        for key in keys:
            row, value, _ = self.entries.get(key, (0, "", range(0)))
            if value.casefold() not in _NOTHING:
                return key, row, value
        return None

    def rows_of(self, *keys: str) -> set[int]:
        return {row for key in keys if key in self.entries for row in self.entries[key][2]}


class ParaVisionSubject:
    """The subject file of a ParaVision study."""

    key = "paravision_subject"
    title = "ParaVision subject (Bruker MRI)"
    reads = (
        "The file `subject` of a ParaVision study (JCAMP-DX): SUBJECT_id, SUBJECT_weight, SUBJECT_date, sex and birth. "
        "An MRI procedure, sex and birth date of the animal; kind: body_weight."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim JCAMP-DX with a subject."""
        lines = lines_of(book)
        subject = _subject(lines)
        found = subject.get(*ANIMAL) if lines and any(line.startswith("##") for line in lines[:5]) else None
        if found is None:
            return None
        return Claim(self.key, (f'row {found[1]} gives "##${found[0]}" as {found[2]}',), 0, found[1])

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read weight, facts and session; nothing that is not stated."""
        asked, sheet, subject = Asked(choices), book.sheets[0], _subject(lines_of(book))
        found = subject.get(*ANIMAL)
        if found is None:
            raise Refused("table-missing", f'"{book.name}" has no ##$SUBJECT_id')
        animal = _animal(asked, sheet, subject)
        weight = _weight(asked, sheet, subject)
        moment = _moment(asked, sheet, subject, needed=weight is not None)
        facts = _facts(asked, sheet, subject, animal)
        series = _series(sheet, animal, weight, moment) if animal else ()
        records = _procedure(asked, sheet, subject, animal, moment) if animal else ()
        if not series and not records and not asked.findings:
            asked.findings.append(_nothing(sheet, found, bool(moment)))
        told = {finding.row for finding in asked.findings if finding.row}
        used = {row for rows in (*(one.rows for one in series), *(one.rows for one in records)) for row in rows}
        rows = sorted(used or told or {found[1]})
        heads = sorted(subject.rows_of(*ANIMAL, *TAKEN, *WEIGHT, *SEX, *BORN, *OPERATOR, *NOTED, *INSTRUMENT) - set(rows))
        return Reading(
            importer=self.key,
            series=series,
            data_rows={0: rows},
            columns=columns_of(sheet, rows, "subject", "##$SUBJECT"),
            header_rows={0: heads},
            animals={facts.label: facts} if facts else {},
            set_aside=set_aside(sheet, {*rows, *heads}, "not of the animal or its session"),
            findings=tuple(asked.findings),
            questions=tuple(asked.questions),
            records=records,
        )


def _subject(lines: Sequence[str]) -> _Subject:
    """Read the entries; the value of one with a size in brackets stands on the lines below, between < and >."""
    entries: dict[str, tuple[int, str, range]] = {}
    row = 0
    while row < len(lines):
        row += 1
        told = _ENTRY.match(lines[row - 1])
        if told is None:
            continue
        first, value, at = row, told["value"].strip(), row
        below: list[str] = []
        if _SIZE.fullmatch(value):
            while row < len(lines) and not lines[row].startswith(("##", "$$")):
                below.append(lines[row].strip())
                row += 1
        if below:  # a date may be written in brackets too, on its own line
            value, at = " ".join(below).strip(), first + 1
        entries.setdefault(told["key"].strip(), (at, value.removeprefix("<").removesuffix(">").strip(), range(first, row + 1)))
    return _Subject(entries)


def _animal(asked: Asked, sheet: Sheet, subject: _Subject) -> str | None:
    """Give the animal; where id and name differ, a person says which of them it goes by."""
    said = {key: found[2] for key in ANIMAL if (found := subject.get(key))}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    key = asked.ask(
        "animal_source",
        "By which entry is the animal known?",
        [Option(key, f"{key}: {value}") for key, value in said.items()],
        proposed=ANIMAL[0],
        evidence=f"{in_words([f'##${key} is “{value}”' for key, value in said.items()])}; the id is what ParaVision registers.",
        samples=list(said.values()),
        sheet=sheet.name,
    )
    return said[key] if key else None


def _weight(asked: Asked, sheet: Sheet, subject: _Subject) -> tuple[int, float, str] | None:
    """Give row, weight in g and text; nothing where none was typed."""
    found = subject.get(*WEIGHT)
    if found is None:
        return None
    _, row, text = found
    (number,), problems = values.numbers([text], ".")
    asked.findings += values.problem_findings(problems, [text], sheet=sheet.name, rows=[row], column=1)
    if number is None:
        return None
    if number <= NO_WEIGHT:
        said = f"the weight of {number:g} kg is what ParaVision writes where none was typed; no weight is read"
        asked.findings.append(Finding(Severity.NOTE, "weight-not-typed", said, sheet=sheet.name, row=row, value=text))
        return None
    unit: str | None = "kg"
    if not MICE[0] <= number <= MICE[1]:
        as_grams = MICE[0] * G_PER_KG <= number <= MICE[1] * G_PER_KG
        unit = asked.ask(
            "weight_unit",
            "Which unit is the weight in? ParaVision takes it to be in kg.",
            [Option("kg", "kg"), Option("g", "g")],
            proposed="g" if as_grams else None,
            evidence=f"{number:g} {'would be a mouse in g' if as_grams else 'is a mouse neither in kg nor in g'}.",
            samples=[text],
            sheet=sheet.name,
        )
    return None if unit is None else (row, round(number * (G_PER_KG if unit == "kg" else 1.0), 6), f"{text} {unit}")


def _moment(asked: Asked, sheet: Sheet, subject: _Subject, *, needed: bool) -> date | datetime | None:
    """Read when the session began, in one of the three forms that ParaVision writes; asked only where a weight needs it."""
    found = subject.get(*TAKEN)
    if found is None:
        told = "On which day was the animal weighed? As in 2024-01-31."
        return asked_day(asked, told, "The file has no ##$SUBJECT_date.") if needed else None
    _, row, text = found
    moment = _read_moment(text)
    if moment is None:
        asked.findings.append(
            Finding(
                *(Severity.ERROR, "date-unreadable", f"`{text}` is not a date as ParaVision writes it"),
                sheet=sheet.name,
                row=row,
                column=1,
                value=text,
                expected="2024-01-31T14:05:00,000+0100, 14:05:00 31 Jan 2024, or seconds since 1970 in brackets",
                remedy="correct the entry, or take it out and answer on which day it was",
            )
        )
    return moment


def _read_moment(text: str) -> datetime | None:
    try:
        if told := _ISO.match(text):
            return datetime.fromisoformat(f"{told[1]}T{told[2]}")
        if told := _LEGACY.match(text):
            (day,), _ = values.dates([told[2]], None)
            return datetime.fromisoformat(f"{day:%Y-%m-%d}T{told[1]}") if day else None
        if told := _STRUCT.match(text):
            zone = timezone(timedelta(minutes=int(told[2])))
            return datetime.fromtimestamp(int(told[1]), UTC).astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return None


def _facts(asked: Asked, sheet: Sheet, subject: _Subject, animal: str | None) -> AnimalFacts | None:
    """Give sex and birth date as stated."""
    named, sex, born = subject.get(*ANIMAL), subject.get(*SEX), subject.get(*BORN)
    if animal is None or named is None:
        return None
    birth = None
    if born is not None:
        (birth,), problems = values.dates([born[2]], None)
        asked.findings += values.problem_findings(problems, [born[2]], sheet=sheet.name, rows=[born[1]], column=1)
    on = birth.date() if isinstance(birth, datetime) else birth
    return AnimalFacts(animal, sheet.index, named[1], sex=sex[2].casefold() if sex else None, birth_date=on)


def _series(sheet: Sheet, animal: str, weight: tuple[int, float, str] | None, moment: date | datetime | None) -> tuple[Series, ...]:
    if weight is None or moment is None:
        return ()
    row, grams, text = weight
    clock = Clock.DATETIME if isinstance(moment, datetime) else Clock.DATE
    return (Series("body_weight", sheet.index, clock, [row], 1, [animal], [moment], [grams], [text]),)


def _procedure(asked: Asked, sheet: Sheet, subject: _Subject, animal: str, moment: date | datetime | None) -> tuple[Records, ...]:
    """Offer the session as a procedure of the animal, where day and instrument are stated."""
    taken, instrument = subject.get(*TAKEN), subject.get(*INSTRUMENT)
    if not isinstance(moment, datetime) or taken is None or instrument is None:
        return ()
    noted = [f"{word}: {found[2]}" for key, word in NOTED.items() if (found := subject.get(key))]
    answer = asked.ask(
        "procedure",
        "Record the session as a procedure of the animal?",
        (Option("yes", "yes, MRI"), Option("no", "no")),
        proposed="yes",
        evidence=f"The file says that {animal} was registered on {moment:%Y-%m-%d at %H:%M} at “{instrument[2]}”.",
        samples=noted[:3],
        sheet=sheet.name,
    )
    if answer != "yes":
        return ()
    operator = subject.get(*OPERATOR)
    fields: dict[str, Sequence[Any]] = {
        "animal": [animal],
        "kind": ["mri"],
        "done_on": [moment.date()],
        "done_at": [moment],
        "device": [instrument[2]],
        "operator": [operator[2] if operator else None],
        "note": ["; ".join(noted) or None],
    }
    return (Records("procedure", sheet.index, [taken[1]], 1, fields, {}, [taken[2]]),)


def _nothing(sheet: Sheet, found: tuple[str, int, str], dated: bool) -> Finding:
    return Finding(
        *(Severity.ERROR, "nothing-stated"),
        f"the file names {found[2]} and states no weight" + (", and no session is to be recorded" if dated else " and no date"),
        sheet=sheet.name,
        row=found[1],
        column=1,
        value=found[2],
        expected="##$SUBJECT_weight or ##$SUBJECT_date",
        remedy="upload the file `subject` of a study in which they were typed",
    )


IMPORTER = ParaVisionSubject()
