"""Everything derived from a patient, the state of consents as the database sees it, and whose tissue may not be used."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db import Database
from lims.domain.consents import ConsentState, ConsentTerms, consent_state
from lims.domain.tissue_terms import AliquotState
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Patient, Project, Specimen
from lims.queries.derived import (
    derived_counts,
    derived_from,
    derived_rows,
    donors_without_consent,
    implants_since,
    lacks_consent,
    models_of,
)
from lims.queries.patients import consent_state_of
from tests.support import factories
from tests.support.statements import statements

DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(6)]
_codes = count(1)


@st.composite
def consent(draw: st.DrawFn) -> ConsentTerms:
    given_on = draw(st.sampled_from(DAYS))
    withdrawn_on = draw(st.none() | st.sampled_from([day for day in DAYS if day >= given_on]))
    return ConsentTerms(given_on, withdrawn_on, research=True, xenograft=draw(st.booleans()))


@given(st.lists(st.lists(consent(), max_size=4), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_database_and_rules_agree_on_every_combination(database: Database, patients: list[list[ConsentTerms]]) -> None:
    expected = {}
    with factories.declared(database) as session:
        project = factories.project(session, f"Q{next(_codes)}")
        for terms in patients:
            who = factories.patient(session, project)
            for one in terms:
                uses = {"research": True, "xenograft": one.xenograft}
                factories.consent(session, who, given_on=one.given_on, withdrawn_on=one.withdrawn_on, **uses)
            factories.consent(session, who, withdrawn_on=DAYS[0], given_on=DAYS[0], status=RecordStatus.WITHDRAWN)
            expected[who.id] = consent_state(terms, DAYS[-1]).value
        found = select(Patient.id, consent_state_of(Patient.id)).where(Patient.project_id == project.id)
        assert {row[0]: row[1] for row in session.execute(found)} == expected


def _chain(session: Session, project: Project) -> Patient:
    """Add a patient's tissue: metastasis, aliquots, model, a living mouse, a dead one, and what grew in it."""
    patient = factories.patient(session, project, "P03")
    tumour = factories.specimen(session, patient, "P03-BM", site="frontal lobe", collected_on=date(2026, 1, 8))
    box = factories.box(session, project, "BX-1")
    vial = factories.aliquot(session, tumour, "AL1", place_id=box.id, box_row=2, box_column=10)
    factories.aliquot(session, tumour, "AL2", state=AliquotState.USED_UP)
    factories.aliquot(session, tumour, "AL3", status=RecordStatus.WITHDRAWN)
    model = factories.model(session, project, "BM-03", founding_specimen_id=tumour.id)
    cage = factories.cage(session, project, "C7")
    living = factories.animal(session, project, "M1", state=AnimalStatus.ALIVE, cage_id=cage.id)
    dead = factories.animal(session, project, "M2", state=AnimalStatus.DEAD)
    unknown = factories.animal(session, project, "M3")
    made = {"donor_id": patient.id, "aliquot_id": vial.id, "model_id": model.id}
    factories.implant(session, living, "brain", implanted_on=date(2026, 2, 2), **made)
    factories.implant(session, living, "flank", implanted_on=date(2026, 2, 9), **made)
    grown = factories.implant(session, dead, "brain", implanted_on=date(2026, 2, 2), **made)
    factories.implant(session, unknown, "R4", model_id=model.id)  # as an old file names it
    harvest = {"patient_id": None, "source_implant_id": grown.id, "donor_id": patient.id, "passage": 0}
    factories.specimen(session, patient, "M2-T", **harvest)
    other = factories.patient(session, project, "P04")
    factories.aliquot(session, factories.specimen(session, other, "P04-BM"), "AL9")
    factories.implant(session, living, "left", donor_id=other.id)
    return patient


def test_everything_derived_is_found_by_one_statement(database: Database) -> None:
    with factories.declared(database) as session:
        key = _chain(session, factories.project(session)).id
    with database.reading() as session, statements(database.engine) as seen:
        rows = {(one.kind, one.code): one for one in derived_rows(session, key)}
        assert len(seen) == 1
        assert derived_counts(session, key) == {
            "specimen": 2,
            "aliquot": 2,
            "pdx_model": 1,
            "implant": 4,
            "animal": 3,
            "living": 2,
        }
        assert len(seen) == 2
        assert [model.code for model in models_of(session, key)] == ["BM-03"]
        assert implants_since(session, key, date(2026, 2, 9)) == 1
    assert sorted(rows) == [
        ("aliquot", "AL1"),
        ("aliquot", "AL2"),
        ("animal", "M1"),
        ("animal", "M2"),
        ("animal", "M3"),
        ("implant", "M1 brain"),
        ("implant", "M1 flank"),
        ("implant", "M2 brain"),
        ("implant", "M3 R4"),
        ("pdx_model", "BM-03"),
        ("specimen", "M2-T"),
        ("specimen", "P03-BM"),
    ]
    vial, mouse = rows["aliquot", "AL1"], rows["animal", "M1"]
    assert (vial.what, vial.source, vial.state, vial.place) == ("viably frozen", "P03-BM", "available", "BX-1 B10")
    assert (mouse.state, mouse.place, mouse.made_on) == ("alive", "C7", date(2026, 2, 2))
    assert set(mouse.source.split(", ")) == {"brain", "flank"}  # not the tumour of another patient
    assert rows["specimen", "P03-BM"].source == "P03"
    assert rows["specimen", "P03-BM"].what == "tumour, frontal lobe"
    assert rows["specimen", "M2-T"].source == "M2 brain"
    assert rows["implant", "M3 R4"].source == "BM-03"


def test_a_patient_without_tissue_has_nothing(database: Database) -> None:
    with factories.declared(database) as session:
        key = factories.patient(session, factories.project(session)).id
        assert session.execute(derived_from(key)).all() == []
        assert derived_counts(session, key) == {"living": 0}


def test_tissue_without_consent_is_found_from_every_record_by_one_statement(database: Database) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        gone, none, partly, fine = (factories.patient(session, project, code) for code in ("P1", "P2", "P3", "P4"))
        factories.consent(session, gone, withdrawn_on=date(2026, 3, 2))
        factories.consent(session, partly, xenograft=False)
        factories.consent(session, fine)
        mouse = factories.animal(session, project)
        model = factories.model(session, project, founding_specimen_id=factories.specimen(session, partly).id)
        tumours = [
            factories.implant(session, mouse, "a", donor_id=gone.id),
            factories.implant(session, mouse, "b", donor_id=fine.id),
            factories.implant(session, mouse, "c", model_id=model.id),
            factories.implant(session, mouse, "d"),
            factories.implant(session, mouse, "e", donor_id=none.id, status=RecordStatus.WITHDRAWN),
        ]
        specimen = factories.specimen(session, none)
        chain = [mouse, *tumours, model, specimen, factories.aliquot(session, specimen), gone, factories.cage(session, project)]
    with database.reading() as session, statements(database.engine) as seen:
        told = [[(one.code, one.state.value) for one in donors_without_consent(session, record)] for record in chain]
        assert len(seen) == len(chain) - 1  # a cage is no tissue
        without = session.scalars(select(Specimen.id).where(lacks_consent(Specimen.donor_id)).order_by(Specimen.id)).all()
    assert told == [
        [("P1", "withdrawn"), ("P3", "not_for_xenograft")],
        [("P1", "withdrawn")],
        [],
        [("P3", "not_for_xenograft")],
        [],
        [("P2", "none")],
        [("P3", "not_for_xenograft")],
        [("P2", "none")],
        [("P2", "none")],
        [("P1", "withdrawn")],
        [],
    ]
    assert len(without) == 2
    assert ConsentState.GIVEN.value not in {state for one in told for _, state in one}
