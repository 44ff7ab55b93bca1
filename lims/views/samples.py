"""The harvest list: what is collected of one animal or of a study's animals, ticked in a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField

from lims.domain.errors import DomainError, NotFound
from lims.domain.permissions import allowed
from lims.domain.readings import OUT_OF_REACH
from lims.domain.vocabulary import CollectionProcedure, SpecimenKind
from lims.models import Animal, Implant, Study
from lims.queries.animals import animals_named
from lims.queries.implants import implants_of_animals
from lims.queries.measurements import measured_animals
from lims.queries.measuring import Measured, to_measure
from lims.queries.scope import find
from lims.queries.studies import study_names
from lims.records.samples import Wanted, collect_samples, doubt_collection
from lims.records.values import today
from lims.views.form_fields import IsoDateField, TermField, needed
from lims.views.record_forms import Group, RecordForm, typed
from lims.views.record_pages import confirmation, confirmed
from lims.views.support import (
    current_actor,
    current_project,
    current_session,
    needs,
    refusing,
    render_form,
    sees_arms,
    whole_number,
)


@dataclass(frozen=True, slots=True)
class Take:
    """One column of the list: what may be taken of each animal. Tumours are boxes of their own, one an implant."""

    key: str
    title: str
    kind: SpecimenKind
    site: str | None = None


TAKES = (
    Take("plasma", "Plasma", SpecimenKind.PLASMA),
    Take("csf", "CSF", SpecimenKind.CSF),
    Take("adjacent", "Adjacent brain", SpecimenKind.BRAIN_REGION, "brain beside the lesion"),
    Take("contralateral", "Contralateral brain", SpecimenKind.BRAIN_REGION, "contralateral brain"),
    Take("organ", "Liver", SpecimenKind.ORGAN, "liver"),
)
LESION, OUTSIDE = "lesion", "extracranial"


@dataclass(frozen=True, slots=True)
class Box:
    """One sample that may be ticked."""

    name: str
    label: str
    text: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One animal with its boxes, column by column."""

    of: Measured
    cells: list[list[Box]]


class CollectForm(RecordForm):
    """When and how everything on the list was taken."""

    groups = (Group("Collection", ("collected_on", "procedure", "killed"), "The same for everything that is ticked below."),)
    once: ClassVar = frozenset()

    collected_on = IsoDateField("Collected on", [needed("The day of collection is needed.")])
    procedure = TermField("Procedure", CollectionProcedure, default=CollectionProcedure.NECROPSY)
    killed = BooleanField("The animals were killed for it, which is recorded as their fate")


@needs("specimen:create")
def collect() -> ResponseReturnValue:
    """Collect samples: `?study=3&take=plasma&take=lesion`, or `?animal=M0017`."""
    session, project = current_session(), current_project()
    study, animals = _asked()
    form = CollectForm()
    if not allowed(project.role, "fate:create"):
        del form.killed
    if not form.is_submitted():
        form.collected_on.data = animals[0].died_on if len(animals) == 1 and animals[0].died_on else today(session)
    rows = _rows(study, animals)
    back = _back(study, animals)
    if rows and form.validate_on_submit():
        with refusing(form):
            killed = "killed" in form and bool(form.killed.data)
            how: dict[str, Any] = {"procedure": form.procedure.term, "killed": killed}
            wanted = _wanted(rows)
            if confirmed(form, doubt_collection(wanted, **how)):
                on, reason = typed(form.collected_on), confirmation(form)
                made = collect_samples(session, current_actor(), project.id, wanted, on=on, reason=reason, **how)
                flash(
                    f"{len(made)} specimen{'' if len(made) == 1 else 's'} recorded: {_span([one.code for one in made])}.", "success"
                )
                return redirect(back)
    heads = [(take.key, take.title) for take in TAKES] + [(LESION, "Lesions"), (OUTSIDE, "Extracranial tumours")]
    context = {"study": study, "animals": animals, "rows": rows, "heads": heads, "back": back, "ticked": _ticked()}
    return render_form("specimens/collect.html", form, studies=study_names(session, project.id), **context)


def _span(codes: Sequence[str]) -> str:
    return codes[0] if len(codes) == 1 else f"{codes[0]} to {codes[-1]}"


def _asked() -> tuple[Study | None, list[Animal]]:
    session, project = current_session(), current_project()
    key = whole_number(request.args.get("study"))
    codes = [code for text in request.args.getlist("animal") for code in text.replace(",", " ").split()]
    try:
        animals = animals_named(session, project.id, codes) if codes else []
    except DomainError as unknown:
        raise NotFound(str(unknown), expected=unknown.expected) from unknown
    return (find(session, Study, project.id, key) if key else None), animals


def _back(study: Study | None, animals: Sequence[Animal]) -> str:
    if study is not None:
        return url_for("studies.animals", study_id=study.id)
    return url_for("animals.show", animal_id=animals[0].id) if len(animals) == 1 else url_for(".index")


def _ticked() -> set[str]:
    """Give what is ticked for all animals when the list is opened."""
    return set(request.args.getlist("take"))


def _rows(study: Study | None, animals: Sequence[Animal]) -> list[Row]:
    session = current_session()
    found = to_measure(
        session,
        current_project().id,
        date.min,
        study_id=study.id if study is not None else None,
        animals=[one.id for one in animals],
        unblinded=sees_arms(),
    )
    tumours = implants_of_animals(session, [one.animal_id for one in found])
    return [Row(one, _cells(one, tumours.get(one.animal_id, []))) for one in found]


def _cells(of: Measured, implants: Sequence[Implant]) -> list[list[Box]]:
    cells = [[_box(f"{of.animal_id}-{take.key}", f"{of.animal}, {take.title.lower()}", "", take.key)] for take in TAKES]
    for group, inside in ((LESION, True), (OUTSIDE, False)):
        own = [one for one in implants if (one.site in OUT_OF_REACH) is inside]
        named = [(f"{of.animal_id}-implant-{one.id}", one.label) for one in own]
        cells.append([_box(name, f"{of.animal}, tumour {label}", label, group) for name, label in named])
    return cells


def _box(name: str, label: str, text: str, key: str) -> Box:
    return Box(name, label, text, name in request.form if request.method == "POST" else key in _ticked())


def _wanted(rows: Sequence[Row]) -> list[Wanted]:
    """Give what is ticked, animal by animal."""
    session, project = current_session(), current_project()
    animals = measured_animals(session, project.id, [row.of.animal_id for row in rows])
    tumours = implants_of_animals(session, list(animals))
    wanted = []
    for row in rows:
        animal, names = animals[row.of.animal_id], {box.name for cell in row.cells for box in cell if box.ticked}
        wanted += [Wanted(animal, take.kind, take.site) for take in TAKES if f"{animal.id}-{take.key}" in names]
        wanted += [
            Wanted(animal, SpecimenKind.TUMOUR, one.region or one.site.value.replace("_", " "), one)
            for one in tumours.get(animal.id, [])
            if f"{animal.id}-implant-{one.id}" in names
        ]
    return wanted
