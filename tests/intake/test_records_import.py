"""Records of any noun from a file: new, the same, changed, conflicting, refused; recorded with their cells, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from lims.domain.vocabulary import BatchState
from lims.models import Alteration, Exposure, RecordSource
from tests.intake.desk import Desk, balanced, codes
from tests.intake.listing import listings_read, table
from tests.support import factories

EXPOSURES = "animal,agent,matrix,concentration,unit,sample,collected_on"


@pytest.fixture(autouse=True)
def _listings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with listings_read(monkeypatch):
        yield


@pytest.fixture
def lab(desk_on_each: Desk) -> Desk:
    """Give a desk with an animal that has an alias, a patient's specimen, an agent, and another project's animal."""
    desk = desk_on_each
    with factories.declared(desk.database) as session:
        from lims.models import Project

        project = session.get_one(Project, desk.project)
        mouse = factories.animal(session, project, "M1")
        factories.alias(session, mouse, "tag-1")
        factories.agent(session, project, "T-DXd")
        factories.specimen(session, factories.patient(session, project, "P1"), "SP1")
        factories.animal(session, factories.project(session, "OTHER"), "X9")
    return desk


def test_exposures_of_a_file_are_recorded_with_their_cells(lab: Desk) -> None:
    file = table("exposure", EXPOSURES, "M1,T-DXd,plasma,12.5,ng/mL,s1,2026-03-01", "tag-1,t-dxd,CSF,0.5,ng/mL,s2,2026-03-01")

    outcome = lab.record(file)

    assert outcome.state is BatchState.COMMITTED, outcome.findings
    assert balanced(outcome) == {"read": 2, "new": 2}
    assert outcome.report["records"]["exposure"] == 2
    first, second = lab.records(Exposure)
    assert (first.matrix, first.concentration, first.unit) == (ExposureMatrix.PLASMA, 12.5, ConcentrationUnit.NG_PER_ML)
    assert (first.animal_id, first.batch_id) == (second.animal_id, outcome.batch_id)
    with lab.database.reading() as session:
        sources: list[Any] = session.query(RecordSource).order_by(RecordSource.id).all()
    assert [(one.entity, one.record_id, one.source_row, one.made) for one in sources] == [
        ("exposure", first.id, 2, True),
        ("exposure", second.id, 3, True),
    ]
    lab.sound()


def test_alterations_of_a_file_are_recorded(lab: Desk) -> None:
    outcome = lab.record(table("alteration", "specimen,gene,kind,log2_ratio", "SP1,HER2,expression,1.5", "SP1,PIK3CA,mRNA,-0.25"))

    assert codes(outcome) == []
    assert [(one.gene, one.log2_ratio) for one in lab.records(Alteration)] == [("ERBB2", 1.5), ("PIK3CA", -0.25)]
    lab.sound()
