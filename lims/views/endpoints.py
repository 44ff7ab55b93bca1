"""Forms of humane endpoints; they are shown on their protocol's page, where the usual ones are proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField

from lims.domain.cohort_terms import EndpointMeasure, WeightBaseline
from lims.domain.endpoints import limit_words, watch_words
from lims.models import AnimalProtocol, EndpointRule
from lims.queries.scope import find
from lims.queries.welfare import endpoints_of
from lims.records.endpoints import ENDPOINT, rule_of, use_usual_rules
from lims.views.form_fields import CodeField, NumberField, TermField, WholeNumberField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_actor, current_project, current_session, needs

MEASURES = {
    EndpointMeasure.WEIGHT_LOSS: "Weight loss, %",
    EndpointMeasure.NEUROLOGICAL_SCORE: "Neurological score",
    EndpointMeasure.BODY_CONDITION: "Body-condition score, lower is worse",
    EndpointMeasure.TUMOUR_VOLUME: "Tumour volume, mm³, all tumours of the animal",
    EndpointMeasure.TUMOUR_BURDEN: "Tumour burden, % of body weight",
}
BASELINES = {
    WeightBaseline.DAY_ZERO: "Study day 0",
    WeightBaseline.IMPLANT_DAY: "Day of implanting",
    WeightBaseline.PEAK: "Highest weight so far",
}


class EndpointForm(RecordForm):
    """From which value an animal is watched, and from which somebody acts."""

    groups = (
        Group("What it looks at", ("protocol_id", "measure", "baseline")),
        Group(
            "Limits",
            ("watch_at", "act_at", "consecutive_days"),
            "A value that reaches a limit, the limit itself included, opens an action as it is saved "
            "(Directive 2010/63/EU, annex VIII; UKCCCR 2010; body condition: Ullman-Culleré and Foltz 1999).",
        ),
        Group("Note", ("note",)),
    )
    units: ClassVar = {"consecutive_days": "days"}
    once: ClassVar = frozenset({"protocol_id", "measure"})

    protocol_id = CodeField("Animal protocol", AnimalProtocol, [needed("Name the protocol that says so.")])
    measure = TermField("Measure", EndpointMeasure, words=MEASURES.__getitem__)
    baseline = TermField("Baseline", WeightBaseline, words=BASELINES.__getitem__, blank="None: it is no weight loss")
    watch_at = NumberField("Watch from", description="The animal is looked at more closely. Leave it blank for none.")
    act_at = NumberField("Act at", [needed("At which value somebody acts is needed.")], description="Somebody acts at once.")
    consecutive_days = WholeNumberField(
        "On", [needed("On how many days in a row is needed; 1 is the first.")], default=1, description="Measured days in a row."
    )
    note = TextAreaField("Note")


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint as its protocol's page lists it."""

    rule: EndpointRule
    measure: str
    baseline: str
    watch: str
    act: str


def endpoint_rows(protocol_id: int) -> Sequence[EndpointRow]:
    """Give the endpoints of a protocol in words."""
    rows = []
    for rule in endpoints_of(current_session(), protocol_id):
        told = rule_of(rule)
        rows.append(
            EndpointRow(
                rule,
                MEASURES[rule.measure].partition(",")[0],
                f"since {BASELINES[rule.baseline].lower()}" if rule.baseline else "",
                "–" if rule.watch_at is None else watch_words(told).removeprefix("watch "),
                limit_words(told).removeprefix("act "),
            )
        )
    return rows


def _home(rule: EndpointRule) -> str:
    return url_for("protocols.show", record_id=rule.protocol_id, _anchor="endpoints")


PAGES = RecordPages(
    pages=Blueprint("endpoints", __name__, url_prefix="/p/<project_code>/endpoints"),
    noun=ENDPOINT,
    form=EndpointForm,
    home=_home,
    lead="Every new or corrected value of the protocol's animals is judged by it as it is saved.",
)
pages = install(PAGES)
pages.add_app_template_global(endpoint_rows)


@pages.post("/usual/<int:protocol_id>")
@needs("endpoint:create")
def usual(protocol_id: int) -> ResponseReturnValue:
    """Record the usual endpoints for a protocol."""
    protocol = find(current_session(), AnimalProtocol, current_project().id, protocol_id)
    made = use_usual_rules(current_session(), current_actor(), protocol)
    flash(f"{len(made)} usual endpoints were recorded. Compare them with the protocol, and change what differs.", "success")
    return redirect(url_for("protocols.show", record_id=protocol.id, _anchor="endpoints"))
