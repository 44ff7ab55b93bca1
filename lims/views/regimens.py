"""The pages of regimens: what each arm is given, said in the field's notation and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from flask import Blueprint, request, url_for
from wtforms import (  # type: ignore[attr-defined]  # SelectChoice is newer than the stubs
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)

from lims.domain.cohort_terms import DoseRoute, DoseUnit, RegimenStart
from lims.domain.dosing import VOLUME_LIMITS, concentration_needed, route_words
from lims.domain.schedules import EXAMPLES, parse_schedule
from lims.domain.vocabulary import MeasurementKind, RecordStatus
from lims.models import Agent, Arm, Regimen, Study
from lims.queries.blinding import hides_arms, may_unblind
from lims.queries.kinds import kinds_of
from lims.queries.treatment import arms_to_plan, given_of, regimen_list
from lims.records.treatment import REGIMEN
from lims.views.cells import badge
from lims.views.form_fields import CodeField, NumberField, TermField, WholeNumberField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session, whole_number
from lims.views.tables import Column, Empty, Listing, choice, search


def _unblinded() -> bool:
    return may_unblind(current_project().role)


def _arm_choices() -> list[Any]:
    study_id = whole_number(request.args.get("study_id"))
    arms = arms_to_plan(current_session(), current_project().id, study_id, unblinded=_unblinded())
    return [SelectChoice("", "Choose the arm"), *(SelectChoice(str(key), name) for key, name in arms)]


def _kind_choices() -> list[Any]:
    kinds = kinds_of(current_session(), current_project().id).values()
    return [SelectChoice("", "None"), *(SelectChoice(kind.code, f"{kind.title} ({kind.unit})") for kind in kinds)]


class RegimenForm(RecordForm):
    """What an arm is given."""

    groups = (
        Group("What", ("arm_id", "agent_id"), "A combination is several regimens of one arm, one for each agent."),
        Group("How much", ("dose", "dose_unit", "route", "volume_ml_kg"), "A vehicle has no dose, radiation no volume."),
        Group("When", ("schedule",), f"In the field's notation: {EXAMPLES}. Without a number it goes on until the study ends."),
        Group(
            "It starts",
            ("start", "start_day", "trigger_kind", "trigger_above"),
            "On a day of the study, or for each animal on the day after a reading above a value.",
        ),
        Group("Note", ("note",)),
    )
    once: ClassVar = frozenset({"arm_id"})
    units: ClassVar = {"volume_ml_kg": "mL/kg"}

    arm_id = SelectField("Arm", [needed("An arm is needed: choose it.")], choices=_arm_choices)
    agent_id = CodeField("Agent", Agent, [needed("An agent is needed: type its short name.")])
    dose = NumberField("Dose", description="At each time of dosing; radiation: at each fraction.")
    dose_unit = TermField("Unit of the dose", DoseUnit, default=DoseUnit.MG_PER_KG, words=lambda unit: unit.value)
    route = TermField("Route", DoseRoute, blank="Choose the route", validators=[needed("The route is needed.")])
    volume_ml_kg = NumberField("Volume", description="Of the animal's latest weight. Usual volumes: Diehl et al. 2001.")
    schedule = StringField(
        "Schedule", [needed("A schedule is needed, such as QDx21.")], render_kw={"autocomplete": "off", "spellcheck": "false"}
    )
    start = TermField("Start", RegimenStart, default=RegimenStart.STUDY_DAY)
    start_day = WholeNumberField("Study day of the first dose", description="Blank: day 0.")
    trigger_kind = SelectField("Measurement that starts it", choices=_kind_choices)
    trigger_above = NumberField("Above", description="In the measurement's unit.")
    note = TextAreaField("Note", description="In a running study: why it is added.")

    def values(self, *, changing: bool = False) -> dict[str, Any]:
        """Give what was typed, the arm by its id."""
        found = super().values(changing=changing)
        return found if changing else found | {"arm_id": whole_number(found["arm_id"])}


def dose_words(regimen: Regimen) -> str:
    """Say how much is given, and how: `10 mg/kg intravenous`."""
    dose = f"{regimen.dose:g} {regimen.dose_unit.value}" if regimen.dose is not None else "vehicle"
    return f"{dose} {route_words(regimen.route)}"


def amount_words(regimen: Regimen) -> str:
    """Say it with the volume: `10 mg/kg intravenous in 5 mL/kg`."""
    return dose_words(regimen) + (f" in {regimen.volume_ml_kg:g} mL/kg" if regimen.volume_ml_kg is not None else "")


def start_words(regimen: Regimen, kinds: dict[str, MeasurementKind]) -> str:
    """Say what a regimen starts with."""
    if regimen.start is RegimenStart.STUDY_DAY:
        return f"d{regimen.start_day or 0}"
    kind = kinds.get(regimen.trigger_kind or "")
    title, unit = (kind.title, kind.unit) if kind else (regimen.trigger_kind, "")
    return f"the day after {title} above {regimen.trigger_above:g} {unit}".rstrip()


def regimens_table(regimens: Sequence[Regimen], *, of_agent: bool = False) -> dict[str, Any]:
    """Give regimens as a small table: of an agent with study and arm, of a study with arm and agent."""
    columns = [
        *([{"key": "study", "label": "Study", "mono": True}] if of_agent else []),
        {"key": "arm", "label": "Arm"},
        *([] if of_agent else [{"key": "agent", "label": "Agent", "mono": True}]),
        {"key": "amount", "label": "Dose"},
        {"key": "schedule", "label": "Schedule", "mono": True},
    ]
    rows = [
        {
            "_url": url_for("regimens.show", record_id=one.id),
            "study": one.arm.study.code,
            "arm": one.arm.title,
            "agent": one.agent.code,
            "amount": amount_words(one),
            "schedule": one.schedule,
        }
        for one in regimens
    ]
    return {"caption": "Regimens", "columns": columns, "rows": rows}


def _listing() -> tuple[Listing, Any]:
    rows = regimen_list(current_project().id, unblinded=_unblinded())
    column = rows.selected_columns
    listing = Listing(
        noun="regimen",
        caption="Regimens",
        columns=(
            Column("study", "Study", column.study, mono=True),
            Column("arm", "Arm", column.arm),
            Column("agent", "Agent", Agent.code, mono=True),
            Column("dose", "Dose", Regimen.dose, align="end"),
            Column("dose_unit", "Unit", Regimen.dose_unit),
            Column("route", "Route", Regimen.route),
            Column("schedule", "Schedule", Regimen.schedule, mono=True),
            Column("doses", "Recorded", column.doses, align="end"),
            Column("volume_ml_kg", "Volume", Regimen.volume_ml_kg, unit="mL/kg", align="end", on_page=False),
            Column("start", "Start", Regimen.start, on_page=False),
            Column("start_day", "Study day of the first dose", Regimen.start_day, align="end", on_page=False),
            Column("trigger_kind", "Starts on", Regimen.trigger_kind, on_page=False),
            Column("trigger_above", "Starts above", Regimen.trigger_above, align="end", on_page=False),
            Column("note", "Note", Regimen.note, on_page=False),
            Column("status", "Record", Regimen.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Study, arm or agent", Study.code, Arm.title, Agent.code),
            choice("route", "Route", Regimen.route, DoseRoute),
            choice("status", "Record", Regimen.status, RecordStatus),
        ),
        sort="study",
        key=Regimen.id,
        page="regimens.show",
        empty=Empty("No regimen yet. Say what each arm is given, and when.", "Record a regimen", "regimens.new"),
    )
    return listing, rows


def _context(regimen: Regimen) -> dict[str, Any]:
    session = current_session()
    kinds = kinds_of(session, regimen.project_id, withdrawn=True)
    needed_mg_ml = concentration_needed(regimen.dose, regimen.dose_unit, regimen.volume_ml_kg)
    return {
        "study": regimen.arm.study,
        "amount": amount_words(regimen),
        "starts": start_words(regimen, kinds),
        "words": parse_schedule(regimen.schedule).words(regimen.start_day or 0),
        "needed": needed_mg_ml,
        "limit": VOLUME_LIMITS.get(regimen.route),
        "given": given_of(session, regimen_id=regimen.id),
    }


def _shown(regimen: Regimen) -> bool:
    return not hides_arms(regimen.arm.study, unblinded=_unblinded())


def _begin() -> dict[str, Any]:
    """Begin with the arm that the address names."""
    return {"arm_id": request.args.get("arm_id", "")}


PAGES = RecordPages(
    pages=Blueprint("regimens", __name__, url_prefix="/p/<project_code>/regimens"),
    noun=REGIMEN,
    form=RegimenForm,
    listing=_listing,
    template="regimens/show.html",
    context=_context,
    shown=_shown,
    start=_begin,
    lead="One agent of one arm: how much, by which route, and when.",
)
pages = install(PAGES)
