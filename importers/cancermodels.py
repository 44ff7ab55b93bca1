"""Reads the metadata workbook of CancerModels.org: patients, their tumour samples, models, and how these were validated.

One sheet for each entity. The header row may begin with `Field`; the lines below it that begin with `#` explain the columns.
What has no place in this system is listed with its reason; nothing is made up: the format dates samples by month, and
validations not at all, and both are asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from importers.base import Choices, Claim, Finding, Option, Reading, Records, Severity
from importers.cancermodels_sheets import Entity, Fields, entity_of
from importers.cancermodels_terms import (
    CONCORDANCE,
    CULTURE,
    NOTTINGHAM,
    ORIGIN,
    PROCEDURE,
    SEX,
    TECHNIQUE,
)
from importers.columns import whole_sheet
from importers.questions import Asked
from importers.sheets import Workbook
from importers.values import cell_text, dates
from lims.domain.tissue_terms import ModelKind
from lims.domain.vocabulary import ModelStatus, SpecimenKind

KEY = "cancermodels"
_NEEDED = {"patient": ("patient_id", "initial_diagnosis"), "patient_sample": ("patient_id", "sample_id", "model_id")}
_MONTH = re.compile(r"([A-Za-z]{3,9})\.?\s+(\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_READ_BY: Mapping[str, Mapping[str, str]] = {
    "patient": {
        "patient_id": "code",
        "sex": "sex",
        "ethnicity": "ethnicity",
        "initial_diagnosis": "diagnosis",
        "age_at_initial_diagnosis": "age_at_diagnosis",
    },
    "patient_sample": {
        "patient_id": "patient",
        "sample_id": "code",
        "collection_date": "collected_on",
        "diagnosis": "histology",
        "tumour_type": "origin",
        "collection_site": "site",
        "collection_method": "procedure",
        "grade": "grade",
        "grading_system": "grade",
        "model_id": "founding_specimen",
    },
    "pdx_model": {"model_id": "code", "origin_patient_sample_id": "founding_specimen"},
    "cell_model": {"model_id": "code", "type": "kind", "origin_patient_sample_id": "founding_specimen"},
    "model_validation": {
        "model_id": "model",
        "validation_technique": "kind",
        "description": "result",
        "comments": "note",
    },
    "sharing": {"model_id": "code", "accessibility": "sharing_terms", "europdx_access_modality": "sharing_terms"},
}
"""Sheet → column → what it is read as; every other column is listed as unread."""
_TREATMENT = "treatment is recorded line by line"
_IMPLANTS = "describes implants, which are recorded one by one"
_UNREAD = {
    "Field": "names the lines that explain the columns",
    "gene_mutation_status": "alterations are recorded one by one, with what found them",
    "age_in_years_at_collection": "the patient's age at diagnosis is read",
    "email": "names a person",
    "name": "names a person",
    **{f"treat{name}_collection": _TREATMENT for name in ("ment_naive_at", "ed_at", "ed_prior_to")},
    "response_to_treatment": _TREATMENT,
    **{f"host_strain_{name}": _IMPLANTS for name in ("name", "nomenclature")},
    **{f"engraftment_{name}": _IMPLANTS for name in ("site", "type")},
    **{f"sample_{name}": _IMPLANTS for name in ("type", "state")},
    "passage_number": _IMPLANTS,
}
_NO_PLACE = "has no place in this system"


class CancerModels:
    """The metadata workbook of CancerModels.org."""

    key = KEY
    title = "CancerModels.org metadata"
    reads = (
        "The workbook of CancerModels.org with the sheets patient, patient_sample, pdx_model, cell_model, model_validation and "
        "sharing: patients, specimens, PDX models and cultures, and checks."
    )

    def claim(self, book: Workbook) -> Claim | None:
        """Claim a workbook with the sheets `patient` and `patient_sample` of this format."""
        found = {name: entity_of(book, name) for name in _NEEDED}
        if any(one is None or not one.places.keys() >= set(_NEEDED[name]) for name, one in found.items()):
            return None
        said = 'has the sheets "patient" with patient_id and initial_diagnosis, and "patient_sample" with sample_id and model_id'
        entity = found["patient"]
        return Claim(KEY, (said,), entity.sheet.index if entity else 0)

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read patients, samples, models and validations, in the order in which they stand on each other."""
        entities = {name: one for name in _READ_BY if (one := entity_of(book, name)) is not None}
        asked = Asked(choices)
        records = [
            *_patients(entities["patient"]),
            *_samples(entities["patient_sample"], asked),
            *_models(entities, asked),
            *(_checks(entities["model_validation"], asked) if "model_validation" in entities else ()),
        ]
        used = {one.sheet.index for one in entities.values()}
        beside = (whole_sheet(sheet, "nothing of this sheet is read") for sheet in book.sheets if sheet.index not in used)
        return Reading(
            importer=KEY,
            series=(),
            data_rows={one.sheet.index: [] if name == "sharing" else one.rows for name, one in entities.items()},
            columns=tuple(use for name, one in entities.items() for use in one.uses(_READ_BY[name], _UNREAD, _NO_PLACE)),
            header_rows={one.sheet.index: [1] for one in entities.values()},
            set_aside=(*(region for one in entities.values() for region in one.aside()), *(one for one in beside if one)),
            findings=(*(finding for one in entities.values() for finding in one.findings), *asked.findings),
            questions=tuple(asked.questions),
            records=tuple(one for one in records if len(one)),
        )


def _patients(entity: Entity) -> list[Records]:
    rows = entity.kept("patient_id")
    return [
        entity.records(
            "patient",
            "patient_id",
            rows,
            {
                "code": ("patient_id", lambda row: entity.text(row, "patient_id")),
                "sex": ("sex", lambda row: entity.term(row, "sex", SEX)),
                "ethnicity": ("ethnicity", lambda row: entity.text(row, "ethnicity")),
                "diagnosis": ("initial_diagnosis", lambda row: entity.text(row, "initial_diagnosis")),
                "age_at_diagnosis": ("age_at_initial_diagnosis", lambda row: _age(entity, row)),
            },
        )
    ]


def _age(entity: Entity, row: int) -> int | None:
    """Read an age in whole years; a span of years is told and not recorded."""
    text = entity.text(row, "age_at_initial_diagnosis")
    if text is None:
        return None
    if text.isdecimal():
        return int(text)
    entity.say(row, "age_at_initial_diagnosis", "age-unreadable", f'"{text}" is no age in whole years', "whole years, such as 62")
    return None


def _samples(entity: Entity, asked: Asked) -> list[Records]:
    rows = [row for row in entity.kept("sample_id") if _named(entity, row, "patient_id")]
    days = _days(entity, rows, asked)
    return [
        entity.records(
            "specimen",
            "sample_id",
            rows,
            {
                "code": ("sample_id", lambda row: entity.text(row, "sample_id")),
                "patient": ("patient_id", lambda row: entity.text(row, "patient_id")),
                "kind": (None, lambda row: SpecimenKind.TUMOUR),  # the format is of tumour samples alone
                "collected_on": ("collection_date", days.get),
                "procedure": ("collection_method", lambda row: entity.term(row, "collection_method", PROCEDURE)),
                "site": ("collection_site", lambda row: entity.text(row, "collection_site")),
                "origin": ("tumour_type", lambda row: entity.term(row, "tumour_type", ORIGIN)),
                "histology": ("diagnosis", lambda row: entity.text(row, "diagnosis")),
                "grade": ("grade", lambda row: _grade(entity, row)),
            },
        )
    ]


def _named(entity: Entity, row: int, name: str) -> bool:
    if entity.text(row, name) is None:
        entity.dropped[row] = f"has no {name}"
        entity.say(row, name, "id-missing", f"the line has no {name}", f"a {name} in every line", error=True)
    return row not in entity.dropped


def _days(entity: Entity, rows: Sequence[int], asked: Asked) -> dict[int, date | None]:
    """Read collection dates; a month without its day is a date only if a person says which day stands for it."""
    found: dict[int, date | None] = {}
    months: dict[int, date] = {}
    for row in rows:
        text = entity.text(row, "collection_date")
        month = _MONTH.fullmatch(text or "")
        if month and month[1][:3].casefold() in _MONTHS:
            months[row] = date(int(month[2]), _MONTHS.index(month[1][:3].casefold()) + 1, 1)
            continue
        (value,), problems = dates([entity.cell(row, "collection_date") if text else ""], None)
        found[row] = value.date() if isinstance(value, datetime) else value
        if problems:
            entity.say(row, "collection_date", "date-unreadable", f'"{text}" is no date', "a month such as Oct 2015, or a date")
    if months:
        answer = asked.ask(
            "month_dates",
            "Collection dates give a month without a day. What is recorded?",
            (Option("blank", "no date; the month stays in the file"), Option("first", "the first day of the month")),
            proposed="blank",
            evidence=f"{len(months)} of {len(rows)} samples have a month only.",
            samples=[cell_text(entity.cell(row, "collection_date")) for row in months][:3],
            sheet=entity.sheet.name,
        )
        found |= months if answer == "first" else dict.fromkeys(months)
    return found


def _grade(entity: Entity, row: int) -> int | None:
    """Read a Nottingham grade; one of another system is told and not recorded."""
    text, system = entity.text(row, "grade"), entity.text(row, "grading_system") or ""
    if text is None:
        return None
    grade = NOTTINGHAM.get(text.casefold().removeprefix("grade").strip())
    if grade is None or "nottingham" not in system.casefold():
        told = f'"{text}" of "{system or "no system"}" is no Nottingham grade'
        entity.say(row, "grade", "grade-unknown", told, "Grade 1, 2 or 3 of the Nottingham grading system")
        return None
    return grade


def _models(entities: Mapping[str, Entity], asked: Asked) -> list[Records]:
    samples, sharing = entities["patient_sample"], entities.get("sharing")
    founding = {code: samples.text(row, "sample_id") for row in samples.rows if (code := samples.text(row, "model_id"))}
    terms = {code: _terms(sharing, row) for row in sharing.rows if (code := sharing.text(row, "model_id"))} if sharing else {}
    found = [entities[name] for name in ("pdx_model", "cell_model") if name in entities]
    state = _state(asked, found) if any(one.rows for one in found) else None
    return [_models_of(entity, founding, terms, state) for entity in found]


def _models_of(entity: Entity, founding: Mapping[str, str | None], terms: Mapping[str, str | None], state: Any) -> Records:
    """Read the models of one sheet: xenografts, or the cultures beside them."""
    cultures = entity.sheet.name.strip().casefold() == "cell_model"
    codes = {row: entity.text(row, "model_id") or "" for row in entity.kept("model_id")}
    kinds = {row: entity.term(row, "type", CULTURE, needed=True) if cultures else ModelKind.XENOGRAFT for row in codes}
    entity.dropped |= {row: "is of a kind that is not known" for row, kind in kinds.items() if kind is None}
    named = "origin_patient_sample_id"
    fields: Fields = {
        "code": ("model_id", codes.get),
        "kind": ("type" if cultures else None, kinds.get),
        "founding_specimen": (named, lambda row: founding.get(codes[row]) or entity.text(row, named)),
        "state": (None, lambda row: state),
        "sharing_terms": (None, lambda row: terms.get(codes[row])),
    }
    return entity.records("model", "model_id", [row for row in codes if row not in entity.dropped], fields)


def _state(asked: Asked, found: Sequence[Entity]) -> ModelStatus | None:
    answer = asked.ask(
        "model_state",
        "What state are these models in? The format does not say.",
        tuple(Option(one.value, one.value) for one in ModelStatus),
        proposed=ModelStatus.ESTABLISHED.value,
        evidence="CancerModels.org lists models that were established.",
        samples=[code for one in found for row in one.rows if (code := one.text(row, "model_id"))][:3],
    )
    return ModelStatus(answer) if answer else None


def _terms(sharing: Entity, row: int) -> str | None:
    parts = [sharing.text(row, name) for name in ("accessibility", "europdx_access_modality")]
    return "; ".join(part for part in parts if part) or None


def _checks(entity: Entity, asked: Asked) -> list[Records]:
    """Read validations, each as a check of its model, where a person says on which day they were made."""
    for row in entity.rows:
        if entity.text(row, "validation_technique") is None:
            entity.dropped[row] = "no validation was provided"
    rows = entity.kept("model_id")
    on = _checked_on(entity, rows, asked) if rows else None
    if on is None:
        entity.dropped |= dict.fromkeys(rows, "a check has a day, and the format names none")
        return []
    kinds = {row: entity.term(row, "validation_technique", TECHNIQUE) for row in rows}
    results = {row: _result(entity, row) for row in rows}
    for row in rows:
        if kinds[row] is None or results[row] is None:
            entity.dropped[row] = "its kind or its result is not known"
    fields: Fields = {
        "model": ("model_id", lambda row: entity.text(row, "model_id")),
        "kind": ("validation_technique", kinds.get),
        "checked_on": (None, lambda row: on),
        "result": ("description", results.get),
        "note": ("comments", lambda row: entity.text(row, "comments") or entity.text(row, "description")),
    }
    return [entity.records("check", "model_id", [row for row in rows if row not in entity.dropped], fields)]


def _checked_on(entity: Entity, rows: Sequence[int], asked: Asked) -> date | None:
    answer = asked.ask(
        "checked_on",
        "On which day were the models validated?",
        [Option("none", "not known: leave the validations out")],
        proposed="none",
        evidence=f"The format dates no validation, and a check is recorded with its day; {len(rows)} lines are validations.",
        sheet=entity.sheet.name,
        typed="a day, such as 2024-01-31",
    )
    try:
        return None if answer is None or answer == "none" else date.fromisoformat(answer)
    except ValueError:
        told = f'"{answer}" is no date'
        entity.findings.append(
            Finding(
                Severity.ERROR, "question-checked_on", f"{told}.", entity.sheet.name, value=answer, expected="2024-01-31, or none"
            )
        )
        return None


def _result(entity: Entity, row: int) -> Any:
    said = (entity.text(row, "description") or "").casefold()
    found = next((result for words, result in CONCORDANCE if words in said), None)
    if found is None:
        expected = f"a description with one of: {', '.join(words for words, _ in CONCORDANCE)}"
        entity.say(row, "description", "result-unknown", "the description does not say what the validation came to", expected)
    return found


IMPORTER = CancerModels()
