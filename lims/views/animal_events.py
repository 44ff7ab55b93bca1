"""The small tables of an animal's page: doses, samples, procedures, other names, and how much of an agent reached where."""

from __future__ import annotations

from typing import Any

from flask import url_for

from lims.models import Animal
from lims.queries.doses import doses_of
from lims.queries.exposures import of_animal
from lims.queries.procedures import procedures_of
from lims.queries.specimens import samples_of
from lims.records.procedures import words
from lims.views.aliases import alias_table
from lims.views.cells import badge
from lims.views.specimen_page import what
from lims.views.study_exposure import matrix_words
from lims.views.support import current_session, sees_arms

DOSES_SHOWN = 20
"""On the animal's page; its list has the others."""


def event_tables(animal: Animal) -> dict[str, Any]:
    """Give the tables by their names in the template; a statement each."""
    tables = {"samples": _samples(animal), "procedures": _procedures(animal), "exposure": _exposure(animal)}
    return tables | {"names": alias_table(animal), "doses": _doses(animal), "doses_shown": DOSES_SHOWN}


def _doses(animal: Animal) -> dict[str, Any]:
    columns = [
        {"key": "on", "label": "Day"},
        {"key": "agent", "label": "Agent", "mono": True},
        {"key": "state", "label": "State"},
        {"key": "volume", "label": "Volume", "unit": "µL", "align": "end"},
        {"key": "lot", "label": "Lot", "mono": True},
        {"key": "study", "label": "Study", "mono": True},
        {"key": "reason", "label": "Reason"},
    ]
    rows = [
        {
            "_url": url_for("doses.show", record_id=one.id),
            "on": str(one.on),
            "agent": one.agent,
            "state": badge(one.state),
            "volume": f"{one.volume_ul:,g}" if one.volume_ul is not None else None,
            "lot": one.lot,
            "study": one.study,
            "reason": one.reason,
        }
        for one in doses_of(current_session(), animal, DOSES_SHOWN, unblinded=sees_arms())
    ]
    return {"caption": f"Doses of {animal.code}", "columns": columns, "rows": rows}


def _samples(animal: Animal) -> dict[str, Any]:
    columns = [
        {"key": "code", "label": "Specimen", "mono": True},
        {"key": "kind", "label": "Kind"},
        {"key": "site", "label": "Site"},
        {"key": "on", "label": "Collected"},
    ]
    rows = [
        {
            "_url": url_for("specimens.show", record_id=one.id),
            "code": one.code,
            "kind": what(one),
            "site": one.site,
            "on": str(one.collected_on or ""),
        }
        for one in samples_of(current_session(), animal.id)
    ]
    return {"caption": f"Samples of {animal.code}", "columns": columns, "rows": rows}


def _procedures(animal: Animal) -> dict[str, Any]:
    columns = [
        {"key": "on", "label": "Done"},
        {"key": "kind", "label": "Procedure"},
        {"key": "drawn", "label": "Drawn", "unit": "µL", "align": "end"},
        {"key": "device", "label": "Device"},
        {"key": "operator", "label": "By"},
    ]
    rows = [
        {
            "_url": url_for("procedures.show", record_id=one.id),
            "on": str(one.done_on),
            "kind": words(one.kind),
            "drawn": f"{one.volume_ul:,g}" if one.volume_ul is not None else None,
            "device": one.device,
            "operator": one.operator,
        }
        for one in procedures_of(current_session(), animal.id)
    ]
    return {"caption": f"Procedures of {animal.code}", "columns": columns, "rows": rows}


def _exposure(animal: Animal) -> dict[str, Any]:
    columns = [
        {"key": "of", "label": "Of"},
        {"key": "matrix", "label": "Sample"},
        {"key": "concentration", "label": "Concentration", "align": "end"},
        {"key": "plasma", "label": "Plasma", "align": "end"},
        {"key": "kp", "label": "Kp", "align": "end"},
        {"key": "kp_uu", "label": "Kp,uu", "align": "end"},
    ]
    rows = [
        {
            "_url": url_for("exposures.show", record_id=one.found.tissue.key),
            "of": one.substance,
            "matrix": matrix_words(one.found.tissue.matrix),
            "concentration": one.found.tissue.shown,
            "plasma": one.found.plasma.shown if one.found.plasma else None,
            "kp": one.found.kp.shown if one.found.kp else None,
            "kp_uu": one.found.kp_uu.shown if one.found.kp_uu else None,
        }
        for one in of_animal(current_session(), animal.id, unblinded=sees_arms())
    ]
    return {"caption": f"Exposure of {animal.code}", "columns": columns, "rows": rows}
