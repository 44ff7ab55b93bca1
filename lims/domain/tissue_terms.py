"""Controlled terms of the tissue side: patients, consents, therapy, specimens, assays, aliquots, models."""

from __future__ import annotations

from enum import StrEnum


class AgentClass(StrEnum):
    """What kind of treatment an agent is."""

    MONOCLONAL_ANTIBODY = "monoclonal_antibody"
    ANTIBODY_DRUG_CONJUGATE = "antibody_drug_conjugate"
    TYROSINE_KINASE_INHIBITOR = "tyrosine_kinase_inhibitor"
    CDK4_6_INHIBITOR = "cdk4_6_inhibitor"
    PI3K_AKT_MTOR_INHIBITOR = "pi3k_akt_mtor_inhibitor"
    ENDOCRINE = "endocrine"
    CHEMOTHERAPY = "chemotherapy"
    WHOLE_BRAIN_RADIOTHERAPY = "whole_brain_radiotherapy"
    STEREOTACTIC_RADIOSURGERY = "stereotactic_radiosurgery"
    RADIOTHERAPY_OTHER = "radiotherapy_other"
    SURGERY = "surgery"
    VEHICLE = "vehicle"
    OTHER = "other"


class BestResponse(StrEnum):
    """Best response to a line of therapy (RECIST 1.1; RANO-BM for brain lesions)."""

    COMPLETE_RESPONSE = "complete_response"
    PARTIAL_RESPONSE = "partial_response"
    STABLE_DISEASE = "stable_disease"
    PROGRESSIVE_DISEASE = "progressive_disease"
    NOT_EVALUABLE = "not_evaluable"
    NOT_RECORDED = "not_recorded"


class StopReason(StrEnum):
    """Why a line of therapy ended."""

    PROGRESSION_CNS = "progression_cns"
    PROGRESSION_EXTRACRANIAL = "progression_extracranial"
    TOXICITY = "toxicity"
    COMPLETED = "completed"
    PATIENT_CHOICE = "patient_choice"
    DEATH = "death"
    ONGOING = "ongoing"
    NOT_RECORDED = "not_recorded"


class CnsStatus(StrEnum):
    """Disease of the central nervous system when a specimen was collected."""

    UNTREATED_ASYMPTOMATIC = "untreated_asymptomatic"
    STABLE_AFTER_LOCAL_THERAPY = "stable_after_local_therapy"
    PROGRESSING_AFTER_LOCAL_THERAPY = "progressing_after_local_therapy"
    LEPTOMENINGEAL = "leptomeningeal"
    NONE_KNOWN = "none_known"
    NOT_RECORDED = "not_recorded"


class Her2Ihc(StrEnum):
    """HER2 immunohistochemistry score (ASCO/CAP 2018, affirmed 2023)."""

    ZERO = "0"
    ONE_PLUS = "1+"
    TWO_PLUS = "2+"
    THREE_PLUS = "3+"


class IshProbe(StrEnum):
    """Whether an in-situ hybridisation counted HER2 alone or HER2 with CEP17."""

    SINGLE = "single"
    DUAL = "dual"


class Her2Result(StrEnum):
    """HER2 status derived from assays by ASCO/CAP 2018, affirmed 2023; never typed."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    EQUIVOCAL = "equivocal"
    NOT_ASSESSED = "not_assessed"


class Her2Label(StrEnum):
    """Research label beside a negative result: HER2-low is 1+, or 2+ with ISH negative; HER2-0 is 0."""

    HER2_LOW = "her2_low"
    HER2_ZERO = "her2_0"


class AlterationKind(StrEnum):
    """What kind of finding an alteration is."""

    MUTATION = "mutation"
    COPY_NUMBER = "copy_number"
    FUSION = "fusion"
    EXPRESSION = "expression"
    PROTEIN = "protein"


class Compartment(StrEnum):
    """Whose cells an alteration was found in: a xenograft has a human tumour in a mouse host."""

    HUMAN_TUMOUR = "human_tumour"
    MOUSE_HOST = "mouse_host"


class AliquotMaterial(StrEnum):
    """What an aliquot is, as stored (MIABIS material type, SPREC 3.0)."""

    FRESH_FRAGMENT = "fresh_fragment"
    VIABLY_FROZEN = "viably_frozen"
    SNAP_FROZEN = "snap_frozen"
    FFPE = "ffpe"
    OCT = "oct"
    CELL_SUSPENSION = "cell_suspension"
    ORGANOID = "organoid"
    PLASMA = "plasma"
    CSF = "csf"
    LYSATE = "lysate"


class AmountUnit(StrEnum):
    """Unit of an aliquot's amount."""

    FRAGMENTS = "fragments"
    CELLS = "cells"
    MILLIGRAM = "mg"
    MICROLITRE = "µL"
    BLOCKS = "blocks"
    SECTIONS = "sections"


class AliquotState(StrEnum):
    """Where an aliquot stands in its life."""

    AVAILABLE = "available"
    USED_UP = "used_up"
    SHIPPED = "shipped"
    DISCARDED = "discarded"


class AliquotEventKind(StrEnum):
    """What happened to an aliquot."""

    RECEIVED = "received"
    STORED = "stored"
    MOVED = "moved"
    TAKEN_OUT = "taken_out"
    THAWED = "thawed"
    SPLIT = "split"
    USED = "used"
    SHIPPED = "shipped"
    RETURNED = "returned"
    DISCARDED = "discarded"


class PlaceKind(StrEnum):
    """Level of the storage tree; a place stands in one of a level above its own."""

    SITE = "site"
    ROOM = "room"
    FREEZER = "freezer"
    SHELF = "shelf"
    RACK = "rack"
    BOX = "box"


class ModelKind(StrEnum):
    """What a patient-derived model is: a line in mice, or a culture kept beside it."""

    XENOGRAFT = "xenograft"
    ORGANOID = "organoid"
    CELL_CULTURE = "cell_culture"


class CheckKind(StrEnum):
    """What a model was checked for (PDX-MI quality assurance module)."""

    STR_PROFILE = "str_profile"
    MYCOPLASMA = "mycoplasma"
    SPECIES_FRACTION = "species_fraction"
    LYMPHOMA_EXCLUSION = "lymphoma_exclusion"
    HISTOLOGY_CONCORDANCE = "histology_concordance"
    HER2_RETAINED = "her2_retained"


class CheckResult(StrEnum):
    """What a check of a model came to."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
