"""The demo's cohorts: what grows in which animal, by exponential growth with noise and a treatment's effect on its rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from random import Random

from lims.domain.vocabulary import ArmRole, ImplantSite, StudyStatus

NSG = "NOD.Cg-Prkdc<scid> Il2rg<tm1Wjl>/SzJ"
NUDE = "Hsd:Athymic Nude-Foxn1<nu>"
TWICE_WEEKLY = (0, 3, 7, 10, 14, 17, 21, 24, 28, 31, 35, 38, 42)
EVERY_THIRD_DAY = tuple(range(0, 43, 3))
SCREENING = (-7, -4, 0)
WEIGHT_LOSS_LIMIT = 20.0
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


ANTIBODY = "Anti-HER2 antibody 10 mg/kg"
INHIBITOR = "PI3K inhibitor 30 mg/kg"
BOTH = "Antibody + PI3K inhibitor"


def _arms(n: int, vehicle: float, antibody: float, inhibitor: float, both: float) -> tuple[ArmPlan, ...]:
    return (
        ArmPlan("VEH", "Vehicle", ArmRole.VEHICLE, n, vehicle),
        ArmPlan("AB", ANTIBODY, ArmRole.TREATMENT, n, antibody),
        ArmPlan("PI3K", INHIBITOR, ArmRole.TREATMENT, n, inhibitor),
        ArmPlan("AB+PI3K", BOTH, ArmRole.TREATMENT, n, both),
    )


BRAIN = StudyPlan(
    "BM01-BRAIN",
    "BM-01 in the brain: antibody, PI3K inhibitor, both",
    "In the brain the antibody is under-exposed, and the PI3K inhibitor alone meets resistance; together they slow the tumour.",
    "BM-01",
    ImplantSite.INTRACRANIAL,
    NSG,
    "NSG",
    1001,
    64,
    42,
    StudyStatus.CLOSED,
    _arms(8, 0.158, 0.15, 0.127, 0.045),
    2,
    1.6e6,
)
FAT_PAD = StudyPlan(
    "BM01-MFP",
    "BM-01 in the mammary fat pad: the same treatment outside the brain",
    "Outside the brain the antibody reaches the tumour and works; the PI3K inhibitor alone works in part.",
    "BM-01",
    ImplantSite.MAMMARY_FAT_PAD,
    NSG,
    "NSG",
    1101,
    67,
    42,
    StudyStatus.CLOSED,
    _arms(7, 0.061, 0.012, 0.034, -0.02),
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
    17,
    StudyStatus.ACTIVE,
    tuple(arm for arm in _arms(6, 0.24, 0.0, 0.215, 0.07) if arm.code != "AB"),
    0,
    2.1e6,
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
    died: int | None = None
    reason: str = ""

    def alive(self, day: int) -> bool:
        """Tell whether it can be measured on a study day; on the day of its death it still is."""
        return self.died is None or day <= self.died

    def volume(self, day: int) -> float:
        """Give ½ · L · W², mm³."""
        length, width = self.diameters[day]
        return length * width**2 / 2


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
    """Make a cohort's animals and everything measured in them; the same seed gives the same animals."""
    random = Random(f"{seed} {plan.code}")  # noqa: S311  # invented measurements, no secrets
    rates: Mapping[str, float] = {arm.code: arm.rate for arm in plan.arms}
    arms = [arm.code for arm in plan.arms for _ in range(arm.n)]
    random.shuffle(arms)
    numbers = count(plan.first_number)
    mice = []
    for place, arm in enumerate([*arms, *[None] * plan.spare]):
        mouse = Mouse(f"{plan.prefix}-{next(numbers)}", f"C{plan.first_number // 100}-{place // PER_CAGE + 1:02}", arm)
        rate = random.gauss(rates[arm], 0.006) if arm else 0.0
        if plan.brain:
            _brain_tumour(random, plan, mouse, rate)
        else:
            _fat_pad_tumour(random, plan, mouse, rate)
        mice.append(mouse)
    return Cohort(plan, today - timedelta(days=plan.started_days_ago), tuple(mice))


def _brain_tumour(random: Random, plan: StudyPlan, mouse: Mouse, rate: float) -> None:
    """Light grows by four decades; the weight falls when the tumour is large, and ends the animal at the limit."""
    start = plan.baseline * math.exp(random.gauss(0, 0.25))
    if mouse.arm is None:
        mouse.flux = {0: start * 0.02}
        return
    turn, first = random.gauss(8.25, 0.15), random.gauss(21.5, 0.9)
    for day in plan.weighings():
        light = math.log10(start) + rate * day / math.log(10)
        loss = 0.3 / (1 + math.exp(-(light - turn) / 0.18))
        mouse.weights[day] = round(first * (1 + 0.0008 * day) * (1 - loss) + random.gauss(0, 0.12), 1)
        lost = 100 * (1 - mouse.weights[day] / mouse.weights[0])
        if lost >= WEIGHT_LOSS_LIMIT:
            mouse.died, mouse.reason = day, f"humane endpoint: body weight {lost:.1f} % below baseline"
            break
    mouse.flux = {day: start * math.exp(rate * day + random.gauss(0, 0.18)) for day in plan.sessions() if mouse.alive(day)}


def _fat_pad_tumour(random: Random, plan: StudyPlan, mouse: Mouse, rate: float) -> None:
    """Two diameters that grow together; an animal leaves at the burden limit."""
    start = plan.baseline * math.exp(random.gauss(0, 0.12)) * (1.0 if mouse.arm else 0.2)
    ratio, first = random.uniform(1.1, 1.4), random.gauss(22.0, 0.9)
    for day in sorted({*SCREENING, *(plan.sessions() if mouse.arm else ())}):
        volume = start * math.exp((rate if day > 0 else 0.05) * day + random.gauss(0, 0.06))
        width = (2 * volume / ratio) ** (1 / 3)
        mouse.diameters[day] = (round(width * ratio, 1), round(width, 1))
        if mouse.volume(day) >= BURDEN_LIMIT:
            mouse.died, mouse.reason = day, f"tumour burden: {mouse.volume(day):.0f} mm³"
            break
    if mouse.arm:
        mouse.weights = {
            day: round(first * (1 + 0.001 * day) + random.gauss(0, 0.15), 1) for day in plan.weighings() if mouse.alive(day)
        }
