"""Tests that exactly one importer claims a file, and that a refusal says what was seen."""

from __future__ import annotations

import pytest

from importers.base import Claim, Refused
from importers.identify import identify
from importers.registry import IMPORTERS, by_key
from tests.importers.tables_support import text_book

FLUX = "Image Number,ROI,Total Flux [p/s],ROI Label\nA20240102030405_001,ROI 1,1.5E+06,M1\n"
LONG = "Mouse,Date,Volume (mm3)\nM1,2024-01-01,120\n"
WIDE = "Mouse,LxW_2024-01-01,LxW_2024-01-05\nM1,4.5,9.5\n"
GROUPS = "Time,Control,Control,Treatment,Treatment\n0,90,91,92,93\n7,95,96,97,98\n"
LOG = (
    "AnimalId,Date,Treatment day,Body weight,Tumor (Location),Tumor (L),Tumor (W),Tumor size,Compound,Date deceased\n"
    "7,2024-01-01,0,21.5,MG R4,4.0,3.0,18,,\n"
)
WEIGHTS = "id,mass_date,mass\n1,2024-01-01,21.5\n"
CLICK = "*** ClickNumber:\tKQ20240102030405\n*** luminescent image:\ta.TIF\nAcquisition Date:\tTuesday, January 2, 2024\n"
SEGMENTS = "Segment\tNumber of voxels [voxels] (1)\tVolume [mm3] (1)\ntumor\t4211\t8.422\n"
QUPATH = "Image\tObject ID\tObject type\tClassification\tParent\na.svs\tb7\tCell\tPositive\tTumour\n"
HALO = "Image Location,Analysis Region,Object Id,DAB Positive\na.svs,Layer 1,0,1\n"
HALO_SUMMARY = "Image Location,Analysis Region,Total Cells,DAB Positive Cells\na.svs,Layer 1,20,5\n"
SUBJECT = "##TITLE=Parameter List\n##$SUBJECT_id=( 60 )\n<M07>\n"
ANALYST = "\tSample Name\tSample Type\tUse Record\tCalculated Concentration (ng/mL)\n1\tM1_plasma_4h\tUnknown\t\t2.5\n"
TARGETLYNX = "Quantify Compound Summary Report\n\nCompound 1:  T1\n\n\tName\tType\tConc.\n1\tM1_plasma_4h\tAnalyte\t2.5\n"
MASSHUNTER = "Sample,,,T1 Results,\n,Name,Type,RT,Final Conc.\n,M1_plasma_4h,Sample,3.2,2.5\n"
XCALIBUR = "Component Name,,,\nT1,,,\n,,,\nFilename,Sample Type,Sample Name,Calc Amt,Area\nM1_plasma_4h,Unknown Sample,,2.5,10\n"
SKYLINE = "Molecule Name,Replicate Name,Sample Type,Calculated Concentration,Area\nT1,M1_plasma_4h,unknown,2.5,100\n"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (FLUX, "living_image"),
        (CLICK, "click_info"),
        (QUPATH, "qupath"),
        (HALO, "halo"),
        (HALO_SUMMARY, "halo_summary"),
        (SEGMENTS, "segment_volumes"),
        (SUBJECT, "paravision_subject"),
        (LONG, "caliper_long"),
        (WIDE, "caliper_wide"),
        (GROUPS, "group_headed"),
        (LOG, "colony_log"),
        (WEIGHTS, "body_weight"),
        (ANALYST, "analyst"),
        (TARGETLYNX, "targetlynx"),
        (MASSHUNTER, "masshunter"),
        (XCALIBUR, "xcalibur"),
        (SKYLINE, "skyline"),
    ],
)
def test_exactly_one_importer_claims_a_file_with_evidence(text: str, key: str) -> None:
    claim = identify(text_book(text, "file.csv"))

    assert claim.importer == key
    assert all('"' in sentence or " " in sentence for sentence in claim.evidence)


def test_an_unknown_file_is_refused_with_its_headers_and_what_to_do() -> None:
    with pytest.raises(Refused, match='"Colour" and "Taste"') as refusal:
        identify(text_book("Colour,Taste\nred,sweet\n", "fruit.csv"))

    assert refusal.value.finding.code == "format-unknown"
    assert "--as KEY" in (refusal.value.finding.option or "")


def test_two_claims_are_refused_with_both_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class AlsoLong:
        key, title, reads = "body_weight", "Second", "the same"

        def claim(self, book: object) -> Claim:
            return Claim(self.key, ("it likes it",))

    monkeypatch.setattr("importers.identify.IMPORTERS", (by_key("caliper_long"), AlsoLong()))

    with pytest.raises(Refused, match="Caliper table, long") as refusal:
        identify(text_book(LONG))

    assert refusal.value.finding.code == "format-ambiguous"
    assert "--as caliper_long or --as body_weight" in (refusal.value.finding.option or "")


def test_a_chosen_importer_that_finds_no_table_says_what_it_reads() -> None:
    with pytest.raises(Refused, match="not a Living Image") as refusal:
        identify(text_book(LONG), "living_image")

    assert refusal.value.finding.expected == by_key("living_image").reads


def test_an_importer_that_does_not_exist_is_refused_with_the_keys() -> None:
    with pytest.raises(Refused, match="caliper_longg") as refusal:
        identify(text_book(LONG), "caliper_longg")

    assert all(importer.key in (refusal.value.finding.expected or "") for importer in IMPORTERS)


def test_keys_are_unique() -> None:
    assert len({importer.key for importer in IMPORTERS}) == len(IMPORTERS)
