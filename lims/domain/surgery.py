"""What was done at an implanting: refused where it cannot be, doubted where it is unusual.

Coordinates, in mm, as in the atlas of Franklin and Paxinos, The Mouse Brain in Stereotaxic Coordinates: AP is positive in front
of the origin (bregma or lambda) and negative behind it; ML is positive on the animal's right and negative on its left; DV is
positive downwards from the reference (skull or dura). The limits and their sources stand in `lims.domain.surgery_limits`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lims.domain import surgery_limits as limits
from lims.domain.colony_terms import DepthReference, Hemisphere, ImplantMaterial, StereotacticOrigin
from lims.domain.errors import DomainError, refuse_together
from lims.domain.notices import Notice
from lims.domain.vocabulary import ImplantSite

_SITE_WORDS = {site: site.value.replace("_", " ") for site in ImplantSite} | {
    ImplantSite.MAMMARY_FAT_PAD: "mammary fat pad",
    ImplantSite.NOT_RECORDED: "site that is not recorded",
}


@dataclass(frozen=True, slots=True)
class SurgicalRecord:
    """The injection, stereotactic and anaesthetic fields of an implant, under the names and in the units of the model."""

    hemisphere: Hemisphere | None = None
    material: ImplantMaterial | None = None
    cell_count: int | None = None
    fragment_mm: float | None = None
    viability_percent: float | None = None
    vehicle: str | None = None
    volume_ul: float | None = None
    rate_ul_min: float | None = None
    dwell_min: float | None = None
    ap_mm: float | None = None
    ml_mm: float | None = None
    dv_mm: float | None = None
    coordinate_origin: StereotacticOrigin | None = None
    depth_reference: DepthReference | None = None
    angle_degrees: float | None = None
    needle: str | None = None
    anaesthetic: str | None = None
    analgesic: str | None = None
    analgesia_hours: float | None = None
    analgesia_doses: int | None = None
    surgeon: str | None = None
    weight_g: float | None = None

    @property
    def injected(self) -> bool:
        """Say whether something was injected, as far as is recorded; a piece of tissue is not."""
        return self.material is ImplantMaterial.CELLS or (self.material is None and self.fragment_mm is None)

    @property
    def has_coordinates(self) -> bool:
        """Say whether any stereotactic coordinate is recorded."""
        return any(value is not None for value in (self.ap_mm, self.ml_mm, self.dv_mm))


def check_surgery(site: ImplantSite, record: SurgicalRecord) -> list[Notice]:
    """Refuse what cannot be, and give what is unusual (Franklin and Paxinos; Diehl et al. 2001; AVMA and NC3Rs guidance).

    Raises:
        DomainError: on the column of the value: outside of what a mouse has room for, or against another value; one for each
            column that cannot be, together.
    """
    refused: dict[str | None, DomainError] = {}
    for refuse in _REFUSALS:
        for one in refuse(site, record):
            refused.setdefault(one.field, one)
    refuse_together(list(refused.values()))
    return [notice for doubt in _DOUBTS for notice in doubt(site, record)]


def analgesia_due(end: datetime, hours: float | None, doses: int | None) -> list[datetime]:
    """Give when analgesia is due after the end of surgery: so many doses, every so many hours (analgesia plan of the record).

    Counted in hours that pass, also where the clocks change; in the time zone of `end`. Nothing where there is no plan.

    Raises:
        ValueError: `end` has no time zone.
        DomainError: on `analgesia_hours` or `analgesia_doses`: outside of the limits.
    """
    if end.tzinfo is None:
        raise ValueError("the end of surgery has no time zone")
    refuse_together([*_out_of_range("analgesia_hours", hours), *_out_of_range("analgesia_doses", doses)])
    if hours is None or doses is None:
        return []
    first = end.astimezone(UTC)
    return [(first + timedelta(hours=hours * number)).astimezone(end.tzinfo) for number in range(1, doses + 1)]


def _cannot_be(message: str, *, field: str, expected: str, remedy: str | None = None) -> DomainError:
    return DomainError(message, field=field, expected=expected, remedy=remedy, source=limits.SOURCES[field])


def _out_of_range(field: str, value: float | None) -> Iterator[DomainError]:
    """Refuse a value that no mouse and no syringe has room for."""
    limit = limits.RANGES[field]
    if value is None or (math.isfinite(value) and limit.lowest <= value <= limit.highest):
        return
    yield _cannot_be(
        f"{limit.title} of {value:g}{limit.unit} cannot be.",
        field=field,
        expected=f"{limit.lowest:g} to {limit.highest:g}{limit.unit}",
        remedy=limit.remedy,
    )


def _refuse_ranges(site: ImplantSite, record: SurgicalRecord) -> Iterator[DomainError]:
    for field in limits.RANGES:
        yield from _out_of_range(field, getattr(record, field))
    for field, table, unit in (("volume_ul", limits.VOLUMES_UL, "µL"), ("rate_ul_min", limits.RATES_UL_MIN, "µL/min")):
        value, limit = getattr(record, field), table.get(site)
        if value is not None and limit is not None and value > limit.most:
            yield _cannot_be(
                f"{value:g} {unit} cannot be given into the site {_SITE_WORDS[site]}.",
                field=field,
                expected=f"at most {limit.most:g} {unit}; {limit.usual:g} {unit} or less is usual",
                remedy="Look at the unit and the decimal point.",
            )


def _refuse_depth_above(_site: ImplantSite, record: SurgicalRecord) -> Iterator[DomainError]:
    if record.dv_mm is not None and record.dv_mm < 0:
        yield _cannot_be(
            f"A depth (DV) of {record.dv_mm:g} mm lies above the surface.",
            field="dv_mm",
            expected="a positive number: DV counts downwards from skull or dura",
            remedy=f"If the needle was {-record.dv_mm:g} mm deep, write {-record.dv_mm:g}.",
        )


def _refuse_loose_coordinates(site: ImplantSite, record: SurgicalRecord) -> Iterator[DomainError]:
    if record.has_coordinates and site not in limits.STEREOTACTIC_SITES:
        yield _cannot_be(
            f"Stereotactic coordinates do not go with the site {_SITE_WORDS[site]}.",
            field="ap_mm" if record.ap_mm is not None else "ml_mm" if record.ml_mm is not None else "dv_mm",
            expected="coordinates for an intracranial or intrathecal implant only",
            remedy="Correct the site, or take the coordinates out.",
        )
    if record.coordinate_origin is None and (record.ap_mm is not None or record.ml_mm is not None):
        yield _cannot_be(
            "The coordinates AP and ML have no origin, and bregma and lambda lie about 4 mm apart.",
            field="coordinate_origin",
            expected="bregma or lambda",
        )
    if record.depth_reference is None and record.dv_mm is not None:
        yield _cannot_be(
            "The depth (DV) has no reference, and skull and dura are not one surface.",
            field="depth_reference",
            expected="skull or dura",
        )


def _refuse_side(site: ImplantSite, record: SurgicalRecord) -> Iterator[DomainError]:
    side = record.hemisphere
    if side is None and site is ImplantSite.INTRACRANIAL and record.ml_mm != 0:
        yield _cannot_be(
            "An intracranial implant has no side.", field="hemisphere", expected="left or right; midline where ML is 0"
        )
    if side is None or record.ml_mm is None or side is _side(record.ml_mm):
        return
    yield _cannot_be(
        f"ML {record.ml_mm:g} mm is {_SIDE_WORDS[_side(record.ml_mm)]}, and the side says {side.value}.",
        field="ml_mm",
        expected="positive on the animal's right, negative on its left, 0 on the midline",
        remedy="Correct the sign of ML, or the side.",
    )


_SIDE_WORDS = {
    Hemisphere.LEFT: "on the animal's left",
    Hemisphere.RIGHT: "on the animal's right",
    Hemisphere.MIDLINE: "on the midline",
}


def _side(ml_mm: float) -> Hemisphere:
    if ml_mm == 0:
        return Hemisphere.MIDLINE
    return Hemisphere.RIGHT if ml_mm > 0 else Hemisphere.LEFT


def _refuse_two_materials(_site: ImplantSite, record: SurgicalRecord) -> Iterator[DomainError]:
    cells, fragment = record.cell_count is not None, record.fragment_mm is not None
    if cells and fragment:
        yield _cannot_be(
            "One implant cannot be both counted cells and a piece of tissue.",
            field="fragment_mm",
            expected="a number of cells, or the size of a fragment",
            remedy="Take one of the two out; two tumours in one mouse are two implants.",
        )
    elif record.material is ImplantMaterial.FRAGMENT and cells:
        yield _cannot_be("A fragment has no number of cells.", field="cell_count", expected="nothing, or cells as material")
    elif record.material is ImplantMaterial.CELLS and fragment:
        yield _cannot_be("Cells have no edge in mm.", field="fragment_mm", expected="nothing, or a fragment as material")


def _refuse_analgesia_of_nothing(_site: ImplantSite, record: SurgicalRecord) -> Iterator[DomainError]:
    if record.analgesic is None and (record.analgesia_hours is not None or record.analgesia_doses):
        yield _cannot_be(
            "Doses of analgesia are planned, and no analgesic is named.",
            field="analgesic",
            expected="the analgesic, with its dose",
            remedy="Name it, or take the plan out.",
        )


_REFUSALS: tuple[Callable[[ImplantSite, SurgicalRecord], Iterator[DomainError]], ...] = (
    _refuse_depth_above,
    _refuse_ranges,
    _refuse_loose_coordinates,
    _refuse_side,
    _refuse_two_materials,
    _refuse_analgesia_of_nothing,
)


def _warn(field: str, message: str, expected: str | None = None, source: str | None = None) -> Notice:
    return Notice("warning", field, message, expected, source or limits.SOURCES[field])


def _doubt_volume_and_rate(site: ImplantSite, record: SurgicalRecord) -> Iterator[Notice]:
    for field, table, unit in (("volume_ul", limits.VOLUMES_UL, "µL"), ("rate_ul_min", limits.RATES_UL_MIN, "µL/min")):
        value, limit = getattr(record, field), table.get(site)
        if value is not None and limit is not None and value > limit.usual:
            message = f"{value:g} {unit} is much for the site {_SITE_WORDS[site]}."
            yield _warn(field, message, f"{limit.usual:g} {unit} or less")


def _doubt_coordinates(site: ImplantSite, record: SurgicalRecord) -> Iterator[Notice]:
    if site is ImplantSite.INTRACRANIAL and not record.has_coordinates:
        message = "No coordinates are recorded: nobody can say where in the brain it lies, nor do it again in the same place."
        yield _warn("ap_mm", message, "AP, ML and DV, with their origin and reference", limits.REPORTED)
    if record.ap_mm is not None and record.coordinate_origin is not None:
        lowest, highest = limits.USUAL_AP_MM[record.coordinate_origin]
        if not lowest <= record.ap_mm <= highest:
            message = f"AP {record.ap_mm:g} mm from {record.coordinate_origin.value} lies outside of the brain of an adult mouse."
            yield _warn("ap_mm", message, f"{lowest:g} to {highest:g} mm")
    if record.ml_mm is not None and abs(record.ml_mm) > limits.USUAL_ML_MM:
        yield _warn("ml_mm", f"ML {record.ml_mm:g} mm lies at or beyond the edge of the brain.", f"up to {limits.USUAL_ML_MM:g} mm")
    if record.dv_mm is not None and record.dv_mm > limits.USUAL_DV_MM:
        yield _warn("dv_mm", f"DV {record.dv_mm:g} mm reaches the base of the skull.", f"up to {limits.USUAL_DV_MM:g} mm")
    if record.angle_degrees is not None and abs(record.angle_degrees) > limits.USUAL_ANGLE_DEGREES:
        expected = f"up to {limits.USUAL_ANGLE_DEGREES:g}°"
        yield _warn("angle_degrees", f"An angle of {record.angle_degrees:g}° is steep.", expected)
    if record.has_coordinates:
        for field, name in (("ap_mm", "AP"), ("ml_mm", "ML"), ("dv_mm", "DV")):
            if getattr(record, field) is None:
                yield _warn(field, f"{name} is missing beside the other coordinates.", "all three of AP, ML and DV")


def _doubt_injection(site: ImplantSite, record: SurgicalRecord) -> Iterator[Notice]:
    if site is not ImplantSite.INTRACRANIAL or not record.injected:
        return
    expected = f"{limits.SHORTEST_DWELL_MIN:g} minute or more before the needle is drawn back"
    if record.dwell_min is None:
        yield _warn("dwell_min", "How long the needle stayed is not recorded.", expected)
    elif record.dwell_min < limits.SHORTEST_DWELL_MIN:
        yield _warn("dwell_min", f"The needle stayed {record.dwell_min:g} min: cells may flow back along its track.", expected)
    if record.needle is None:
        yield _warn("needle", "The needle is not recorded.", "gauge and kind, such as 26 G Hamilton")


def _doubt_material(site: ImplantSite, record: SurgicalRecord) -> Iterator[Notice]:
    viability = record.viability_percent
    if viability is not None and viability < limits.POOR_VIABILITY_PERCENT:
        message = f"Only {viability:g} % of the cells live: most of what is implanted is dead, and a failed take will say little."
        yield _warn("viability_percent", message, f"{limits.USUAL_VIABILITY_PERCENT:g} % or more")
    elif viability is not None and viability < limits.USUAL_VIABILITY_PERCENT:
        message = f"{viability:g} % of the cells live, which is few."
        yield _warn("viability_percent", message, f"{limits.USUAL_VIABILITY_PERCENT:g} % or more")
    most = limits.USUAL_CELLS.get(site)
    if record.cell_count is not None and most is not None and record.cell_count > most:
        yield _warn("cell_count", f"{record.cell_count:,} cells are many for the site {_SITE_WORDS[site]}.", f"{most:,} or fewer")
    largest = limits.USUAL_FRAGMENT_MM.get(site)
    if record.fragment_mm is not None and largest is not None and record.fragment_mm > largest:
        message = f"A fragment of {record.fragment_mm:g} mm is large for the site {_SITE_WORDS[site]}."
        yield _warn("fragment_mm", message, f"{largest:g} mm or less")


def _doubt_care(site: ImplantSite, record: SurgicalRecord) -> Iterator[Notice]:
    if site in limits.SURGICAL_SITES:
        if record.anaesthetic is None:
            yield _warn("anaesthetic", "No anaesthetic is recorded.", "the anaesthetic, with its dose")
        if record.analgesic is None:
            yield _warn("analgesic", "No analgesic is recorded.", "the analgesic, with its dose, or the reason why there was none")
    if record.analgesic is not None and record.analgesia_hours is None and record.analgesia_doses != 0:
        yield _warn("analgesia_hours", "No further dose of analgesia will fall due.", "hours between doses, and how many doses")
    elif record.analgesia_hours is not None and record.analgesia_doses is None:
        yield _warn("analgesia_doses", "No further dose of analgesia will fall due.", "how many doses after the one at surgery")
    lowest, highest = limits.USUAL_WEIGHT_G
    if record.weight_g is not None and not lowest <= record.weight_g <= highest:
        yield _warn("weight_g", f"A weight of {record.weight_g:g} g is unusual for a mouse.", f"{lowest:g} to {highest:g} g")


_DOUBTS: tuple[Callable[[ImplantSite, SurgicalRecord], Iterator[Notice]], ...] = (
    _doubt_volume_and_rate,
    _doubt_coordinates,
    _doubt_injection,
    _doubt_material,
    _doubt_care,
)
