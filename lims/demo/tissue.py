"""The demo's patients, specimens and PDX models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.domain.vocabulary import CollectionProcedure, ModelStatus, Sex, SpecimenKind, TumourOrigin
from lims.models import PdxModel
from lims.records.nouns import record
from lims.records.patients import PATIENT
from lims.records.pdx import MODEL
from lims.records.tissue import SPECIMEN

HER2_POSITIVE = ("HER2-positive breast carcinoma", "C53556")
FRONTAL, PARIETAL, CEREBELLUM = (
    ("frontal lobe", "UBERON:0016525"),
    ("parietal lobe", "UBERON:0001872"),
    ("cerebellum", "UBERON:0002037"),
)
BREAST = ("breast", "UBERON:0000310")
CARCINOMA = "invasive carcinoma of no special type"

PATIENTS = (("BCBM-P01", 1968, 49), ("BCBM-P02", 1975, 44), ("BCBM-P03", 1959, 60), ("BCBM-P04", 1981, 39), ("BCBM-P05", 1964, 55))
"""Pseudonym, year of birth, age at diagnosis."""

METASTASES = (
    ("BCBM-P01", 620, FRONTAL, 85.0, 5.0, 12),
    ("BCBM-P02", 540, CEREBELLUM, 70.0, 15.0, 18),
    ("BCBM-P03", 410, PARIETAL, 40.0, 45.0, 35),
    ("BCBM-P04", 210, FRONTAL, 75.0, 10.0, 15),
    ("BCBM-P05", 95, CEREBELLUM, 80.0, 5.0, 14),
)
"""Patient, days ago, site, tumour %, necrosis %, minutes of cold ischaemia."""

PRIMARIES = (("BCBM-P01", 2_100), ("BCBM-P02", 1_650), ("BCBM-P04", 1_020))
"""Patient, days ago."""

MODELS = (
    ("BM-01", "BCBM-P01-BM", ModelStatus.ESTABLISHED, "Luc2-eGFP"),
    ("BM-02", "BCBM-P02-BM", ModelStatus.ESTABLISHED, "Luc2-eGFP"),
    ("BM-03", "BCBM-P03-BM", ModelStatus.FAILED, None),
    ("BM-05", "BCBM-P05-BM", ModelStatus.ATTEMPTED, None),
)


def add_tissue(session: Session, actor: Actor, project: int, today: date) -> dict[str, PdxModel]:
    """Record patients, what was collected from them and the models founded from it; gives the models by code."""
    diagnosis, ncit = HER2_POSITIVE
    same = {"sex": Sex.FEMALE, "diagnosis": diagnosis, "diagnosis_ncit": ncit}
    new = [{"code": code, "birth_year": born, "age_at_diagnosis": age, **same} for code, born, age in PATIENTS]
    patients = record(session, actor, PATIENT, project, new, reason="synthetic data for the demo")
    ids = {patient.code: patient.id for patient in patients}
    specimens = record(session, actor, SPECIMEN, project, [*_primaries(ids, today), *_metastases(ids, today)])
    founding = {specimen.code: specimen.id for specimen in specimens}
    lines = [
        {"code": code, "founding_specimen_id": founding[specimen], "state": state, "luciferase_label": label}
        for code, specimen, state, label in MODELS
    ]
    models = record(session, actor, MODEL, project, lines)
    return {model.code: model for model in models}


def _metastases(patients: Mapping[str, int], today: date) -> list[dict[str, Any]]:
    return [
        {
            "code": f"{patient}-BM",
            "patient_id": patients[patient],
            "kind": SpecimenKind.TUMOUR,
            "collected_on": today - timedelta(days=ago),
            "procedure": CollectionProcedure.CRANIOTOMY,
            "site": site,
            "site_uberon": uberon,
            "origin": TumourOrigin.METASTATIC,
            "cold_ischaemia_minutes": minutes,
            "tumour_content_percent": tumour,
            "necrosis_percent": necrosis,
            "histology": f"metastasis of {CARCINOMA}",
        }
        for patient, ago, (site, uberon), tumour, necrosis, minutes in METASTASES
    ]


def _primaries(patients: Mapping[str, int], today: date) -> list[dict[str, Any]]:
    site, uberon = BREAST
    return [
        {
            "code": f"{patient}-PT",
            "patient_id": patients[patient],
            "kind": SpecimenKind.TUMOUR,
            "collected_on": today - timedelta(days=ago),
            "procedure": CollectionProcedure.RESECTION,
            "site": site,
            "site_uberon": uberon,
            "origin": TumourOrigin.PRIMARY,
            "histology": CARCINOMA,
            "grade": 3,
        }
        for patient, ago in PRIMARIES
    ]


def add_other_tissue(session: Session, actor: Actor, project: int) -> None:
    """Record the little there is in the project that only the administrator sees."""
    diagnosis, ncit = HER2_POSITIVE
    donor = {"code": "BCBM-P90", "sex": Sex.FEMALE, "diagnosis": diagnosis, "diagnosis_ncit": ncit}
    record(session, actor, PATIENT, project, [donor])
    record(session, actor, MODEL, project, [{"code": "BM-90"}])
