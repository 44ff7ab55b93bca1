"""How much of a drug reached a tissue: concentrations, partition coefficients, and what they are made of.

Source: Hammarlund-Udenaes et al., Pharmaceutical Research 25:1737, 2008. Kp is the total concentration in tissue over that in
plasma; Kp,uu the unbound one over the unbound one: Kp × fu,tissue / fu,plasma. At steady state a Kp,uu near 1 says that the
drug passes freely, far below 1 that it is kept or carried out. Samples of one animal, agent and analyte are compared, the
plasma sample nearest in time; tissue and fluid are taken to weigh 1 g/mL. A value below the limit of quantification (LLOQ) is
never a number: a ratio made of one is carried as `< x` or `> x`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from lims.domain.errors import DomainError
from lims.domain.sources import PLAUSIBLE

SOURCE = "Hammarlund-Udenaes et al., Pharm Res 25:1737, 2008"
FLUIDS = frozenset({ExposureMatrix.PLASMA, ExposureMatrix.CSF})
BRAIN = frozenset(
    {
        ExposureMatrix.LESION_CORE,
        ExposureMatrix.LESION_RIM,
        ExposureMatrix.MICROMETASTASIS,
        ExposureMatrix.ADJACENT_BRAIN,
        ExposureMatrix.CONTRALATERAL_BRAIN,
    }
)
"""Tissue within the skull, whose unbound fraction is taken to be the brain's."""
UNBOUND_IN_CSF = 1.0
"""CSF holds hardly any protein."""


def figures(value: float, digits: int) -> str:
    """Write an amount with its significant digits: 12.4, 1,360, and 7.50e4 from ten thousand on."""
    if value and not 1e-4 <= abs(value) < 1e4:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    _, exponent = f"{value:.{digits - 1}e}".split("e")
    places = max(digits - 1 - int(exponent), 0) if value else 0
    return f"{float(f'{value:.{digits}g}'):,.{places}f}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One concentration of one animal. `value` is none below the limit `lloq`; `hours` after the dose, where known."""

    matrix: ExposureMatrix
    value: float | None
    unit: ConcentrationUnit
    lloq: float | None = None
    hours: float | None = None
    on: date | None = None
    key: int = 0
    """The record's id."""

    @property
    def shown(self) -> str:
        """Write it as it is read: `12.4 ng/mL`, `< 0.5 ng/mL`."""
        if self.value is not None:
            return f"{figures(self.value, 3)} {self.unit.value}"
        return f"< {self.lloq:g} {self.unit.value}" if self.lloq is not None else "below LLOQ"


@dataclass(frozen=True, slots=True)
class Unbound:
    """Fractions unbound of an agent (0 to 1), where they are known."""

    plasma: float | None = None
    brain: float | None = None

    def of(self, matrix: ExposureMatrix) -> float | None:
        """Give the fraction in a tissue; none where nobody measured one."""
        if matrix is ExposureMatrix.CSF:
            return UNBOUND_IN_CSF
        if matrix is ExposureMatrix.PLASMA:
            return self.plasma
        return self.brain if matrix in BRAIN else None


@dataclass(frozen=True, slots=True)
class Ratio:
    """A partition coefficient: a number, or the bound that it lies below (`<`) or above (`>`)."""

    value: float
    bound: str = ""

    @property
    def shown(self) -> str:
        """Write it: `0.12`, `< 0.05`."""
        return f"{self.bound} {figures(self.value, 2)}".strip()

    def times(self, factor: float) -> Ratio:
        """Give it in another scale."""
        return Ratio(self.value * factor, self.bound)


@dataclass(frozen=True, slots=True)
class Partition:
    """One tissue sample against plasma, with what it is made of. `why` says what keeps Kp or Kp,uu from being known."""

    tissue: Sample
    plasma: Sample | None
    kp: Ratio | None
    kp_uu: Ratio | None
    why: str = ""


def unit_for(matrix: ExposureMatrix, *, molar: bool) -> ConcentrationUnit:
    """Give the usual unit of a matrix: by volume of a fluid, by weight of tissue, or molar."""
    if molar:
        return ConcentrationUnit.NANOMOLAR
    return ConcentrationUnit.NG_PER_ML if matrix in FLUIDS else ConcentrationUnit.NG_PER_G


def mass_per_ml(amount: float, unit: ConcentrationUnit, molecular_weight: float | None) -> float | None:
    """Give an amount in ng/mL, at 1 g/mL; nothing for nM of an agent whose molecular weight (g/mol) is not known."""
    if unit is not ConcentrationUnit.NANOMOLAR:
        return amount
    return None if molecular_weight is None else amount * molecular_weight / 1_000


def require_unit(matrix: ExposureMatrix, unit: ConcentrationUnit) -> None:
    """Refuse a fluid by weight and a tissue by volume.

    Raises:
        DomainError: on `unit`.
    """
    if unit not in (ConcentrationUnit.NANOMOLAR, unit_for(matrix, molar=False)):
        raise DomainError(
            f"{matrix.value.replace('_', ' ').capitalize()} is not told in {unit.value}.",
            field="unit",
            expected=f"{unit_for(matrix, molar=False).value} or nM",
            source=PLAUSIBLE,
        )


def nearest(tissue: Sample, plasma: Iterable[Sample]) -> Sample | None:
    """Give the plasma sample nearest in time: by hours after the dose where both have them, otherwise of the same day."""
    timed = [one for one in plasma if one.hours is not None and tissue.hours is not None]
    same_day = [one for one in plasma if tissue.on is not None and one.on == tissue.on]
    near = [one for one in timed if tissue.on is None or one.on in (None, tissue.on)] or timed
    if near:
        return min(near, key=lambda one: (abs((one.hours or 0) - (tissue.hours or 0)), one.value is None, one.key))
    return min(same_day, key=lambda one: (one.value is None, one.key), default=None)


def partition(
    tissue: Sample, plasma: Iterable[Sample], unbound: Unbound | None = None, molecular_weight: float | None = None
) -> Partition:
    """Give Kp and Kp,uu of a tissue sample; `unbound` is none for an analyte that is not the agent itself."""
    against = nearest(tissue, list(plasma))
    if against is None:
        return Partition(tissue, None, None, None, "no plasma of this animal at that time")
    kp, why = _kp(tissue, against, molecular_weight)
    if kp is None:
        return Partition(tissue, against, None, None, why)
    fu_plasma, fu_tissue = (unbound.plasma, unbound.of(tissue.matrix)) if unbound is not None else (None, None)
    if not fu_plasma or fu_tissue is None:
        missing = "plasma" if unbound is not None and not fu_plasma else "this tissue"
        why = f"fraction unbound in {missing} not recorded" if unbound is not None else "fractions unbound are the agent's own"
        return Partition(tissue, against, kp, None, why)
    return Partition(tissue, against, kp, kp.times(fu_tissue / fu_plasma))


def _kp(tissue: Sample, plasma: Sample, molecular_weight: float | None) -> tuple[Ratio | None, str]:
    above, below = (_amount(one, molecular_weight) for one in (tissue, plasma))
    if above is None or below is None:
        unknown = tissue if above is None else plasma
        molar = unknown.unit is ConcentrationUnit.NANOMOLAR and molecular_weight is None
        return None, "molecular weight not recorded" if molar else "the limit of quantification is not recorded"
    if tissue.value is None and plasma.value is None:
        return None, "both below the limit of quantification"
    if below == 0:
        return None, "nothing in plasma"
    bound = "<" if tissue.value is None else ">" if plasma.value is None else ""
    return Ratio(above / below, bound), ""


def _amount(sample: Sample, molecular_weight: float | None) -> float | None:
    known = sample.lloq if sample.value is None else sample.value
    return None if known is None else mass_per_ml(known, sample.unit, molecular_weight)


@dataclass(frozen=True, slots=True)
class Summary:
    """Ratios of several animals: the middle one as far as it is known, how many there are, and how many are only bounds."""

    n: int
    bounds: int
    middle: Ratio | None

    @property
    def shown(self) -> str:
        """Write the middle one."""
        return self.middle.shown if self.middle else "–"

    @property
    def counted(self) -> str:
        """Write how many there are: `5, 1 a bound`."""
        return f"{self.n}, {self.bounds} a bound" if self.bounds else str(self.n)


def summarise(ratios: Sequence[Ratio]) -> Summary:
    """Give the median of ratios; where bounds reach into the middle, a bound of it, and nothing where they contradict."""
    bounds = [one for one in ratios if one.bound]
    if not ratios:
        return Summary(0, 0, None)
    # A bound below counts as anything down to 0, one above as anything up: the median lies between these two.
    low = median([0.0 if one.bound == "<" else one.value for one in ratios])
    high = median([float("inf") if one.bound == ">" else one.value for one in ratios])
    middle = Ratio(low) if low == high else None
    if middle is None and low == 0:
        middle = Ratio(high, "<") if high != float("inf") else None
    elif middle is None and high == float("inf"):
        middle = Ratio(low, ">")
    elif middle is None:
        middle = Ratio(high, "<")
    return Summary(len(ratios), len(bounds), middle)


def hours_between(dosed_seconds: float, collected_seconds: float) -> float:
    """Give the hours from a dose to a sample, to a hundredth; both as seconds of one clock.

    Raises:
        DomainError: on `collected_at`, for a sample before the dose.
    """
    hours = round((collected_seconds - dosed_seconds) / 3_600, 2)
    if hours < 0:
        raise DomainError("The sample was taken before the dose.", field="collected_at", expected="a time after the dose")
    return hours
