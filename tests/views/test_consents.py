"""Consents on the patient's page, the patient's own withdrawal, and the flag that it puts on every record of the chain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.db import Database
from lims.domain.tissue_terms import AliquotState
from lims.domain.vocabulary import AnimalStatus, RecordStatus
from lims.models import Animal, AuditEvent, Consent, Patient, Project
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.pages import Browser, message, only, sent
from tests.views.cohort import add_people
from tests.views.test_studies import cells

HERE = "/p/BCBM/patients/"
NEW = "/p/BCBM/consents/new?patient_id=P03"


@dataclass(frozen=True, slots=True)
class Chain:
    """One patient's chain, by the paths of its pages."""

    patient: int
    consent: int
    pages: tuple[str, ...]

    @property
    def withdraw(self) -> str:
        return f"{HERE}{self.patient}/withdraw-consent"


@pytest.fixture
@kept
def chain(sqlite_database: Database) -> Chain:
    add_people(sqlite_database)
    with make.declared(sqlite_database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        patient = make.patient(session, project, "P03", birth_year=1968)
        consent = make.consent(session, patient)
        specimen = make.specimen(session, patient, "P03-BM")
        box = make.box(session, project, "BX-1")
        vial = make.aliquot(session, specimen, "AL1", place_id=box.id, box_row=1, box_column=4)
        make.aliquot(session, specimen, "AL2", state=AliquotState.USED_UP)
        model = make.model(session, project, "BM-03", founding_specimen_id=specimen.id)
        mouse = make.animal(session, project, "M1", state=AnimalStatus.ALIVE, cage_id=make.cage(session, project, "C7").id)
        gone = make.animal(session, project, "M2", state=AnimalStatus.DEAD)
        made: dict[str, Any] = {"donor_id": patient.id, "aliquot_id": vial.id, "model_id": model.id}
        implant = make.implant(session, mouse, "brain", implanted_on=date(2026, 3, 2), **made)
        make.implant(session, gone, "brain", implanted_on=date(2026, 1, 2), **made)
        pages = (f"patients/{patient.id}", f"specimens/{specimen.id}", f"aliquots/{vial.id}", f"models/{model.id}")
        return Chain(patient.id, consent.id, (*pages, f"implants/{implant.id}", f"animals/{mouse.id}"))


@pytest.fixture
def scientist(app: Application, chain: Chain) -> Browser:
    return Browser(app).sign_in("Sara")


def _page(answer: object) -> BeautifulSoup:
    assert isinstance(answer, BeautifulSoup)
    return answer


def test_a_withdrawal_shows_what_it_reaches_living_animals_first_then_flags_all_of_it(
    scientist: Browser, chain: Chain, sqlite_database: Database
) -> None:
    for path in chain.pages:
        assert "was withdrawn on" not in message(scientist.get(f"/p/BCBM/{path}"))
    link = scientist.get(f"{HERE}{chain.patient}").find("a", href=chain.withdraw)
    assert link is not None
    assert link.text == "Record that consent was withdrawn"
    page = scientist.get(chain.withdraw, heading="Record that consent was withdrawn by P03")
    assert [caption.text for caption in page.find_all("caption")] == [
        "Animals that may be alive",
        "Aliquots that are kept",
        "PDX models",
        "Implants",
        "Specimens",
        "Animals that are dead",
        "Aliquots used up, shipped or discarded",
    ]
    assert cells(page, "Animals that may be alive") == [["M1", "brain", "alive", "C7", "2026-03-02"]]
    assert cells(page, "Aliquots that are kept") == [["AL1", "viably frozen", "P03-BM", "available", "BX-1 A4"]]
    assert "1 animal that carries this tissue may be alive." in message(page)
    with sqlite_database.reading() as session:
        assert session.get_one(Consent, chain.consent).withdrawn_on is None
    scientist.submit(page, chain.withdraw, withdrawn_on="2026-03-03", reason="letter of the patient")
    flagged = "Consent of P03 was withdrawn on 2026-03-03: none of this tissue may be implanted any more."
    for path in chain.pages:
        assert flagged in message(scientist.get(f"/p/BCBM/{path}")), path
    shown = scientist.get(f"{HERE}{chain.patient}")
    assert cells(shown, "Consents")[0][3] == "withdrawn by the patient on 2026-03-03"
    assert shown.find("a", href=chain.withdraw) is None
    with sqlite_database.reading() as session:
        assert session.get_one(Consent, chain.consent).status is RecordStatus.ACTIVE
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1)).one()
        assert (event.action, event.reason) == ("consent:change", "letter of the patient")


def test_a_withdrawal_older_than_an_implant_has_to_be_confirmed(
    scientist: Browser, chain: Chain, sqlite_database: Database
) -> None:
    asked = _page(scientist.submit(scientist.get(chain.withdraw), chain.withdraw, 422, withdrawn_on="2026-03-02", reason="letter"))
    assert "1 implant of this patient's tissue is dated 2026-03-02 or later" in message(asked)
    assert sent(asked, chain.withdraw)["reason"] == "letter"
    with sqlite_database.reading() as session:
        assert session.get_one(Consent, chain.consent).withdrawn_on is None
    scientist.submit(asked, chain.withdraw, confirmed="y")
    with sqlite_database.reading() as session:
        assert session.get_one(Consent, chain.consent).withdrawn_on == date(2026, 3, 2)
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1)).one()
        assert event.reason.startswith("letter (confirmed: 1 implant of this patient's tissue")


def test_the_form_stands_before_the_lists_of_what_a_withdrawal_reaches(scientist: Browser, chain: Chain) -> None:
    page = scientist.get(chain.withdraw)
    order = page.select("main .tile, main form.record-form, main details.reached")
    kinds = [one.name for one in order]
    assert kinds.index("form") == kinds.count("a")
    assert set(kinds[kinds.index("form") + 1 :]) == {"details"}
    for tile in order[: kinds.index("form")]:
        reached = only(page, str(tile["href"]))
        assert int(only(tile, "strong").text) == len(reached.select("tbody tr"))


@each(
    ("fields", "told"),
    [
        ({"withdrawn_on": "2024-01-01", "reason": "letter"}, "the consent was given on 2025-01-08"),
        ({"withdrawn_on": "2199-01-01", "reason": "letter"}, "lies in the future"),
        ({"withdrawn_on": "3.3.2026", "reason": "letter"}, "is no date"),
        ({"withdrawn_on": "", "reason": "letter"}, "Give the day on which the patient withdrew."),
        ({"withdrawn_on": "2026-03-03", "reason": ""}, "A reason is needed"),
    ],
)
def test_a_withdrawal_that_cannot_be_is_refused(scientist: Browser, chain: Chain, fields: dict[str, Any], told: str) -> None:
    page = _page(scientist.submit(scientist.get(chain.withdraw), chain.withdraw, 422, **fields))
    assert told in message(page)


def test_there_is_nothing_to_withdraw_twice(scientist: Browser, chain: Chain) -> None:
    form = scientist.get(chain.withdraw)
    scientist.submit(form, chain.withdraw, withdrawn_on="2026-03-03", reason="letter")
    again = _page(scientist.submit(form, chain.withdraw, 422, withdrawn_on="2026-03-04", reason="letter"))
    assert "No consent of P03 is in force" in message(again)


def test_withdrawing_the_record_is_told_apart_from_the_patients_withdrawal(
    scientist: Browser, chain: Chain, sqlite_database: Database
) -> None:
    path = f"/p/BCBM/consents/{chain.consent}/withdraw"
    page = scientist.get(path, heading="Withdraw the record of consent")
    assert "This is for a record made by mistake" in message(page)
    assert page.find("a", href=chain.withdraw) is not None
    scientist.submit(page, path, reason="of another patient")
    with sqlite_database.reading() as session:
        consent = session.get_one(Consent, chain.consent)
        assert (consent.status, consent.withdrawn_on) == (RecordStatus.WITHDRAWN, None)
    shown = scientist.get(f"{HERE}{chain.patient}")
    assert cells(shown, "Consents")[0][3] == "record withdrawn"
    assert "No consent of P03 is recorded" in message(shown)
    assert "No consent of P03 is recorded" in message(scientist.get(f"/p/BCBM/{chain.pages[-1]}"))
    scientist.submit(scientist.get(path, heading="Bring back the record of consent"), path, reason="it was right")
    assert cells(scientist.get(f"{HERE}{chain.patient}"), "Consents")[0][3] == "in force"


def test_a_consent_is_recorded_and_changed_with_a_reason(scientist: Browser, chain: Chain) -> None:
    page = scientist.get(NEW, heading="Record a consent")
    assert sent(page, NEW)["patient_id"] == "P03"
    signed: dict[str, Any] = {"protocol": "BM-Bank", "protocol_version": "4", "given_on": "2026-01-15", "research": "y"}
    answer = scientist.submit(page, NEW, **signed)
    assert not isinstance(answer, BeautifulSoup)
    assert answer.location == f"{HERE}{chain.patient}#consents"
    newest = cells(scientist.get(f"{HERE}{chain.patient}"), "Consents")[0]
    assert newest[:4] == ["BM-Bank 4", "2026-01-15", "research no xenografts", "in force"]
    change = f"/p/BCBM/consents/{chain.consent}/change"
    scientist.submit(scientist.get(change), change, 422, sharing="y")
    scientist.submit(scientist.get(change), change, sharing="y", reason="ticked on the form")
    assert "ticked on the form" in message(scientist.get(f"/p/BCBM/consents/{chain.consent}/history"))


@each(
    ("fields", "told"),
    [
        ({}, "This consent allows nothing."),
        ({"xenograft": "y", "given_on": "1960-01-01"}, "patient P03 was born in 1968"),
        ({"xenograft": "y", "withdrawn_on": "2025-01-01"}, "before it was given on 2026-01-15"),
        ({"xenograft": "y", "patient_id": "P99"}, 'There is no patient "P99"'),
        ({"xenograft": "y", "note": "MRN 4711042"}, "may be a hospital number"),
        (
            {"xenograft": "y", "protocol_version": "3", "given_on": "2025-01-08"},
            "P03 has consented to BM-Bank 3 of 2025-01-08 already",
        ),
    ],
)
def test_a_consent_that_cannot_be_is_refused(scientist: Browser, fields: dict[str, Any], told: str) -> None:
    signed: dict[str, Any] = {"protocol": "BM-Bank", "protocol_version": "4", "given_on": "2026-01-15"}
    page = _page(scientist.submit(scientist.get(NEW), NEW, 422, **signed | fields))
    assert told in message(page)


def test_a_consent_ended_by_the_withdrawal_of_another_says_so(scientist: Browser, chain: Chain, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        patient = session.get_one(Patient, chain.patient)
        make.consent(session, patient, protocol_version="4", given_on=date(2025, 6, 1), withdrawn_on=date(2025, 9, 1))
    states = [row[3] for row in cells(scientist.get(f"{HERE}{chain.patient}"), "Consents")]
    assert states == ["withdrawn by the patient on 2025-09-01", "ended by the withdrawal of 2025-09-01"]


def test_an_animal_with_tissue_of_two_patients_names_the_one_without_consent(
    scientist: Browser, chain: Chain, sqlite_database: Database
) -> None:
    with make.declared(sqlite_database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        other = make.patient(session, project, "P04")
        make.consent(session, other, xenograft=False)
        mouse = session.get_one(Animal, int(chain.pages[-1].partition("/")[2]))
        make.implant(session, mouse, "flank", donor_id=other.id)
    told = message(scientist.get(f"/p/BCBM/{chain.pages[-1]}"))
    assert "The consent of P04 does not permit xenografts:" in told
    assert "Consent of P03" not in told
