"""A cell counter's and a qPCR machine's files: recorded as preparations and alterations with their cells, met again, taken back."""

from __future__ import annotations

from datetime import UTC, datetime

from lims.domain.tissue_terms import AlterationKind
from lims.domain.vocabulary import BatchState
from lims.models import Alteration, CellPreparation, Project, RecordSource
from tests.importers.test_cell_counts import BLU
from tests.importers.test_quantstudio import WELLS, export, wells
from tests.intake.desk import Desk, balanced, codes
from tests.support import factories

ANSWERS = {"calibrator": "SP-1"}


def _tissue(desk: Desk) -> None:
    with factories.declared(desk.database) as session:
        patient = factories.patient(session, session.get_one(Project, desk.project), "P1")
        mouse = factories.animal(session, session.get_one(Project, desk.project), "M1")
        factories.specimen(session, patient, "SP-1")
        grown = factories.implant(session, mouse)
        factories.specimen(session, patient, "SP-2", patient_id=None, source_implant_id=grown.id, passage=0)


def test_counts_become_preparations_and_a_grown_file_adds_only_what_is_new(desk_on_each: Desk) -> None:
    with factories.declared(desk_on_each.database) as session:
        model = factories.model(session, session.get_one(Project, desk_on_each.project), "BM-02")
    head, *rows = BLU.splitlines(keepends=True)

    outcome = desk_on_each.record("".join([head, rows[0], rows[2]]), "blu.csv")

    assert outcome.state is BatchState.COMMITTED, outcome.findings
    assert balanced(outcome) == {"read": 2, "new": 2}
    first, second = desk_on_each.records(CellPreparation)
    assert (first.code, first.sample, first.viable_cells_per_ml, first.viability_percent) == ("CP-0001", "BM-01 P2", 2.63e6, 96.81)
    assert (first.counted_at, first.device, first.model_id) == (datetime(2026, 3, 4, 15, 15, tzinfo=UTC), "Vi-CELL BLU", None)
    assert (second.code, second.model_id) == ("CP-0002", model.id)  # the sample has exactly the model's code
    with desk_on_each.database.reading() as session:
        sources = session.query(RecordSource).order_by(RecordSource.id).all()
    assert [(one.entity, one.source_row, one.source_column) for one in sources] == [
        ("cell_preparation", 2, 5),
        ("cell_preparation", 3, 5),
    ]
    again = desk_on_each.record(BLU, "blu.csv")
    assert balanced(again) == {"read": 3, "new": 1, "same": 2}
    desk_on_each.withdraw(outcome.batch_id)
    assert [one.code for one in desk_on_each.records(CellPreparation)] == ["CP-0003"]
    desk_on_each.sound()


def test_a_count_of_more_living_cells_than_cells_is_refused_in_its_place(desk: Desk) -> None:
    outcome = desk.check(BLU.replace(",2.63,", ",3.63,"), "blu.csv")

    assert codes(outcome) == ["preparation-refused"]
    (told,) = [finding for finding in outcome.findings if finding.code == "preparation-refused"]
    assert (told.row, told.column) == (2, 5)
    assert "are more than all 2.72e+06 cells/mL" in told.message


def test_a_run_becomes_expression_of_specimens_with_all_cq_as_its_source(desk_on_each: Desk) -> None:
    _tissue(desk_on_each)
    rows = [row for row in WELLS if row[:2] not in (("SP-1", "Abcb1a"), ("SP-1", "Gapdh"))]
    file = export(wells(*rows))

    outcome = desk_on_each.record(file, "run.txt", **ANSWERS)

    assert outcome.state is BatchState.COMMITTED, outcome.findings
    patients, grown = desk_on_each.records(Alteration)
    assert (patients.gene, patients.kind, patients.delta_cq, patients.log2_ratio) == ("ERBB2", AlterationKind.EXPRESSION, 6.1, 0.0)
    assert (grown.delta_cq, grown.log2_ratio, grown.calibrator, grown.reference_genes) == (8.0, -1.9, "SP-1", "GAPDH, ACTB")
    with desk_on_each.database.reading() as session:
        raw = [one.raw for one in session.query(RecordSource).order_by(RecordSource.id)]
    assert raw[0] == "ERBB2 24.10 (A1), 24.30 (A2); GAPDH 19.00 (A3), 19.20 (A4); ACTB 17.00 (A5), 17.20 (A6)"
    assert balanced(desk_on_each.record(file + "\n", "run.txt", **ANSWERS))["same"] == 2
    other_day = desk_on_each.record(file.replace("2026-02-03", "2026-02-04"), "run.txt", **ANSWERS)
    assert balanced(other_day)["new"] == 2
    desk_on_each.withdraw(outcome.batch_id)
    desk_on_each.sound()


def test_a_mouse_gene_in_a_patients_tissue_and_a_sample_that_is_no_specimen_are_refused(desk: Desk) -> None:
    _tissue(desk)

    outcome = desk.check(
        export(
            wells(*WELLS, ("SP-9", "ERBB2", "UNKNOWN", "24"), ("SP-9", "GAPDH", "UNKNOWN", "19"), ("SP-9", "ACTB", "UNKNOWN", "17"))
        ),
        "run.txt",
        **ANSWERS,
    )

    assert {"alteration-refused"} <= set(codes(outcome))
    told = " ".join(finding.message for finding in outcome.findings)
    assert "SP-1 was taken from a patient, and there is no mouse host in it." in told
    assert 'There is no specimen "SP-9" in this project.' in told
