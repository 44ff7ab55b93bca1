"""Controlled terms of cohorts: allocation, treatment, dosing, procedures, exposure, humane endpoints, fates."""

from __future__ import annotations

from enum import StrEnum


class AllocationMethod(StrEnum):
    """How animals are put in arms (ARRIVE 2.0 item 4; minimisation: Pocock and Simon, Biometrics 31:103, 1975)."""

    STRATIFIED_BLOCKS = "stratified_blocks"
    MINIMISATION = "minimisation"


class Stratum(StrEnum):
    """What arms are balanced by beside the baseline."""

    SEX = "sex"
    CAGE = "cage"


class Known(StrEnum):
    """Whether something holds, where nobody may have looked."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class DoseRoute(StrEnum):
    """How a dose gets into the animal (ARRIVE 2.0 item 9)."""

    ORAL_GAVAGE = "oral_gavage"
    INTRAVENOUS = "intravenous"
    INTRAPERITONEAL = "intraperitoneal"
    SUBCUTANEOUS = "subcutaneous"
    INTRAMUSCULAR = "intramuscular"
    INTRATHECAL = "intrathecal"
    INTRACEREBROVENTRICULAR = "intracerebroventricular"
    IN_DIET = "in_diet"
    IN_WATER = "in_water"
    IRRADIATION = "irradiation"


class DoseUnit(StrEnum):
    """Unit of a planned dose: of the animal's weight, of the animal, or absorbed at each fraction."""

    MG_PER_KG = "mg/kg"
    MG = "mg"
    GRAY = "Gy"


class RegimenStart(StrEnum):
    """What a regimen begins with."""

    STUDY_DAY = "study_day"
    TRIGGER = "trigger"


class DoseState(StrEnum):
    """What became of a dose that was due. One that nobody recorded is due, or overdue."""

    GIVEN = "given"
    HELD = "held"
    MISSED = "missed"


class ProcedureKind(StrEnum):
    """What was done to an animal beside implanting and dosing (ARRIVE 2.0 item 9)."""

    BIOLUMINESCENCE = "bioluminescence"
    MRI = "mri"
    CT = "ct"
    PET = "pet"
    IRRADIATION = "irradiation"
    BLOOD_DRAW = "blood_draw"
    CSF_TAP = "csf_tap"
    SURGERY = "surgery"


class ExposureMatrix(StrEnum):
    """Where a concentration was measured; the core of a lesion has lost the barrier that its rim and micrometastases keep."""

    PLASMA = "plasma"
    LESION_CORE = "lesion_core"
    LESION_RIM = "lesion_rim"
    MICROMETASTASIS = "micrometastasis"
    ADJACENT_BRAIN = "adjacent_brain"
    CONTRALATERAL_BRAIN = "contralateral_brain"
    EXTRACRANIAL_TUMOUR = "extracranial_tumour"
    CSF = "csf"


class ConcentrationUnit(StrEnum):
    """Unit of a concentration: by volume, by weight of tissue, or molar."""

    NG_PER_ML = "ng/mL"
    NG_PER_G = "ng/g"
    NANOMOLAR = "nM"


class EndpointMeasure(StrEnum):
    """What a humane endpoint looks at (Directive 2010/63/EU, annex VIII; UKCCCR, Br J Cancer 102:1555, 2010)."""

    WEIGHT_LOSS = "weight_loss"
    NEUROLOGICAL_SCORE = "neurological_score"
    BODY_CONDITION = "body_condition"
    TUMOUR_VOLUME = "tumour_volume"
    TUMOUR_BURDEN = "tumour_burden"


class WeightBaseline(StrEnum):
    """Which weight a loss is counted from."""

    DAY_ZERO = "day_zero"
    IMPLANT_DAY = "implant_day"
    PEAK = "peak"


class EndpointLevel(StrEnum):
    """Watch the animal more closely, or act now."""

    WATCH = "watch"
    ACT = "act"


class ActionState(StrEnum):
    """Where an action stands; a deferred one opens again with the next value that reaches the endpoint after its day."""

    OPEN = "open"
    DEFERRED = "deferred"
    CLOSED = "closed"


class FateReason(StrEnum):
    """Why an animal's life, or its part in the study, ended."""

    NEUROLOGICAL_ENDPOINT = "neurological_endpoint"
    WEIGHT_ENDPOINT = "weight_endpoint"
    TUMOUR_BURDEN = "tumour_burden"
    CONDITION_ENDPOINT = "condition_endpoint"
    FOUND_DEAD = "found_dead"
    SCHEDULED = "scheduled"
    TISSUE_HARVEST = "tissue_harvest"
    UNRELATED = "unrelated"
    TECHNICAL = "technical"
    NOT_RECORDED = "not_recorded"


USUAL_EVENTS = (
    FateReason.NEUROLOGICAL_ENDPOINT,
    FateReason.WEIGHT_ENDPOINT,
    FateReason.TUMOUR_BURDEN,
    FateReason.CONDITION_ENDPOINT,
    FateReason.FOUND_DEAD,
)
"""What a study counts as an event unless it says otherwise; every other fate censors."""
