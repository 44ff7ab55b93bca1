"""The pages of agents: the list, and one agent with its lots, its regimens and what keeps it out of the brain."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint
from wtforms import StringField, TextAreaField

from lims.domain.cohort_terms import Known
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import RecordStatus
from lims.models import Agent, Regimen
from lims.queries.blinding import may_unblind
from lims.queries.treatment import agent_list, given_of, lots_of, regimens_where
from lims.records.treatment import AGENT
from lims.records.values import today
from lims.views.cells import badge
from lims.views.form_fields import NumberField, TermField, WordsField, needed
from lims.views.lots import lots_table
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.regimens import regimens_table
from lims.views.support import current_project, current_session
from lims.views.tables import Column, Empty, Listing, choice, search
from lims.views.therapy import class_words


class AgentForm(RecordForm):
    """What animals are treated with."""

    groups = (
        Group("Agent", ("code", "name", "agent_class", "targets", "pathway")),
        Group(
            "Into the brain",
            ("molecular_weight", "fraction_unbound_plasma", "fraction_unbound_brain", "abcb1_substrate", "abcg2_substrate"),
            "Kp,uu is made of the unbound fractions; ABCB1 (P-glycoprotein) and ABCG2 (BCRP) carry their substrates out again.",
        ),
        Group("Note", ("note",)),
    )
    units: ClassVar = {"molecular_weight": "g/mol"}

    code = StringField("Short name", [needed("What the bench calls it is needed.")], description="As the bench says it: T-DXd.")
    name = StringField("Name", [needed("Its name is needed.")], description="The international nonproprietary name.")
    agent_class = TermField(
        "Class", [one for one in AgentClass if one is not AgentClass.SURGERY], blank="Choose its class", words=class_words
    )
    targets = WordsField("Targets", description="Approved symbols or usual names, apart by commas: ERBB2, EGFR.")
    pathway = StringField("Pathway", description="Such as HER2 signalling, or topoisomerase I.")
    molecular_weight = NumberField("Molecular weight")
    fraction_unbound_plasma = NumberField("Fraction unbound in plasma", description="fu,p, from 0 to 1.")
    fraction_unbound_brain = NumberField("Fraction unbound in brain", description="fu,b, from 0 to 1.")
    abcb1_substrate = TermField("Substrate of ABCB1", Known, default=Known.UNKNOWN)
    abcg2_substrate = TermField("Substrate of ABCG2", Known, default=Known.UNKNOWN)
    note = TextAreaField("Note")


def _listing() -> tuple[Listing, Any]:
    rows = agent_list(current_project().id, today(current_session()))
    listing = Listing(
        noun="agent",
        caption="Agents",
        columns=(
            Column("code", "Agent", Agent.code, mono=True),
            Column("name", "Name", Agent.name),
            Column("agent_class", "Class", Agent.agent_class, show=class_words),
            Column("targets", "Targets", Agent.targets, sortable=False, show=", ".join),
            Column("lots", "Lots usable", rows.selected_columns.lots, align="end"),
            Column("fraction_unbound_brain", "fu brain", Agent.fraction_unbound_brain, align="end"),
            Column("abcb1_substrate", "ABCB1", Agent.abcb1_substrate, roomy=True),
            Column("abcg2_substrate", "ABCG2", Agent.abcg2_substrate, roomy=True),
            Column("fraction_unbound_plasma", "fu plasma", Agent.fraction_unbound_plasma, align="end", on_page=False),
            Column("molecular_weight", "Molecular weight", Agent.molecular_weight, unit="g/mol", align="end", on_page=False),
            Column("pathway", "Pathway", Agent.pathway, on_page=False),
            Column("note", "Note", Agent.note, on_page=False),
            Column("status", "Record", Agent.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Agent", Agent.code, Agent.name, Agent.pathway),
            choice("class", "Class", Agent.agent_class, AgentClass, words=class_words),
            choice("status", "Record", Agent.status, RecordStatus),
        ),
        sort="code",
        key=Agent.id,
        page="agents.show",
        empty=Empty("No agent yet. Record what the animals are treated with, the vehicle too.", "Record an agent", "agents.new"),
    )
    return listing, rows


def _context(agent: Agent) -> dict[str, Any]:
    session = current_session()
    regimens = regimens_where(session, Regimen.agent_id == agent.id, unblinded=may_unblind(current_project().role))
    lots = lots_of(session, agent.id)
    return {
        "kind": class_words(agent.agent_class),
        "lots": lots_table(lots, today(session)),
        "regimens": regimens_table(regimens, of_agent=True),
        "given": given_of(session, agent_id=agent.id),
    }


PAGES = RecordPages(
    pages=Blueprint("agents", __name__, url_prefix="/p/<project_code>/agents"),
    noun=AGENT,
    form=AgentForm,
    listing=_listing,
    template="agents/show.html",
    context=_context,
    lead="What animals are treated with: a drug, radiation, or the vehicle that controls are given.",
)
pages = install(PAGES)
