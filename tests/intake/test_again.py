"""The same file again, a grown file, other formats, changed values: nothing doubled, nothing lost, nothing overwritten unseen."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from importers.base import Severity
from lims.audit.record import declare
from lims.domain.errors import Conflict
from lims.domain.vocabulary import BatchState, VolumeFormula
from lims.models import Animal, AuditChange, Measurement
from lims.records.measurements import Readings, record_measurements
from tests.intake.desk import Desk, balanced, codes, found, weights, workbook

FIRST = [("M1", "2026-03-02", 20.5), ("M2", "2026-03-02", 21.5)]
GROWN = [*FIRST, ("M1", "2026-03-09", 20.8), ("M2", "2026-03-09", 21.9)]
SLOTS = [
    ("M1", "body_weight", "2026-03-02", 20.5),
    ("M1", "body_weight", "2026-03-09", 20.8),
    ("M2", "body_weight", "2026-03-02", 21.5),
    ("M2", "body_weight", "2026-03-09", 21.9),
]


def test_the_same_bytes_give_the_batch_that_has_them(desk_on_each: Desk) -> None:
    desk = desk_on_each
    first = desk.record(weights(*FIRST))

    again = desk.drop(weights(*FIRST), "other name.csv")

    assert (first.state, again) == (BatchState.COMMITTED, first.batch_id)
    with pytest.raises(Conflict, match="committed already"):
        desk.commit(again)
    assert len(desk.readings()) == 2
    desk.sound()


def test_of_a_grown_file_only_what_is_new_lands(desk_on_each: Desk) -> None:
    desk = desk_on_each
    desk.record(weights(*FIRST))

    grown = desk.record(weights(*GROWN))

    assert balanced(grown) == {"read": 4, "new": 2, "same": 2}
    assert grown.report["records"] == {"measurement": 2}
    assert desk.readings() == SLOTS
    assert [reading.batch_id for reading in desk.records(Measurement)] == [1, 1, 2, 2]
    desk.sound()


def test_the_same_content_in_another_format_is_all_the_same(desk: Desk) -> None:
    desk.record(weights(*GROWN))

    saved = workbook(["id", "date", "weight (g)"], *((animal, date.fromisoformat(on), value) for animal, on, value in GROWN))
    outcome = desk.record(saved, "weights.xlsx")

    assert outcome.state is BatchState.COMMITTED
    assert balanced(outcome) == {"read": 4, "same": 4}
    assert desk.readings() == SLOTS


def test_a_changed_value_is_refused_with_both_values_named(desk: Desk) -> None:
    desk.record(weights(*FIRST))

    outcome = desk.record(weights(("M1", "2026-03-02", 20.9), ("M3", "2026-03-02", 22)))

    assert outcome.state is BatchState.REFUSED
    assert balanced(outcome) == {"read": 2, "new": 1, "changed": 1}
    finding = found(outcome, "differs-from-import")
    assert (finding.address, finding.value, finding.expected) == ("file!C2", "20.9", "20.5")
    assert "20.5 g" in finding.message
    assert "20.9 g" in finding.message
    assert "batch 1, row 2" in finding.message
    assert desk.codes(Animal) == ["M1", "M2"]


def test_an_accepted_change_corrects_with_a_reason_and_the_old_value_stays_in_the_trail(desk_on_each: Desk) -> None:
    desk = desk_on_each
    desk.record(weights(*FIRST))

    outcome = desk.record(weights(("M1", "2026-03-02", 20.9)), changed="accept", reason="scale was off")

    assert outcome.state is BatchState.COMMITTED
    assert balanced(outcome) == {"read": 1, "changed": 1}
    assert found(outcome, "differs-from-import").severity is Severity.WARNING
    assert [value for *_, value in desk.readings()] == [20.9, 21.5]
    with desk.database.reading() as session:
        fields = session.scalars(select(AuditChange.fields).where(AuditChange.entity == "measurement", AuditChange.key == 1)).all()
    assert fields[-1] == '{"value":["20.5","20.9"]}'
    desk.sound()


def test_rows_that_change_values_are_left_out_with_the_refused_ones_unless_accepted(desk: Desk) -> None:
    desk.record(weights(*FIRST))

    outcome = desk.record(weights(("M1", "2026-03-02", 20.9), ("M1", "2026-03-09", 20.8)), leave_out="refused")

    assert outcome.state is BatchState.COMMITTED
    assert [value for *_, value in desk.readings()] == [20.5, 20.8, 21.5]


def test_a_value_recorded_by_hand_is_never_changed_by_a_file(desk: Desk) -> None:
    desk.record(weights(*FIRST))
    with desk.database.transaction() as session:
        declare(session, desk.actor, "measurement:create", project=desk.project)
        mouse = session.scalars(select(Animal).where(Animal.code == "M1")).one()
        one = Readings((desk.project, "BCBM"), "body_weight", [(mouse.id, "M1")], None, [20.8], ["2026-03-09"], ["2026-03-09"])
        record_measurements(session, desk.actor, one)

    outcome = desk.record(weights(("M1", "2026-03-09", 19.0)), changed="accept", reason="file is right")

    assert outcome.state is BatchState.REFUSED
    assert balanced(outcome) == {"read": 1, "conflicting": 1}
    assert "by hand" in found(outcome, "differs-from-record").message
    assert balanced(desk.record(weights(("M1", "2026-03-09", 20.8)), "same.csv")) == {"read": 1, "same": 1}


def test_two_readings_in_one_slot_are_refused_at_both_rows(desk: Desk) -> None:
    outcome = desk.record(weights(("M1", "2026-03-02", 20.5), ("M1", "2026-03-02", 21.5)))

    assert balanced(outcome) == {"read": 2, "conflicting": 2}
    told = [finding for finding in outcome.findings if finding.code == "two-readings-in-one-slot"]
    assert [finding.row for finding in told] == [2, 3]
    assert all("row 2 (20.5), row 3 (21.5)" in finding.message for finding in told)
    assert desk.readings() == []


def test_equal_rows_are_two_readings_with_a_warning_and_stay_two(desk_on_each: Desk) -> None:
    desk = desk_on_each
    twice = weights(("M1", "2026-03-02", 20.5), ("M1", "2026-03-02", 20.5))

    outcome = desk.record(twice)

    assert codes(outcome) == ["reading-repeated"]
    assert found(outcome, "reading-repeated").row == 3
    assert [reading.occurrence for reading in desk.records(Measurement)] == [1, 2]
    assert balanced(desk.record(twice + "M1,2026-03-09,20.6\n")) == {"read": 3, "new": 1, "same": 2}
    assert len(desk.readings()) == 3
    desk.sound()


def test_volumes_of_diameters_and_stated_ones_stand_in_one_file(desk_on_each: Desk) -> None:
    desk = desk_on_each
    text = "Mouse,Date,Length (mm),Width (mm),Volume (mm3)\nM1,2026-03-02,8,6,150.8\nM1,2026-03-09,,,150\nM1,2026-03-12,8,7,196\n"

    outcome = desk.record(text)

    assert outcome.state is BatchState.COMMITTED
    recorded = desk.records(Measurement)
    assert [(one.value, one.formula) for one in recorded] == [
        (144.0, VolumeFormula.HALF_L_W2),
        (150.0, VolumeFormula.STATED),
        (196.0, VolumeFormula.HALF_L_W2),
    ]
    warning = found(outcome, "stated-volume-differs")
    assert (warning.row, warning.severity) == (2, Severity.WARNING)
    assert "150.8 mm³ stated, 144 mm³" in warning.message
    assert balanced(desk.record(text + "M1,2026-03-16,,,210\n")) == {"read": 4, "new": 1, "same": 3}
    desk.sound()


def test_length_and_width_the_other_way_round_are_the_same_reading(desk: Desk) -> None:
    desk.record("Mouse,Date,Length (mm),Width (mm)\nM1,2026-03-02,8,6\n")

    outcome = desk.record("Mouse,Date,Width (mm),Length (mm)\nM1,2026-03-02,8,6\n", "other.csv")

    assert balanced(outcome) == {"read": 1, "same": 1}


def test_minus_nought_is_nought_in_the_trail_as_in_the_table(desk_on_each: Desk) -> None:
    desk = desk_on_each
    text = "Mouse,Day,Volume (mm3)\nM1,-0,-0.0\nM1,3,20\n"

    assert desk.record(text).state is BatchState.COMMITTED

    assert balanced(desk.record(text.replace("-0,-0.0", "0,0"))) == {"read": 2, "same": 2}
    desk.sound()
