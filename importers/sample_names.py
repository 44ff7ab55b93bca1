"""Reads animal, matrix and time after the dose out of the names that a laboratory gives its samples, by a pattern that it sets.

A pattern is a name with parts in braces: `{study}_{animal}_{matrix}_{hours}h` reads `PK01_M07_plasma_0.5h`. What stands between
the parts is compared without case, and a part never holds a character that parts its neighbours, so that a name fits in one way
or not at all. Names are never guessed at one by one: one pattern is proposed from all of them, and a person confirms it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, pairwise

from importers.columns import in_words, squash
from lims.domain.cohort_terms import ExposureMatrix

_NUMBER = r"\d+(?:[.,]\d+)?"
_SPAN = r"(?:h|hrs?|hours?|min|mins|minutes?|d|days?)"
_TIME = re.compile(rf"(?:T\s*(?P<bare>{_NUMBER})|T?\s*(?P<amount>{_NUMBER})\s*(?P<span>{_SPAN}))", re.IGNORECASE)
_BEFORE = re.compile(r"pre[ -]?dose|pre|baseline", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_PARTS = {
    "study": None,
    "animal": None,
    "matrix": None,
    "hours": rf"{_NUMBER}\s*",
    "time": rf"(?:T?\s*{_NUMBER}\s*{_SPAN}|T\s*{_NUMBER}|{_BEFORE.pattern})",
    "date": r"\d{4}-?\d{2}-?\d{2}",
    "replicate": None,
}
"""Part of a pattern → what it may be written as; `None` is anything without the characters between the parts."""

_EXAMPLES = {
    "study": "PK01",
    "animal": "M07",
    "matrix": "plasma",
    "hours": "4",
    "time": "30min",
    "date": "2024-01-31",
    "replicate": "2",
}
PARTS_IN_WORDS = (
    "{animal}, {matrix}, {hours} or {time} (4h, 30min, T4, 2d, predose), {date} (2024-01-31, 20240131), {study}, {replicate}, "
    "and * for anything else"
)
LONGEST_NAME = 200
"""Characters of a sample's name."""
HOURS_OF = {"m": 1 / 60, "h": 1.0, "d": 24.0}
SEPARATORS = ("_", "-", " ", "/", ".")
_LOOKED_AT = 500
"""Names by which a pattern is proposed."""
_LEAST_SHARE = 0.5
_LEAST_PARTS = 2
_MOST_ANYTHING = 2
_LETTERS = r"[^\W\d_]+"
_PIECE = re.compile(r"\{([^{}]*)\}|(\*)")
_WORD = re.compile(r"[^\W\d_]")
_REPLICATE = re.compile(r"(?:r|rep|inj)?\d{1,2}", re.IGNORECASE)
_WORKING_HOURS = re.compile(rf"{_NUMBER}\s*h", re.IGNORECASE)

CONTROL = re.compile(
    r"(?:[a-z]?blk|[a-z]*blank|std|standard|cal|calib|sst|solv|solvent|ltr|nist|zero|wash|carryover|[a-z]{0,3}qc[-_ ]?[a-z]?)"
    r"[-_ ]?\d*",
    re.IGNORECASE,
)
"""How calibrators, quality controls and blanks are named; `named_control` compares it with the parts of a name."""

SURE: dict[str, ExposureMatrix] = {
    **dict.fromkeys(("plasma", "pl", "plas", "edtaplasma", "k2edtaplasma", "heparinplasma"), ExposureMatrix.PLASMA),
    **dict.fromkeys(("csf", "liquor", "cerebrospinalfluid"), ExposureMatrix.CSF),
    **dict.fromkeys(("core", "lesioncore", "tumourcore", "tumorcore", "metcore", "bmcore"), ExposureMatrix.LESION_CORE),
    **dict.fromkeys(("rim", "lesionrim", "tumourrim", "tumorrim", "metrim", "bmrim"), ExposureMatrix.LESION_RIM),
    **dict.fromkeys(("micromet", "micromets", "micrometastasis", "micrometastases"), ExposureMatrix.MICROMETASTASIS),
    **dict.fromkeys(("adjacent", "adjacentbrain", "adjbrain", "bat", "peritumoral", "peritumoural"), ExposureMatrix.ADJACENT_BRAIN),
    **dict.fromkeys(
        ("contra", "contralateral", "contralateralbrain", "contrabrain", "contrahemisphere"), ExposureMatrix.CONTRALATERAL_BRAIN
    ),
    **dict.fromkeys(
        (
            "extracranial",
            "extracranialtumour",
            "extracranialtumor",
            "mfp",
            "mfptumour",
            "mfptumor",
            "fatpad",
            "flanktumour",
            "flanktumor",
        ),
        ExposureMatrix.EXTRACRANIAL_TUMOUR,
    ),
}
"""What a word can only mean, squashed. BAT: brain adjacent to tumour."""

LIKELY: dict[str, ExposureMatrix | None] = {
    **dict.fromkeys(
        ("brainmet", "brainmets", "brainmetastasis", "braintumour", "braintumor", "bm", "met", "mets", "metastasis", "lesion"),
        ExposureMatrix.LESION_CORE,
    ),
    **dict.fromkeys(("ipsi", "ipsilateral", "ipsilateralbrain"), ExposureMatrix.ADJACENT_BRAIN),
    **dict.fromkeys(("normalbrain", "healthybrain"), ExposureMatrix.CONTRALATERAL_BRAIN),
    **dict.fromkeys(
        ("brain", "br", "wholebrain", "hemisphere", "cortex", "tumour", "tumor", "tu", "tum", "serum", "blood", "wholeblood")
    ),
}
"""Words that are asked about: what they most likely mean, `None` where no meaning is likelier than another."""

NOT_KEPT = frozenset(
    (
        "liver",
        "kidney",
        "lung",
        "heart",
        "spleen",
        "muscle",
        "skin",
        "fat",
        "bone",
        "marrow",
        "urine",
        "bile",
        "faeces",
        "feces",
        "gut",
    )
)
"""Samples of which no concentration is kept."""


@dataclass(frozen=True, slots=True)
class SampleName:
    """What a pattern reads in a name; `None` where it has no such part. hours: after the dose. matrix: the name's own word."""

    animal: str
    matrix: str | None = None
    hours: float | None = None
    collected_on: date | None = None
    before_dose: bool = False
    replicate: str | None = None

    def __str__(self) -> str:
        """Say it: `animal M07, plasma, 0.5 h after the dose`."""
        time = None if self.hours is None else f"{self.hours:g} h after the dose"
        said = (f"animal {self.animal}", self.matrix, time, "before the dose" if self.before_dose else None)
        dated = None if self.collected_on is None else self.collected_on.isoformat()
        return ", ".join(filter(None, (*said, dated, f"replicate {self.replicate}" if self.replicate else None)))


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, ready to read names with."""

    text: str
    parts: frozenset[str]
    expression: re.Pattern[str]

    @property
    def example(self) -> str:
        """Give a name that fits."""
        return re.sub(r"\{(\w+)\}", lambda part: _EXAMPLES[part[1]], self.text)

    def read(self, name: str) -> SampleName | None:
        """Read a name; `None` where it does not fit, or names a day that does not exist."""
        fitting = self.expression.fullmatch(name.strip()) if len(name) <= LONGEST_NAME else None
        if fitting is None:
            return None
        found = {part: text.strip() for part, text in fitting.groupdict().items() if text is not None}
        day = _day(found["date"]) if "date" in found else None
        if not found["animal"] or ("date" in found and day is None):
            return None
        time = found.get("time", "")
        hours = _number(found["hours"]) if "hours" in found else _hours(time)
        before = _BEFORE.fullmatch(time) is not None
        return SampleName(found["animal"], found.get("matrix"), hours, day, before, found.get("replicate"))


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _hours(text: str) -> float | None:
    told = _TIME.fullmatch(text)
    if told is None:
        return None
    if told["bare"]:
        return _number(told["bare"])
    return round(_number(told["amount"]) * HOURS_OF[told["span"][0].casefold()], 6)


def _day(text: str) -> date | None:
    told = _DATE.fullmatch(text)
    try:
        return date(int(told[1]), int(told[2]), int(told[3])) if told else None
    except ValueError:
        return None


def pattern_of(text: str) -> Pattern:
    """Take a pattern apart. Raises `ValueError` with the rest of a sentence that begins with the quoted pattern."""
    pieces = _PIECE.split(text)
    literals = pieces[::3]
    parts = ["*" if anything else name for name, anything in zip(pieces[1::3], pieces[2::3], strict=True)]
    _require_parts(text, [part for part in parts if part != "*"])
    _require_between(parts, literals[1:-1])
    between = {letter for literal in literals for letter in literal if not letter.isalnum()}
    anything = f"[^{re.escape(''.join(sorted(between)))}]+?" if between else ".+?"
    written = [_literal(literals[0])]
    for place, (part, literal) in enumerate(zip(parts, literals[1:], strict=True)):
        touching = not literal and place + 1 < len(parts)
        free = _LETTERS if part == "matrix" and touching else anything
        written.append(".*" if part == "*" else f"(?P<{part}>{_PARTS[part] or free})")
        written.append(_literal(literal))
    return Pattern(text, frozenset(parts) - {"*"}, re.compile("".join(written), re.IGNORECASE))


def _require_parts(text: str, named: Sequence[str]) -> None:
    unknown = [part for part in named if part not in _PARTS]
    twice = [part for part, number in Counter(named).items() if number > 1]
    if unknown:
        raise ValueError(f"has a part {{{unknown[0]}}} that is not known")
    if "animal" not in named:
        raise ValueError("does not say where the animal stands")
    if twice:
        raise ValueError(f"has the part {{{twice[0]}}} twice")
    if {"hours", "time"} <= set(named):
        raise ValueError("says the time twice, as {hours} and as {time}")
    if text.count("*") > _MOST_ANYTHING:
        raise ValueError(f"has more than {_MOST_ANYTHING} * in it")


def _require_between(parts: Sequence[str], literals: Sequence[str]) -> None:
    """Require that it can be told where one part ends and the next begins."""
    for (part, follower), literal in zip(pairwise(parts), literals, strict=True):
        typed = [_PARTS.get(one) is not None for one in (part, follower)]
        if literal.isalnum() and any(typed):
            continue
        if not literal and part == "matrix" and typed[1]:
            continue
        if not literal or literal.isalnum():
            one, other = (f"{{{name}}}" if name != "*" else name for name in (part, follower))
            raise ValueError(f"does not say what parts {one} from {other}, such as _")


def _literal(text: str) -> str:
    """Write what stands between parts; any number of blanks is one."""
    return re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(text))


def is_matrix_word(word: str) -> bool:
    """Whether a word is known to name a matrix."""
    plain = squash(word)
    return plain in SURE or plain in LIKELY or plain in NOT_KEPT


def named_control(name: str) -> bool:
    """Whether a part of a name says that this is a calibrator, a quality control or a blank."""
    return any(CONTROL.fullmatch(part) for part in re.split(r"[_\s/.+]+|(?<=\D)-", name) if part)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pattern that fits most names, or why there is none. score: how many names it fits, then how many parts it knows."""

    pattern: str | None
    evidence: str
    score: tuple[float, int] = (0.0, 0)


def propose(names: Sequence[str]) -> Proposal:
    """Propose the pattern that the names themselves suggest; none where two parts could be the animal."""
    different = list(islice(dict.fromkeys(names), _LOOKED_AT))
    tried = [one for mark in SEPARATORS if (one := _by_separator(different, mark)) is not None]
    sound = [one for one in tried if one.pattern is not None]
    if sound:
        return max(sound, key=lambda one: (one.score[1], one.score[0]))
    return tried[0] if tried else Proposal(None, "The names have no parts in common.")


def _by_separator(names: Sequence[str], mark: str) -> Proposal | None:
    """Cut every name at one character and see which of its parts are the matrix, the time and the animal."""
    cut = [name.split(mark) for name in names]
    width, number = Counter(map(len, cut)).most_common(1)[0] if cut else (0, 0)
    if width < _LEAST_PARTS or number < len(names) * _LEAST_SHARE:
        return None
    columns = [list(column) for column in zip(*(parts for parts in cut if len(parts) == width), strict=True)]
    kinds = _kinds(columns)
    if not any(kinds):
        return Proposal(None, f"No part of “{names[0]}” is a matrix, a time or a date that is known.")
    left = [place for place, kind in enumerate(kinds) if kind is None]
    animal = _animal(columns, left)
    if animal is None:
        could = in_words([f'"{columns[place][0]}"' for place in left])
        return Proposal(None, f"In “{names[0]}”, {could or 'no part'} could be the animal.")
    words = [place for place in left if place != animal and all(map(_WORD.match, columns[place])) and len(set(columns[place])) > 1]
    if len(words) == 1 and "{matrix}" not in kinds:
        kinds[words[0]] = "{matrix}"
    written = [kind or _rest(columns[place], place, animal) for place, kind in enumerate(kinds)]
    pattern = pattern_of(mark.join(written))
    fits = sum(pattern.read(name) is not None for name in names)
    return Proposal(pattern.text, f"{fits:,} of {len(names):,} names fit.", (fits / len(names), sum(map(bool, kinds)) + 1))


def _kinds(columns: Sequence[Sequence[str]]) -> list[str | None]:
    """Tell what each part is, the first matrix and the first date only, and a last small number as a replicate."""
    kinds = [_kind(column) for column in columns]
    for part in ("{matrix}", "{date}"):
        kinds = _only_first(kinds, part)
    if any(kinds) and kinds[-1] is None and kinds.count(None) > 1 and all(map(_REPLICATE.fullmatch, columns[-1])):
        kinds[-1] = "{replicate}"
    return kinds


def _kind(column: Sequence[str]) -> str | None:
    """Tell what a part is in all names: time, date or matrix; `None` where it is none of them."""
    if all(map(_WORKING_HOURS.fullmatch, column)):
        return "{hours}" + column[0].strip()[-1]
    tests: tuple[tuple[str, Callable[[str], object]], ...] = (
        ("{time}", lambda text: _TIME.fullmatch(text) or _BEFORE.fullmatch(text)),
        ("{date}", _day),
        ("{matrix}", is_matrix_word),
    )
    return next((part for part, test in tests if all(test(text.strip()) for text in column)), None)


def _only_first(kinds: Sequence[str | None], part: str) -> list[str | None]:
    first = next((place for place, kind in enumerate(kinds) if kind == part), None)
    return [None if kind == part and place != first else kind for place, kind in enumerate(kinds)]


def _animal(columns: Sequence[Sequence[str]], left: Sequence[int]) -> int | None:
    """Choose the part that can be the animal: the only one, the only one that differs, or the only one that looks like an id."""
    differing = [place for place in left if len(set(columns[place])) > 1]
    ids = [place for place in differing if all(re.fullmatch(r"[A-Za-z]{1,4}-?\d+", text) for text in columns[place])]
    return next((places[0] for places in (left, differing, ids) if len(places) == 1), None)


def _rest(column: Sequence[str], place: int, animal: int) -> str:
    """Write a part that is neither matrix nor time: the animal, the study before it, what all names share, or anything."""
    if place == animal:
        return "{animal}"
    if len(set(column)) > 1 or not column[0].isalnum():
        return "*"
    return "{study}" if place == 0 else column[0]
