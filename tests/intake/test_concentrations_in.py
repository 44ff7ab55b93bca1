"""Concentrations of a mass spectrometer's file, from the question about its names to exposures with their cells, and back."""

from __future__ import annotations

import pytest

from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from lims.domain.vocabulary import BatchState
from lims.models import Exposure, Project
from tests.importers.exposures_support import tabbed
from tests.intake.desk import Desk, balanced, codes, found
from tests.support import factories

HEADER = ("Sample Name", "Sample Type", "Analyte Peak Name", "Use Record", "Acquisition Date", "Calculated Concentration (ng/mL)")
AT = "2026-03-10 10:22"
STANDARD = ("Std 1", "Standard", "DXd", 1, AT, "0.51")
PLASMA = ("PK01_M07_plasma_24h", "Unknown", "DXd", "", AT, "2.56e+001")
RIM = ("PK01_M07_rim_24h", "Unknown", "DXd", "", AT, "1.5")
BELOW = ("PK01_M08_plasma_24h", "Unknown", "DXd", "", AT, "<0.5")
ANSWERS = {"agent_of:DXd": "T-DXd", "homogenate": "4"}


@pytest.fixture
def lab(desk_on_each: Desk) -> Desk:
    """Give a desk with two animals, an agent and a dose of it."""
    with factories.declared(desk_on_each.database) as session:
        project = session.get_one(Project, desk_on_each.project)
        agent = factories.agent(session, project, "T-DXd")
        for code in ("M07", "M08"):
            factories.dose(session, factories.animal(session, project, code), agent)
    return desk_on_each


def run_file(*rows: tuple[object, ...]) -> str:
    return tabbed(HEADER, *rows)


def test_a_run_is_asked_about_recorded_met_again_and_taken_back(lab: Desk) -> None:
    file = run_file(STANDARD, PLASMA, RIM, BELOW)

    first = lab.check(file, "run.txt")
    assert codes(first) == ["question-homogenate", "agent-unknown", "agent-unknown"]
    assert [one.column for one in first.findings if 'no agent "DXd"' in one.message] == [3, 3]
    asked = {question["key"]: question["proposed"] for question in first.report["questions"]}
    assert asked == {"agent_of:DXd": "DXd", "sample_pattern": "{study}_{animal}_{matrix}_{hours}h", "homogenate": None}

    outcome = lab.record(file, "run.txt", **ANSWERS)
    assert outcome.state is BatchState.COMMITTED, outcome.findings
    assert balanced(outcome) == {"read": 4, "new": 3, "skipped": 1}
    plasma, rim, below = lab.records(Exposure)
    assert (plasma.analyte, plasma.matrix, plasma.concentration, plasma.hours_after_dose) == (
        "DXd",
        ExposureMatrix.PLASMA,
        25.6,
        24.0,
    )
    assert (rim.concentration, rim.unit, rim.sample) == (6.0, ConcentrationUnit.NG_PER_G, "PK01_M07_rim_24h")
    assert (below.concentration, below.below_lloq, below.lloq) == (None, True, 0.5)
    assert (below.collected_on, below.collected_at, below.note) == (None, None, f"injected {AT}")
    lab.sound()

    again = lab.record(run_file(STANDARD, PLASMA, RIM, BELOW, ("PK01_M08_csf_24h", *PLASMA[1:])), "run.txt", **ANSWERS)
    assert balanced(again) == {"read": 5, "new": 1, "same": 3, "skipped": 1}
    lab.withdraw(outcome.batch_id)
    assert [one.matrix for one in lab.records(Exposure)] == [ExposureMatrix.CSF]
    lab.sound()


def test_an_animal_that_is_not_there_is_refused_at_its_sample_name(lab: Desk) -> None:
    outcome = lab.check(run_file(PLASMA, ("PK01_M99_plasma_24h", *PLASMA[1:])), "run.txt", **ANSWERS)

    refused = [finding for finding in outcome.findings if finding.row == 3 and finding.severity.value == "error"]
    assert [(one.column, one.value) for one in refused] == [(1, "M99")]
    assert balanced(outcome) == {"read": 2, "new": 1, "refused": 1}
    assert found(
        lab.check("Sample Name\tSample Type\tUse Record\tAnalyte Peak Area (counts)\nM1\tUnknown\t\t1\n", "a.txt"),
        "no-concentration",
    )


def test_two_values_of_one_sample_are_a_conflict_until_one_row_is_left_out(lab: Desk) -> None:
    rows = (PLASMA, (*PLASMA[:5], "26.1"), ("PK01_M08_csf_4h", *PLASMA[1:]))

    outcome = lab.check(run_file(*rows), "run.txt", **ANSWERS)
    assert balanced(outcome) == {"read": 3, "new": 1, "conflicting": 2}
    told = next(one.message for one in outcome.findings if one.code == "two-lines-of-one-record")
    assert "row 2 (2.56e+001), row 3 (26.1)" in told
