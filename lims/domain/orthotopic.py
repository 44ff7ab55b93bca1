"""Whether an implant stands in the organ its tissue was collected from, and in the one where the tumour arose.

Source: PDX-MI (Meehan et al., Cancer Research 77:e62, 2017), implantation site; codes of the Uberon anatomy ontology. An organ
is taken from the code, or else from the words; where both say nothing, or words name two organs, the answer is unknown.
Cells given into the blood settle where they settle: for them it is unknown too.
"""

from __future__ import annotations

import re
from enum import StrEnum

from lims.domain.colony_terms import Orthotopic
from lims.domain.vocabulary import ImplantSite


class Organ(StrEnum):
    """Organs that matter for where a tumour stands. The meninges with their fluid are apart from the brain itself."""

    BRAIN = "brain"
    MENINGES = "meninges"
    SPINAL_CORD = "spinal_cord"
    BREAST = "breast"
    SUBCUTIS = "subcutis"
    SKIN = "skin"
    LIVER = "liver"
    LUNG = "lung"
    PLEURA = "pleura"
    BONE = "bone"
    LYMPH_NODE = "lymph_node"
    OVARY = "ovary"
    ADRENAL = "adrenal"
    BLOOD = "blood"


_SITE_ORGAN = {
    ImplantSite.INTRACRANIAL: Organ.BRAIN,
    ImplantSite.INTRATHECAL: Organ.MENINGES,
    ImplantSite.MAMMARY_FAT_PAD: Organ.BREAST,
    ImplantSite.SUBCUTANEOUS: Organ.SUBCUTIS,
}
"""Sites that put a tumour into one organ; the others go by blood."""

_UBERON: dict[Organ, str] = {
    # Brain, cerebrum and hemisphere, cortex, the four lobes and their cortices, insula, white matter, corpus callosum,
    # basal ganglion, striatum, caudate nucleus, putamen, caudate–putamen, thalamus, hypothalamus, hippocampal formation,
    # Ammon's horn, fore-, mid- and hindbrain, brainstem, pons, medulla oblongata, cerebellum with cortex, hemisphere, vermis.
    Organ.BRAIN: """
        0000955 0001893 0001869 0000956 0016525 0001870 0001872 0016530 0001871 0016538 0002021 0016540 0002022 0002316 0002336
        0002420 0002435 0001873 0001874 0005383 0001897 0001898 0002421 0001954 0001890 0001894 0001891 0002028 0002298 0000988
        0001896 0002037 0002129 0002245 0004720
    """,
    # Meninx, meningeal cluster, dura, arachnoid, pia, leptomeninx, cerebrospinal fluid, subarachnoid space.
    Organ.MENINGES: "0002360 0010743 0002363 0002362 0002361 0000391 0001359 0000315",
    Organ.SPINAL_CORD: "0002240",
    Organ.BREAST: "0000310 0001911 0005200 0001765 0002030",  # breast, mammary gland, thoracic gland, duct, nipple
    Organ.SUBCUTIS: "0002072 0002190",  # hypodermis, subcutaneous fat
    Organ.SKIN: "0002097 0000014 0001003",  # skin of body, zone of skin, epidermis
    Organ.LIVER: "0002107",
    Organ.LUNG: "0002048 0002167 0002168",  # lung, right, left
    Organ.PLEURA: "0000977 0000175",  # pleura, effusion
    Organ.BONE: "0001474 0002481 0002371 0002412",  # bone, bone tissue, marrow, vertebra
    Organ.LYMPH_NODE: "0000029 0001097",  # lymph node, axillary
    Organ.OVARY: "0000992",
    Organ.ADRENAL: "0002369",
    Organ.BLOOD: "0000178 0001969",  # blood, plasma
}
_BY_CODE = {code: organ for organ, codes in _UBERON.items() for code in codes.split()}

_BRAIN_WORDS = (
    r"\bbrain|\bcerebr(?:um|al)\b|\bcerebell|\b(?:frontal|parietal|temporal|occipital)\b|\bthalam|\bhypothalam|\bstriat"
    r"|\bcaudate\b|\bputamen\b|\bbasal gangli|\bhippocamp|\bpons\b|\bmedulla oblongata\b|\bcorpus callosum\b|\bintracranial"
    r"|\b(?:motor|visual|somatosensory|insular|cingulate|prefrontal) cortex\b"
)
_MENINGES_WORDS = r"mening|\bmeninx\b|\bdura\b|\bdural\b|\barachnoid|\bpia\b|\bcsf\b|\bcerebrospinal|\bcistern|\bintrathecal"
_WORDS: dict[Organ, re.Pattern[str]] = {
    organ: re.compile(pattern)
    for organ, pattern in {
        Organ.BRAIN: _BRAIN_WORDS,
        Organ.MENINGES: _MENINGES_WORDS,
        Organ.SPINAL_CORD: r"\bspinal cord\b",
        Organ.BREAST: r"\bbreast|\bmamma",
        Organ.SUBCUTIS: r"\bsubcut|\bflank\b|\bhypodermis\b",
        Organ.SKIN: r"\bskin\b|\bcutaneous\b|\bchest wall\b",
        Organ.LIVER: r"\bliver\b|\bhepatic\b",
        Organ.LUNG: r"\blungs?\b|\bpulmonary\b",
        Organ.PLEURA: r"\bpleura",
        Organ.BONE: r"\bbones?\b|\bmarrow\b|\bvertebra|\bfemur\b|\bpelvis\b|\bskull\b|\bcalvari",
        Organ.LYMPH_NODE: r"\blymph node|\baxilla",
        Organ.OVARY: r"\bovar",
        Organ.ADRENAL: r"\badrenal",
        Organ.BLOOD: r"\bblood\b|\bplasma\b",
    }.items()
}

_CODE = re.compile(r"UBERON[:_ ]?([0-9]{7})", re.IGNORECASE)
_DISEASE = re.compile(r"\b(?:breast|mammary)[ -](?:cancer|carcinoma|tumou?r|primary)\b")
"""Says which disease it is, not where it was taken: brain metastasis of breast cancer."""


def organ_of(uberon: str | None, text: str | None) -> Organ | None:
    """Give the organ that an UBERON code, or else a text, names; `None` where that cannot be told."""
    code = _CODE.fullmatch(uberon.strip()) if uberon else None
    if code and code[1] in _BY_CODE:
        return _BY_CODE[code[1]]
    words = _DISEASE.sub(" ", (text or "").casefold())
    named = [organ for organ, pattern in _WORDS.items() if pattern.search(words)]
    return named[0] if len(named) == 1 else None


def orthotopic_to_collection(site: ImplantSite, collection_uberon: str | None, collection_site_text: str | None) -> Orthotopic:
    """Say whether an implant at this site stands in the organ that its tissue was collected from (PDX-MI)."""
    return _compare(site, organ_of(collection_uberon, collection_site_text))


def orthotopic_to_primary(
    site: ImplantSite, primary_uberon: str | None = None, primary_site_text: str | None = "breast"
) -> Orthotopic:
    """Say whether an implant at this site stands in the organ where the tumour arose: for the breast, the mammary fat pad (PDX-MI).

    Without another primary it is the breast, which is what this record is about.
    """
    return _compare(site, organ_of(primary_uberon, primary_site_text))


def _compare(site: ImplantSite, organ: Organ | None) -> Orthotopic:
    implanted = _SITE_ORGAN.get(site)
    if implanted is None or organ is None:
        return Orthotopic.UNKNOWN
    return Orthotopic.YES if implanted is organ else Orthotopic.NO
