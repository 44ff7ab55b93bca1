"""Whether an implant stands where its tissue came from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.colony_terms import Orthotopic
from lims.domain.orthotopic import Organ, organ_of, orthotopic_to_collection, orthotopic_to_primary
from lims.domain.vocabulary import ImplantSite

YES, NO, UNKNOWN = Orthotopic.YES, Orthotopic.NO, Orthotopic.UNKNOWN


@pytest.mark.parametrize(
    ("uberon", "text", "organ"),
    [
        ("UBERON:0000955", None, Organ.BRAIN),
        ("UBERON:0016525", "frontal lobe", Organ.BRAIN),
        ("UBERON:0001872", None, Organ.BRAIN),
        ("uberon_0002037", None, Organ.BRAIN),
        ("UBERON:0000310", None, Organ.BREAST),
        ("UBERON:0001359", None, Organ.MENINGES),
        ("UBERON:0002107", "brain", Organ.LIVER),  # the code comes first
        ("UBERON:9999999", "cerebellum", Organ.BRAIN),  # a code not known here
        ("nonsense", "cerebellum", Organ.BRAIN),
        (None, "Left frontal", Organ.BRAIN),
        (None, "occipital cortex", Organ.BRAIN),
        (None, "BRAIN METASTASIS of breast cancer", Organ.BRAIN),
        (None, "cerebrospinal fluid", Organ.MENINGES),
        (None, "leptomeningeal", Organ.MENINGES),
        (None, "mammary fat pad", Organ.BREAST),
        (None, "left breast", Organ.BREAST),
        (None, "flank, subcutaneous", Organ.SUBCUTIS),
        (None, "cutaneous", Organ.SKIN),
        (None, "lung", Organ.LUNG),
        (None, "axillary lymph node", Organ.LYMPH_NODE),
        (None, "adrenal cortex", Organ.ADRENAL),
        (None, "brain and liver", None),
        (None, "temporal bone", None),
        (None, "elsewhere", None),
        (None, "", None),
        (None, None, None),
        ("", "breast cancer", None),
    ],
)
def test_organs(uberon: str | None, text: str | None, organ: Organ | None) -> None:
    assert organ_of(uberon, text) is organ


@pytest.mark.parametrize(
    ("site", "text", "answer"),
    [
        (ImplantSite.INTRACRANIAL, "cerebellum", YES),
        (ImplantSite.INTRACRANIAL, "breast", NO),
        (ImplantSite.INTRACRANIAL, "csf", NO),  # the meninges are another place than the brain
        (ImplantSite.INTRACRANIAL, None, UNKNOWN),
        (ImplantSite.INTRATHECAL, "leptomeninges", YES),
        (ImplantSite.MAMMARY_FAT_PAD, "breast", YES),
        (ImplantSite.MAMMARY_FAT_PAD, "frontal lobe", NO),
        (ImplantSite.SUBCUTANEOUS, "breast", NO),
        (ImplantSite.SUBCUTANEOUS, "flank", YES),
        (ImplantSite.INTRACAROTID, "brain", UNKNOWN),
        (ImplantSite.INTRACARDIAC, "brain", UNKNOWN),
        (ImplantSite.TAIL_VEIN, "lung", UNKNOWN),
        (ImplantSite.NOT_RECORDED, "brain", UNKNOWN),
    ],
)
def test_to_where_it_was_collected(site: ImplantSite, text: str | None, answer: Orthotopic) -> None:
    assert orthotopic_to_collection(site, None, text) is answer


@pytest.mark.parametrize(
    ("site", "answer"),
    [
        (ImplantSite.MAMMARY_FAT_PAD, YES),
        (ImplantSite.INTRACRANIAL, NO),
        (ImplantSite.SUBCUTANEOUS, NO),
        (ImplantSite.TAIL_VEIN, UNKNOWN),
        (ImplantSite.NOT_RECORDED, UNKNOWN),
    ],
)
def test_to_the_primary(site: ImplantSite, answer: Orthotopic) -> None:
    assert orthotopic_to_primary(site) is answer


def test_to_another_primary() -> None:
    assert orthotopic_to_primary(ImplantSite.MAMMARY_FAT_PAD, "UBERON:0002048", None) is NO
    assert orthotopic_to_primary(ImplantSite.MAMMARY_FAT_PAD, None, None) is UNKNOWN


@given(st.sampled_from(ImplantSite), st.none() | st.text(max_size=30), st.none() | st.text(max_size=60))
def test_any_text_has_an_answer(site: ImplantSite, uberon: str | None, text: str | None) -> None:
    assert orthotopic_to_collection(site, uberon, text) in Orthotopic
