"""Controlled terms, each with its source, and the kinds of measurement with unit and limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sex(StrEnum):
    """Sex of a patient or an animal (PDX-MI, ARRIVE 2.0 item 8)."""

    FEMALE = "female"
    MALE = "male"
    NOT_RECORDED = "not_recorded"


class RecordStatus(StrEnum):
    """Nothing is deleted: a record that should not count is withdrawn, and stays readable."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class RoleName(StrEnum):
    """What a person may do in a project. An auditor reads everything of the project and writes nothing."""

    ADMINISTRATOR = "administrator"
    STUDY_DIRECTOR = "study_director"
    SCIENTIST = "scientist"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"


class SpecimenKind(StrEnum):
    """What was collected (PDX-MI clinical module, MIABIS sample type)."""

    TUMOUR = "tumour"
    BLOOD = "blood"
    PLASMA = "plasma"
    CSF = "csf"
    BRAIN_REGION = "brain_region"
    ORGAN = "organ"


class TumourOrigin(StrEnum):
    """Whether the collected tumour was primary, a metastasis or a recurrence (PDX-MI)."""

    PRIMARY = "primary"
    METASTATIC = "metastatic"
    RECURRENT = "recurrent"
    NOT_RECORDED = "not_recorded"


class CollectionProcedure(StrEnum):
    """How a specimen was collected."""

    CRANIOTOMY = "craniotomy"
    BIOPSY = "biopsy"
    CSF_TAP = "csf_tap"
    RESECTION = "resection"
    AUTOPSY = "autopsy"
    NECROPSY = "necropsy"
    NOT_RECORDED = "not_recorded"


class ModelStatus(StrEnum):
    """Where a PDX model stands."""

    ATTEMPTED = "attempted"
    ESTABLISHED = "established"
    FAILED = "failed"
    RETIRED = "retired"


class PassageConvention(StrEnum):
    """Whether the patient's tissue in its first mouse is called P0 or P1 by this lab."""

    FIRST_IS_P0 = "p0"
    FIRST_IS_P1 = "p1"


class AnimalStatus(StrEnum):
    """Whether an animal is alive, dead, or unknown because an old file did not say."""

    ALIVE = "alive"
    DEAD = "dead"
    NOT_RECORDED = "not_recorded"


class ImplantSite(StrEnum):
    """Where tissue was implanted, or a tumour was measured (PDX-MI implantation site)."""

    INTRACRANIAL = "intracranial"
    INTRACAROTID = "intracarotid"
    INTRACARDIAC = "intracardiac"
    INTRATHECAL = "intrathecal"
    MAMMARY_FAT_PAD = "mammary_fat_pad"
    SUBCUTANEOUS = "subcutaneous"
    TAIL_VEIN = "tail_vein"
    NOT_RECORDED = "not_recorded"


class StudyStatus(StrEnum):
    """draft → active → closed → locked (by signature)."""

    DRAFT = "draft"
    ACTIVE = "active"
    CLOSED = "closed"
    LOCKED = "locked"


class StudyKind(StrEnum):
    """What a study asks."""

    EFFICACY = "efficacy"
    PHARMACOKINETICS = "pharmacokinetics"
    RESISTANCE = "resistance"
    ENGRAFTMENT = "engraftment"
    SURVIVAL = "survival"


class DayZero(StrEnum):
    """Which event the days of a study count from."""

    IMPLANTATION = "implantation"
    RANDOMISATION = "randomisation"
    FIRST_DOSE = "first_dose"


class ArmRole(StrEnum):
    """What an arm is for (ARRIVE 2.0 item 1a)."""

    VEHICLE = "vehicle"
    UNTREATED = "untreated"
    TREATMENT = "treatment"
    SHAM = "sham"
    SATELLITE = "satellite"
    NOT_RECORDED = "not_recorded"


class Quality(StrEnum):
    """Whether a reading counts. Excluded readings stay, with the reason."""

    OK = "ok"
    SUSPECT = "suspect"
    EXCLUDED = "excluded"


class VolumeFormula(StrEnum):
    """How a caliper volume is made of its diameters; L is the longer one."""

    HALF_L_W2 = "half_l_w2"
    ELLIPSOID_LWH = "ellipsoid_lwh"
    ELLIPSOID_LW2 = "ellipsoid_lw2"
    STATED = "stated"


class BatchState(StrEnum):
    """Where an import stands."""

    STORED = "stored"
    CHECKED = "checked"
    REFUSED = "refused"
    COMMITTED = "committed"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class JobKind(StrEnum):
    """What is done with a stored file, by a worker or by whoever asks."""

    CHECK = "check"
    COMMIT = "commit"


class JobState(StrEnum):
    """Where a job stands. A running one whose lock nobody holds was interrupted, and is taken up again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class TokenScope(StrEnum):
    """What a token lets a program do, within what its owner may."""

    READ = "read"
    IMPORT = "import"


class RowFate(StrEnum):
    """What became of one row of a file. The counts add up to the rows read."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    CONFLICTING = "conflicting"
    REFUSED = "refused"
    SKIPPED = "skipped"


class Subject(StrEnum):
    """What a measurement is of: the whole animal, or one tumour (implant) in it."""

    ANIMAL = "animal"
    IMPLANT = "implant"


@dataclass(frozen=True, slots=True)
class MeasurementKind:
    """A kind of measurement: canonical unit, limits outside which a value is refused, and doubted.

    hard: refused outside, inclusive. soft: a warning outside. decimals: as shown; None means three significant digits.
    jump: ratio to the animal's value before, above which (or below 1/jump) a warning asks to look again.
    """

    code: str
    title: str
    unit: str
    subject: Subject
    hard_min: float
    hard_max: float
    soft_min: float
    soft_max: float
    decimals: int | None
    jump: float
    log_axis: bool = False


MEASUREMENT_KINDS: tuple[MeasurementKind, ...] = (
    MeasurementKind("caliper_volume", "Tumour volume by caliper", "mm³", Subject.IMPLANT, 0, 20_000, 0, 5_000, 1, 8.0),
    MeasurementKind("caliper_area", "Tumour area by caliper (L × W)", "mm²", Subject.IMPLANT, 0, 2_500, 0, 900, 1, 8.0),
    MeasurementKind(
        "bli_total_flux", "Bioluminescence, total flux", "p/s", Subject.ANIMAL, -1e9, 1e14, 0, 1e12, None, 1e3, log_axis=True
    ),
    MeasurementKind(
        "bli_radiance",
        "Bioluminescence, average radiance",
        "p/s/cm²/sr",
        Subject.ANIMAL,
        -1e9,
        1e12,
        0,
        1e10,
        None,
        1e3,
        log_axis=True,
    ),
    MeasurementKind(
        "bli_rlu", "Bioluminescence, relative light units", "RLU", Subject.ANIMAL, -1e9, 1e14, 0, 1e12, None, 1e4, log_axis=True
    ),
    MeasurementKind("mri_volume", "Tumour volume by MRI or µCT", "mm³", Subject.IMPLANT, 0, 20_000, 0, 1_000, 2, 8.0),
    MeasurementKind("body_weight", "Body weight", "g", Subject.ANIMAL, 5, 80, 12, 50, 1, 1.2),
    MeasurementKind("neurological_score", "Neurological score", "score", Subject.ANIMAL, 0, 10, 0, 5, 0, 99.0),
    MeasurementKind("body_condition", "Body-condition score", "score", Subject.ANIMAL, 1, 5, 2, 4, 0, 99.0),
    MeasurementKind("contrast_enhancement", "Contrast enhancement ratio", "ratio", Subject.IMPLANT, 0.1, 20, 0.8, 5, 2, 5.0),
    MeasurementKind("tracer_leakage", "Tracer leakage against normal brain", "fold", Subject.IMPLANT, 0, 1_000, 0.5, 50, 1, 10.0),
)
"""Barrier integrity is told per lesion. Contrast enhancement: T1-weighted signal of the lesion after gadolinium over that of
contralateral brain, 1 where the barrier holds. Tracer leakage: uptake of a tracer that an intact barrier keeps out, such as
¹⁴C-AIB or Texas Red dextran, over that of normal brain (Lockman et al., Clinical Cancer Research 16:5664, 2010)."""

KIND_BY_CODE = {kind.code: kind for kind in MEASUREMENT_KINDS}
