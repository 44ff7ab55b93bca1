"""Take rate and latency against numbers worked out by hand, and in one statement whatever the number of implants."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from lims.db import Database
from lims.domain.colony_terms import Engraftment
from lims.domain.tissue_terms import AliquotState, CheckResult
from lims.domain.vocabulary import ImplantSite, RecordStatus
from lims.models import PdxModel, Project
from lims.queries.models import latest_checks, model_list, other_lines, profiles_to_compare, take_table, tissue_available
from tests.support import factories
from tests.support.databases import kept
from tests.support.statements import statements

DAY = date(2026, 1, 12)
BRAIN, PAD = ImplantSite.INTRACRANIAL, ImplantSite.MAMMARY_FAT_PAD
GREW, FAILED, PENDING = Engraftment.ENGRAFTED, Engraftment.FAILED, Engraftment.PENDING
IMPLANTS = (
    (0, BRAIN, GREW, 30),
    (0, BRAIN, GREW, 80),
    (0, PAD, GREW, 40),
    (0, PAD, FAILED, None),
    (1, BRAIN, GREW, 20),
    (1, BRAIN, PENDING, None),
    (1, PAD, GREW, None),
)
"""Passage, site, outcome, days to engraftment."""


@pytest.fixture
@kept
def model(database: Database) -> tuple[Project, PdxModel]:
    with factories.declared(database) as session:
        project = factories.project(session)
        patient = factories.patient(session, project, "BCBM-P01")
        founding = factories.specimen(session, patient, "SP-1", site="frontal lobe")
        model = factories.model(session, project, "BM-01", founding_specimen_id=founding.id)
        factories.model(session, project, "BM-02")
        for passage, site, outcome, days in IMPLANTS:
            seen = DAY + timedelta(days=days) if days else None
            columns: dict[str, Any] = {"model_id": model.id, "passage": passage, "site": site, "implanted_on": DAY}
            factories.implant(session, factories.animal(session, project), engraftment=outcome, engrafted_on=seen, **columns)
        gone = {"model_id": model.id, "engraftment": FAILED, "status": RecordStatus.WITHDRAWN}
        factories.implant(session, factories.animal(session, project), **gone)
    return project, model


def test_takes_overall_by_passage_and_by_site(database: Database, model: tuple[Project, PdxModel]) -> None:
    with database.reading() as session, statements(database.engine) as seen:
        table = take_table(session, model[1].id)
    assert len(seen) == 1
    assert (table.overall.engrafted, table.overall.decided, table.overall.pending) == (5, 6, 1)
    assert table.overall.percent == pytest.approx(100 * 5 / 6)
    assert table.overall.latency == 35, "the median of 20, 30, 40 and 80 days"
    assert {key: (one.engrafted, one.decided, one.pending, one.latency) for key, one in table.by_passage.items()} == {
        0: (3, 4, 0, 40),
        1: (2, 2, 1, 20),
    }
    assert {key: (one.percent, one.latency, len(one.days)) for key, one in table.by_site.items()} == {
        BRAIN: (100, 30, 3),
        PAD: (pytest.approx(100 * 2 / 3), 40, 1),
    }


def test_the_list_gives_the_same_numbers(database: Database, model: tuple[Project, PdxModel]) -> None:
    with database.reading() as session, statements(database.engine) as seen:
        one, other = session.execute(model_list(model[0].id).order_by(PdxModel.code)).all()
    assert len(seen) == 1
    assert (one.patient, one.site, one.passage, one.engrafted, one.decided, one.latency) == (
        "BCBM-P01",
        "frontal lobe",
        1,
        5,
        6,
        35,
    )
    assert one.take_percent == pytest.approx(100 * 5 / 6)
    assert (other.patient, other.passage, other.engrafted, other.decided, other.take_percent, other.latency) == (
        None,
        None,
        0,
        0,
        None,
        None,
    )


@pytest.mark.parametrize(("days", "median"), [([7], 7), ([7, 9], 8), ([9, 7, 30], 9), ([1, 2, 3, 4], 2.5), ([5, 5, 5], 5)])
def test_the_median_of_odd_and_even_numbers(database: Database, days: list[int], median: float) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        model = factories.model(session, project)
        for number in days:
            dates = {"implanted_on": DAY, "engrafted_on": DAY + timedelta(days=number), "engraftment": GREW}
            factories.implant(session, factories.animal(session, project), model_id=model.id, **dates)
    with database.reading() as session:
        assert session.execute(model_list(project.id)).one().latency == median
        assert take_table(session, model.id).overall.latency == median


def test_the_tissue_of_a_model_is_its_patients_and_what_grew(database: Database, model: tuple[Project, PdxModel]) -> None:
    project, line = model
    with factories.declared(database) as session:
        known = session.get_one(PdxModel, line.id)
        assert known.founding_specimen is not None
        donor = known.founding_specimen.donor
        assert donor is not None
        kept = factories.aliquot(session, known.founding_specimen, "AL-1")
        factories.aliquot(session, known.founding_specimen, "AL-2", state=AliquotState.USED_UP)
        tumour = factories.implant(session, factories.animal(session, project), model_id=line.id, passage=2)
        source = {"patient_id": None, "source_implant_id": tumour.id, "passage": 2}
        grown = factories.aliquot(session, factories.specimen(session, donor, "SP-9", **source), "AL-9")
        factories.aliquot(session, factories.specimen(session, donor, "SP-OTHER"), "AL-3")
        organoid = factories.model(session, project, "BM-01-ORG", founding_specimen_id=known.founding_specimen_id)
    with database.reading() as session:
        known = session.get_one(PdxModel, line.id)
        found = tissue_available(session, known.id)
        assert [tuple(row) for row in found] == [(True, None, kept.material, 1), (False, 2, grown.material, 1)]
        assert [one.id for one in other_lines(session, known)] == [organoid.id]


def test_a_newer_check_replaces_the_older_of_its_kind(database: Database, model: tuple[Project, PdxModel]) -> None:
    with factories.declared(database) as session:
        line = session.get_one(PdxModel, model[1].id)
        factories.model_check(session, line, result=CheckResult.FAILED, checked_on=date(2026, 2, 2))
        newer = factories.model_check(session, line, checked_on=date(2026, 3, 2))
        factories.model_check(session, line, checked_on=date(2026, 4, 2), status=RecordStatus.WITHDRAWN)
    with database.reading() as session:
        found = latest_checks(session, [line.id])
    assert [one.id for one in found[line.id].values()] == [newer.id]


def test_profiles_of_withdrawn_tissue_are_not_compared(database: Database, model: tuple[Project, PdxModel]) -> None:
    project, _ = model
    with factories.declared(database) as session:
        patient = factories.patient(session, project)
        for code, status in (("KEPT", RecordStatus.ACTIVE), ("GONE", RecordStatus.WITHDRAWN)):
            factories.profile(session, factories.specimen(session, patient, code, status=status))
    with database.reading() as session:
        assert [code for _, code in profiles_to_compare(session, project.id)] == ["KEPT"]
