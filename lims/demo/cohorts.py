"""The demo's cohorts: what grows in which animal, by exponential growth with noise and a treatment's effect on its rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from random import Random

from lims.domain.allocation import Candidate, Place, allocate
from lims.domain.cohort_terms import AllocationMethod, FateReason
from lims.domain.vocabulary import ArmRole, ImplantSite, StudyStatus

NSG = "NOD.Cg-Prkdc<scid> Il2rg<tm1Wjl>/SzJ"
NUDE = "Hsd:Athymic Nude-Foxn1<nu>"
TWICE_WEEKLY = (0, 3, 7, 10, 14, 17, 21, 24, 28, 31, 35, 38, 42)
EVERY_THIRD_DAY = tuple(range(0, 43, 3))
SCREENING = (-7, -4, 0)
METHOD = AllocationMethod.STRATIFIED_BLOCKS
WEIGHT_LOSS_LIMIT = 20.0
FRAIL = 0.25
"""Share of animals with a brain tumour that show it by how they move before they lose a fifth of their weight."""
FRAIL_FROM = 13.0
"""Percent of weight lost at which they do."""
ACCIDENT_DAY = 11
BURDEN_LIMIT = 1_500.0
"""Tumour volume at which an animal leaves the study, mm³."""
PER_CAGE = 4


@dataclass(frozen=True, slots=True)
class ArmPlan:
    """An arm: how many animals, and the mean growth rate in it, per day (natural logarithm)."""

    code: str
    title: str
    role: ArmRole
    n: int
    rate: float


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """A study: which model where, in which animals, from when on, and what its arms do to the growth."""

    code: str
    title: str
    hypothesis: str
    model: str
    site: ImplantSite
    strain: str
    prefix: str
    first_number: int
    started_days_ago: int
    last_day: int
    state: StudyStatus
    arms: tuple[ArmPlan, ...]
    spare: int
    """Animals that carried the tumour and were not enrolled."""
    baseline: float
    """Median at day 0: total flux in p/s, or volume in mm³."""
    blinded: bool = False

    @property
    def seed(self) -> str:
        """Give the seed of its randomisation."""
        return f"{self.code} demo"

    @property
    def brain(self) -> bool:
        """Tell whether the tumour is in the brain, and measured by its light."""
        return self.site is ImplantSite.INTRACRANIAL

    def sessions(self) -> tuple[int, ...]:
        """Give the study days on which tumours are measured."""
        return tuple(day for day in TWICE_WEEKLY if day <= self.last_day)

    def weighings(self) -> tuple[int, ...]:
        """Give the study days on which animals are weighed."""
        return tuple(day for day in EVERY_THIRD_DAY if day <= self.last_day)


def _arms(n: int, vehicle: float, antibody: float, inhibitor: float, both: float) -> tuple[ArmPlan, ...]:
    return (
        ArmPlan("VEH", "Vehicle", ArmRole.VEHICLE, n, vehicle),
        ArmPlan("TRAS", "Trastuzumab 10 mg/kg", ArmRole.TREATMENT, n, antibody),
        ArmPlan("TUC", "Tucatinib 50 mg/kg", ArmRole.TREATMENT, n, inhibitor),
        ArmPlan("TUC+PAX", "Tucatinib + paxalisib", ArmRole.TREATMENT, n, both),
    )


BRAIN = StudyPlan(
    "BM01-BRAIN",
    "BM-01 in the brain: trastuzumab, tucatinib, tucatinib + paxalisib",
    "In the brain trastuzumab is under-exposed; tucatinib reaches the tumour and meets PIK3CA-driven resistance; "
    "with a PI3K inhibitor that reaches the brain too, the tumour is held.",
    "BM-01",
    ImplantSite.INTRACRANIAL,
    NSG,
    "NSG",
    1001,
    64,
    39,
    StudyStatus.CLOSED,
    _arms(8, 0.176, 0.17, 0.15, 0.045),
    2,
    1.6e6,
)
FAT_PAD = StudyPlan(
    "BM01-MFP",
    "BM-01 in the mammary fat pad: the same treatment outside the brain",
    "Outside the brain trastuzumab reaches the tumour and works; tucatinib alone works in part.",
    "BM-01",
    ImplantSite.MAMMARY_FAT_PAD,
    NSG,
    "NSG",
    1101,
    67,
    39,
    StudyStatus.CLOSED,
    _arms(7, 0.068, 0.01, 0.036, -0.02),
    3,
    130.0,
)
RUNNING = StudyPlan(
    "BM02-BRAIN",
    "BM-02 in the brain: does the combination hold in a second patient's tumour?",
    "The combination slows BM-02 in the brain as it did BM-01.",
    "BM-02",
    ImplantSite.INTRACRANIAL,
    NUDE,
    "NU",
    2001,
    18,
    18,
    StudyStatus.ACTIVE,
    tuple(arm for arm in _arms(6, 0.275, 0.0, 0.235, 0.07) if arm.code != "TRAS"),
    1,
    2.1e6,
    blinded=True,
)
STUDIES = (BRAIN, FAT_PAD, RUNNING)


@dataclass(slots=True)
class Mouse:
    """One animal with everything that is ever measured in it, by study day."""

    code: str
    cage: str
    arm: str | None
    flux: dict[int, float] = field(default_factory=dict)
    diameters: dict[int, tuple[float, float]] = field(default_factory=dict)
    weights: dict[int, float] = field(default_factory=dict)
    scores: dict[int, int] = field(default_factory=dict)
    """Neurological, 0 to 3."""
    died: int | None = None
    fate: FateReason = FateReason.SCHEDULED
    reason: str = ""

    def alive(self, day: int) -> bool:
        """Tell whether it can be measured on a study day; on the day of its death it still is."""
        return self.died is None or day <= self.died

    def volume(self, day: int) -> float:
        """Give ½ · L · W², mm³."""
        length, width = self.diameters[day]
        return length * width**2 / 2

    def lost(self, day: int) -> float:
        """Give the weight lost up to a study day by the last weighing, percent of day 0."""
        return 100 * (1 - self.weights[max(one for one in self.weights if one <= day)] / self.weights[0])

    @property
    def baseline(self) -> float:
        """Give what it is ranked by at randomisation, as its file has it: decades of flux, or the volume."""
        return math.log10(float(f"{self.flux[0]:.2E}")) if self.flux else float(f"{self.volume(0):.1f}")


@dataclass(frozen=True, slots=True)
class Cohort:
    """A study's plan with its animals and calendar."""

    plan: StudyPlan
    day_zero: date
    mice: tuple[Mouse, ...]

    def on(self, day: int) -> date:
        """Give the date of a study day."""
        return self.day_zero + timedelta(days=day)

    @property
    def implanted_on(self) -> date:
        """Give the date of the implantation."""
        return self.on(-14 if self.plan.brain else -21)

    def enrolled(self) -> list[Mouse]:
        """Give the animals that are in an arm."""
        return [mouse for mouse in self.mice if mouse.arm is not None]


def grow(plan: StudyPlan, today: date, seed: int) -> Cohort:
    """Make a cohort's animals and everything measured in them; the same seed gives the same animals.

    Chance puts them in arms as the services do, and the arm then decides how they grow.
    """
    random = Random(f"{seed} {plan.code}")  # noqa: S311  # invented measurements, no secrets
    numbers, enrolled = count(plan.first_number), sum(arm.n for arm in plan.arms)
    bare = set(random.sample(range(enrolled + plan.spare), plan.spare))
    mice = [
        Mouse(f"{plan.prefix}-{next(numbers)}", f"C{plan.first_number // 100}-{place // PER_CAGE + 1:02}", None)
        for place in range(enrolled + plan.spare)
    ]
    starts = [_screened(random, plan, mouse, bare=place in bare) for place, mouse in enumerate(mice)]
    carriers = {mouse.code: mouse for place, mouse in enumerate(mice) if place not in bare}
    places = [Place(arm.code, arm.n) for arm in plan.arms]
    for one in allocate(METHOD, [Candidate(code, mouse.baseline) for code, mouse in carriers.items()], places, plan.seed):
        carriers[one.code].arm = one.arm
    rates: Mapping[str, float] = {arm.code: arm.rate for arm in plan.arms}
    for mouse, start in zip(mice, starts, strict=True):
        if mouse.arm is not None:
            follow = _brain_tumour if plan.brain else _fat_pad_tumour
            follow(random, plan, mouse, start, random.gauss(rates[mouse.arm], 0.006))
    if not plan.brain:
        _accident([mouse for mouse in mice if mouse.arm == "TUC" and mouse.died is None][-1])
    return Cohort(plan, today - timedelta(days=plan.started_days_ago), tuple(mice))


def _screened(random: Random, plan: StudyPlan, mouse: Mouse, *, bare: bool) -> float:
    """Measure the tumour up to day 0; gives what it grows from. A bare animal carries hardly any."""
    if plan.brain:
        start = plan.baseline * math.exp(random.gauss(0, 0.25)) * (0.02 if bare else 1.0)
        mouse.flux[0] = start * math.exp(random.gauss(0, 0.18))
        return start
    start = plan.baseline * math.exp(random.gauss(0, 0.12)) * (0.2 if bare else 1.0)
    for day in SCREENING:
        _caliper(random, mouse, day, start * math.exp(0.05 * day))
    return start


def _caliper(random: Random, mouse: Mouse, day: int, volume: float) -> None:
    """Read two diameters of a tumour off the caliper."""
    ratio = random.uniform(1.15, 1.3)
    width = (2 * volume * math.exp(random.gauss(0, 0.06)) / ratio) ** (1 / 3)
    mouse.diameters[day] = (round(width * ratio, 1), round(width, 1))


def _brain_tumour(random: Random, plan: StudyPlan, mouse: Mouse, start: float, rate: float) -> None:
    """Light grows by four decades; when the tumour is large the weight falls, or the gait goes first, and ends the animal."""
    turn, first, frail = random.gauss(8.25, 0.3), random.gauss(21.5, 0.9), random.random() < FRAIL
    for day in plan.weighings():
        light = math.log10(start) + rate * day / math.log(10)
        loss = 0.3 / (1 + math.exp(-(light - turn) / 0.25))
        mouse.weights[day] = round(first * (1 + 0.0008 * day) * (1 - loss) + random.gauss(0, 0.12), 1)
        lost = mouse.lost(day)
        ill = frail and FRAIL_FROM <= lost < WEIGHT_LOSS_LIMIT
        mouse.scores[day] = 3 if ill else 2 if lost >= 16 else 1 if lost >= 8 else 0
        if ill:
            mouse.died, mouse.fate, mouse.reason = day, FateReason.NEUROLOGICAL_ENDPOINT, "humane endpoint: circling, score 3"
            break
        if lost >= WEIGHT_LOSS_LIMIT:
            mouse.died, mouse.fate = day, FateReason.WEIGHT_ENDPOINT
            mouse.reason = f"humane endpoint: body weight {lost:.1f} % below baseline"
            break
    for day in plan.sessions():
        if day > 0 and mouse.alive(day):
            mouse.flux[day] = start * math.exp(rate * day + random.gauss(0, 0.18))


def _fat_pad_tumour(random: Random, plan: StudyPlan, mouse: Mouse, start: float, rate: float) -> None:
    """Two diameters that grow together; an animal leaves at the burden limit."""
    first = random.gauss(22.0, 0.9)
    for day in plan.sessions():
        if day == 0:
            continue
        _caliper(random, mouse, day, start * math.exp(rate * day))
        if mouse.volume(day) >= BURDEN_LIMIT:
            mouse.died, mouse.fate = day, FateReason.TUMOUR_BURDEN
            mouse.reason = f"tumour burden: {mouse.volume(day):.0f} mm³"
            break
    for day in plan.weighings():
        if mouse.alive(day):
            mouse.weights[day] = round(first * (1 + 0.001 * day) + random.gauss(0, 0.15), 1)


def _accident(mouse: Mouse) -> None:
    """Let an animal die of how it was treated, not of what it was treated with."""
    mouse.died, mouse.fate, mouse.reason = ACCIDENT_DAY, FateReason.TECHNICAL, "gavage into the trachea"
    for readings in (mouse.diameters, mouse.weights):
        for day in [day for day in readings if day > ACCIDENT_DAY]:
            del readings[day]
