"""What may be recorded of a patient: nothing that identifies, nothing that contradicts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.errors import Conflict, DomainError
from lims.domain.pseudonyms import refuse_identifying
from lims.domain.tissue_terms import AgentClass, BestResponse, StopReason
from lims.domain.vocabulary import RecordStatus
from lims.models import Consent, Patient, TherapyLine
from lims.records.consents import doubts_of_end, end_consents
from lims.records.nouns import change, doubts, record, reinstate, withdraw
from lims.records.patients import CONSENT, PATIENT, THERAPY_LINE, add_therapy_line, change_therapy_line
from tests.support import factories
from tests.support.cases import each

TOMORROW = datetime.now(UTC).date() + timedelta(days=2)
"""Tomorrow in whatever zone."""
YEAR = TOMORROW.year
TUCATINIB = ("tucatinib", AgentClass.TYROSINE_KINASE_INHIBITOR)
CAPECITABINE = ("capecitabine", AgentClass.CHEMOTHERAPY)
CONSENTED = {"protocol": "BM-Bank", "protocol_version": "3", "given_on": date(2025, 1, 8), "xenograft": True}


@pytest.fixture
def patient(sqlite_database: Database) -> Patient:
    with factories.declared(sqlite_database) as session:
        return factories.patient(session, factories.project(session), "P03", birth_year=1968, age_at_diagnosis=49)


@each(
    "text",
    ["born 1968-04-12", "b. 12.4.1968", "12/04/68", "4/12/1968", "12 April 1968", "April 12, 1968", "MRN 4711042", "no. 471104"],
)
def test_prose_that_identifies_is_refused(text: str) -> None:
    with pytest.raises(DomainError, match="The note contains") as refused:
        refuse_identifying(text, "note", "The note")
    assert refused.value.field == "note"
    assert refused.value.remedy


@each(
    "text", ["", None, "diagnosed in 1968", "NCT04420598", "ER 90 / PR 80 / Ki-67 30", "protocol 1.2.10", "1 200 mg/m²", "C53556"]
)
def test_prose_that_does_not_is_taken(text: str | None) -> None:
    refuse_identifying(text, "note", "The note")


@each(
    ("fields", "field", "told"),
    [
        ({"code": "Anna Jansen"}, "code", "person's name"),
        ({"code": "P 4711042"}, "code", "hospital number"),
        ({"code": "P 1968-04-12"}, "code", "full date"),
        ({"diagnosis": "breast cancer, born 12.04.1968"}, "diagnosis", "date of birth"),
        ({"diagnosis": "MRN 4711042"}, "diagnosis", "hospital number"),
        ({"ethnicity": "4711042"}, "ethnicity", "hospital number"),
        ({"diagnosis_ncit": "53556"}, "diagnosis_ncit", "no NCI Thesaurus code"),
        ({"birth_year": YEAR + 2}, "birth_year", "lies in the future"),
        ({"birth_year": 1899}, "birth_year", "cannot be"),
        ({"birth_year": YEAR - 20, "age_at_diagnosis": 49}, "age_at_diagnosis", "nobody is 49 years old"),
        ({"age_at_diagnosis": 121}, "age_at_diagnosis", "cannot be"),
    ],
)
def test_patient_that_identifies_or_contradicts_is_refused(
    sqlite_database: Database, actor: Actor, fields: dict[str, Any], field: str, told: str
) -> None:
    with factories.declared(sqlite_database) as session:
        project = factories.project(session)
    with sqlite_database.transaction() as session, pytest.raises(DomainError, match=told) as refused:
        record(session, actor, PATIENT, project.id, [{"code": "P1"} | fields])
    assert refused.value.field == field
    assert refused.value.expected


@each(
    ("happened", "told"),
    [
        (lambda session, who: factories.consent(session, who, given_on=date(1989, 5, 1)), "consent was given on 1989-05-01"),
        (lambda session, who: factories.therapy_line(session, who, started_on=date(1989, 5, 1)), "therapy began on 1989-05-01"),
        (lambda session, who: factories.specimen(session, who, collected_on=date(1989, 5, 1)), "collected on 1989-05-01"),
    ],
)
def test_year_of_birth_after_what_happened_is_refused(
    database: Database, actor: Actor, happened: Callable[[Any, Patient], object], told: str
) -> None:
    with factories.declared(database) as session:
        patient = factories.patient(session, factories.project(session), birth_year=1968)
        happened(session, patient)
    with database.transaction() as session:
        found = session.get_one(Patient, patient.id)
        with pytest.raises(DomainError, match=told) as refused:
            change(session, actor, PATIENT, found, version=1, reason="typo", fields={"birth_year": 1990})
        assert refused.value.field == "birth_year"
        change(session, actor, PATIENT, found, version=1, reason="typo", fields={"birth_year": 1969})


@each(
    ("fields", "field", "told"),
    [
        ({"xenograft": False}, "research", "allows nothing"),
        ({"withdrawn_on": date(2025, 1, 7)}, "withdrawn_on", "before it was given on 2025-01-08"),
        ({"given_on": date(1960, 1, 8)}, "given_on", "born in 1968"),
        ({"given_on": TOMORROW}, "given_on", "lies in the future"),
        ({"withdrawn_on": TOMORROW}, "withdrawn_on", "lies in the future"),
        ({"note": "signed by MRN 4711042"}, "note", "hospital number"),
        ({"protocol": " "}, "protocol", "is needed"),
    ],
)
def test_consent_that_contradicts_is_refused(
    sqlite_database: Database, actor: Actor, patient: Patient, fields: dict[str, Any], field: str, told: str
) -> None:
    with sqlite_database.transaction() as session, pytest.raises(DomainError, match=told) as refused:
        record(session, actor, CONSENT, patient.project_id, [CONSENTED | {"patient_id": patient.id} | fields])
    assert refused.value.field == field


def test_the_same_consent_is_recorded_once(database: Database, actor: Actor) -> None:
    with factories.declared(database) as session:
        patient = factories.patient(session, factories.project(session), "P03")
    new = CONSENTED | {"patient_id": patient.id}
    with database.transaction() as session:
        (first,) = record(session, actor, CONSENT, patient.project_id, [new])
        with pytest.raises(DomainError, match="P03 has consented to BM-Bank 3 of 2025-01-08 already"):
            record(session, actor, CONSENT, patient.project_id, [new])
        change(session, actor, CONSENT, first, version=1, reason="asked again", fields={"sharing": True})
        withdraw(session, actor, CONSENT, first, version=first.version, reason="another patient's")
        record(session, actor, CONSENT, patient.project_id, [new])
        with pytest.raises(DomainError, match="already"):
            reinstate(session, actor, CONSENT, first, version=first.version, reason="mistaken")


def test_withdrawal_ends_every_consent_given_until_then(database: Database, actor: Actor) -> None:
    with factories.declared(database) as session:
        patient = factories.patient(session, factories.project(session), "P03")
        first = factories.consent(session, patient, given_on=date(2025, 1, 8))
        second = factories.consent(session, patient, given_on=date(2025, 6, 1), xenograft=False)
        later = factories.consent(session, patient, given_on=date(2026, 1, 1))
        factories.consent(session, patient, status=RecordStatus.WITHDRAWN)
    on = date(2025, 9, 1)
    with database.transaction() as session:
        found = session.get_one(Patient, patient.id)
        ended = end_consents(session, actor, found, on, reason="letter of the patient")
        assert [consent.id for consent in ended] == [first.id, second.id]
        ended = end_consents(session, actor, found, date(2026, 2, 1), reason="letter of the patient")
        assert [consent.id for consent in ended] == [later.id]
        with pytest.raises(DomainError, match="No consent of P03 is in force"):
            end_consents(session, actor, found, date(2026, 2, 1), reason="letter of the patient")
    with database.reading() as session:
        assert session.get_one(Consent, first.id).withdrawn_on == on


def test_consent_that_a_withdrawal_ended_before_is_left_alone(database: Database, actor: Actor) -> None:
    with factories.declared(database) as session:
        patient = factories.patient(session, factories.project(session))
        factories.consent(session, patient, given_on=date(2024, 1, 1))
        factories.consent(session, patient, given_on=date(2024, 6, 1), withdrawn_on=date(2024, 9, 1))
        newest = factories.consent(session, patient, given_on=date(2025, 1, 1))
    with database.transaction() as session:
        found = session.get_one(Patient, patient.id)
        assert [one.id for one in end_consents(session, actor, found, date(2025, 5, 1), reason="letter")] == [newest.id]


@pytest.mark.parametrize(
    ("on", "reason", "told"),
    [
        (None, "letter", "When did the patient withdraw"),
        (date(2024, 1, 1), "letter", "cannot have withdrawn on 2024-01-01"),
        (TOMORROW, "letter", "lies in the future"),
        (date(2025, 9, 1), "", "reason"),
    ],
)
def test_withdrawal_that_cannot_be_is_refused(
    sqlite_database: Database, actor: Actor, patient: Patient, on: date | None, reason: str, told: str
) -> None:
    with factories.declared(sqlite_database) as session:
        factories.consent(session, patient)
    with sqlite_database.transaction() as session, pytest.raises(DomainError, match=told):
        end_consents(session, actor, session.get_one(Patient, patient.id), on, reason=reason)


def test_withdrawal_older_than_an_implant_is_asked_about(database: Database) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        patient = factories.patient(session, project)
        factories.consent(session, patient)
        mouse = factories.animal(session, project)
        factories.implant(session, mouse, donor_id=patient.id, implanted_on=date(2026, 3, 2))
        factories.implant(session, mouse, "flank", donor_id=patient.id, implanted_on=date(2026, 3, 1))
    with database.reading() as session:
        found = session.get_one(Patient, patient.id)
        (notice,) = doubts_of_end(session, found, date(2026, 3, 2))
        assert notice.message.startswith("1 implant of this patient's tissue is dated 2026-03-02 or later")
        assert notice.field == "withdrawn_on"
        assert doubts_of_end(session, found, date(2026, 3, 3)) == []


@each(
    ("fields", "field", "told"),
    [
        ({"started_on": date(2024, 5, 1), "stopped_on": date(2024, 4, 1)}, "stopped_on", "cannot have ended on 2024-04-01"),
        ({"stopped_on": date(2024, 4, 1), "stop_reason": StopReason.ONGOING}, "stop_reason", "does not go on"),
        ({"started_on": date(1960, 5, 1)}, "started_on", "born in 1968"),
        ({"stopped_on": date(1960, 5, 1)}, "stopped_on", "born in 1968"),
        ({"line_number": 1}, "line_number", "P03 has a line 1 already"),
        ({"line_number": -1}, "line_number", "cannot be"),
        ({"note": "seen on 12.04.2024"}, "note", "full date"),
        ({"started_on": TOMORROW}, "started_on", "lies in the future"),
    ],
)
def test_line_that_contradicts_is_refused(
    sqlite_database: Database, actor: Actor, patient: Patient, fields: dict[str, Any], field: str, told: str
) -> None:
    with factories.declared(sqlite_database) as session:
        factories.therapy_line(session, patient)
    with sqlite_database.transaction() as session, pytest.raises(DomainError, match=told) as refused:
        values = {"patient_id": patient.id, "line_number": 2} | fields
        add_therapy_line(session, actor, patient.project_id, values, [TUCATINIB])
    assert refused.value.field == field


def test_treatment_before_the_diagnosis_is_asked_about(sqlite_database: Database, patient: Patient) -> None:
    new = {"patient_id": patient.id, "line_number": 1, "started_on": date(2016, 5, 1)}
    with sqlite_database.reading() as session:
        (notice,) = doubts(session, THERAPY_LINE, patient.project_id, [new])
        assert "P03 was diagnosed at 49, in 2017 or 2018" in notice.message
        assert doubts(session, THERAPY_LINE, patient.project_id, [new | {"started_on": date(2017, 5, 1)}]) == []


def test_line_is_changed_with_its_agents(database: Database, actor: Actor) -> None:
    with factories.declared(database) as session:
        patient = factories.patient(session, factories.project(session))
    with database.transaction() as session:
        values = {"patient_id": patient.id, "line_number": 1}
        key = add_therapy_line(session, actor, patient.project_id, values, [TUCATINIB, (" ", AgentClass.OTHER)]).id
    with database.transaction() as session:
        line = session.get_one(TherapyLine, key)
        seen = (line.version, line.agents_version)
        fields = {"best_response": BestResponse.PARTIAL_RESPONSE}
        change_therapy_line(session, actor, line, seen=seen, reason="report", fields=fields, agents=[CAPECITABINE])
        assert [agent.name for agent in line.current_agents] == ["capecitabine"]
    with database.transaction() as session:
        line = session.get_one(TherapyLine, key)
        with pytest.raises(Conflict, match="changed the agents"):
            change_therapy_line(session, actor, line, seen=(line.version, seen[1]), reason="x", fields={}, agents=[TUCATINIB])
    with database.transaction() as session:
        line = session.get_one(TherapyLine, key)
        seen = (line.version, line.agents_version)
        change_therapy_line(session, actor, line, seen=seen, reason="both", fields={}, agents=[TUCATINIB, CAPECITABINE])
        assert {agent.name for agent in line.current_agents} == {"tucatinib", "capecitabine"}
        assert len(line.agents) == 2  # tucatinib came back, it was not made twice


def test_line_without_agents_or_without_a_difference_is_refused(sqlite_database: Database, actor: Actor, patient: Patient) -> None:
    with factories.declared(sqlite_database) as session:
        line = factories.therapy_line(session, patient, "tucatinib", line_number=1)
    with sqlite_database.transaction() as session, pytest.raises(DomainError, match="at least one agent"):
        add_therapy_line(session, actor, patient.project_id, {"patient_id": patient.id, "line_number": 2}, [])
    same = [("tucatinib", AgentClass.MONOCLONAL_ANTIBODY)]
    with sqlite_database.transaction() as session, pytest.raises(DomainError, match="Nothing differs"):
        found = session.get_one(TherapyLine, line.id)
        seen = (found.version, found.agents_version)
        change_therapy_line(session, actor, found, seen=seen, reason="x", fields={"line_number": 1}, agents=same)
