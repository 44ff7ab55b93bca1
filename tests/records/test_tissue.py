"""Patients by pseudonym, specimens with one source, models under codes of their own."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.errors import DomainError
from lims.domain.pseudonyms import clean_patient_code
from lims.domain.vocabulary import ModelStatus, RecordStatus, Sex, SpecimenKind
from lims.models import AuditChange, PdxModel
from lims.records.nouns import record
from lims.records.patients import PATIENT
from lims.records.pdx import MODEL
from lims.records.tissue import SPECIMEN
from tests.support import factories
from tests.support.cases import each


@each("code", ["BCBM-P01", "P7", "MX12-003", "A 12", "site 3 / 14"])
def test_pseudonyms_are_taken(code: str) -> None:
    assert clean_patient_code(f" {code} ") == code


@each(
    ("code", "why"),
    [
        ("Anna Jansen", "name"),
        ("JANSEN", "name"),
        ("Jansen, A. 2", "name"),
        ("P 1961-04-12", "full date"),
        ("12.04.1961", "full date"),
        ("12/4/61", "full date"),
        ("19610412", "hospital number"),
        ("MRN 4711042", "hospital number"),
        ("", "empty"),
        ("P\u200b1", "do not show"),
    ],
)
def test_what_identifies_a_person_is_refused(code: str, why: str) -> None:
    with pytest.raises(DomainError, match=why) as refused:
        clean_patient_code(code)
    assert refused.value.expected


def test_tissue_is_recorded_from_patient_to_model(database: Database, actor: Actor) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
    with database.transaction() as session:
        (patient,) = record(session, actor, PATIENT, project.id, [{"code": "P01", "sex": Sex.FEMALE, "birth_year": 1968}])
        tissue = {"code": "P01-BM", "patient_id": patient.id, "kind": SpecimenKind.TUMOUR, "tumour_content_percent": 80}
        (specimen,) = record(session, actor, SPECIMEN, project.id, [tissue])
        line = {"code": "BM-01", "founding_specimen_id": specimen.id, "state": ModelStatus.ESTABLISHED}
        record(session, actor, MODEL, project.id, [line])
    with database.reading() as session:
        model = session.scalars(select(PdxModel)).one()
        assert model.founding_specimen is not None
        assert model.founding_specimen.kind is SpecimenKind.TUMOUR
        assert model.founding_specimen.patient is not None
        assert model.founding_specimen.patient.code == "P01"
        audited = set(session.scalars(select(AuditChange.entity)))
    assert {"patient", "specimen", "pdx_model"} <= audited


def test_codes_are_given_once(database: Database, actor: Actor) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        factories.model(session, project, "BM-01")
    with pytest.raises(DomainError, match='PDX model "BM-01" exists already'), database.transaction() as session:
        record(session, actor, MODEL, project.id, [{"code": "BM-02"}, {"code": "BM-01"}])
    with pytest.raises(DomainError, match="stands 2 times"), database.transaction() as session:
        record(session, actor, PATIENT, project.id, [{"code": "P1"}, {"code": " P1"}])
    with database.reading() as session:
        assert session.scalars(select(PdxModel.code)).all() == ["BM-01"]


def test_withdrawn_model_comes_back_under_its_code(database: Database, actor: Actor) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        model = factories.model(session, project, "BM-01", status=RecordStatus.WITHDRAWN)
    with database.transaction() as session:
        (again,) = record(session, actor, MODEL, project.id, [{"code": "BM-01", "state": ModelStatus.ESTABLISHED}])
    assert (again.id, again.status, again.state) == (model.id, RecordStatus.ACTIVE, ModelStatus.ESTABLISHED)


@pytest.mark.parametrize(
    ("sourced", "told"),
    [(False, "no source"), (True, "two sources")],
    ids=["none", "two"],
)
def test_specimen_has_one_source(database: Database, actor: Actor, sourced: bool, told: str) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        tumour = factories.implant(session, factories.animal(session, project))
        patient = factories.patient(session, project)
    sources = {"patient_id": patient.id, "source_implant_id": tumour.id} if sourced else {}
    with pytest.raises(DomainError, match=told), database.transaction() as session:
        record(session, actor, SPECIMEN, project.id, [{"code": "S1", "kind": SpecimenKind.TUMOUR, **sources}])


def test_a_withdrawn_specimen_never_comes_back_as_somebody_elses(database: Database, actor: Actor) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        one, other = factories.patient(session, project), factories.patient(session, project)
        factories.specimen(session, one, "S1", status=RecordStatus.WITHDRAWN)
    row = {"code": "S1", "kind": SpecimenKind.TUMOUR}
    with pytest.raises(DomainError, match='"S1" was withdrawn, and had another patient'), database.transaction() as session:
        record(session, actor, SPECIMEN, project.id, [row | {"patient_id": other.id}])
    with database.transaction() as session:
        (again,) = record(session, actor, SPECIMEN, project.id, [row | {"patient_id": one.id}])
    assert (again.status, again.donor_id) == (RecordStatus.ACTIVE, one.id)
