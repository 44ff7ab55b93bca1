"""The demo's patients, as tables: nobody of them exists. Days count back from the day of seeding."""

from __future__ import annotations

from dataclasses import dataclass

from lims.domain.tissue_terms import AgentClass as Class
from lims.domain.tissue_terms import BestResponse as Best
from lims.domain.tissue_terms import CnsStatus as Cns
from lims.domain.tissue_terms import StopReason as Stop

FRONTAL, PARIETAL, CEREBELLUM, TEMPORAL, CSF = (
    ("frontal lobe", "UBERON:0016525"),
    ("parietal lobe", "UBERON:0001872"),
    ("cerebellum", "UBERON:0002037"),
    ("temporal lobe", "UBERON:0001871"),
    ("cerebrospinal fluid", "UBERON:0001359"),
)
BREAST = ("breast", "UBERON:0000310")


@dataclass(frozen=True, slots=True)
class Her2:
    """What a report said: IHC score, and HER2/CEP17 ratio and copies where a dual-probe ISH was done."""

    ihc: str
    ratio: float | None = None
    copies: float | None = None
    er: float = 0
    pr: float = 0
    ki67: float = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A line of therapy: agents with their class, first and last day ago, response and why it ended."""

    agents: tuple[tuple[str, Class], ...]
    started: int
    stopped: int | None
    best: Best
    stop: Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Donor:
    """A patient: primary and metastasis with their reports, disease of the brain, treatment, consent."""

    code: str
    born: int
    age: int
    cns: Cns
    site: tuple[str, str]
    collected: int
    """Days ago the metastasis was removed."""
    metastasis: Her2
    primary: Her2 | None = None
    primary_collected: int = 0
    tumour: float = 80
    necrosis: float = 8
    cold: int = 15
    steroids: bool | None = None
    lines: tuple[Line, ...] = ()
    consented: int | None = None
    """Days ago; the day of surgery where nothing is said."""
    xenograft: bool = True
    withdrawn: int | None = None


_TRASTUZUMAB = ("trastuzumab", Class.MONOCLONAL_ANTIBODY)
_PERTUZUMAB = ("pertuzumab", Class.MONOCLONAL_ANTIBODY)
_DOCETAXEL = ("docetaxel", Class.CHEMOTHERAPY)
_T_DM1 = ("trastuzumab emtansine", Class.ANTIBODY_DRUG_CONJUGATE)
_T_DXD = ("trastuzumab deruxtecan", Class.ANTIBODY_DRUG_CONJUGATE)
_TUCATINIB = ("tucatinib", Class.TYROSINE_KINASE_INHIBITOR)
_CAPECITABINE = ("capecitabine", Class.CHEMOTHERAPY)
_WBRT = ("whole-brain radiotherapy 30 Gy in 10", Class.WHOLE_BRAIN_RADIOTHERAPY)
_SRS = ("stereotactic radiosurgery 20 Gy", Class.STEREOTACTIC_RADIOSURGERY)
_LETROZOLE = ("letrozole", Class.ENDOCRINE)
_PALBOCICLIB = ("palbociclib", Class.CDK4_6_INHIBITOR)


def _first(started: int, stopped: int, best: Best = Best.PARTIAL_RESPONSE, stop: Stop = Stop.PROGRESSION_CNS) -> Line:
    return Line((_TRASTUZUMAB, _PERTUZUMAB, _DOCETAXEL), started, stopped, best, stop)


DONORS: tuple[Donor, ...] = (
    Donor(
        code="BCBM-P01",
        born=1968,
        age=49,
        cns=Cns.STABLE_AFTER_LOCAL_THERAPY,
        site=FRONTAL,
        collected=620,
        metastasis=Her2("3+"),
        primary=Her2("3+", er=10),
        primary_collected=2_100,
        tumour=85,
        necrosis=5,
        cold=12,
        steroids=False,
        lines=(
            _first(1_980, 1_400),
            Line((_SRS,), 1_380, 1_380, Best.STABLE_DISEASE, Stop.COMPLETED),
            Line((_T_DM1,), 1_360, 640, Best.PARTIAL_RESPONSE, Stop.PROGRESSION_CNS),
        ),
    ),
    Donor(
        code="BCBM-P02",
        born=1975,
        age=44,
        cns=Cns.PROGRESSING_AFTER_LOCAL_THERAPY,
        site=CEREBELLUM,
        collected=540,
        metastasis=Her2("2+", 2.4, 5.1),
        primary=Her2("3+"),
        primary_collected=1_650,
        tumour=70,
        necrosis=15,
        cold=18,
        steroids=True,
        lines=(
            _first(1_600, 1_100),
            Line((_WBRT,), 1_080, 1_068, Best.STABLE_DISEASE, Stop.COMPLETED),
            Line((_TUCATINIB, _TRASTUZUMAB, _CAPECITABINE), 1_060, 560, Best.PARTIAL_RESPONSE, Stop.PROGRESSION_CNS),
        ),
    ),
    Donor(
        code="BCBM-P03",
        born=1959,
        age=60,
        cns=Cns.PROGRESSING_AFTER_LOCAL_THERAPY,
        site=PARIETAL,
        collected=410,
        metastasis=Her2("1+", er=60, pr=20),
        primary=Her2("3+", er=70, pr=30),
        primary_collected=1_500,
        tumour=40,
        necrosis=45,
        cold=35,
        steroids=True,
        lines=(
            _first(1_460, 900),
            Line((_WBRT,), 880, 868, Best.STABLE_DISEASE, Stop.COMPLETED),
            Line((_T_DXD,), 850, 430, Best.PARTIAL_RESPONSE, Stop.PROGRESSION_CNS),
        ),
    ),
    Donor(
        code="BCBM-P04",
        born=1981,
        age=39,
        cns=Cns.UNTREATED_ASYMPTOMATIC,
        site=FRONTAL,
        collected=570,
        metastasis=Her2("3+"),
        primary=Her2("2+", 2.1, 4.6),
        primary_collected=1_020,
        tumour=75,
        necrosis=10,
        steroids=False,
        lines=(_first(1_000, 600),),
    ),
    Donor(
        code="BCBM-P05",
        born=1964,
        age=55,
        cns=Cns.LEPTOMENINGEAL,
        site=CSF,
        collected=525,
        metastasis=Her2("3+"),
        primary=Her2("3+"),
        primary_collected=1_340,
        cold=9,
        steroids=True,
        lines=(
            _first(1_300, 980),
            Line((_TUCATINIB, _TRASTUZUMAB, _CAPECITABINE), 960, 540, Best.STABLE_DISEASE, Stop.PROGRESSION_CNS),
        ),
    ),
    Donor(
        code="BCBM-P06",
        born=1972,
        age=48,
        cns=Cns.UNTREATED_ASYMPTOMATIC,
        site=TEMPORAL,
        collected=515,
        metastasis=Her2("2+", 1.4, 3.2, er=80, pr=60, ki67=25),
        primary=Her2("1+", er=90, pr=70, ki67=20),
        primary_collected=1_880,
        necrosis=5,
        cold=14,
        lines=(Line((_LETROZOLE, _PALBOCICLIB), 1_820, 700, Best.PARTIAL_RESPONSE, Stop.PROGRESSION_EXTRACRANIAL),),
    ),
    Donor(
        code="BCBM-P07",
        born=1970,
        age=51,
        cns=Cns.PROGRESSING_AFTER_LOCAL_THERAPY,
        site=CEREBELLUM,
        collected=505,
        metastasis=Her2("3+"),
        primary=Her2("3+"),
        primary_collected=1_440,
        necrosis=10,
        cold=20,
        steroids=True,
        lines=(_first(1_400, 800), Line((_SRS,), 780, 780, Best.PROGRESSIVE_DISEASE, Stop.COMPLETED)),
        withdrawn=12,
    ),
    Donor(
        code="BCBM-P08",
        born=1977,
        age=47,
        cns=Cns.UNTREATED_ASYMPTOMATIC,
        site=FRONTAL,
        collected=21,
        metastasis=Her2("2+"),
        tumour=70,
        necrosis=5,
        cold=11,
        steroids=False,
        lines=(_first(800, 40),),
    ),
    Donor(
        code="BCBM-P09",
        born=1983,
        age=41,
        cns=Cns.STABLE_AFTER_LOCAL_THERAPY,
        site=PARIETAL,
        collected=34,
        metastasis=Her2("3+"),
        tumour=65,
        necrosis=10,
        cold=25,
        steroids=False,
        lines=(_first(900, 420), Line((_SRS,), 400, 400, Best.COMPLETE_RESPONSE, Stop.COMPLETED)),
        xenograft=False,
    ),
)
"""Five clinical cohorts; P03 lost HER2 on the way to the brain, P07 withdrew the consent, P08 waits for its ISH, and P09 allows
research but no xenografts."""
