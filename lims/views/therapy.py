"""The pages of lines of therapy with their agents; each is shown on its patient's page too."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint, url_for
from sqlalchemy import ColumnElement
from wtforms import FieldList, Form, FormField, HiddenField, StringField, TextAreaField

from lims.domain.errors import DomainError
from lims.domain.tissue_terms import AgentClass, BestResponse, StopReason
from lims.domain.vocabulary import RecordStatus
from lims.models import Patient, TherapyAgent, TherapyLine
from lims.queries.patients import agents_used
from lims.queries.tissue_lists import therapy_list, with_agent, with_class
from lims.records.noun import Noun
from lims.records.patients import THERAPY_LINE, add_therapy_line, change_therapy_line
from lims.views.cells import badge
from lims.views.filters import term_words
from lims.views.form_fields import CodeField, IsoDateField, TermField, WholeNumberField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_actor, current_project, current_session, seen_version, whole_number
from lims.views.tables import Column, Empty, Filter, Listing, as_text, choice, search

AGENT_ROWS = 6
_CLASS_WORDS = {
    AgentClass.CDK4_6_INHIBITOR: "CDK4/6 inhibitor",
    AgentClass.PI3K_AKT_MTOR_INHIBITOR: "PI3K, AKT or mTOR inhibitor",
    AgentClass.ANTIBODY_DRUG_CONJUGATE: "Antibody–drug conjugate",
    AgentClass.TYROSINE_KINASE_INHIBITOR: "Tyrosine-kinase inhibitor",
    AgentClass.WHOLE_BRAIN_RADIOTHERAPY: "Whole-brain radiotherapy (WBRT)",
    AgentClass.STEREOTACTIC_RADIOSURGERY: "Stereotactic radiosurgery (SRS)",
    AgentClass.RADIOTHERAPY_OTHER: "Radiotherapy, other",
}


_STOP_WORDS = {
    StopReason.PROGRESSION_CNS: "Progression in the CNS",
    StopReason.PROGRESSION_EXTRACRANIAL: "Progression outside the CNS",
    StopReason.ONGOING: "It goes on",
}


def stop_words(why: StopReason) -> str:
    """Say why a line ended."""
    return _STOP_WORDS.get(why) or term_words(why)


def class_words(kind: AgentClass) -> str:
    """Name a class of agents as oncologists do."""
    return _CLASS_WORDS.get(kind) or term_words(kind)


class AgentForm(Form):
    """One agent with its class; a row of the line's form."""

    name = StringField("Agent")
    agent_class = TermField(
        "Class", [one for one in AgentClass if one is not AgentClass.VEHICLE], blank="Choose its class", words=class_words
    )


class AgentRows(FieldList):  # type: ignore[type-arg]  # generic in the stubs only
    """The agents of a line that count, and blank rows to name more; its errors are sentences."""

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Leave out agents that were withdrawn."""
        standing = [one for one in data or () if isinstance(one, TherapyAgent) and one.status is RecordStatus.ACTIVE]
        super().process(formdata, standing, extra_filters)

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        """Ask for a name and a class in every row that has either."""
        super().validate(form, extra_validators)
        self.errors = []
        for number, (name, kind) in enumerate(self.typed, 1):
            if name and kind is None:
                self.errors.append(f"Choose the class of {name}.")
            elif kind is not None and not name:
                self.errors.append(f"Name agent {number}, or choose no class for it.")
        return not self.errors

    @property
    def typed(self) -> list[tuple[str, AgentClass | None]]:
        """Give name and class of every row."""
        return [((row.form.name.data or "").strip(), row.form.agent_class.term) for row in self]

    @property
    def suggestions(self) -> list[str]:
        """Give the agents that the project has named before."""
        return agents_used(current_session(), current_project().id)


class TherapyForm(RecordForm):
    """One line of a patient's treatment."""

    groups = (
        Group("Line of therapy", ("patient_id", "line_number", "started_on", "stopped_on")),
        Group("What came of it", ("best_response", "stop_reason", "note"), "Best response by RECIST 1.1; by RANO-BM in the brain."),
    )
    once: ClassVar = frozenset({"patient_id"})

    patient_id = CodeField("Patient", Patient, [needed("Name the patient who was treated.")])
    line_number = WholeNumberField(
        "Line number",
        [needed("Give the number of the line.")],
        description="1 is the first for metastatic disease; 0 is (neo)adjuvant.",
    )
    started_on = IsoDateField("First day")
    stopped_on = IsoDateField("Last day", description="Blank while it goes on.")
    best_response = TermField("Best response", BestResponse, default=BestResponse.NOT_RECORDED)
    stop_reason = TermField("Why it ended", StopReason, default=StopReason.NOT_RECORDED, words=stop_words)
    note = TextAreaField("Note", description="No name, full date or hospital number.")
    agents = AgentRows(FormField(AgentForm), "Agents", min_entries=AGENT_ROWS)
    agents_version = HiddenField()

    @property
    def named_agents(self) -> list[tuple[str, AgentClass]]:
        """Give the agents that were named."""
        return [(name, kind) for name, kind in self.agents.typed if name and kind is not None]


def _make(form: Any, noun: Noun[Any], reason: str) -> TherapyLine:
    project = current_project().id
    return add_therapy_line(current_session(), current_actor(), project, form.values(), form.named_agents, reason=reason)


def _save(form: Any, noun: Noun[Any], line: TherapyLine, reason: str) -> None:
    seen = (seen_version(form), whole_number(str(form.agents_version.data or "")) or 0)
    fields = form.values(changing=True)
    change_therapy_line(current_session(), current_actor(), line, seen=seen, reason=reason, fields=fields, agents=form.named_agents)


def _listing() -> tuple[Listing, Any]:
    rows = therapy_list(current_project().id)
    listing = Listing(
        noun="therapy",
        caption="Treatment",
        columns=(
            Column("line", "Line", TherapyLine.line_number, show=lambda number: f"Line\u00a0{number}"),
            Column("patient", "Patient", Patient.code, mono=True),
            Column("agents", "Agents", rows.selected_columns.agents),
            Column("started_on", "First day", TherapyLine.started_on),
            Column("stopped_on", "Last day", TherapyLine.stopped_on),
            Column("best_response", "Best response", TherapyLine.best_response, show=_response_words),
            Column("stop_reason", "Why it ended", TherapyLine.stop_reason, show=_why),
            Column("note", "Note", TherapyLine.note, on_page=False),
            Column("status", "Record", TherapyLine.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Patient", Patient.code),
            Filter("agent", "Agent", "search", with_agent),
            Filter("class", "Class", "select", _of_class, [(str(one.value), class_words(one)) for one in AgentClass]),
            choice("best_response", "Best response", TherapyLine.best_response, BestResponse),
            choice("stop_reason", "Why it ended", TherapyLine.stop_reason, StopReason, words=stop_words),
            choice("status", "Record", TherapyLine.status, RecordStatus),
        ),
        sort="patient",
        key=TherapyLine.id,
        page="therapy.show",
        empty=Empty(
            "No line of therapy yet. What a tumour was exposed to says what it may resist.", "Record a line", "therapy.new"
        ),
    )
    return listing, rows


def _response_words(response: BestResponse) -> str | None:
    return None if response is BestResponse.NOT_RECORDED else str(as_text(response))


def _why(why: StopReason) -> str | None:
    return None if why is StopReason.NOT_RECORDED else stop_words(why)


def _of_class(typed: str) -> ColumnElement[bool]:
    if typed not in {str(one.value) for one in AgentClass}:
        raise DomainError(f"{typed!r} is no class of agents.", expected=", ".join(one.value for one in AgentClass))
    return with_class(AgentClass(typed))


def _context(line: TherapyLine) -> dict[str, Any]:
    return {"response": _response_words(line.best_response), "why": _why(line.stop_reason), "class_words": class_words}


def _home(line: TherapyLine) -> str:
    return url_for("patients.show", record_id=line.patient_id, _anchor="therapy")


PAGES = RecordPages(
    pages=Blueprint("therapy", __name__, url_prefix="/p/<project_code>/therapy"),
    noun=THERAPY_LINE,
    form=TherapyForm,
    listing=_listing,
    template="therapy/show.html",
    context=_context,
    home=_home,
    form_template="patients/therapy_form.html",
    make=_make,
    save=_save,
    lead="What the patient was treated with, from when to when, and what came of it.",
)
pages = install(PAGES)
