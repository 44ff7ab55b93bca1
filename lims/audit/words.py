"""The trail in people's words: what tables, fields and values are called."""

from __future__ import annotations

import re
from typing import Any

from lims.domain.vocabulary import KIND_BY_CODE

ENTITY_WORDS = {
    "animal": "animal",
    "animal_alias": "animal's other name",
    "arm": "arm",
    "enrolment": "enrolment",
    "implant": "implant",
    "import_batch": "import",
    "measurement": "measurement",
    "membership": "membership",
    "patient": "patient",
    "pdx_model": "PDX model",
    "project": "project",
    "role": "role",
    "specimen": "specimen",
    "stored_file": "stored file",
    "study": "study",
    "user_account": "person",
}

FIELD_WORDS = {
    "age_at_diagnosis": "age at diagnosis",
    "arrived_on": "arrival date",
    "batch": "import",
    "birth_date": "date of birth",
    "birth_year": "year of birth",
    "choices": "answers",
    "code": "name",
    "cold_ischaemia_minutes": "cold ischaemia",
    "collected_on": "collection date",
    "day_zero": "day 0 counts from",
    "day_zero_on": "date of day 0",
    "diagnosis_ncit": "diagnosis (NCIt)",
    "died_on": "date of death",
    "email": "e-mail address",
    "enrolled_on": "enrolment date",
    "fs_uniquifier": "session key",
    "height_mm": "height",
    "implanted_on": "implantation date",
    "length_mm": "length",
    "luciferase_label": "luciferase label",
    "model": "PDX model",
    "necrosis_percent": "necrosis",
    "password_changed_at": "password changed",
    "raw": "text in the file",
    "rfid": "RFID",
    "sha256": "SHA-256",
    "site_uberon": "site (UBERON)",
    "slot": "time slot",
    "source_column": "column in the file",
    "source_row": "row in the file",
    "source_sheet": "sheet",
    "state": "state",
    "taken_at": "time",
    "taken_on": "date",
    "target_n": "planned number",
    "tumour_content_percent": "tumour content",
    "user": "person",
    "weight_loss_limit_percent": "weight loss limit",
    "width_mm": "width",
}
"""Fields whose word is not simply their name with spaces."""

UNITS = {
    "cold_ischaemia_minutes": "min",
    "height_mm": "mm",
    "length_mm": "mm",
    "necrosis_percent": "%",
    "size": "bytes",
    "tumour_content_percent": "%",
    "weight_loss_limit_percent": "%",
    "width_mm": "mm",
}

NOT_SET = "not set"

TERM_WORDS = {"not_recorded": "not recorded", "half_l_w2": "½·L·W²", "ellipsoid_lw2": "π/6·L·W²", "ellipsoid_lwh": "π/6·L·W·H"}
"""Terms of the vocabulary that read badly as they are stored."""

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")


def entity_word(entity: str) -> str:
    """Name a table's records."""
    return ENTITY_WORDS.get(entity, entity.replace("_", " "))


def field_word(entity: str, field: str, kind: str | None = None) -> str:
    """Name a field; a measurement's value is named by its kind, such as body weight."""
    if entity == "measurement" and field == "value" and kind in KIND_BY_CODE:
        title = KIND_BY_CODE[kind].title
        # PET, MRI and such keep their capitals.
        return title if title[1:2].isupper() else title[0].lower() + title[1:]
    return FIELD_WORDS.get(field, field.replace("_", " "))


def unit_of(entity: str, field: str, kind: str | None = None) -> str:
    """Give a field's unit, or nothing."""
    if entity == "measurement" and field == "value" and kind in KIND_BY_CODE:
        return KIND_BY_CODE[kind].unit
    return UNITS.get(field, "")


def value_text(value: Any) -> str:
    """Say a value of the trail: of a reference the name, of nothing that it is not set."""
    if value is None:
        return NOT_SET
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value[1:]) if len(value) == 2 else ", ".join(str(one) for one in value)
    if isinstance(value, str) and (moment := _MOMENT.fullmatch(value)):
        return f"{moment[1]} {moment[2]} UTC"
    return TERM_WORDS.get(value, str(value)) if isinstance(value, str) else str(value)


def record_name(entity: str, key: int, name: object = None) -> str:
    """Name a record as people do, with its number: `animal M001 (#12)`."""
    word = entity_word(entity)
    return f"{word} {name} (#{key})" if isinstance(name, str) and name else f"{word} #{key}"
