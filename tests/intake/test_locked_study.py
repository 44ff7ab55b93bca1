"""Files that would alter what a locked study says: refused row by row at the check, and imports that it is made of stay."""

from __future__ import annotations

import pytest

from lims.domain.errors import DomainError
from lims.domain.vocabulary import StudyStatus
from lims.models import Animal, Project, Study
from tests.intake.desk import Desk, balanced
from tests.intake.event_log import TUESDAY, WEEK, event, log
from tests.intake.listing import listings_read, table
from tests.support import factories


@pytest.fixture
def batch(desk: Desk) -> int:
    """Record a week of two animals, of which M2 dies, and lock the study that they are in."""
    batch = desk.record(log(*WEEK), "week.xlsx", create="animals,agents,cages").batch_id
    with factories.declared(desk.database) as session:
        study = factories.study(session, session.get_one(Project, desk.project), "BM-1", state=StudyStatus.LOCKED)
        arm = factories.arm(session, study)
        for mouse in session.query(Animal).order_by(Animal.code):
            factories.enrolment(session, arm, mouse)
    return batch


def test_an_import_that_a_locked_study_is_made_of_is_not_withdrawn(desk: Desk, batch: int) -> None:
    before = desk.readings()
    with pytest.raises(DomainError, match="is locked by a signature"):
        desk.withdraw(batch)
    assert desk.readings() == before
    desk.sound()


def test_a_file_alters_nothing_that_a_locked_study_says(desk: Desk, batch: int) -> None:
    rows = (
        event(weight=25.5),
        event("M2", when=TUESDAY, weight=21.0),
        event("M2", weight=21.5),
        event(when=TUESDAY, weight=20.1),
        event("M2", when=None, died=TUESDAY.date(), why="Found dead"),
    )
    outcome = desk.check(log(*rows), "again.xlsx", changed="all")
    locked = [one for one in outcome.findings if one.code == "study-locked"]
    assert [one.row for one in locked] == [2, 3, 6]
    assert locked[0].message.startswith("Animal M1 is in study BM-1, which is locked by a signature")
    assert balanced(outcome) == {"read": 5, "new": 1, "same": 1, "refused": 3}


LINES = (
    ("animal", "code,sex", "M1,male", "M1,not_recorded"),
    ("implant", "animal,label,site", "M1,brain,mammary_fat_pad", "M1,brain,subcutaneous"),
    ("study", "code,hypothesis", "BM-1,it works", "BM-1,it fails"),
    ("arm", "study,code,title", "BM-1,a,Another title", "BM-1,a,No title"),
    ("enrolment", "study,animal,excluded_on,exclusion_reason", "BM-1,M1,2026-03-04,moved", "BM-1,M1,2026-03-04,escaped"),
)


@pytest.mark.parametrize(("noun", "head", "line", "other"), LINES)
def test_a_line_of_a_file_neither_alters_it_nor_is_taken_back(
    desk: Desk, noun: str, head: str, line: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with factories.declared(desk.database) as session:
        study = factories.study(session, session.get_one(Project, desk.project), "BM-1", state=StudyStatus.ACTIVE)
        arm = factories.arm(session, study, "a")
        mouse = factories.animal(session, session.get_one(Project, desk.project), "M1", sex="female")
        factories.implant(session, mouse)
        factories.enrolment(session, arm, mouse)
    key = study.id
    with listings_read(monkeypatch):
        before = desk.record(table(noun, head, line), changed="accept", reason="as on paper").batch_id
        with factories.declared(desk.database) as session:
            session.get_one(Study, key).state = StudyStatus.LOCKED
        with pytest.raises(DomainError, match="locked by a signature"):
            desk.withdraw(before)
        refused = desk.check(table(noun, head, other), "again.csv", changed="accept")
    (told,) = [one for one in refused.findings if one.severity.value == "error"]
    assert "locked" in told.message
    assert "Amend it" in (told.remedy or "")
    desk.sound()
