"""Cell preparations: what a count may say, what it is of, and what an implant takes from it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from lims.audit.record import Actor
from lims.audit.verify import verify
from lims.db import Database
from lims.domain.colony_terms import Hemisphere
from lims.domain.errors import Conflict, DomainError
from lims.models import CellPreparation, Consent
from lims.queries.derived import derived_rows, donors_without_consent
from lims.records.implants import IMPLANT
from lims.records.nouns import doubts, record, withdraw
from lims.records.preparations import PREPARATION
from tests.records.implant_lab import DAY, Lab, implant, make_lab
from tests.support import factories
from tests.support.cases import each

COUNT = {
    "sample": "BM-01 P2",
    "counted_on": DAY,
    "viable_cells_per_ml": 2.63e6,
    "total_cells_per_ml": 2.72e6,
    "viability_percent": 96.7,
}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def lab(database: Database) -> Lab:
    return make_lab(database)


def counted(database: Database, lab: Lab, actor: Actor, **columns: Any) -> CellPreparation:
    with database.transaction() as session:
        (made,) = record(session, actor, PREPARATION, lab.project.id, [{**COUNT, **columns}])
    return made


def doubted(database: Database, lab: Lab, **columns: Any) -> list[str]:
    """Give what is asked of an implant of a suspension."""
    with database.transaction() as session:
        found = doubts(session, IMPLANT, lab.project.id, lab.brains(label="T1", **columns))
    return [notice.message for notice in found if notice.field in ("preparation_id", "viability_percent")]


def test_a_count_is_of_what_its_sample_is_called_and_gets_a_code(database: Database, lab: Lab, actor: Actor) -> None:
    unknown, vial, line = (counted(database, lab, actor, sample=sample) for sample in ("BM-01 P2", "AL-1", "BM-01"))
    assert [one.code for one in (unknown, vial, line)] == ["CP-0001", "CP-0002", "CP-0003"]
    assert (unknown.aliquot_id, unknown.model_id) == (None, None)
    assert (vial.aliquot_id, vial.specimen_id, vial.model_id) == (lab.aliquot.id, lab.specimen.id, None)
    assert (line.aliquot_id, line.model_id) == (None, lab.model.id)
    again = counted(database, lab, actor, sample="AL-1", model_id=lab.model.id)
    assert again.aliquot_id is None, "what is named stands"
    assert verify(database).problems == []


@each(
    ("columns", "field"),
    [
        ({"viable_cells_per_ml": 3.1e6}, "viable_cells_per_ml"),
        ({"viability_percent": 101.0}, "viability_percent"),
        ({"dilution_factor": 0.5}, "dilution_factor"),
        ({"mean_diameter_um": 0.0}, "mean_diameter_um"),
        ({"counted_on": date(2999, 1, 1)}, "counted_on"),
        ({"counted_on": date(2020, 1, 1), "aliquot_id": True}, "counted_on"),
        ({"counted_at": datetime(2026, 3, 5, 12, tzinfo=UTC)}, "counted_at"),
        ({"aliquot_id": True, "specimen_id": True}, "specimen_id"),
    ],
)
def test_a_count_that_cannot_be_is_refused(database: Database, lab: Lab, actor: Actor, columns: dict[str, Any], field: str) -> None:
    with factories.declared(database) as session:
        ids = {"aliquot_id": lab.aliquot.id, "specimen_id": factories.specimen(session, lab.patient).id}
    with pytest.raises(DomainError) as refused:
        counted(database, lab, actor, **{name: ids[name] if value is True else value for name, value in columns.items()})
    assert refused.value.field == field
    with database.reading() as session:
        assert session.query(CellPreparation).count() == 0


def test_viability_that_is_not_of_its_concentrations_is_doubted(database: Database, lab: Lab) -> None:
    with database.transaction() as session:
        rows = [COUNT, {**COUNT, "viability_percent": 0.967}, {**COUNT, "viable_cells_per_ml": 2.63, "total_cells_per_ml": None}]
        told = doubts(session, PREPARATION, lab.project.id, rows)
    assert [notice.message for notice in told] == [
        "Viability is 0.967 %, and 2.63e+06 of 2.72e+06 cells/mL are 96.7 %.",
        "2.63 viable cells/mL is next to none: in millions?",
    ]


def test_an_implant_takes_its_viability_from_its_count(database: Database, lab: Lab, actor: Actor) -> None:
    count = counted(database, lab, actor, aliquot_id=lab.aliquot.id)
    (one,) = implant(database, lab, lab.brains(preparation_id=count.id))
    (typed,) = implant(
        database, lab, lab.brains(preparation_id=count.id, viability_percent=88.0, hemisphere=Hemisphere.LEFT, ml_mm=-2)
    )
    assert (one.viability_percent, typed.viability_percent) == (96.7, 88.0)
    with pytest.raises(Conflict, match="2 active records"), database.transaction() as session:
        withdraw(session, actor, PREPARATION, session.get_one(CellPreparation, count.id), version=count.version, reason="test")
    assert verify(database).problems == []


def test_an_old_or_poor_count_is_doubted_and_another_tissues_or_a_later_one_refused(
    database: Database, lab: Lab, actor: Actor
) -> None:
    with factories.declared(database) as session:
        other = factories.aliquot(session, lab.specimen, "AL-2")
    fresh = counted(database, lab, actor, counted_at=NOON)
    assert doubted(database, lab, preparation_id=fresh.id, implanted_at=NOON.replace(hour=15)) == []
    (old,) = doubted(database, lab, preparation_id=fresh.id, implanted_at=NOON.replace(hour=17, minute=30))
    assert "was counted 5.5 hours before the end of surgery" in old
    assert doubted(database, lab, preparation_id=fresh.id) == []  # of the same day, the end of surgery not told
    before = counted(database, lab, actor, counted_on=date(2026, 3, 1))
    assert "1 day before the surgery" in doubted(database, lab, preparation_id=before.id)[0]
    poor = counted(database, lab, actor, viable_cells_per_ml=2e6, viability_percent=73.5)
    assert [told.split(",")[0] for told in doubted(database, lab, preparation_id=poor.id)] == ["73.5 % of the cells live"]
    refusals = [
        ({"preparation_id": fresh.id, "implanted_at": NOON.replace(hour=9)}, "was counted at 2026-03-02 12:00, after"),
        ({"preparation_id": counted(database, lab, actor, counted_on=date(2026, 3, 4)).id}, "was counted at 2026-03-04, after"),
        ({"preparation_id": counted(database, lab, actor, aliquot_id=other.id).id}, "another aliquot"),
    ]
    for columns, told in refusals:
        with pytest.raises(DomainError, match=told) as refused:
            implant(database, lab, lab.brains(**columns))
        assert refused.value.field == "preparation_id"


def test_a_count_is_derived_from_its_donor_whose_missing_consent_it_shows(database: Database, lab: Lab, actor: Actor) -> None:
    of_vial, of_model = counted(database, lab, actor, sample="AL-1"), counted(database, lab, actor, sample="BM-01")
    with database.reading() as session:
        derived = [(row.code, row.source) for row in derived_rows(session, lab.patient.id) if row.kind == "cell_preparation"]
        assert derived == [(of_vial.code, "AL-1"), (of_model.code, "BM-01")]
        assert donors_without_consent(session, of_vial) == []
    with factories.declared(database) as session:
        session.query(Consent).one().withdrawn_on = date(2026, 3, 3)
    with database.reading() as session:
        assert [[one.code for one in donors_without_consent(session, count)] for count in (of_vial, of_model)] == [["BCBM-P01"]] * 2
