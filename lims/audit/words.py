"""The trail in people's words: what tables, fields and values are called."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lims.domain.vocabulary import KIND_BY_CODE, MeasurementKind

ENTITY_WORDS = {
    "agent": "agent",
    "agent_lot": "lot",
    "allocation": "allocation",
    "dose": "dose",
    "endpoint_action": "action on a humane endpoint",
    "endpoint_rule": "humane endpoint",
    "exposure": "exposure",
    "fate": "fate",
    "lab_kind": "kind of measurement",
    "procedure": "procedure",
    "randomisation": "randomisation",
    "regimen": "regimen",
    "aliquot": "aliquot",
    "aliquot_event": "event of an aliquot",
    "alteration": "alteration",
    "animal": "animal",
    "animal_alias": "animal's other name",
    "animal_protocol": "animal protocol",
    "api_token": "API token",
    "arm": "arm",
    "cage": "cage",
    "cage_move": "move between cages",
    "cell_preparation": "cell preparation",
    "consent": "consent",
    "enrolment": "enrolment",
    "identifier_pattern": "pattern of codes",
    "implant": "implant",
    "import_acceptance": "acknowledged warnings",
    "import_batch": "import",
    "import_edit": "correction of a file",
    "import_profile": "import profile",
    "import_profile_version": "version of an import profile",
    "measurement": "measurement",
    "membership": "membership",
    "model_check": "check of a model",
    "patient": "patient",
    "pdx_model": "PDX model",
    "project": "project",
    "receptor_assay": "receptor assay",
    "record_source": "source of a record",
    "role": "role",
    "saved_view": "saved view",
    "signature": "signature",
    "specimen": "specimen",
    "stain_region": "stained region",
    "storage_place": "storage place",
    "stored_file": "stored file",
    "str_profile": "STR profile",
    "study": "study",
    "therapy_agent": "agent of a therapy line",
    "therapy_line": "therapy line",
    "user_account": "person",
}

FIELD_WORDS = {
    "abcb1_substrate": "substrate of ABCB1",
    "abcg2_substrate": "substrate of ABCG2",
    "act_at": "act from",
    "agent_class": "class",
    "baseline_kind": "baseline",
    "baseline_on": "date of the baseline",
    "below_lloq": "below the limit of quantification",
    "blind_code": "blinded code",
    "collected_at": "time of collection",
    "computed_volume_ul": "computed volume",
    "concentration_mg_ml": "concentration",
    "done_at": "time",
    "done_on": "date",
    "due_on": "due date",
    "event_reasons": "fates that count as events",
    "given_at": "time it was given",
    "hours_after_dose": "time after the dose",
    "lloq": "limit of quantification (LLOQ)",
    "made_on": "date",
    "nth": "dose of the day",
    "reached_on": "date",
    "trigger_above": "starts above",
    "trigger_kind": "starts on",
    "volume_ml_kg": "volume by weight",
    "watch_at": "watch from",
    "weight_on": "date of the weight",
    "age_at_diagnosis": "age at diagnosis",
    "analgesia_doses": "further doses of the analgesic",
    "analgesia_hours": "hours between doses of the analgesic",
    "angle_degrees": "angle",
    "animals_allowed": "animals allowed",
    "ap_mm": "AP",
    "approved_on": "approval date",
    "arrived_on": "arrival date",
    "assayed_on": "date of the assay",
    "batch": "import",
    "box_column": "column in the box",
    "box_columns": "columns of the box",
    "box_row": "row in the box",
    "box_rows": "rows of the box",
    "cell_count": "number of cells",
    "checked_on": "date of the check",
    "cns_status": "CNS status at collection",
    "coordinate_origin": "origin of the coordinates",
    "depth_reference": "reference of DV",
    "counted_at": "time of the count",
    "counted_on": "date of the count",
    "count_name": "name of the count at the counter",
    "delta_cq": "ΔCq",
    "delta_cq_sd": "SD of ΔCq",
    "dv_mm": "DV",
    "dwell_min": "dwell",
    "engrafted_on": "date of engraftment",
    "er_percent": "ER",
    "established_on": "date of establishment",
    "expires_on": "expiry date",
    "found_on": "date of the finding",
    "fragment_mm": "fragment size",
    "from_cage": "from cage",
    "given_on": "date of consent",
    "h_score": "H-score",
    "happened_on": "date",
    "her2_cep17_ratio": "HER2/CEP17 ratio",
    "her2_copies": "HER2 copy number",
    "her2_ihc": "HER2 IHC",
    "her2_label": "HER2 label",
    "her2_result": "HER2 result",
    "hgvs": "change (HGVS)",
    "implanted_at": "end of surgery",
    "ish_probe": "ISH probe",
    "ki67_percent": "Ki-67",
    "log2_ratio": "log2 ratio",
    "masters_percent": "STR match (Masters)",
    "mean_diameter_um": "mean diameter",
    "ml_mm": "ML",
    "moved_on": "date of the move",
    "on_steroids": "on steroids",
    "parent": "parent",
    "pr_percent": "PR",
    "preserved_on": "date of preservation",
    "rack_column": "column in the rack",
    "rack_row": "row in the rack",
    "rate_ul_min": "rate",
    "started_on": "start",
    "signed_at": "signed",
    "stopped_on": "stop",
    "str_profile": "STR profile",
    "temperature_celsius": "temperature",
    "thaw_count": "times thawed",
    "therapy_line": "therapy line",
    "title": "title",
    "total_cells_per_ml": "total cells",
    "viable_cells_per_ml": "viable cells",
    "typed_on": "date of typing",
    "vaf_percent": "variant allele frequency",
    "value_percent": "value",
    "viability_percent": "viability",
    "volume_ul": "volume",
    "warm_ischaemia_minutes": "warm ischaemia",
    "weight_g": "weight",
    "withdrawn_on": "date the consent was withdrawn",
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

OWN_WORDS = {
    ("agent", "code"): "short name",
    ("agent_lot", "code"): "lot number",
    ("agent_lot", "received_on"): "date of receipt",
    ("dose", "given_on"): "day it was given",
    ("dose", "lot"): "lot",
    ("import_batch", "importer"): "format",
    ("import_batch", "committed_at"): "recorded at",
    ("import_batch", "committed_by"): "recorded by",
    ("import_profile", "number"): "version",
}
"""Those that one table calls differently from the others."""

UNITS = {
    "computed_volume_ul": "µL",
    "concentration_mg_ml": "mg/mL",
    "hours_after_dose": "h",
    "molecular_weight": "g/mol",
    "volume_ml_kg": "mL/kg",
    "analgesia_hours": "h",
    "angle_degrees": "°",
    "ap_mm": "mm",
    "delta_cq": "cycles",
    "delta_cq_sd": "cycles",
    "dv_mm": "mm",
    "dwell_min": "min",
    "er_percent": "%",
    "fragment_mm": "mm",
    "ki67_percent": "%",
    "masters_percent": "%",
    "mean_diameter_um": "µm",
    "ml_mm": "mm",
    "pr_percent": "%",
    "rate_ul_min": "µL/min",
    "temperature_celsius": "°C",
    "total_cells_per_ml": "cells/mL",
    "viable_cells_per_ml": "cells/mL",
    "vaf_percent": "%",
    "value_percent": "%",
    "viability_percent": "%",
    "volume_ul": "µL",
    "warm_ischaemia_minutes": "min",
    "weight_g": "g",
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

TERM_WORDS = {
    "not_recorded": "not recorded",
    "not_assessed": "not assessed",
    "her2_low": "HER2-low",
    "her2_0": "HER2-0",
    "her_family": "HER family",
    "pi3k_akt_mtor": "PI3K–AKT–mTOR",
    "pi3k_akt_mtor_inhibitor": "PI3K–AKT–mTOR inhibitor",
    "cdk4_6_inhibitor": "CDK4/6 inhibitor",
    "antibody_drug_conjugate": "antibody–drug conjugate",
    "progression_cns": "progression in the CNS",
    "progression_extracranial": "progression outside the CNS",
    "half_l_w2": "½·L·W²",
    "ellipsoid_lw2": "π/6·L·W²",
    "ellipsoid_lwh": "π/6·L·W·H",
}
"""Terms of the vocabulary that read badly as they are stored."""

_CAPITALS = ("ABC", "AKT", "CNS", "CSF", "CT", "DNA", "FFPE", "HER2", "MRI", "OCT", "P0", "P1", "PET", "PI3K", "RNA", "STR", "mTOR")
ACRONYMS = {word.lower(): word for word in _CAPITALS}
"""Words of terms that are written with capitals."""

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_PLURALS = {
    "acknowledged warnings": "acknowledged warnings",
    "action on a humane endpoint": "actions on humane endpoints",
    "animal's other name": "other names of animals",
    "move between cages": "moves between cages",
    "person": "people",
    "study": "studies",
}


def entity_word(entity: str) -> str:
    """Name a table's records."""
    return ENTITY_WORDS.get(entity, entity.replace("_", " "))


def plural(word: str) -> str:
    """Name several of what a word names one of: of a phrase with `of`, the first noun counts, as in `checks of a model`."""
    first, of, rest = word.partition(" of ")
    return _PLURALS.get(word) or f"{first}s{of}{rest}"


def field_word(entity: str, field: str, kind: str | MeasurementKind | None = None) -> str:
    """Name a field; a measurement's value is named by its kind, such as body weight: one a lab added, or a built-in one's code."""
    known = _of_value(entity, field, kind)
    if known is not None:
        title = known.title
        # PET, MRI and such keep their capitals.
        return title if title[1:2].isupper() else title[0].lower() + title[1:]
    return OWN_WORDS.get((entity, field)) or FIELD_WORDS.get(field, field.replace("_", " "))


def unit_of(entity: str, field: str, kind: str | MeasurementKind | None = None) -> str:
    """Give a field's unit, or nothing."""
    known = _of_value(entity, field, kind)
    return UNITS.get(field, "") if known is None else known.unit


def _of_value(entity: str, field: str, kind: str | MeasurementKind | None) -> MeasurementKind | None:
    if (entity, field) != ("measurement", "value"):
        return None
    return KIND_BY_CODE.get(kind) if isinstance(kind, str) else kind


@lru_cache(maxsize=1024)
def term_text(code: str) -> str:
    """Write a term of a vocabulary within a sentence."""
    return TERM_WORDS.get(code) or " ".join(ACRONYMS.get(word, word) for word in code.split("_"))


def value_text(value: Any) -> str:
    """Say a value of the trail: of a reference the name, of nothing that it is not set."""
    if value is None:
        return NOT_SET
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        refers = len(value) == 2 and isinstance(value[0], int)  # id and name
        return ", ".join(str(one) for one in (value[1:] if refers else value))
    if isinstance(value, str) and (moment := _MOMENT.fullmatch(value)):
        return f"{moment[1]} {moment[2]} UTC"
    return TERM_WORDS.get(value, str(value)) if isinstance(value, str) else str(value)


def record_name(entity: str, key: int, name: object = None) -> str:
    """Name a record as people do, with its number: `animal M001 (#12)`."""
    word = entity_word(entity)
    return f"{word} {name} (#{key})" if isinstance(name, str) and name else f"{word} #{key}"
