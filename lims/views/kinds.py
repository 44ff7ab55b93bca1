"""The pages of the kinds of measurement: those of every project, and what the laboratory added."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint
from wtforms import BooleanField, StringField, TextAreaField

from lims.domain.vocabulary import MEASUREMENT_KINDS, MeasurementKind, RecordStatus, Subject
from lims.models import LabKind
from lims.queries.kinds import lab_kinds
from lims.records.kinds import KIND
from lims.views.cells import badge
from lims.views.form_fields import NumberField, TermField, WholeNumberField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project
from lims.views.tables import Column, Empty, Listing, choice, search

OF = {Subject.ANIMAL: "the animal", Subject.IMPLANT: "one tumour"}


class KindForm(RecordForm):
    """A kind with its unit and limits."""

    groups = (
        Group("Kind", ("code", "title", "unit", "subject"), "Code, unit and subject never change: readings are in this unit."),
        Group("Limits", ("hard_min", "hard_max"), "A value outside is refused, by forms and imports alike."),
        Group("Usual values", ("soft_min", "soft_max"), "A value outside is asked about before it is recorded."),
        Group("How it is shown", ("decimals", "log_axis", "note")),
    )
    once: ClassVar = frozenset({"code", "unit", "subject"})

    code = StringField("Code", [needed("A code is needed: it names the kind in files.")], description="Such as rotarod_latency.")
    title = StringField("Title", [needed("A title is needed.")], description="Such as Rotarod latency.")
    unit = StringField("Unit", [needed("The unit is needed.")], description="Such as s, or score.")
    subject = TermField("Measured of", Subject, words=lambda one: OF[one])
    hard_min = NumberField("Lowest", [needed("The lowest possible value is needed.")])
    hard_max = NumberField("Highest", [needed("The highest possible value is needed.")])
    soft_min = NumberField("Usual from")
    soft_max = NumberField("Usual to")
    decimals = WholeNumberField("Decimals", description="Blank: three significant digits.")
    log_axis = BooleanField("Drawn on a log axis")
    note = TextAreaField("Note", description="How it is measured, with its source.")


def _limits(low: float, high: float) -> str:
    """Write limits: `5 to 80`, `-1e9 to 1e14`."""
    return f"{low:,g} to {high:,g}".replace("e+0", "e").replace("e+", "e")


def _span(row: Any) -> str:
    return _limits(row.hard_min, row.hard_max)


def _listing() -> tuple[Listing, Any]:
    rows = lab_kinds(current_project().id)
    listing = Listing(
        noun="kind",
        caption="Kinds of measurement of this laboratory",
        columns=(
            Column("title", "Kind", LabKind.title),
            Column("code", "Code", LabKind.code, mono=True),
            Column("unit", "Unit", LabKind.unit),
            Column("subject", "Of", LabKind.subject, show=lambda of: OF[of]),
            Column("hard_min", "Refused outside", LabKind.hard_min, of_row=True, show=_span),
            Column("hard_max", "Highest", LabKind.hard_max, on_page=False),
            Column("soft_min", "Usual from", LabKind.soft_min, on_page=False),
            Column("soft_max", "Usual to", LabKind.soft_max, on_page=False),
            Column("decimals", "Decimals", LabKind.decimals, on_page=False),
            Column("readings", "Readings", rows.selected_columns.readings, align="end", show="{:,}".format),
            Column("status", "Record", LabKind.status, show=badge, on_page=False),
        ),
        filters=(
            search("q", "Title or code", LabKind.title, LabKind.code),
            choice("status", "Record", LabKind.status, RecordStatus),
        ),
        sort="title",
        key=LabKind.id,
        page="kinds.show",
        empty=Empty("No kind of your own yet. Those below are there already.", "Record a kind of measurement", "kinds.new"),
    )
    return listing, rows


def _built_in() -> dict[str, Any]:
    columns = [
        {"key": "title", "label": "Kind"},
        {"key": "code", "label": "Code", "mono": True},
        {"key": "unit", "label": "Unit"},
        {"key": "of", "label": "Of"},
        {"key": "hard", "label": "Refused outside"},
        {"key": "soft", "label": "Asked about outside"},
    ]
    rows = [_built_in_row(kind) for kind in MEASUREMENT_KINDS]
    return {"built_in": {"caption": "Kinds of every project", "columns": columns, "rows": rows}}


def _built_in_row(kind: MeasurementKind) -> dict[str, str]:
    return {
        "title": kind.title,
        "code": kind.code,
        "unit": kind.unit,
        "of": OF[kind.subject],
        "hard": _limits(kind.hard_min, kind.hard_max),
        "soft": _limits(kind.soft_min, kind.soft_max),
    }


PAGES = RecordPages(
    pages=Blueprint("kinds", __name__, url_prefix="/p/<project_code>/kinds"),
    noun=KIND,
    form=KindForm,
    listing=_listing,
    index_template="kinds/index.html",
    index_context=_built_in,
    template="kinds/show.html",
    context=lambda kind: {"of": OF[kind.subject]},
    lead="It is offered wherever something is measured, drawn and exported.",
)
pages = install(PAGES)
