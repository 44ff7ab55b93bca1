"""STR profiles: read, written in one way, and matched with a reference to show whose tissue a model is.

Source: ANSI/ATCC ASN-0002-2022, Authentication of Human Cell Lines by STR profiling; thresholds of Capes-Davis et al., Int J
Cancer 132:2510 (2013). An allele is a number of repeats (9.3: nine repeats and three bases); one that is there twice is
written once. Amelogenin, and the Y loci, which tumours lose, are kept and left out of a match.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lims.domain.errors import DomainError
from lims.domain.sources import STR_TYPING

Profile = Mapping[str, tuple[str, ...]]
"""Locus → its alleles, each once, in order."""

AUTOSOMAL_LOCI = (
    "CSF1PO", "D1S1656", "D2S441", "D2S1338", "D3S1358", "D5S818", "D6S1043", "D7S820", "D8S1179", "D10S1248", "D12S391",
    "D13S317", "D16S539", "D18S51", "D19S433", "D21S11", "D22S1045", "FGA", "Penta C", "Penta D", "Penta E", "SE33", "TH01",
    "TPOX", "vWA",
)  # fmt: skip
"""Loci of PowerPlex 16 to Fusion, Identifiler, GlobalFiler, Investigator 24plex, Huaxia and GenePrint 10 and 24."""
SEX_LOCI = ("AMEL", "DYS391", "DYS570", "DYS576")
LOCI = (*AUTOSOMAL_LOCI, *SEX_LOCI)
FEWEST_LOCI = 8
"""ASN-0002: fewer common loci do not tell two people apart well enough."""
RELATED_PERCENT = 90
AMBIGUOUS_PERCENT = 80
MOST_ALLELES = 8
"""Of one locus: a tumour may gain some, and a mixture of many people is no profile."""
MOST_REPEATS = 60

_EXAMPLE = "a locus and its alleles, such as D5S818: 11, 12"
_ALIASES = {"AMELOGENIN": "AMEL", "AM": "AMEL", "AMELX": "AMEL", "THO1": "TH01", "TH1": "TH01", "VWF": "vWA", "ACTBP2": "SE33"}
_ALLELE = re.compile(r"([0-9]{1,2})(?:\.([0-4]))?")
_SQUEEZE = re.compile(r"[\s_-]+")


class StrVerdict(StrEnum):
    """What a match says about two profiles (Capes-Davis et al. 2013, by Tanabe)."""

    RELATED = "related"
    AMBIGUOUS = "ambiguous"
    UNRELATED = "unrelated"


@dataclass(frozen=True, slots=True)
class StrMatch:
    """Alleles counted over the loci typed in both profiles, and what they come to, in percent."""

    shared: int
    query_alleles: int
    reference_alleles: int
    loci: tuple[str, ...]
    masters_percent: float
    tanabe_percent: float
    verdict: StrVerdict


def parse_profile(text: str) -> dict[str, tuple[str, ...]]:
    """Read a profile of one locus a line, `D5S818: 11, 12` (ASN-0002); a tab or `=` may stand for the colon.

    Alleles may be parted by commas, semicolons, slashes or blanks. Loci come in the order of `LOCI`.

    Raises:
        DomainError: on `alleles`, with the number of the line: no such locus, no allele, a locus twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        locus, alleles = _parse_line(number, line.strip())
        if locus in found:
            raise _refused(
                f"Line {number}: {locus} stands in line {lines[locus]} already.", "each locus once", "Take one of the two out."
            )
        found[locus], lines[locus] = alleles, number
    if not found:
        raise _refused("The STR profile is empty.", f"one line a locus: {_EXAMPLE}")
    return {locus: found[locus] for locus in LOCI if locus in found}


def profile_lines(profile: Profile) -> list[str]:
    """Give a profile as it is kept: one text a locus, `D5S818: 11, 12`, in the order of `LOCI` (ASN-0002)."""
    return [f"{locus}: {', '.join(profile[locus])}" for locus in LOCI if locus in profile]


def match(query: Profile, reference: Profile) -> StrMatch:
    """Match a profile with its reference over the autosomal loci typed in both (ASN-0002-2022), in percent.

    Tanabe: 2 · shared / (query + reference). Masters, seen from the query: shared / query. The verdict goes by Tanabe: from
    90 related, from 80 ambiguous, below unrelated (Capes-Davis et al. 2013).

    Raises:
        DomainError: on `alleles`: fewer than eight loci are typed in both.
    """
    loci = tuple(locus for locus in AUTOSOMAL_LOCI if query.get(locus) and reference.get(locus))
    if len(loci) < FEWEST_LOCI:
        common = f": {', '.join(loci)}" if loci else ""
        raise _refused(
            f"Only {len(loci)} loci are typed in both profiles{common}. Fewer than {FEWEST_LOCI} do not tell two people apart.",
            f"{FEWEST_LOCI} loci or more in common; amelogenin and Y loci do not count",
            "Type the missing loci, or compare with a profile of the same kit.",
        )
    shared = sum(len(set(query[locus]) & set(reference[locus])) for locus in loci)
    of_query, of_reference = _counted(query, loci), _counted(reference, loci)
    tanabe = 200 * shared / (of_query + of_reference)
    return StrMatch(shared, of_query, of_reference, loci, 100 * shared / of_query, tanabe, _verdict(tanabe))


def _counted(profile: Profile, loci: Sequence[str]) -> int:
    return sum(len(set(profile[locus])) for locus in loci)


def _verdict(tanabe: float) -> StrVerdict:
    if tanabe >= RELATED_PERCENT:
        return StrVerdict.RELATED
    return StrVerdict.AMBIGUOUS if tanabe >= AMBIGUOUS_PERCENT else StrVerdict.UNRELATED


def _squeezed(name: str) -> str:
    return _SQUEEZE.sub("", name).upper()


_BY_NAME = {_squeezed(locus): locus for locus in LOCI} | _ALIASES


def _parse_line(number: int, line: str) -> tuple[str, tuple[str, ...]]:
    name, separator, rest = _parted(line)
    locus = _BY_NAME.get(_squeezed(name))
    if locus is None:
        why = f'no STR locus called "{name.strip()[:20]}" is known' if separator else f'"{line[:30]}" names no locus and alleles'
        raise _refused(f"Line {number}: {why}.", _EXAMPLE, f"Loci that are known: {', '.join(LOCI)}.")
    texts = [one for one in re.split(r"[,;/\s]+", rest) if one]
    if not texts:
        raise _refused(f"Line {number}: {locus} has no allele.", _EXAMPLE, "Leave a locus out that was not typed.")
    alleles = {_allele(number, locus, one) for one in texts}
    if len(alleles) > MOST_ALLELES:
        raise _refused(f"Line {number}: {locus} has {len(alleles)} alleles.", f"at most {MOST_ALLELES}")
    return locus, tuple(sorted(alleles, key=_order))


def _parted(line: str) -> tuple[str, str, str]:
    """The locus, what separates it, and its alleles; Penta D has a blank in its name."""
    for separator in (":", "=", "\t"):
        if separator in line:
            return line.partition(separator)
    words = line.split()
    length = 2 if words[0].upper() == "PENTA" else 1
    rest = " ".join(words[length:])
    return " ".join(words[:length]), " " if rest else "", rest


def _allele(number: int, locus: str, text: str) -> str:
    if locus == "AMEL":
        if text.upper() in {"X", "Y"}:
            return text.upper()
        raise _refused(f'Line {number}: AMEL has the allele "{text[:20]}".', "X, or X and Y")
    found = _ALLELE.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= MOST_REPEATS:
        raise _refused(
            f'Line {number}: {locus} has the allele "{text[:20]}".',
            f"numbers of repeats from 1 to {MOST_REPEATS}, such as 11 or 9.3",
            "Copy it from the report again; leave a locus out that was not typed.",
        )
    part = found[2] if found[2] not in {None, "0"} else ""  # a spreadsheet makes 11.0 of 11
    return f"{int(found[1])}.{part}" if part else str(int(found[1]))


def _order(allele: str) -> tuple[float, str]:
    return (0.0, allele) if allele in {"X", "Y"} else (float(allele), "")


def _refused(message: str, expected: str, remedy: str | None = None) -> DomainError:
    return DomainError(message, field="alleles", expected=expected, remedy=remedy, source=STR_TYPING)
