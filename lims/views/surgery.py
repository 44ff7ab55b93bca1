"""The surgery list: several animals implanted in one go, and the sheet for their recovery afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lims.domain.errors import NotFound
from lims.domain.passage import passage_label
from lims.domain.surgery import analgesia_due
from lims.domain.vocabulary import PassageConvention
from lims.models import Implant
from lims.queries.bench_order import counting
from lims.queries.implants import implants_in_order, living_codes
from lims.records.implants import IMPLANT
from lims.records.nouns import doubts
from lims.records.surgery import MOST_ANIMALS, implant_animals, with_labels
from lims.views.cells import amount
from lims.views.filters import moment, url_of
from lims.views.form_fields import SUGGESTED
from lims.views.record_pages import confirmation, confirmed
from lims.views.support import current_actor, current_project, current_session, needs, render_form, whole_number
from lims.views.surgery_form import SurgeryForm


@needs("implant:create")
def surgery() -> ResponseReturnValue:
    """Record a surgery list; `?animal=M0017&animal=M0018&aliquot_id=AL-00042` begins one."""
    session, project = current_session(), current_project()
    form = SurgeryForm(
        data={name: value for name, value in request.args.items() if name in ("aliquot_id", "preparation_id", "model_id", "site")}
    )
    if not form.is_submitted():
        form.begin(request.args.getlist("animal"))
    if form.validate_on_submit():
        with form.refusing():
            rows = with_labels(session, project.id, form.implants())
            if confirmed(form, doubts(session, IMPLANT, project.id, rows)):
                made = implant_animals(session, current_actor(), project.id, rows, used=form.used(), reason=confirmation(form))
                flash(f"{_counted(len(made))} recorded.", "success")
                return redirect(url_for(".done", implant=[implant.id for implant in made]))
    aliquot = form.aliquot_id.look_up()
    left = amount(aliquot.amount, aliquot.unit) if aliquot else None
    suggested = living_codes(session, project.id, SUGGESTED)
    return render_form("implants/surgery.html", form, aliquot=aliquot, amount=left, animals=suggested, most=MOST_ANIMALS)


@needs("project:read")
def done() -> ResponseReturnValue:
    """Show what a surgery list recorded: when analgesia is due, and what to print."""
    ids = [number for number in map(whole_number, request.args.getlist("implant")) if number is not None]
    implants = implants_in_order(current_session(), current_project().id, ids[:MOST_ANIMALS])
    if not implants:
        raise NotFound("There is no such surgery list in this project.")
    cages = {implant.animal.cage.code: implant.animal.cage for implant in implants if implant.animal.cage}
    cards = [(code, url_of("cages.card", record_id=cages[code].id)) for code in sorted(cages, key=counting)]
    return render_template(
        "implants/done.html",
        implants=implants,
        counted=_counted(len(implants)),
        table=_table(implants),
        due=_due(implants),
        unplanned=[one for one in implants if one.implanted_at is None or not one.analgesia_doses],
        cards=[(code, url) for code, url in cards if url],
    )


def _counted(number: int) -> str:
    return "1 implant" if number == 1 else f"{number} implants"


def _table(implants: Sequence[Implant]) -> dict[str, Any]:
    columns = [
        {"key": "animal", "label": "Animal", "mono": True},
        {"key": "cage", "label": "Cage", "mono": True},
        {"key": "implant", "label": "Implant", "mono": True},
        {"key": "site", "label": "Site"},
        {"key": "passage", "label": "Model and passage"},
        {"key": "weight", "label": "Weight", "unit": "g", "align": "end"},
        {"key": "ended", "label": "End of surgery"},
        {"key": "note", "label": "Note"},
    ]
    rows = [
        {
            "animal": {"text": one.animal.code, "url": url_for("animals.show", animal_id=one.animal_id)},
            "cage": one.animal.cage.code if one.animal.cage else None,
            "implant": {"text": one.label, "url": url_for("implants.show", record_id=one.id)},
            "site": site_words(one),
            "passage": " ".join(part for part in (one.model.code if one.model else None, passage_words(one)) if part),
            "weight": f"{one.weight_g:.1f}" if one.weight_g is not None else None,
            "ended": moment(one.implanted_at),
            "note": one.note,
        }
        for one in implants
    ]
    return {"caption": "Implanted", "columns": columns, "rows": rows}


def passage_words(implant: Implant) -> str | None:
    """Give an implant's passage as its model's laboratory says it."""
    convention = implant.model.passage_convention if implant.model else PassageConvention.FIRST_IS_P0
    return passage_label(implant.passage, convention)


def site_words(implant: Implant) -> str:
    """Say where an implant stands: site, region and side."""
    side = implant.hemisphere.value if implant.hemisphere else None
    return ", ".join(part for part in (implant.site.value.replace("_", " "), implant.region, side) if part)


def due_times(implant: Implant) -> list[datetime]:
    """Give when analgesia is due after an implant's surgery; nothing where its end or the plan is not recorded."""
    if implant.implanted_at is None:
        return []
    return analgesia_due(implant.implanted_at, implant.analgesia_hours, implant.analgesia_doses)


def _due(implants: Sequence[Implant]) -> list[dict[str, Any]]:
    """By time and analgesic: which animals get it. Two tumours of one animal are one animal in pain."""
    animals: dict[tuple[datetime, str], dict[str, None]] = defaultdict(dict)
    for implant in implants:
        for at in due_times(implant):
            animals[at, implant.analgesic or ""][implant.animal.code] = None
    return [
        {"at": moment(at), "analgesic": analgesic, "animals": list(codes)} for (at, analgesic), codes in sorted(animals.items())
    ]
