"""Understands what instruments write where a concentration belongs: numbers, limits, words for no value, and units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from importers import values
from importers.columns import squash, unit_name
from importers.sheets import CellValue
from importers.values import Problem
from lims.domain.cohort_terms import ConcentrationUnit

_LITRE = {"ng/l": 1e-3, "µg/l": 1.0, "mg/l": 1e3, "g/l": 1e6, "ng/dl": 1e-2, "µg/dl": 10.0}
_MILLILITRE = {"pg/ml": 1e-3, "ng/ml": 1.0, "µg/ml": 1e3, "mg/ml": 1e6, "pg/µl": 1.0, "ng/µl": 1e3, "µg/µl": 1e6}
_BY_VOLUME = {**_LITRE, **_MILLILITRE}
_BY_WEIGHT = {
    "pg/g": 1e-3,
    "ng/g": 1.0,
    "µg/g": 1e3,
    "mg/g": 1e6,
    "pg/mg": 1.0,
    "ng/mg": 1e3,
    "ng/kg": 1e-3,
    "µg/kg": 1.0,
    "mg/kg": 1e3,
}
_PER_LITRE = {"pm": 1e-3, "nm": 1.0, "µm": 1e3, "mm": 1e6, "pmol/l": 1e-3, "nmol/l": 1.0, "µmol/l": 1e3, "mmol/l": 1e6}
_PER_MILLILITRE = {"fmol/ml": 1e-3, "pmol/ml": 1.0, "nmol/ml": 1e3, "fmol/µl": 1.0, "pmol/µl": 1e3}
_MOLAR = {**_PER_LITRE, **_PER_MILLILITRE}
UNITS: Mapping[str, tuple[ConcentrationUnit, float]] = {
    **{unit: (ConcentrationUnit.NG_PER_ML, factor) for unit, factor in _BY_VOLUME.items()},
    **{unit: (ConcentrationUnit.NG_PER_G, factor) for unit, factor in _BY_WEIGHT.items()},
    **{unit: (ConcentrationUnit.NANOMOLAR, factor) for unit, factor in _MOLAR.items()},
}
"""Unit as `unit_of` spells it → the unit that is recorded, and the factor to it."""

ASKED_UNITS = ("ng/mL", "pg/mL", "µg/mL", "ng/g", "pg/mg", "µg/g", "nM", "µM")
"""Answers to the question about a file's unit."""

_MICRO = re.compile(r"^(?:u|mc)(?=g/|mol/|m$)|(?<=/)u(?=l$)")


def unit_of(text: str) -> str:
    """Reduce a unit to the spelling of `UNITS`: `ug/mL`, `mcg/mL` and `μg/ml` → `µg/ml`; blank and `N/A` to nothing."""
    plain = unit_name(text.strip("()[] "))
    return "" if plain in ("na", "n/a", "none", "-") else _MICRO.sub("µ", plain.replace("liter", "l"))


class Said(StrEnum):
    """What a cell says of a concentration."""

    NUMBER = "number"
    BELOW = "below"
    ABOVE = "above"
    NO_PEAK = "no peak"
    NOTHING = "nothing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Amount:
    """A concentration's cell, understood. value: of a number; limit: the limit that it lies below, where the cell names one."""

    said: Said
    value: float | None = None
    limit: float | None = None
    problem: Problem | None = None


_BELOW = frozenset(
    ("lloq", "loq", "lod", "blq", "bloq", "blloq", "bql", "blod", "bdl", "belowlloq", "belowloq", "belowlod", "belowlimit", "lower")
)
_ABOVE = frozenset(("uloq", "aloq", "alq", "auloq", "aql", "aboveuloq", "aboveloq", "higher"))
_NO_PEAK = frozenset(("nopeak", "nopeakfound", "peaknotfound", "notfound", "nf", "notdetected", "nd", "missing"))
_NOTHING = frozenset(("", "na", "nan", "none", "null", "nodata", "degenerate", "div0", "notcalculated", "excluded"))
_BOUND = re.compile(r"(?P<side>[<>≤≥])\s*=?\s*(?P<number>[\d.,eE+-]*\d)")


def amounts(cells: Sequence[CellValue], decimal: str) -> list[Amount]:
    """Understand a column of concentrations; each spelling is looked at once. decimal: as in `importers.values.numbers`."""
    seen: dict[tuple[type, CellValue], Amount] = {}
    found = []
    for cell in cells:
        key = (type(cell), cell)
        if key not in seen:
            seen[key] = _amount(cell, decimal)
        found.append(seen[key])
    return found


def _amount(cell: CellValue, decimal: str) -> Amount:
    text = values.cell_text(cell)
    bound = _BOUND.fullmatch(text)
    if bound is not None:
        limit, problem = number(bound["number"], decimal)
        if problem is not None:
            return Amount(Said.UNREADABLE, problem=problem)
        if bound["side"] in ">≥":
            return Amount(Said.ABOVE, limit=limit)
        # Analyst writes `< 0` for a computed concentration below zero, which is no limit.
        return Amount(Said.BELOW, limit=limit or None)
    if isinstance(cell, str):
        word = squash(text)
        for said, words in ((Said.NOTHING, _NOTHING), (Said.NO_PEAK, _NO_PEAK), (Said.BELOW, _BELOW), (Said.ABOVE, _ABOVE)):
            if word in words:
                return Amount(said)
    value, problem = number(cell, decimal)
    return Amount(Said.UNREADABLE, problem=problem) if problem is not None else Amount(Said.NUMBER, value)


def number(cell: CellValue, decimal: str) -> tuple[float | None, Problem | None]:
    """Read one cell as a number; `None` where it is blank or none, with the problem if it has one."""
    read, problems = values.numbers([cell], decimal)
    return read[0], problems.get(0)


class Kind(StrEnum):
    """What an injection was for. The value is the phrase in which those that are no samples are counted."""

    SAMPLE = "samples"
    CALIBRATOR = "calibrators"
    CONTROL = "quality controls"
    BLANK = "blanks"
    DOUBLE_BLANK = "double blanks"
    SYSTEM = "system checks"


_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("unknown", "unknownsample", "unk", "sample", "analyte", "analytesample"), Kind.SAMPLE),
    **dict.fromkeys(
        ("standard", "std", "cal", "calibration", "calibrator", "calstd", "stdbracketsample", "stdclearsample", "stdupdatesample"),
        Kind.CALIBRATOR,
    ),
    **dict.fromkeys(("stdbracket", "stdclear", "stdupdate", "externalstandard"), Kind.CALIBRATOR),
    **dict.fromkeys(("qc", "qualitycontrol", "qcsample", "cc", "continuingcalibration", "matrixqc", "qcstd"), Kind.CONTROL),
    **dict.fromkeys(("blank", "blanksample", "matrixblank", "solvent", "solventblank", "zero", "methodblank"), Kind.BLANK),
    **dict.fromkeys(("doubleblank", "doubleblanksample"), Kind.DOUBLE_BLANK),
    **dict.fromkeys(("responsecheck", "tunecheck", "systemsuitability", "conditioning", "wash", "recovery", "spike"), Kind.SYSTEM),
}


def kind_of(word: str) -> Kind | None:
    """Say what an injection of this type was for; `None` for a type that is not known."""
    return _KINDS.get(squash(word))


_LABELLED = re.compile(
    r"(?:\b|_)(?:is|istd|int\.?\s?std|internal standard)\d*(?:\b|_)"
    r"|[\s_-]\[?[dD]\d{1,2}\]?\b|\b[dD]\d{1,2}[-_]|\[?2?H\d{1,2}\]|13C\d*|15N\d*",
    re.IGNORECASE,
)


def looks_labelled(compound: str) -> bool:
    """Whether a compound is named as an internal standard: `IS`, `ISTD`, `-d4`, `[2H5]`, `13C3`."""
    return _LABELLED.search(compound) is not None
