"""Tests of QuantStudio results: targets asked, replicates averaged, ΔCq against the reference genes of their species."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from importers.base import Reading, Severity
from importers.quantstudio import IMPORTER
from lims.domain.tissue_terms import AlterationKind, Compartment
from tests.importers.tables_support import errors, excel_book, findings, proposals, read, text_book

HEADERS = ("Well", "Well Position", "Omit", "Sample Name", "Target Name", "Task", "Reporter", "RQ", "CT", "Ct Mean", "Comments")
PREAMBLE = """* Block Type = 96-Well Block
* Chemistry = TAQMAN
* Experiment Run End Time = 2026-02-03 15:02:50 PM EST
* Instrument Type = QuantStudio(TM) 7 Flex System

[Sample Setup]
Well\tWell Position\tSample Name\tTarget Name\tTask
1\tA1\tSP-1\tERBB2\tUNKNOWN

"""
WELLS: tuple[tuple[str, ...], ...] = (
    ("SP-1", "ERBB2", "UNKNOWN", "24.10"),
    ("SP-1", "ERBB2", "UNKNOWN", "24.30"),
    ("SP-1", "GAPDH", "UNKNOWN", "19.00"),
    ("SP-1", "GAPDH", "UNKNOWN", "19.20"),
    ("SP-1", "ACTB", "UNKNOWN", "17.00"),
    ("SP-1", "ACTB", "UNKNOWN", "17.20"),
    ("SP-1", "Abcb1a", "UNKNOWN", "28.00"),
    ("SP-1", "Abcb1a", "UNKNOWN", "29.40"),
    ("SP-1", "Gapdh", "UNKNOWN", "23.00"),
    ("SP-2", "ERBB2", "UNKNOWN", "26.10"),
    ("SP-2", "GAPDH", "UNKNOWN", "19.10"),
    ("SP-2", "ACTB", "UNKNOWN", "17.10"),
    ("SP-2", "Abcb1a", "UNKNOWN", "Undetermined"),
    ("SP-2", "Gapdh", "UNKNOWN", "23.00"),
    ("", "GAPDH", "NTC", "Undetermined"),
    ("std 1", "GAPDH", "STANDARD", "12.00"),
)
NO_RATIO = {"calibrator": "none"}


def wells(*rows: tuple[str, ...], omitted: int | None = None, ratios: dict[tuple[str, str], str] | None = None) -> list[list[str]]:
    """Give the rows of a table of wells: sample, target, task and Cq of each."""
    return [
        [
            *(str(number), f"A{number}", "true" if number == omitted else "false", sample, target, task, "FAM"),
            *((ratios or {}).get((sample, target), ""), cq, "", ""),
        ]
        for number, (sample, target, task, cq) in enumerate(rows or WELLS, 1)
    ]


def export(rows: list[list[str]], *, preamble: str = PREAMBLE, below: str = "[Melt Curve Raw Data]\nWell\tReading\n1\t3\n") -> str:
    """Write the text export."""
    return preamble + "[Results]\n" + "".join("\t".join(row) + "\n" for row in (list(HEADERS), *rows)) + below


def taken(text: str, **choices: str) -> Reading:
    return read(IMPORTER, text_book(text, "run.txt"), **{**NO_RATIO, **choices})


def fields(reading: Reading, *names: str) -> list[tuple[Any, ...]]:
    """List fields of the records."""
    (records,) = reading.records
    return list(zip(*(records.fields[name] for name in names), strict=True))


def test_each_sample_and_gene_has_its_delta_cq_against_the_references_of_its_species() -> None:
    reading = taken(export(wells()))

    assert fields(reading, "specimen", "gene", "compartment", "delta_cq", "reference_genes") == [
        ("SP-1", "ERBB2", Compartment.HUMAN_TUMOUR, 6.1, "GAPDH, ACTB"),
        ("SP-1", "Abcb1a", Compartment.MOUSE_HOST, 5.7, "Gapdh"),
        ("SP-2", "ERBB2", Compartment.HUMAN_TUMOUR, 8.0, "GAPDH, ACTB"),
    ]
    assert fields(reading, "kind", "platform", "found_on")[0] == (
        AlterationKind.EXPRESSION,
        "RT-qPCR, QuantStudio(TM) 7 Flex System, TAQMAN",
        date(2026, 2, 3),
    )
    # Two wells each: √(0.1414² + (0.1414² + 0.1414²)/2²); a single well has no scatter.
    assert fields(reading, "delta_cq_sd") == [(0.1732,), (None,), (None,)]
    (records,) = reading.records
    assert records.noun == "alteration"
    assert records.raw[0] == "ERBB2 24.10 (A1), 24.30 (A2); GAPDH 19.00 (A3), 19.20 (A4); ACTB 17.00 (A5), 17.20 (A6)"
    assert [reading.columns[at - 1].header for at in records.columns.values()] == ["Sample Name", "Target Name", "CT"]
    aside = {one.reason for one in reading.set_aside}
    assert {"control or standard (NTC)", "control or standard (STANDARD)", "not detected"} < aside
    assert any(reason.startswith("replicate of row ") for reason in aside)
    assert not errors(reading)
    (apart,) = findings(reading, "replicates-apart")
    assert "Abcb1a in SP-1: the replicates have an SD of 0.99 cycles: 28.00 and 29.40; all are averaged" in apart.message
    (unseen,) = findings(reading, "not-detected")
    assert (unseen.severity, unseen.value) == (Severity.NOTE, "Undetermined")
    assert [finding.message.split()[0] for finding in findings(reading, "single-reference")] == ["Gapdh"]


def test_what_a_target_is_is_asked_with_the_evidence_of_how_it_is_written() -> None:
    asked = {question.key: question for question in taken(export(wells())).questions}

    assert {key: question.proposed for key, question in asked.items()} == {
        "target_ERBB2": "human_tumour",
        "target_GAPDH": "human_reference",
        "target_ACTB": "human_reference",
        "target_Abcb1a": "mouse_host",
        "target_Gapdh": "mouse_reference",
        "calibrator": "none",
    }
    assert "written as mouse symbols are" in asked["target_Gapdh"].evidence
    assert [one.value for one in asked["target_ERBB2"].options][:2] == ["human_tumour", "mouse_host"]


def test_a_target_that_is_no_gene_of_the_list_waits_for_an_answer() -> None:
    text = export(wells(("SP-1", "primer 7", "UNKNOWN", "24.1"), ("SP-1", "18S", "UNKNOWN", "9.0")))

    waiting = taken(text)
    assert (waiting.records, errors(waiting)) == ((), ["question-target_primer_7"])
    assert proposals(waiting)["target_18S"] == "reference"
    told = taken(text, target_primer_7="abcg2")
    assert (told.records, errors(told)) == ((), ["question-target_primer_7"])  # written neither as HGNC nor as MGI does
    assert fields(taken(text, target_primer_7="BCRP"), "gene", "delta_cq") == [("ABCG2", 15.1)]
    assert errors(taken(text, target_primer_7="leave_out")) == ["no-gene"]


def test_two_targets_that_differ_in_a_sign_are_two_questions() -> None:
    text = export(wells(("SP-1", "a-1", "UNKNOWN", "24.1"), ("SP-1", "a 1", "UNKNOWN", "9.0")))

    assert list(proposals(taken(text)))[:2] == ["target_a_1", "target_a_1_2"]


def test_without_a_reference_gene_of_its_species_nothing_is_computed() -> None:
    reading = taken(export(wells()), target_Gapdh="leave_out")

    (error,) = findings(reading, "reference-missing")
    assert "Abcb1a of the mouse host" in error.message
    assert "MIQE" in (error.source or "")


def test_a_sample_whose_reference_was_not_detected_has_no_delta_cq() -> None:
    lost = [("SP-2", "ACTB", "UNKNOWN", "Undetermined") if row[:2] == ("SP-2", "ACTB") else row for row in WELLS]
    reading = taken(export(wells(*lost)))

    assert [specimen for (specimen,) in fields(reading, "specimen")] == ["SP-1", "SP-1"]
    (warning,) = findings(reading, "reference-not-detected")
    assert "ERBB2 in SP-2: ACTB has no Cq in this sample" in warning.message


def test_a_well_that_was_omitted_or_lost_is_said() -> None:
    rows = [*WELLS[:1], ("SP-1", "ERBB2", "UNKNOWN", "Undetermined"), *WELLS[2:], ("", "", "", "")]
    reading = taken(export(wells(*rows, omitted=4)))

    assert fields(reading, "delta_cq")[0] == (6.05,)  # 24.1 less the mean of 19.0 and 17.1
    assert "1 of 2 replicates not detected" in findings(reading, "replicate-undetermined")[0].message
    assert {"omitted at the instrument", "an empty well"} < {one.reason for one in reading.set_aside}


def test_a_control_without_template_that_amplified_is_a_warning_and_a_cq_that_is_none_an_error() -> None:
    rows = [*WELLS[:-2], ("", "GAPDH", "NTC", "36.5"), ("SP-2", "ERBB2", "UNKNOWN", "late")]
    reading = taken(export(wells(*rows)))

    assert "GAPDH has a Cq of 36.50" in findings(reading, "control-amplified")[0].message
    assert errors(reading) == ["number-unreadable"]
    assert fields(reading, "delta_cq")[-1] == (8.0,)


def test_expression_is_relative_to_the_calibrator_that_the_file_or_a_person_names() -> None:
    ratios = {("SP-1", "ERBB2"): "1.000", ("SP-2", "ERBB2"): "0.268", ("SP-1", "Abcb1a"): "1"}
    reading = read(IMPORTER, text_book(export(wells(ratios=ratios)), "run.txt"))

    assert proposals(reading)["calibrator"] == "SP-1"
    assert fields(reading, "gene", "log2_ratio", "calibrator") == [
        ("ERBB2", 0.0, "SP-1"),
        ("Abcb1a", 0.0, "SP-1"),
        ("ERBB2", -1.9, "SP-1"),
    ]
    assert not findings(reading, "rq-differs")
    ratios[("SP-2", "ERBB2")] = "0.9"
    assert (
        "ERBB2 in SP-2 has 0.9, and 0.268 follows"
        in findings(taken(export(wells(ratios=ratios)), calibrator="SP-1"), "rq-differs")[0].message
    )
    elsewhere = {("SP-1", "ERBB2"): "4", ("SP-2", "ERBB2"): "0.5"}
    stated = read(IMPORTER, text_book(export(wells(ratios=elsewhere)), "run.txt"))
    assert proposals(stated)["calibrator"] == "file"
    assert [ratio for (ratio,) in fields(stated, "log2_ratio")] == [2.0, None, -1.0]
    named = export(wells(), below="\nAnalysis Type = Singleplex\nEndogenous Control = GAPDH\nReference Sample = SP-2\n")
    assert proposals(read(IMPORTER, text_book(named, "run.txt")))["calibrator"] == "SP-2"


@pytest.mark.parametrize("first_row", [25, 29])
def test_design_and_analysis_has_its_header_below_a_preamble_and_sheets_beside(first_row: int) -> None:
    headers = ["Well", "Well Position", "Omit", "Sample", "Target", "Task", "Cq", "Cq Mean"]
    rows = [
        [float(number), f"A{number}", "FALSE", sample, target, task, "UNDETERMINED" if cq == "Undetermined" else float(cq), ""]
        for number, (sample, target, task, cq) in enumerate(WELLS, 1)
    ]
    preamble = [["Instrument Type", "QuantStudio™ 3 System"], ["Run End Data/Time", "2026-02-03 02:25:46 AM EST"]]
    blank = [[""]] * (first_row - len(preamble) - 1)
    groups = [["Sample", "Target", "Rq"], ["SP-1", "ERBB2", 1.0], ["SP-2", "ERBB2", 0.27]]
    book = excel_book({"Results": [*preamble, *blank, headers, *rows], "RQ Replicate Group Result": groups}, name="run.xls")
    reading = read(IMPORTER, book)

    assert reading.header_rows == {0: [first_row]}
    assert fields(reading, "specimen", "delta_cq", "found_on")[0] == ("SP-1", 6.1, date(2026, 2, 3))
    assert proposals(reading)["calibrator"] == "SP-1"
    assert any(finding.code == "extension-differs" for finding in book.findings)


def test_results_alone_and_a_cyrillic_heading_are_read() -> None:
    text = export(wells(), preamble="", below="").removeprefix("[Results]\n").replace("\tCT\t", "\tC\u0442\t")
    reading = taken(text)

    assert len(reading.records[0]) == 3
    assert fields(reading, "found_on", "platform")[0] == (None, "RT-qPCR")
    assert IMPORTER.claim(text_book("Well\tSample Name\tTarget Name\n1\tSP-1\tERBB2\n")) is None
