"""Imaging files end to end: volumes, an IVIS image, a ParaVision subject, and stained cells of QuPath and of a long HALO file."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from importers import streams
from lims.domain.cohort_terms import ProcedureKind
from lims.domain.vocabulary import BatchState
from lims.intake import run
from lims.models import Animal, Measurement, Procedure, Project, StainRegion
from tests.importers.test_click_info import IMAGE, LIGHT, rois
from tests.importers.test_halo import HEAD, row
from tests.importers.test_paravision import SUBJECT
from tests.importers.test_qupath import CELLS, cell
from tests.importers.test_segment_volumes import SLICER
from tests.intake.desk import Desk, balanced, codes, found
from tests.support import factories


@pytest.fixture
def lab(desk_on_each: Desk) -> Desk:
    """Give a desk with a mouse that has two tumours and may be imaged, and a specimen."""
    desk = desk_on_each
    with factories.declared(desk.database) as session:
        project = session.get_one(Project, desk.project)
        protocol = factories.protocol(session, project, "A1", approved_on=date(2020, 1, 1))
        mouse = factories.animal(session, project, "M07", protocol_id=protocol.id, birth_date=date(2020, 12, 1), arrived_on=None)
        for label in ("Met left", "met right"):
            factories.implant(session, mouse, label=label, implanted_on=date(2021, 1, 1))
        factories.specimen(session, factories.patient(session, project, "P1"), "S1")
    return desk


def test_volumes_light_weight_and_sessions_land_where_they_belong(lab: Desk) -> None:
    volumes = lab.record(SLICER, "M07_2024-03-01_seg.tsv")
    image = lab.record(IMAGE + rois(("Measurement", "", LIGHT)), "ClickInfo.txt")
    session = lab.record(SUBJECT, "subject")

    assert [one.state for one in (volumes, image, session)] == [BatchState.COMMITTED] * 3, (volumes, image, session)
    assert [balanced(one) for one in (volumes, image, session)] == [
        {"read": 3, "new": 2, "skipped": 1},
        {"read": 1, "new": 1},
        {"read": 2, "new": 2},
    ]
    measured = {(one.kind, round(one.value, 3)) for one in lab.records(Measurement)}
    assert measured == {
        ("mri_volume", 8.422),
        ("mri_volume", 0.2),
        ("bli_total_flux", 1.26e6),
        ("bli_radiance", 2280),
        ("body_weight", 24.5),
    }
    done = {(one.kind, one.done_on, one.device) for one in lab.records(Procedure)}
    assert done == {
        (ProcedureKind.BIOLUMINESCENCE, date(2021, 3, 26), "IVIS"),
        (ProcedureKind.MRI, date(2024, 3, 19), "Bruker BioSpin MRI GmbH"),
    }
    lab.sound()


def test_two_sessions_of_a_day_are_two_procedures_and_one_noted_without_its_time_is_met(lab: Desk) -> None:
    with factories.declared(lab.database) as session:
        mouse = session.scalars(select(Animal).where(Animal.code == "M07")).one()
        session.add(Procedure(project_id=lab.project, animal_id=mouse.id, kind=ProcedureKind.MRI, done_on=date(2024, 3, 19)))
    light = SUBJECT.replace("0.0245", "0.001")  # the weight nobody typed
    later, latest = light.replace("T14:00:09", "T16:30:00"), light.replace("T14:00:09", "T18:00:00")

    noted = lab.check(light, "subject")
    assert balanced(noted) == {"read": 1, "changed": 1}  # its time and its instrument are told, not a second session made
    assert lab.record(light, "subject", changed="procedure").state is BatchState.COMMITTED
    assert [balanced(lab.record(one, "subject")) for one in (later, latest)] == [{"read": 1, "new": 1}] * 2
    assert [balanced(lab.check(one + "$$ again\n", "subject")) for one in (light, later)] == [{"read": 1, "same": 1}] * 2

    assert [one.done_at.hour for one in lab.records(Procedure) if one.done_at] == [14, 16, 18]
    lab.sound()


def test_stained_cells_are_recorded_by_region_known_again_and_taken_back(lab: Desk) -> None:
    text = CELLS + cell("Tumor: Positive") * 3 + cell("Tumor: Negative")
    answers = {"marker": "HER2", "specimen": "S1"}
    waits = lab.check(text, "measurements.tsv")
    assert {"question-marker", "question-specimen"} <= set(codes(waits))
    first = lab.record(text, "measurements.tsv", **answers)
    again = lab.record(text + cell("Tumor: Positive"), "measurements.tsv", **answers)
    regions = text + cell("Tumor: Positive", "Rim") * 2 + cell("Tumor: Positive", "Edge")
    other = lab.record(regions, "measurements.tsv", marker="HER2", specimen="S9")

    assert balanced(first) == {"read": 1, "new": 1}
    assert first.report["records"]["stain"] == 1
    assert (again.state, balanced(again)) == (BatchState.REFUSED, {"read": 1, "changed": 1})
    assert (other.state, balanced(other)) == (BatchState.REFUSED, {"read": 3, "refused": 3})
    told = found(other, "specimen-unknown")  # once, with the number of regions, and in every row that goes back
    assert (told.value, told.row) == ("S9", 2)
    assert told.message == 'There is no specimen "S9" in this project; 3 stained regions of the file are of it.'
    ((_, rows),) = run.refused_rows(lab.settings, lab.settings.url, other.batch_id, lab.actor)
    assert [str(row[-1])[:41] for row in rows[1:]] == ['There is no specimen "S9" in this project'] * 3
    (region,) = lab.records(StainRegion)
    assert (region.marker, region.cells, region.positive_percent, region.region) == ("ERBB2", 4, 75.0, "Core · Tumor")
    lab.withdraw(first.batch_id, "wrong slide")
    assert lab.records(StainRegion) == []
    lab.sound()


def test_a_long_file_passes_by_and_is_recorded_like_a_short_one(lab: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONG_BYTES", 1_000)
    monkeypatch.setattr("lims.intake.judge.MAX_UPLOAD_BYTES", 2_000)
    text = HEAD + row(dab="1") * 30 + row(region="Layer 2") * 20

    outcome = lab.record(text, "objects.csv", marker_dab="HER2", marker_cd8cells="none", specimen="{specimen}_*")
    unknown = lab.record("Colour,Taste\n" + "red,sweet\n" * 300, "fruit.csv")

    assert outcome.state is BatchState.COMMITTED, outcome.findings
    assert balanced(outcome) == {"read": 2, "new": 2}
    assert {(one.region, one.cells, one.positive_cells) for one in lab.records(StainRegion)} == {
        ("Layer 1", 30, 30),
        ("Layer 2", 20, 0),
    }
    assert (unknown.state, codes(unknown)) == (BatchState.REFUSED, ["format-unknown"])

    place = "\\\\server\\slides\\S1_HER2.nd2"
    summary = "Image Location,Analysis Region,Algorithm Name,Total Cells,DAB Positive Cells,Area Analyzed (mm²)\n"
    summary += f"{place},Layer 1,HER2 v3,30,30,1.5\n{place},Layer 3,HER2 v3,8,2,0.5\n"
    beside = lab.check(summary, "summary.csv", marker="HER2", specimen="S1")
    assert balanced(beside) == {"read": 2, "new": 1, "changed": 1}  # of a region that is known it tells the area
    assert "area" in found(beside, "record-changed").message
    lab.sound()
