"""Tests of patterns for sample names: what they read, and which one the names themselves suggest."""

from __future__ import annotations

from datetime import date

import pytest

from importers.sample_names import SampleName, named_control, pattern_of, propose


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("{study}_{animal}_{matrix}_{hours}h", "PK01_M07_plasma_4h", SampleName("M07", "plasma", 4.0)),
        ("{study}_{animal}_{matrix}_{hours}h", "pk01_M07_brain met_0.25 H", SampleName("M07", "brain met", 0.25)),
        ("{animal}_{matrix}_{time}", "M07_plasma_0,5h", SampleName("M07", "plasma", 0.5)),
        ("{animal}_{matrix}_{time}", "M07_plasma_30min", SampleName("M07", "plasma", 0.5)),
        ("{animal}_{matrix}_{time}", "M07_plasma_T4", SampleName("M07", "plasma", 4.0)),
        ("{animal}_{matrix}_{time}", "M07_plasma_2 days", SampleName("M07", "plasma", 48.0)),
        ("{animal}_{matrix}_{time}", "M07_plasma_pre-dose", SampleName("M07", "plasma", before_dose=True)),
        ("{animal} {matrix} {hours} h*", "M07  csf 4 h _inj2.wiff", SampleName("M07", "csf", 4.0)),
        ("{animal}_{matrix}_{date}", "M07_csf_20240131", SampleName("M07", "csf", collected_on=date(2024, 1, 31))),
        ("{matrix}-{animal}({replicate})", "CSF-7(2)", SampleName("7", "CSF", replicate="2")),
        ("{study}_{animal}_{matrix}_{hours}h", "PK_01_M07_plasma_4h", None),
        ("{animal}_{matrix}_{date}", "M07_csf_20240231", None),
        ("{animal}_{matrix}_{time}", "M07_plasma_4", None),
        ("{animal}_{matrix}", "M07", None),
        ("{animal}.{matrix}", "M07xplasma", None),
        ("{animal}_{matrix}{hours}h", "M07_plasma14h", SampleName("M07", "plasma", 14.0)),
        ("{animal}_{time}_*", "M07_T45min_2.wiff", SampleName("M07", hours=0.75)),
        ("{animal}_{matrix}", "M07_" + "x" * 200, None),
    ],
)
def test_a_pattern_reads_a_name_in_one_way_or_not_at_all(pattern: str, name: str, expected: SampleName | None) -> None:
    assert pattern_of(pattern).read(name) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        *("{animl}_{matrix}", "{matrix}", "{animal}_{animal}", "{animal}_{hours}_{time}", "{}_{animal}", "", "{animal}_*_*_*"),
        *("{animal}{hours}h", "{animal}*", "{animal}x{matrix}", "{hours}*_{animal}"),
    ],
)
def test_a_pattern_without_an_animal_or_with_a_part_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"part|animal|time|more than"):
        pattern_of(pattern)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["PK01_M07_plasma_4h", "PK01_M08_csf_0.25h"], "{study}_{animal}_{matrix}_{hours}h"),
        (["M07 plasma T4", "M08 CSF T24"], "{animal} {matrix} {time}"),
        (["M07_plasma_30min", "M07_brain_4h", "something else"], "{animal}_{matrix}_{time}"),
        (["M07_plasma_4h_1", "M07_plasma_4h_2"], "{animal}_{matrix}_{hours}h_{replicate}"),
        (["M07-20240131-plasma", "M08-20240131-plasma"], "{animal}-{date}-{matrix}"),
        (["M07_hippocampus_4h", "M08_amygdala_4h"], "{animal}_{matrix}_{hours}h"),
        (["AB_M07_x_csf", "AB_M08_x_csf"], "{study}_{animal}_x_{matrix}"),
        (["PK01-M-07-plasma-4h"], None),
        (["A_1_plasma_1", "B_2_plasma_1"], None),
        (["SAMPL5_001", "SAMPL5_002"], None),
        (["M07"], None),
        ([], None),
    ],
)
def test_the_names_suggest_a_pattern_or_none(names: list[str], pattern: str | None) -> None:
    proposal = propose(names)

    assert proposal.pattern == pattern
    assert proposal.evidence
    assert pattern is None or pattern_of(pattern).read(pattern_of(pattern).example)


@pytest.mark.parametrize(
    ("name", "control"),
    [
        *((name, True) for name in ("BLK", "TQC2_1", "001_EBLK01", "SST1", "Cal 3", "STD-5", "QC high", "Double Blank", "NIST01")),
        *((name, False) for name in ("PK01_M07_plasma_4h", "030_028", "M-01_csf", "CALM7_plasma", "")),
    ],
)
def test_what_is_named_like_a_control_is_known(name: str, control: bool) -> None:
    assert named_control(name) is control
