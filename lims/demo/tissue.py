"""Records the demo's patients: consents, treatment, what was collected from them, and what was found in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.demo.donors import BREAST, CSF, DONORS, Donor, Her2, Line
from lims.demo.findings import FINDINGS, profile_of
from lims.demo.hands import Hands
from lims.domain.tissue_terms import Her2Ihc, IshProbe
from lims.domain.vocabulary import CollectionProcedure, Sex, SpecimenKind, TumourOrigin
from lims.models import Consent, Patient, Specimen
from lims.records.nouns import record
from lims.records.patients import CONSENT, PATIENT, add_therapy_line
from lims.records.tissue import ALTERATION, RECEPTOR_ASSAY, SPECIMEN, STR_PROFILE

HER2_POSITIVE = ("HER2-positive breast carcinoma", "C53556")
CARCINOMA = "invasive carcinoma of no special type"
SYNTHETIC = "synthetic data for the demo"


def add_tissue(session: Session, actor: Actor, project: int, today: date) -> dict[str, Specimen]:
    """Record patients and what was collected from them; gives the metastases by the patient's code."""
    patients = _patients(session, actor, project)
    _consents(session, actor, project, patients, today)
    for donor in DONORS:
        for number, line in enumerate(donor.lines, start=1):
            _therapy(session, actor, project, patients[donor.code], number, line, today)
    rows = [_primary(one, patients, today) for one in DONORS if one.primary] + [_metastasis(one, patients, today) for one in DONORS]
    specimens = {one.code: one for one in record(session, actor, SPECIMEN, project, rows)}
    _reports(session, actor, project, specimens, today)
    _findings(session, actor, project, specimens)
    return {donor.code: specimens[f"{donor.code}-BM"] for donor in DONORS}


def _patients(session: Session, actor: Actor, project: int) -> dict[str, Patient]:
    diagnosis, ncit = HER2_POSITIVE
    same = {"sex": Sex.FEMALE, "diagnosis": diagnosis, "diagnosis_ncit": ncit}
    rows = [{"code": one.code, "birth_year": one.born, "age_at_diagnosis": one.age, **same} for one in DONORS]
    return {one.code: one for one in record(session, actor, PATIENT, project, rows, reason=SYNTHETIC)}


def _consents(session: Session, actor: Actor, project: int, patients: Mapping[str, Patient], today: date) -> None:
    rows = [
        {
            "patient_id": patients[one.code].id,
            "protocol": "DEMO-BIOBANK",
            "protocol_version": "3.1",
            "given_on": today - timedelta(days=one.consented or max(one.collected, one.primary_collected) + 6),
            "research": True,
            "xenograft": one.xenograft,
            "sharing": one.xenograft,
        }
        for one in DONORS
    ]
    record(session, actor, CONSENT, project, rows)


def _therapy(session: Session, actor: Actor, project: int, patient: Patient, number: int, line: Line, today: date) -> None:
    values = {
        "patient_id": patient.id,
        "line_number": number,
        "started_on": today - timedelta(days=line.started),
        "stopped_on": None if line.stopped is None else today - timedelta(days=line.stopped),
        "best_response": line.best,
        "stop_reason": line.stop,
    }
    add_therapy_line(session, actor, project, values, line.agents)


def _metastasis(donor: Donor, patients: Mapping[str, Patient], today: date) -> dict[str, Any]:
    site, uberon = donor.site
    liquid = donor.site == CSF
    solid = {"tumour_content_percent": donor.tumour, "necrosis_percent": donor.necrosis, "histology": f"metastasis of {CARCINOMA}"}
    return {
        "code": f"{donor.code}-BM",
        "patient_id": patients[donor.code].id,
        "kind": SpecimenKind.CSF if liquid else SpecimenKind.TUMOUR,
        "collected_on": today - timedelta(days=donor.collected),
        "procedure": CollectionProcedure.CSF_TAP if liquid else CollectionProcedure.CRANIOTOMY,
        "site": site,
        "site_uberon": uberon,
        "origin": TumourOrigin.METASTATIC,
        "cns_status": donor.cns,
        "on_steroids": donor.steroids,
        "cold_ischaemia_minutes": donor.cold,
        **({} if liquid else solid),
    }


def _primary(donor: Donor, patients: Mapping[str, Patient], today: date) -> dict[str, Any]:
    site, uberon = BREAST
    return {
        "code": f"{donor.code}-PT",
        "patient_id": patients[donor.code].id,
        "kind": SpecimenKind.TUMOUR,
        "collected_on": today - timedelta(days=donor.primary_collected),
        "procedure": CollectionProcedure.RESECTION,
        "site": site,
        "site_uberon": uberon,
        "origin": TumourOrigin.PRIMARY,
        "histology": CARCINOMA,
        "grade": 3,
    }


def report(specimen: Specimen, her2: Her2, on: date) -> dict[str, Any]:
    """Give a receptor assay's row, as the pathologist wrote it."""
    return {
        "specimen_id": specimen.id,
        "assayed_on": on,
        "er_percent": her2.er,
        "pr_percent": her2.pr,
        "ki67_percent": her2.ki67,
        "her2_ihc": Her2Ihc(her2.ihc),
        "ish_probe": None if her2.ratio is None else IshProbe.DUAL,
        "her2_copies": her2.copies,
        "her2_cep17_ratio": her2.ratio,
        "antibody": "4B5",
        "laboratory": "Demo pathology",
    }


def _reports(session: Session, actor: Actor, project: int, specimens: Mapping[str, Specimen], today: date) -> None:
    rows = []
    for donor in DONORS:
        if donor.primary:
            on = today - timedelta(days=donor.primary_collected - 6)
            rows.append(report(specimens[f"{donor.code}-PT"], donor.primary, on))
        rows.append(report(specimens[f"{donor.code}-BM"], donor.metastasis, today - timedelta(days=donor.collected - 6)))
    record(session, actor, RECEPTOR_ASSAY, project, rows)


def _findings(session: Session, actor: Actor, project: int, specimens: Mapping[str, Specimen]) -> None:
    found: Sequence[dict[str, Any]] = [
        {"specimen_id": specimens[f"{code}-BM"].id, **finding} for code, findings in FINDINGS.items() for finding in findings
    ]
    record(session, actor, ALTERATION, project, found)
    rows = [{"specimen_id": specimens[f"{one.code}-BM"].id, "kit": "24 loci", "alleles": profile_of(one.code)} for one in DONORS]
    record(session, actor, STR_PROFILE, project, rows)


def add_other_tissue(session: Session, actor: Actor, project: int) -> None:
    """Record the little there is in the project that only the administrator sees."""
    diagnosis, ncit = HER2_POSITIVE
    record(
        session, actor, PATIENT, project, [{"code": "BCBM-P90", "sex": Sex.FEMALE, "diagnosis": diagnosis, "diagnosis_ncit": ncit}]
    )


def withdraw_consent(scientist: Hands, today: date) -> None:
    """Record the patients' own withdrawals: the newest thing that happened."""
    for donor in (one for one in DONORS if one.withdrawn is not None):
        with scientist.database.reading() as session:
            given = session.scalars(select(Consent).join(Patient).where(Patient.code == donor.code)).one()
        on = today - timedelta(days=donor.withdrawn or 0)
        scientist.change(CONSENT, given, "the patient asked for it", withdrawn_on=on)
