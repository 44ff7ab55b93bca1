"""What people write for the terms of our vocabularies, and which term that is.

A table of words, not a guess: text that fits none of them is not understood, and a person says what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

from lims.domain.cohort_terms import DoseRoute, DoseUnit, ExposureMatrix, FateReason, Known, ProcedureKind
from lims.domain.colony_terms import Engraftment, Hemisphere, ImplantMaterial
from lims.domain.dose_words import route_of
from lims.domain.fate_words import understood
from lims.domain.tissue_terms import (
    AgentClass,
    AliquotMaterial,
    AlterationKind,
    AmountUnit,
    BestResponse,
    Compartment,
    Her2Ihc,
    IshProbe,
    ModelKind,
    StopReason,
)
from lims.domain.vocabulary import AnimalStatus, ArmRole, CollectionProcedure, ImplantSite, Sex, SpecimenKind, TumourOrigin

YES = frozenset({"yes", "y", "true", "t", "1", "x", "✓", "✔"})
NO = frozenset({"no", "n", "false", "f", "0"})
_NOT_RECORDED = frozenset({"unknown", "notrecorded", "notknown", "na", "nd", "notavailable", "notprovided", "notcollected"})
"""As letters and digits; only where the vocabulary has a term for it."""

_WORDS: Mapping[type[Enum], Mapping[Any, str]] = {
    Sex: {Sex.FEMALE: "f|w|woman|♀", Sex.MALE: "m|man|♂"},
    Her2Ihc: {Her2Ihc.ZERO: "0+|score 0", Her2Ihc.ONE_PLUS: "1|+|score 1+", Her2Ihc.TWO_PLUS: "2|++|equivocal|score 2+"}
    | {Her2Ihc.THREE_PLUS: "3|+++|positive|pos|score 3+"},
    IshProbe: {IshProbe.SINGLE: "single probe", IshProbe.DUAL: "dual probe|her2/cep17"},
    Hemisphere: {
        Hemisphere.LEFT: "l|lh|left hemisphere|left side",
        Hemisphere.RIGHT: "r|rh|right hemisphere|right side",
        Hemisphere.MIDLINE: "mid|midline structure",
    },
    AnimalStatus: {AnimalStatus.ALIVE: "living|live", AnimalStatus.DEAD: "died|deceased|sacrificed|euthanised|euthanized|culled"},
    TumourOrigin: {
        TumourOrigin.PRIMARY: "primary tumour|primary tumor",
        TumourOrigin.METASTATIC: "metastasis|met|mets|metastases",
        TumourOrigin.RECURRENT: "recurrence|relapse|local recurrence",
    },
    SpecimenKind: {
        SpecimenKind.TUMOUR: "tumor|tumour tissue|tumor tissue",
        SpecimenKind.CSF: "cerebrospinal fluid|liquor",
        SpecimenKind.BRAIN_REGION: "brain",
        SpecimenKind.BLOOD: "whole blood",
    },
    CollectionProcedure: {
        CollectionProcedure.CSF_TAP: "lumbar puncture|csf collection",
        CollectionProcedure.RESECTION: "surgical resection|excision",
        CollectionProcedure.BIOPSY: "core biopsy|needle biopsy|stereotactic biopsy",
    },
    ImplantSite: {
        ImplantSite.INTRACRANIAL: "ic|brain|intracerebral|intracranial injection",
        ImplantSite.MAMMARY_FAT_PAD: "mfp|fat pad|mammary|orthotopic mammary|mammary gland",
        ImplantSite.SUBCUTANEOUS: "sc|subcutis|flank|subcutaneous flank",
        ImplantSite.INTRACARDIAC: "left ventricle|intracardial",
        ImplantSite.INTRACAROTID: "carotid|carotid artery",
        ImplantSite.TAIL_VEIN: "iv|tail",
        ImplantSite.INTRATHECAL: "it",
    },
    ImplantMaterial: {
        ImplantMaterial.CELLS: "cell suspension|single cells",
        ImplantMaterial.FRAGMENT: "fragments|tissue fragment|tumour fragment|tumor fragment|piece",
    },
    Engraftment: {Engraftment.ENGRAFTED: "yes|taken|take|grew", Engraftment.FAILED: "no|no take|not engrafted|did not engraft"},
    AlterationKind: {
        AlterationKind.MUTATION: "snv|indel|variant|point mutation|missense",
        AlterationKind.COPY_NUMBER: "cna|cnv|copy number alteration|amplification|gain",
        AlterationKind.EXPRESSION: "rna|mrna|gene expression",
        AlterationKind.PROTEIN: "ihc|protein expression",
        AlterationKind.FUSION: "gene fusion|rearrangement",
    },
    Compartment: {
        Compartment.HUMAN_TUMOUR: "human|tumour|tumor|human tumor",
        Compartment.MOUSE_HOST: "mouse|host|murine|stroma",
    },
    AliquotMaterial: {
        AliquotMaterial.VIABLY_FROZEN: "viable|cryopreserved|viable frozen|frozen viable",
        AliquotMaterial.SNAP_FROZEN: "flash frozen|fresh frozen",
        AliquotMaterial.FRESH_FRAGMENT: "fresh|fresh tissue",
        AliquotMaterial.FFPE: "paraffin|formalin fixed paraffin embedded",
        AliquotMaterial.CELL_SUSPENSION: "cells|single cell suspension",
        AliquotMaterial.ORGANOID: "organoids",
    },
    AmountUnit: {
        AmountUnit.MICROLITRE: "ul|μl|microlitre|microliter",
        AmountUnit.MILLIGRAM: "milligram",
        AmountUnit.FRAGMENTS: "fragment|pieces|piece",
        AmountUnit.CELLS: "cell",
        AmountUnit.BLOCKS: "block",
        AmountUnit.SECTIONS: "section|slides",
    },
    BestResponse: {
        BestResponse.COMPLETE_RESPONSE: "cr",
        BestResponse.PARTIAL_RESPONSE: "pr",
        BestResponse.STABLE_DISEASE: "sd",
        BestResponse.PROGRESSIVE_DISEASE: "pd|progression",
        BestResponse.NOT_EVALUABLE: "ne",
    },
    StopReason: {
        StopReason.PROGRESSION_CNS: "cns progression|brain progression",
        StopReason.PROGRESSION_EXTRACRANIAL: "extracranial progression|systemic progression",
        StopReason.TOXICITY: "adverse event|side effects",
        StopReason.COMPLETED: "completion|end of treatment",
        StopReason.DEATH: "died",
        StopReason.ONGOING: "continues|continuing",
    },
    AgentClass: {
        AgentClass.MONOCLONAL_ANTIBODY: "mab|antibody",
        AgentClass.ANTIBODY_DRUG_CONJUGATE: "adc|antibody-drug conjugate",
        AgentClass.TYROSINE_KINASE_INHIBITOR: "tki",
        AgentClass.CDK4_6_INHIBITOR: "cdk4/6 inhibitor|cdk4/6i|cdk inhibitor",
        AgentClass.PI3K_AKT_MTOR_INHIBITOR: "pi3k inhibitor|akt inhibitor|mtor inhibitor|pi3k/akt/mtor inhibitor",
        AgentClass.ENDOCRINE: "endocrine therapy|hormone therapy|hormonal",
        AgentClass.CHEMOTHERAPY: "chemo|cytotoxic",
        AgentClass.WHOLE_BRAIN_RADIOTHERAPY: "wbrt",
        AgentClass.STEREOTACTIC_RADIOSURGERY: "srs|stereotactic radiotherapy",
        AgentClass.RADIOTHERAPY_OTHER: "radiotherapy|radiation|rt",
    },
    ModelKind: {ModelKind.XENOGRAFT: "pdx|patient-derived xenograft", ModelKind.ORGANOID: "pdo|organoids"}
    | {ModelKind.CELL_CULTURE: "cell line|culture|pdc"},
    DoseUnit: {DoseUnit.MG_PER_KG: "mpk|mg kg-1", DoseUnit.GRAY: "gray"},
    ExposureMatrix: {
        ExposureMatrix.CSF: "cerebrospinal fluid|liquor",
        ExposureMatrix.LESION_CORE: "core|tumour core|tumor core",
        ExposureMatrix.LESION_RIM: "rim|tumour rim|tumor rim|edge",
        ExposureMatrix.MICROMETASTASIS: "micromet|micrometastases",
        ExposureMatrix.ADJACENT_BRAIN: "brain adjacent to tumour|brain adjacent to tumor|bat|peritumoural brain|peritumoral brain",
        ExposureMatrix.CONTRALATERAL_BRAIN: "contralateral|normal brain|healthy brain",
        ExposureMatrix.EXTRACRANIAL_TUMOUR: "extracranial tumor|extracranial",
    },
    ProcedureKind: {
        ProcedureKind.BIOLUMINESCENCE: "bli|ivis|bioluminescence imaging",
        ProcedureKind.BLOOD_DRAW: "blood sampling|bleed|blood",
        ProcedureKind.CSF_TAP: "csf collection|cisternal puncture",
    },
    ArmRole: {ArmRole.VEHICLE: "control|vehicle control", ArmRole.TREATMENT: "treated"},
    Known: {Known.YES: "y|true|1", Known.NO: "n|false|0"},
}
_PARSERS = {DoseRoute: route_of, FateReason: understood}


def term_of(vocabulary: type[Enum], text: str) -> Enum | None:
    """Give the term that a text names: as it is stored, as pages write it, or by a usual word; nothing where it names none."""
    known = _spellings(vocabulary).get(_key(text))
    if known is None and vocabulary in _PARSERS:
        return _PARSERS[vocabulary](text)
    return known


def yes_or_no(text: str) -> bool | None:
    """Give what a text says to a question of yes or no; nothing where it says neither."""
    said = text.strip().casefold()
    return True if said in YES else False if said in NO else None


@cache
def _spellings(vocabulary: type[Enum]) -> Mapping[str, Enum]:
    own = _WORDS.get(vocabulary, {})
    found = {_key(word): term for term, words in own.items() for word in words.split("|")}
    blank = next((term for term in vocabulary if term.value in ("not_recorded", "unknown")), None)
    if blank is not None:
        found |= dict.fromkeys(_NOT_RECORDED, blank)
    return found | {_key(str(term.value)): term for term in vocabulary}


def _key(text: str) -> str:
    """What two spellings of a term have in common: its letters, digits and signs that tell, such as the + of 3+."""
    return "".join(letter for letter in text.strip().casefold().replace("µ", "μ") if letter.isalnum() or letter in "+♀♂/")
