"""What every noun shares: a withdrawn record that comes back is judged, and written, as it stands."""

from __future__ import annotations

from datetime import date

import pytest

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.colony_terms import Engraftment
from lims.domain.errors import DomainError
from lims.domain.vocabulary import ImplantSite, RecordStatus
from lims.models import Consent, Implant
from lims.records.implants import IMPLANT
from lims.records.nouns import record, reinstate
from tests.support import factories
from tests.support.databases import kept
from tests.support.whole import Whole, whole


@pytest.fixture
@kept
def lab(database: Database) -> Whole:
    """Give one of everything, its implant withdrawn after it had engrafted."""
    with factories.declared(database) as session:
        made = whole(session, factories.project(session))
        session.refresh(made.implants)
        made.implants.engraftment, made.implants.engrafted_on = Engraftment.ENGRAFTED, date(2026, 3, 10)
        made.implants.status = RecordStatus.WITHDRAWN
    return made


def named_again(database: Database, actor: Actor, lab: Whole) -> Implant:
    """Record the implant as a file names it: its animal and label."""
    with database.transaction() as session:
        row = {"animal_id": lab.animals.id, "label": lab.implants.label}
        (found,) = record(session, actor, IMPLANT, lab.implants.project_id, [row])
        return found


def test_what_a_row_leaves_out_stays_as_it_was(database: Database, actor: Actor, lab: Whole) -> None:
    found = named_again(database, actor, lab)

    assert (found.id, found.status) == (lab.implants.id, RecordStatus.ACTIVE)
    assert (found.site, found.aliquot_id, found.passage) == (ImplantSite.INTRACRANIAL, lab.aliquots.id, 0)
    assert (found.engraftment, found.engrafted_on) == (Engraftment.ENGRAFTED, date(2026, 3, 10))


def test_what_it_had_is_judged_again(database: Database, actor: Actor, lab: Whole) -> None:
    with factories.declared(database) as session:
        session.get_one(Consent, lab.consents.id).withdrawn_on = date(2026, 2, 1)

    with pytest.raises(DomainError, match="W-P01"):
        named_again(database, actor, lab)

    with database.reading() as session:
        assert session.get_one(Implant, lab.implants.id).status is RecordStatus.WITHDRAWN


def test_what_follows_is_written_anew_when_a_record_is_brought_back(database: Database, actor: Actor, lab: Whole) -> None:
    with factories.declared(database) as session:
        stale = session.get_one(Implant, lab.implants.id)
        stale.passage, stale.donor_id = 7, None

    with database.transaction() as session:
        found = session.get_one(Implant, lab.implants.id)
        reinstate(session, actor, IMPLANT, found, version=found.version, reason="it was right")

    with database.reading() as session:
        found = session.get_one(Implant, lab.implants.id)
        assert (found.status, found.passage, found.donor_id) == (RecordStatus.ACTIVE, 0, lab.patients.id)
