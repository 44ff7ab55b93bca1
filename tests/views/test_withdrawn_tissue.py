"""What can still be recorded of a patient's tissue after the consent was withdrawn, through the pages, on both engines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from lims.db import Database
from lims.domain.consents import WITHDRAWAL_SOURCE
from lims.domain.vocabulary import SpecimenKind
from lims.models import Aliquot, AuditEvent, PdxModel, Project, Specimen
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.databases import kept
from tests.support.pages import Browser, message
from tests.views.cohort import add_people

WITHDRAWN = date(2026, 3, 5)
TOLD = "Patient P03 withdrew consent on 2026-03-05"
RULE = f"Rule: {WITHDRAWAL_SOURCE}."


@dataclass(frozen=True, slots=True)
class Tissue:
    """A patient who withdrew, with a vial and a tumour in a mouse, by the ids that addresses need."""

    aliquot: int
    implant: int


@pytest.fixture
@kept
def tissue(database: Database) -> Tissue:
    add_people(database)
    with make.declared(database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        patient = make.patient(session, project, "P03", birth_year=1968)
        make.consent(session, patient, withdrawn_on=WITHDRAWN)
        specimen = make.specimen(session, patient, "P03-BM", collected_on=date(2026, 2, 2), kind=SpecimenKind.TUMOUR)
        vial = make.aliquot(session, specimen, "AL1", preserved_on=date(2026, 2, 2))
        mouse = make.animal(session, project, "M1", protocol_id=make.protocol(session, project).id)
        implant = make.implant(session, mouse, donor_id=patient.id, aliquot_id=vial.id, passage=0, implanted_on=date(2026, 2, 9))
        return Tissue(vial.id, implant.id)


@pytest.fixture
def scientist(app_on_each: Application, tissue: Tissue) -> Browser:
    return Browser(app_on_each).sign_in("Sara")


def _count(database: Database, model: Any) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def _refused(browser: Browser, path: str, **fields: str) -> BeautifulSoup:
    page = browser.submit(browser.get(path), path, 422, **fields)
    assert isinstance(page, BeautifulSoup)
    return page


def test_a_new_specimen_is_refused_and_what_was_typed_is_kept(scientist: Browser, database: Database) -> None:
    path = "/p/BCBM/specimens/new?patient_id=P03"
    page = _refused(scientist, path, code="P03-BM2", kind="tumour", collected_on="2026-03-05", site="frontal lobe")
    error = page.find(id="patient_id-error")
    assert error is not None
    assert f"{TOLD}: no new specimen is received after that." in error.text
    assert "Expected: a consent of P03 in force on 2026-03-05." in error.text
    assert RULE in error.text
    assert 'value="frontal lobe"' in str(page)
    assert _count(database, Specimen) == 1
    undated = _refused(scientist, path, code="P03-BM2", kind="tumour")
    assert "no new specimen is received" in message(undated)


def test_a_specimen_that_was_taken_before_is_recorded_once_it_is_confirmed(scientist: Browser, database: Database) -> None:
    path = "/p/BCBM/specimens/new?patient_id=P03"
    page = _refused(scientist, path, code="P03-PT", kind="tumour", collected_on="2026-03-04")
    assert TOLD in message(page)
    scientist.submit(page, path, confirmed="y")
    assert _count(database, Specimen) == 2
    with database.reading() as session:
        reason = session.scalars(select(AuditEvent.reason).order_by(AuditEvent.seq.desc()).limit(1)).one()
    assert reason.startswith(f"confirmed: {TOLD}")


def test_a_new_consent_lets_tissue_in_again(scientist: Browser, database: Database) -> None:
    with make.declared(database) as session:
        patient = session.scalars(select(Specimen).where(Specimen.code == "P03-BM")).one().donor
        assert patient is not None
        make.consent(session, patient, protocol_version="4", given_on=date(2026, 3, 8))
    path = "/p/BCBM/specimens/new?patient_id=P03"
    scientist.submit(scientist.get(path), path, code="P03-BM2", kind="tumour", collected_on="2026-03-09")
    assert _count(database, Specimen) == 2


@pytest.mark.parametrize("kind", ["xenograft", "organoid"])
def test_a_model_is_refused_unless_it_stood_before(scientist: Browser, database: Database, kind: str) -> None:
    path = "/p/BCBM/models/new?founding_specimen_id=P03-BM"
    page = _refused(scientist, path, kind=kind)
    error = page.find(id="founding_specimen_id-error")
    assert error is not None
    assert f"{TOLD}: no new model is founded after that." in error.text
    assert RULE in error.text
    assert _count(database, PdxModel) == 0
    scientist.submit(page, path, state="retired", established_on="2026-03-01")
    assert _count(database, PdxModel) == 1


@pytest.mark.parametrize("use", [{"research": True, "xenograft": False}, {"research": False, "xenograft": True}])
def test_a_model_in_mice_needs_the_consent_for_xenografts_that_was_withdrawn(
    scientist: Browser, database: Database, use: dict[str, bool]
) -> None:
    with make.declared(database) as session:
        patient = session.scalars(select(Specimen).where(Specimen.code == "P03-BM")).one().donor
        assert patient is not None
        make.consent(session, patient, protocol_version="4", given_on=date(2026, 3, 8), **use)
    path = "/p/BCBM/models/new?founding_specimen_id=P03-BM"
    for kind, allowed in (("xenograft", use["xenograft"]), ("organoid", True)):
        scientist.submit(scientist.get(path), path, 302 if allowed else 422, kind=kind)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/p/BCBM/aliquots/freeze?specimen_id=P03-BM", {"material": "snap_frozen", "note": "for disposal"}),
        ("/p/BCBM/aliquots/{0.aliquot}/split", {"parts": "2", "note": "for disposal"}),
        ("/p/BCBM/aliquots/{0.aliquot}/use", {"all_of_it": "y"}),
        ("/p/BCBM/implants/{0.implant}/harvest", {"collected_on": "2026-03-06", "procedure": "biopsy"}),
    ],
    ids=["freeze", "split", "use", "harvest"],
)
def test_what_exists_is_kept_account_of_once_it_is_confirmed(
    scientist: Browser, database: Database, tissue: Tissue, path: str, fields: dict[str, str]
) -> None:
    address, before = path.format(tissue), (_count(database, Aliquot), _count(database, Specimen))
    page = _refused(scientist, address, **fields)
    assert f"{TOLD}: what exists is kept account of, and not used any more." in message(page)
    assert WITHDRAWAL_SOURCE in message(page)
    assert (_count(database, Aliquot), _count(database, Specimen)) == before
    scientist.submit(page, address, confirmed="y")
    with database.reading() as session:
        reason = session.scalars(select(AuditEvent.reason).order_by(AuditEvent.seq.desc()).limit(1)).one()
    assert TOLD in reason


def test_an_implant_is_refused_as_before(scientist: Browser) -> None:
    path = "/p/BCBM/implants/surgery"
    fields = {"aliquot_id": "AL1", "site": "subcutaneous", "implanted_on": "2026-03-06", "rows-0-animal": "M1"}
    page = _refused(scientist, path, **fields)
    assert f"{TOLD}: nothing new is made of this tissue." in message(page)


def test_a_withdrawal_names_what_was_received_since(scientist: Browser, database: Database) -> None:
    with make.declared(database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        patient = make.patient(session, project, "P04")
        make.consent(session, patient)
        make.specimen(session, patient, collected_on=date(2026, 3, 6))
    path = f"/p/BCBM/patients/{patient.id}/withdraw-consent"
    page = _refused(scientist, path, withdrawn_on="2026-03-05", reason="letter")
    assert "1 specimen of this patient is dated 2026-03-05 or later" in message(page)
