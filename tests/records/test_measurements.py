"""Readings by columns: many or one, corrected and withdrawn, each change in the trail as the tables have it."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lims.audit import bulk
from lims.audit.verify import verify
from lims.db import Database
from lims.domain.errors import DomainError
from lims.domain.vocabulary import Quality, RecordStatus, VolumeFormula
from lims.models import Animal, AuditEvent, Implant, Measurement
from lims.records.measurements import Correction, Readings, correct_measurements, record_measurements, withdraw_measurements
from tests.support import factories

AT = datetime(2026, 3, 9, 10, 14, 5, 250_000, tzinfo=UTC)


@pytest.fixture
def host(database: Database) -> tuple[tuple[int, str], tuple[int, str], tuple[int, str]]:
    """Give references to a project, an animal and its tumour."""
    with factories.declared(database) as session:
        project = factories.project(session)
        mouse: Animal = factories.animal(session, project, 'M "%s" 1')
        tumour: Implant = factories.implant(session, mouse)
        return (project.id, project.code), (mouse.id, mouse.code), (tumour.id, tumour.label)


def recorded(database: Database) -> list[Measurement]:
    with database.reading() as session:
        return list(session.scalars(select(Measurement).order_by(Measurement.id)))


def record(database: Database, host, *values: float, **columns) -> range:
    project, mouse, _ = host
    days = [f"2026-03-{day:02}" for day in range(1, len(values) + 1)]
    readings = Readings(
        project, columns.pop("kind", "body_weight"), [mouse] * len(values), None, list(values), days, days, **columns
    )
    with database.transaction() as session:
        return record_measurements(session, factories.actor(), readings)


def test_columns_become_rows_with_everything_they_say(database: Database, host) -> None:
    project, mouse, tumour = host
    readings = Readings(
        project=project,
        kind="caliper_volume",
        animals=[mouse, mouse],
        implants=[tumour, tumour],
        values=[144.0, 150.0],
        slots=["2026-03-09T10:14:05Z", "2026-03-16T10:14:05Z"],
        taken_on=["2026-03-09", "2026-03-16"],
        taken_at=[AT, AT.replace(day=16)],
        lengths=[8.0, None],
        widths=[6.0, None],
        formula=[VolumeFormula.HALF_L_W2, VolumeFormula.STATED],
        qualities=[Quality.OK, Quality.SUSPECT],
        quality_reasons=[None, 'saturated, 100% "red"\n'],
        operators=["Ada", None],
        rows=[2, 3],
        columns=7,
        raw=["8 × 6", "150"],
        sheet="Größen",
    )
    with database.transaction() as session:
        ids = record_measurements(session, factories.actor(), readings)

    first, second = recorded(database)
    assert [first.id, second.id] == list(ids)
    assert (first.value, first.length_mm, first.formula, first.taken_at, first.quality) == (
        144.0,
        8.0,
        VolumeFormula.HALF_L_W2,
        AT,
        Quality.OK,
    )
    assert (second.formula, second.quality, second.quality_reason) == (
        VolumeFormula.STATED,
        Quality.SUSPECT,
        'saturated, 100% "red"\n',
    )
    assert (second.source_sheet, second.source_row, second.source_column, second.raw) == ("Größen", 3, 7, "150")
    assert verify(database).problems == []


def test_many_are_one_event_and_none_is_none(database: Database, host) -> None:
    assert record(database, host) == range(0)
    record(database, host, *[20 + step / 10 for step in range(25)])

    with database.reading() as session:
        events = session.execute(select(AuditEvent.action, AuditEvent.changes)).all()
    assert [tuple(event) for event in events[1:]] == [("measurement:create", 25)]
    assert verify(database).problems == []


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-7, 1.26e12, 123456789.123456789, 5e-324])
def test_a_value_is_kept_to_its_last_digit_in_table_and_trail(database: Database, host, value: float) -> None:
    record(database, host, value, kind="bli_total_flux")

    assert [one.value for one in recorded(database)] == [value]
    assert verify(database).problems == []


def test_the_database_itself_refuses_a_second_reading_of_a_slot(database: Database, host) -> None:
    record(database, host, 20.0)

    with pytest.raises((IntegrityError, *_driver_errors())):
        record(database, host, 21.0)

    assert [one.value for one in recorded(database)] == [20.0]
    assert verify(database).problems == []


def test_a_kind_that_the_project_does_not_know_is_not_recorded(database: Database, host) -> None:
    record(database, host, 20.0)

    with pytest.raises(DomainError, match='There is no kind "mood" in this project') as refused:
        record(database, host, 21.0, kind="mood")
    assert refused.value.field == "kind"

    assert [one.value for one in recorded(database)] == [20.0]
    assert verify(database).problems == []


def _driver_errors() -> tuple[type[Exception], ...]:
    import psycopg

    return (psycopg.IntegrityError,)


def test_a_correction_counts_the_version_up_and_keeps_the_old_value(database: Database, host) -> None:
    (key, other) = record(database, host, 20.0, 21.0)
    with database.transaction() as session:
        changed = [Correction(key, {"value": (20.0, 20.5)}), Correction(other, {"value": (21.0, 21.5), "length_mm": (None, 3.0)})]
        correct_measurements(session, factories.actor(), host[0][0], changed, reason="scale")

    assert [(one.value, one.length_mm, one.version) for one in recorded(database)] == [(20.5, None, 2), (21.5, 3.0, 2)]
    assert verify(database).problems == []


@pytest.mark.parametrize("reason", ["", " "])
def test_no_value_changes_and_nothing_is_withdrawn_without_a_reason(database: Database, host, reason: str) -> None:
    (key,) = record(database, host, 20.0)

    with pytest.raises(DomainError, match="needs a reason"), database.transaction() as session:
        correct_measurements(session, factories.actor(), host[0][0], [Correction(key, {"value": (20.0, 1.0)})], reason=reason)
    with pytest.raises(DomainError, match="needs a reason"), database.transaction() as session:
        withdraw_measurements(session, factories.actor(), host[0][0], [key], reason=reason)

    assert [(one.value, one.status) for one in recorded(database)] == [(20.0, RecordStatus.ACTIVE)]


def test_a_withdrawn_reading_frees_its_slot_and_stays_readable(database: Database, host) -> None:
    (key,) = record(database, host, 20.0)
    with database.transaction() as session:
        withdraw_measurements(session, factories.actor(), host[0][0], [key], reason="other mouse")

    record(database, host, 21.0)

    assert [(one.value, one.status.value) for one in recorded(database)] == [(20.0, "withdrawn"), (21.0, "active")]
    assert verify(database).problems == []


def test_many_portions_are_written_whole_or_not_at_all(database: Database, host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_PORTION", 40)
    project, mouse, _ = host

    def many(slots: list[str]) -> None:
        readings = Readings(
            project, "body_weight", [mouse] * len(slots), None, [21.5] * len(slots), slots, ["2026-03-09"] * len(slots)
        )
        with database.transaction() as session:
            record_measurements(session, factories.actor(), readings)

    many([f"2026-03-09T10:{second // 60:02}:{second % 60:02}Z" for second in range(210)])
    assert [one.slot for one in recorded(database)][::209] == ["2026-03-09T10:00:00Z", "2026-03-09T10:03:29Z"]
    later = [f"2026-03-09T11:{second // 60:02}:{second % 60:02}Z" for second in range(210)]
    with pytest.raises((IntegrityError, psycopg.IntegrityError), match=r"uq_measurement_slot|UNIQUE"):
        many([*later[:100], later[0], *later[100:]])
    assert len(recorded(database)) == 210
    assert verify(database).ok
