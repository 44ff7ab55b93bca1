"""The search box: one exact hit goes straight to its record, anything else is a page of what was found."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from lims.queries.search import EXACT, SAID_TWICE, SHOWN, Hit, find_anything
from lims.views.addresses import page_of
from lims.views.support import current_project, current_session, needs

pages = Blueprint("search", __name__, url_prefix="/p/<project_code>/search")

KINDS = {
    "patient": "Patients",
    "specimen": "Specimens",
    "aliquot": "Aliquots",
    "pdx_model": "Models",
    "cell_preparation": "Cell preparations",
    "animal": "Animals",
    "implant": "Implants",
    "cage": "Cages",
    "storage_place": "Storage",
    "animal_protocol": "Animal protocols",
    "study": "Studies",
    "enrolment": "Enrolments",
    "agent": "Agents",
    "agent_lot": "Lots",
    "import_batch": "Imports",
}
"""What is looked for, in the order of the page."""
PLACES = (
    "patients, specimens, aliquots, models, cages and storage by code; cell preparations by code, sample and count; animals by "
    "code, ear tag, RFID and other name; implants by "
    "animal and tumour; animal protocols and studies by number and title; enrolments by animal and study; agents by code and "
    "name; lots by code; imports by number and file name"
)


@pages.get("/")
@needs("project:read")
def index() -> ResponseReturnValue:
    """Find what the box was given."""
    found = find_anything(current_session(), current_project().id, request.args.get("q", ""))
    only = found.only
    if only is not None and (url := page_of(only.entity, only.id)):
        return redirect(url)
    order = list(KINDS)
    hits = sorted(found.hits, key=lambda hit: order.index(hit.entity))
    groups = [_group(entity, list(some)) for entity, some in groupby(hits, key=lambda hit: hit.entity)]
    # What is called exactly so stands first, whatever it is.
    groups.sort(key=lambda group: not group["exact"])
    return render_template("search/index.html", text=found.text, groups=groups, places=PLACES)


def _group(entity: str, hits: list[Hit]) -> dict[str, Any]:
    return {
        "title": KINDS[entity],
        "exact": any(hit.rank in (EXACT, SAID_TWICE) for hit in hits),
        "hits": [_shown(hit) for hit in hits[:SHOWN]],
        "more": len(hits) > SHOWN,
    }


def _shown(hit: Hit) -> dict[str, Any]:
    known_by = "" if hit.found_as in ("code", "animal and tumour", "animal and study", "number") else hit.found_as
    return {
        "code": hit.code,
        "url": page_of(hit.entity, hit.id),
        "what": " · ".join(text.replace("_", " ") for text in hit.what),
        "known_by": known_by,
        "withdrawn": hit.status == "withdrawn",
    }
