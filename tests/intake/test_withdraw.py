"""Taking batches back, and replacing them: what was there before is there again, and the trail says so."""

from __future__ import annotations

import pytest

from lims.domain.errors import Conflict, DomainError
from lims.domain.vocabulary import BatchState
from lims.models import Animal, Arm, Enrolment, Implant, ImportBatch, Measurement, Project, Study
from tests.intake.desk import Desk, balanced, weights
from tests.support import factories

COHORT = "Mouse,Date,Volume (mm3),Group,Study\nM1,2026-03-02,120,Vehicle,S1\nM2,2026-03-02,98,Drug,S1\n"


def state(desk: Desk, batch: int) -> BatchState:
    with desk.database.reading() as session:
        return session.get_one(ImportBatch, batch).state


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_batch_is_not_withdrawn_without_a_reason(desk: Desk, reason: str) -> None:
    batch = desk.record(weights(("M1", "2026-03-02", 20))).batch_id

    with pytest.raises(DomainError, match="needs a reason"):
        desk.withdraw(batch, reason)

    assert len(desk.readings()) == 1


def test_a_withdrawn_batch_takes_what_it_made_along_and_comes_back_under_the_same_ids(desk_on_each: Desk) -> None:
    desk = desk_on_each
    batch = desk.record(COHORT).batch_id
    made = {model: [record.id for record in desk.records(model)] for model in (Animal, Implant, Study, Arm, Enrolment)}
    assert all(made.values())

    assert desk.withdraw(batch) == 2

    assert [desk.records(model) for model in (*made, Measurement)] == [[]] * 6
    assert (state(desk, batch), desk.events()[-1]) == (BatchState.WITHDRAWN, "batch:withdraw")
    desk.sound()

    again = desk.record(COHORT)
    assert again.batch_id != batch
    assert balanced(again) == {"read": 2, "new": 2}
    assert {model: [record.id for record in desk.records(model)] for model in made} == made

    desk.withdraw(again.batch_id)
    assert [desk.records(model) for model in made] == [[]] * 5
    desk.sound()


def test_what_others_use_stays(desk_on_each: Desk) -> None:
    desk = desk_on_each
    batch = desk.record(COHORT).batch_id
    desk.record(weights(("M1", "2026-03-02", 20)), "weights.csv")

    desk.withdraw(batch)

    assert desk.codes(Animal) == ["M1"]
    assert desk.readings() == [("M1", "body_weight", "2026-03-02", 20.0)]
    assert [desk.records(model) for model in (Implant, Study, Arm, Enrolment)] == [[]] * 4
    desk.sound()


def test_a_tumour_that_gave_a_specimen_and_an_animal_with_an_alias_stay(desk: Desk) -> None:
    batch = desk.record(COHORT).batch_id
    first, second = desk.records(Implant)
    with factories.declared(desk.database) as session:
        mouse = session.get_one(Animal, second.animal_id)
        factories.alias(session, mouse, "red ear")
        sampled = session.get_one(Implant, first.id)
        of = factories.patient(session, session.get_one(Project, desk.project))
        factories.specimen(session, of, patient_id=None, source_implant_id=sampled.id)

    desk.withdraw(batch)

    assert [one.id for one in desk.records(Implant)] == [first.id]
    assert desk.codes(Animal) == ["M1", "M2"]


def test_a_corrected_value_comes_back(desk_on_each: Desk) -> None:
    desk = desk_on_each
    text = "Mouse,Date,Length (mm),Width (mm),Volume (mm3)\n"
    desk.record(text + "M1,2026-03-02,8,6,\nM1,2026-03-09,,,150\n")
    changed = desk.record(text + "M1,2026-03-02,9,6,\nM1,2026-03-09,,,160\n", changed="accept", reason="typing error")
    assert [value for *_, value in desk.readings()] == [162.0, 160.0]

    desk.withdraw(changed.batch_id)

    assert [(one.value, one.length_mm, one.width_mm) for one in desk.records(Measurement)] == [
        (144.0, 8.0, 6.0),
        (150.0, None, None),
    ]
    desk.sound()


def test_a_value_that_changed_again_since_is_not_overwritten(desk: Desk) -> None:
    desk.record(weights(("M1", "2026-03-02", 20)))
    second = desk.record(weights(("M1", "2026-03-02", 21)), changed="accept", reason="scale")
    desk.record(weights(("M1", "2026-03-02", 22)), changed="accept", reason="scale again")

    with pytest.raises(Conflict, match="changed again since"):
        desk.withdraw(second.batch_id)

    assert [value for *_, value in desk.readings()] == [22.0]


def test_only_a_committed_batch_is_withdrawn_and_only_once(desk: Desk) -> None:
    checked = desk.check(weights(("M1", "2026-03-02", 20))).batch_id
    with pytest.raises(Conflict, match="refused, not committed"):
        desk.withdraw(checked)

    desk.record(weights(("M1", "2026-03-02", 20)))
    desk.withdraw(checked)
    with pytest.raises(Conflict, match="withdrawn, not committed"):
        desk.withdraw(checked)


def test_a_corrected_file_replaces_the_batch_it_names(desk_on_each: Desk) -> None:
    desk = desk_on_each
    old = desk.record(weights(("M1", "2026-03-02", 20), ("M2", "2026-03-02", 21))).batch_id
    before = len(desk.events())

    new = desk.record(weights(("M1", "2026-03-02", 20.5)), "better.csv", supersedes=old, reason="wrong scale")

    assert (new.state, state(desk, old)) == (BatchState.COMMITTED, BatchState.SUPERSEDED)
    assert desk.readings() == [("M1", "body_weight", "2026-03-02", 20.5)]
    assert desk.codes(Animal) == ["M1", "M2"]
    assert desk.events()[before:] == ["batch:store", "batch:commit"]
    desk.sound()


def test_an_earlier_check_does_not_forget_what_the_file_replaces(desk: Desk) -> None:
    old = desk.record(weights(("M1", "2026-03-02", 20))).batch_id
    better = weights(("M1", "2026-03-02", 20.5))
    desk.check(better)

    assert desk.record(better, supersedes=old, reason="wrong scale").state is BatchState.COMMITTED

    assert state(desk, old) is BatchState.SUPERSEDED


def test_withdrawing_a_replacement_does_not_bring_back_the_corrections_of_the_batch_it_replaced(desk: Desk) -> None:
    desk.record(weights(("M1", "2026-03-02", 20)))
    old = desk.record(weights(("M1", "2026-03-02", 25), ("M1", "2026-03-09", 26)), changed="accept", reason="scale").batch_id
    new = desk.record(weights(("M1", "2026-03-09", 22)), supersedes=old, reason="no, it was right").batch_id
    assert [value for *_, value in desk.readings()] == [20.0, 22.0]

    desk.withdraw(new)

    assert [value for *_, value in desk.readings()] == [20.0]
    desk.sound()


def test_a_batch_that_is_withdrawn_cannot_be_replaced(desk: Desk) -> None:
    old = desk.record(weights(("M1", "2026-03-02", 20))).batch_id
    desk.withdraw(old)

    with pytest.raises(Conflict, match="withdrawn, not committed"):
        desk.record(weights(("M1", "2026-03-02", 20.5)), supersedes=old, reason="wrong scale")

    assert desk.readings() == []
