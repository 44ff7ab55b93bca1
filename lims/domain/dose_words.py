"""What laboratories write of doses in their logs: names of vehicles, and routes."""

from __future__ import annotations

import re

from lims.domain.cohort_terms import DoseRoute

_VEHICLE = re.compile(
    r"\b(?:vehicle|water|saline|pbs|nacl|dmso|oil|methyl ?cellulose|cmc|hpmc|peg ?\d{3}|cyclodextrin|captisol|tween|kolliphor"
    r"|glucose|dextrose|placebo)\b",
    re.IGNORECASE,
)

_ROUTES: dict[DoseRoute, tuple[str, ...]] = {
    DoseRoute.ORAL_GAVAGE: ("po", "oral", "orally", "gavage", "oralgavage", "og", "peros"),
    DoseRoute.INTRAVENOUS: ("iv", "intravenous", "intravenously", "tailvein"),
    DoseRoute.INTRAPERITONEAL: ("ip", "intraperitoneal", "intraperitoneally"),
    DoseRoute.SUBCUTANEOUS: ("sc", "sq", "subcutaneous", "subcutaneously"),
    DoseRoute.INTRAMUSCULAR: ("im", "intramuscular", "intramuscularly"),
    DoseRoute.INTRATHECAL: ("it", "intrathecal", "intrathecally"),
    DoseRoute.INTRACEREBROVENTRICULAR: ("icv", "intracerebroventricular"),
    DoseRoute.IN_DIET: ("diet", "indiet", "chow", "infood"),
    DoseRoute.IN_WATER: ("inwater", "drinkingwater", "indrinkingwater"),
    DoseRoute.IRRADIATION: ("irradiation", "radiation", "xray", "rt"),
}
_ROUTE_OF = {words: route for route, spellings in _ROUTES.items() for words in spellings}


def is_vehicle(name: str) -> bool:
    """Tell by its name whether a compound is what drugs are dissolved in, given alone to controls."""
    return _VEHICLE.search(name) is not None


def route_of(words: str) -> DoseRoute | None:
    """Give the route that these words name, whatever their case, points and spaces (`i.p.`); nothing where they name none."""
    return _ROUTE_OF.get("".join(letter for letter in words.casefold() if letter.isalpha()))
