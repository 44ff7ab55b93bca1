"""The pages of doses: the list, one dose with what it follows from, and the form for a single one."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint, request, url_for
from wtforms import HiddenField, StringField

from lims.domain.cohort_terms import DoseRoute, DoseState, DoseUnit
from lims.domain.dosing import expected_mg
from lims.domain.errors import NotFound
from lims.domain.vocabulary import RecordStatus, StudyStatus
from lims.models import Agent, AgentLot, Animal, Dose, Regimen, Study
from lims.queries.blinding import hides_arms, may_unblind, readable
from lims.queries.doses import dose_list
from lims.queries.scope import scoped
from lims.records.doses import DOSE
from lims.records.values import today
from lims.views.cells import badge, source
from lims.views.filters import term_words
from lims.views.form_fields import CodeField, IsoDateField, MomentField, NumberField, TermField, WholeNumberField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_account, current_project, current_session, whole_number
from lims.views.tables import Column, Empty, Filter, Listing, choice, day, one_of, search


class DoseForm(RecordForm):
    """One dose: planned (the address names its regimen), or beside the plan."""

    groups = (
        Group("Which dose", ("animal_id", "agent_id", "study_id", "regimen_id", "due_on", "nth")),
        Group("What became of it", ("state", "given_on", "given_at", "reason"), "A dose that was held or missed says why."),
        Group(
            "What was given",
            ("dose", "dose_unit", "route", "volume_ul", "lot_id", "operator"),
            "Of a planned dose, what stays blank is taken from its regimen, and the volume from the latest weight.",
        ),
    )
    once: ClassVar = frozenset({"animal_id", "agent_id", "study_id", "regimen_id", "due_on", "nth"})
    units: ClassVar = {"volume_ul": "µL"}

    animal_id = CodeField(
        "Animal", Animal, [needed("An animal is needed: scan or type its code.")], description="Scan or type its code."
    )
    agent_id = CodeField("Agent", Agent, [needed("An agent is needed: type its short name.")])
    study_id = CodeField("Study", Study, choose=lambda: Study.state == StudyStatus.ACTIVE)
    regimen_id = HiddenField()
    due_on = IsoDateField("Due on", description="Of a planned dose; blank for one beside the plan.")
    nth = WholeNumberField("Dose of the day", description="1 unless it is given several times a day.")
    state = TermField("It was", DoseState, default=DoseState.GIVEN)
    given_on = IsoDateField("Given on")
    given_at = MomentField("Time", description="Where it counts, such as before a blood draw.")
    reason = StringField("Reason")
    dose = NumberField("Dose")
    dose_unit = TermField("Unit of the dose", DoseUnit, default=DoseUnit.MG_PER_KG, words=lambda unit: unit.value)
    route = TermField("Route", DoseRoute, blank="Not recorded")
    volume_ul = NumberField("Volume given")
    lot_id = CodeField("Lot", AgentLot, description="Scan the vial.")
    operator = StringField("Operator")

    def values(self, *, changing: bool = False) -> dict[str, Any]:
        """Give what was typed; a dose of the day that nobody numbered is the first."""
        found = super().values(changing=changing)
        if not changing:
            found |= {"regimen_id": _regimen(found["regimen_id"]), "nth": found["nth"] or 1}
        return found


def _regimen(named: str | None) -> int | None:
    """Give the id of the regimen that the address names; of a hidden arm, or of another project, there is none."""
    if not named:
        return None
    readable_one = readable(Regimen, unblinded=may_unblind(current_project().role)), Regimen.id == whole_number(named)
    found = current_session().scalar(scoped(Regimen, current_project().id).where(*readable_one))
    if found is None:
        raise NotFound(f"There is no regimen {named} in this project.")
    return found.id


def _of_animal() -> list[Filter]:
    """Give the filter by which an animal's page shows its doses alone."""
    code = request.args.get("animal", "").strip()
    return [one_of("animal", "Of", Animal.code, [(code, f"{code} alone")])] if code else []


def _listing() -> tuple[Listing, Any]:
    rows = dose_list(current_project().id, unblinded=may_unblind(current_project().role))
    on = rows.selected_columns.on
    listing = Listing(
        noun="dose",
        caption="Doses",
        columns=_columns(on),
        filters=(
            search("q", "Animal", Animal.code),
            search("study", "Study", Study.code),
            search("agent", "Agent", Agent.code),
            search("lot", "Lot", AgentLot.code),
            choice("state", "State", Dose.state, DoseState),
            day("from", "From", on),
            day("to", "To", on, until=True),
            choice("status", "Record", Dose.status, RecordStatus),
            *_of_animal(),
        ),
        sort="-on",
        key=Dose.id,
        page="doses.show",
        empty=Empty(
            "No dose yet. The dosing list of a study records its cohort; a single one is recorded here.",
            "Record a dose",
            "doses.new",
        ),
    )
    return listing, rows


def _columns(on: Any) -> tuple[Column, ...]:
    return (
        Column("animal", "Animal", Animal.code, mono=True),
        Column("on", "Day", on),
        Column("agent", "Agent", Agent.code, mono=True),
        Column("state", "State", Dose.state, show=badge),
        Column("volume_ul", "Volume", Dose.volume_ul, unit="µL", align="end", show=_number),
        Column("lot", "Lot", AgentLot.code, mono=True),
        Column("study", "Study", Study.code, mono=True),
        Column("reason", "Reason", Dose.reason, roomy=True),
        Column("operator", "Operator", Dose.operator, on_page=False),
        Column("due_on", "Due", Dose.due_on, on_page=False),
        Column("given_on", "Given", Dose.given_on, on_page=False),
        Column("given_at", "Time", Dose.given_at, on_page=False),
        Column("nth", "Dose of the day", Dose.nth, align="end", on_page=False),
        Column("schedule", "Schedule", Regimen.schedule, on_page=False),
        Column("dose", "Dose", Dose.dose, align="end", on_page=False),
        Column("dose_unit", "Unit", Dose.dose_unit, on_page=False),
        Column("route", "Route", Dose.route, on_page=False),
        Column("weight_g", "Weight", Dose.weight_g, unit="g", align="end", on_page=False),
        Column("weight_on", "Weighed", Dose.weight_on, on_page=False),
        Column("computed_volume_ul", "Computed volume", Dose.computed_volume_ul, unit="µL", align="end", on_page=False),
        Column("batch_id", "Batch", Dose.batch_id, on_page=False),
        Column("source_row", "Row", Dose.source_row, on_page=False),
        Column("raw", "Text in the file", Dose.raw, on_page=False),
        Column("id", "Record number", Dose.id, on_page=False),
        Column("status", "Record", Dose.status, show=badge, on_page=False),
    )


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _context(dose: Dose) -> dict[str, Any]:
    planned = None if dose.dose is None else f"{dose.dose:g} {dose.dose_unit.value}"
    weighed = None if dose.weight_g is None else f"{dose.weight_g:g} g{f' of {dose.weight_on}' if dose.weight_on else ''}"
    return {
        "dose": planned,
        "mg": expected_mg(dose.dose, dose.dose_unit, dose.weight_g) if dose.state is DoseState.GIVEN else None,
        "weight": weighed,
        "route": term_words(dose.route) if dose.route else None,
        "source": source(dose.batch_id, dose.source_sheet, dose.source_row, dose.source_column),
    }


def _shown(dose: Dose) -> bool:
    return dose.study is None or not hides_arms(dose.study, unblinded=may_unblind(current_project().role))


def _home(dose: Dose) -> str:
    """Give the page of a dose, or of its animal to those who must not learn what was given in the study."""
    if _shown(dose):
        return url_for("doses.show", record_id=dose.id)
    return url_for("animals.show", animal_id=dose.animal_id)


def _begin() -> dict[str, Any]:
    """Begin with today, and the person who types it."""
    return {"given_on": today(current_session()), "operator": current_account().name}


PAGES = RecordPages(
    pages=Blueprint("doses", __name__, url_prefix="/p/<project_code>/doses"),
    noun=DOSE,
    form=DoseForm,
    listing=_listing,
    template="doses/show.html",
    form_template="doses/form.html",
    context=_context,
    shown=_shown,
    home=_home,
    start=_begin,
    lead="A single dose, such as one beside the plan. A cohort is dosed from its study's dosing list.",
)
pages = install(PAGES)
