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
from lims.records.tissue import NewModel, NewPatient, NewSpecimen, add_models, add_patients, add_specimens
from tests.support import factories


@pytest.mark.parametrize("code", ["BCBM-P01", "P7", "MX12-003", "A 12", "site 3 / 14"])
def test_pseudonyms_are_taken(code: str) -> None:
    assert clean_patient_code(f" {code} ") == code


@pytest.mark.parametrize(
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
        (patient,) = add_patients(session, actor, project.id, [NewPatient("P01", Sex.FEMALE, birth_year=1968)])
        (specimen,) = add_specimens(session, actor, project.id, [NewSpecimen("P01-BM", patient.id, tumour_content_percent=80)])
        add_models(session, actor, project.id, [NewModel("BM-01", specimen.id, ModelStatus.ESTABLISHED, "Luc2")])
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
    with pytest.raises(DomainError, match='Model "BM-01" exists already'), database.transaction() as session:
        add_models(session, actor, project.id, [NewModel("BM-02"), NewModel("BM-01")])
    with pytest.raises(DomainError, match="stands 2 times"), database.transaction() as session:
        add_patients(session, actor, project.id, [NewPatient("P1"), NewPatient(" P1")])
    with database.reading() as session:
        assert session.scalars(select(PdxModel.code)).all() == ["BM-01"]


def test_withdrawn_model_comes_back_under_its_code(database: Database, actor: Actor) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        model = factories.model(session, project, "BM-01", status=RecordStatus.WITHDRAWN)
    with database.transaction() as session:
        (again,) = add_models(session, actor, project.id, [NewModel("BM-01", state=ModelStatus.ESTABLISHED)])
    assert (again.id, again.status, again.state) == (model.id, RecordStatus.ACTIVE, ModelStatus.ESTABLISHED)


@pytest.mark.parametrize(
    ("specimen", "told"),
    [(NewSpecimen("S1"), "no source"), (NewSpecimen("S1", patient_id=1, source_implant_id=1), "two sources")],
    ids=["none", "two"],
)
def test_specimen_has_one_source(database: Database, actor: Actor, specimen: NewSpecimen, told: str) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
    with pytest.raises(DomainError, match=told), database.transaction() as session:
        add_specimens(session, actor, project.id, [specimen])
