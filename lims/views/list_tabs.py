"""Lists that stand beside each other, as tabs over each: what belongs to patients, specimens, models, agents and imports."""

from __future__ import annotations

from dataclasses import dataclass

from lims.views.filters import url_of

FAMILIES = (
    (("patients", "Patients"), ("consents", "Consents"), ("therapy", "Treatment")),
    (("specimens", "Specimens"), ("assays", "Receptor assays"), ("stains", "Stains"), ("profiles", "STR profiles")),
    (("aliquots", "Aliquots"), ("preparations", "Cell preparations")),
    (("models", "Models"), ("checks", "Checks")),
    (("measurements", "Measurements"), ("procedures", "Procedures"), ("exposures", "Exposure"), ("kinds", "Kinds")),
    (("agents", "Agents"), ("lots", "Lots"), ("regimens", "Regimens"), ("doses", "Doses")),
    (("imports", "Imports"), ("import_profiles", "Profiles"), ("templates", "Templates")),
)
"""Blueprints with what their lists are called; the first of each is the one that the rail leads to."""
_OF_STUDIES = ("arms", "enrolments", "randomisation", "study_steps", "survival", "missing", "study_export", "dosing")
_OF_IMPORTS = ("mapping", "uploads", "import_edits", "import_jobs", "import_names", "import_records")
WITHIN = dict.fromkeys(_OF_STUDIES, "studies") | dict.fromkeys(_OF_IMPORTS, "imports")
WITHIN |= {"aliases": "animals", "endpoints": "protocols", "exposures.of_study": "studies"}
"""Blueprints, and pages by their endpoint, that stand within another blueprint."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A list beside others, and whether it is the one that is shown."""

    label: str
    url: str
    shown: bool


def tabs_of(blueprint: str) -> list[Tab]:
    """Give the lists that stand beside a blueprint's own, and itself; nothing where it stands alone."""
    family = next((one for one in FAMILIES if blueprint in dict(one)), ())
    urls = [(name, label, url_of(f"{name}.index")) for name, label in family]
    return [Tab(label, url, name == blueprint) for name, label, url in urls if url]


def head_of(endpoint: str | None) -> str | None:
    """Give the blueprint that the rail marks for a page: the first of its family, or itself."""
    blueprint, _, _ = (endpoint or "").partition(".")
    within = WITHIN.get(endpoint or "") or WITHIN.get(blueprint, blueprint)
    return next((one[0][0] for one in FAMILIES if within in dict(one)), within) or None
