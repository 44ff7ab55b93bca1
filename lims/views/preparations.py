"""The pages of cell preparations: the list of counts, one count with what was implanted of it, and its form."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint, url_for
from wtforms import StringField, TextAreaField

from lims.domain.vocabulary import RecordStatus
from lims.models import Aliquot, CellPreparation, PdxModel, Specimen
from lims.queries.alterations import model_codes
from lims.queries.preparations import counts_of_sample, implants_of_preparation, preparation_list
from lims.records.preparations import PREPARATION
from lims.records.values import today
from lims.views.cells import badge, many
from lims.views.filters import moment
from lims.views.form_fields import CodeField, IsoDateField, MomentField, NumberField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_project, current_session
from lims.views.surgery import site_words
from lims.views.tables import Column, Empty, Listing, as_text, choice, day, one_of, search


class PreparationForm(RecordForm):
    """One count. What the aliquot says of the specimen is not typed."""

    groups = (
        Group("Count", ("sample", "counted_on", "counted_at", "viable_cells_per_ml", "total_cells_per_ml", "viability_percent")),
        Group("Made of", ("aliquot_id", "specimen_id", "model_id"), "The specimen follows from the aliquot."),
        Group("Counter", ("count_name", "device", "dilution_factor", "mean_diameter_um", "operator")),
        Group("Note", ("code", "note"), "Left blank, the code is the next by the project's pattern."),
    )
    units: ClassVar = {
        "viable_cells_per_ml": "cells/mL",
        "total_cells_per_ml": "cells/mL",
        "viability_percent": "%",
        "mean_diameter_um": "µm",
    }

    sample = StringField("Sample", [needed("Name the sample that was counted.")], description="As at the counter.")
    counted_on = IsoDateField("Counted on", [needed("The day of the count is needed.")])
    counted_at = MomentField("Time", description="A count holds for a few hours: with the time its age is seen at surgery.")
    viable_cells_per_ml = NumberField("Viable cells", [needed("How many cells live is needed.")], description="2.6e6 is read too.")
    total_cells_per_ml = NumberField("All cells", description="Of the suspension, before it was diluted for the counter.")
    viability_percent = NumberField("Viability")
    aliquot_id = CodeField("Aliquot", Aliquot)
    specimen_id = CodeField("Specimen", Specimen)
    model_id = CodeField("Model", PdxModel)
    count_name = StringField("Name of the count", description="What the counter calls it: its image or file.")
    device = StringField("Counter")
    dilution_factor = NumberField("Diluted for the counter", description="1 is undiluted.")
    mean_diameter_um = NumberField("Mean diameter")
    operator = StringField("Operator")
    code = StringField("Code")
    note = TextAreaField("Note")


def _listing() -> tuple[Listing, Any]:
    rows = preparation_list(current_project().id)
    column = rows.selected_columns
    listing = Listing(
        noun="preparation",
        caption="Cell preparations",
        columns=_columns(column),
        filters=(
            search("q", "Code, sample or count", CellPreparation.code, CellPreparation.sample, CellPreparation.count_name),
            one_of(
                "model", "Model", PdxModel.code, [(code, code) for _, code in model_codes(current_session(), current_project().id)]
            ),
            day("from", "From", CellPreparation.counted_on),
            day("to", "To", CellPreparation.counted_on, until=True),
            choice("status", "Record", CellPreparation.status, RecordStatus),
        ),
        sort="-counted_on",
        key=CellPreparation.id,
        page="preparations.show",
        empty=Empty(
            "No count yet. Upload what the cell counter wrote, or record a count by hand; implants can then name it.",
            "Record a count",
            "preparations.new",
        ),
    )
    return listing, rows


def _columns(column: Any) -> tuple[Column, ...]:
    return (
        Column("code", "Code", CellPreparation.code, mono=True),
        Column("sample", "Sample", CellPreparation.sample),
        Column("counted_on", "Counted", CellPreparation.counted_on),
        Column("viable", "Viable cells", CellPreparation.viable_cells_per_ml, unit="per mL", align="end", show=many),
        Column("viability", "Viability", CellPreparation.viability_percent, unit="%", align="end", show=_number),
        Column("model", "Model", column.model, mono=True),
        Column("aliquot", "Aliquot", column.aliquot, mono=True),
        Column("implants", "Implants", column.implants, align="end"),
        Column("counted_at", "Time", CellPreparation.counted_at, show=moment, on_page=False),
        Column("total", "All cells", CellPreparation.total_cells_per_ml, unit="per mL", on_page=False),
        Column("specimen", "Specimen", column.specimen, on_page=False),
        Column("count_name", "Name of the count", CellPreparation.count_name, on_page=False),
        Column("diameter", "Mean diameter", CellPreparation.mean_diameter_um, unit="µm", on_page=False),
        Column("dilution", "Diluted", CellPreparation.dilution_factor, on_page=False),
        Column("device", "Counter", CellPreparation.device, on_page=False),
        Column("operator", "Operator", CellPreparation.operator, on_page=False),
        Column("note", "Note", CellPreparation.note, on_page=False),
        Column("status", "Record", CellPreparation.status, show=badge, on_page=False),
    )


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"


def _start() -> dict[str, Any]:
    return {"counted_on": today(current_session())}


def _context(preparation: CellPreparation) -> dict[str, Any]:
    session = current_session()
    return {
        "many": many,
        "implants": _implants(preparation),
        "repeats": counts_of_sample(session, preparation),
    }


def _implants(preparation: CellPreparation) -> dict[str, Any]:
    columns = [
        {"key": "animal", "label": "Animal", "mono": True},
        {"key": "implant", "label": "Implant", "mono": True},
        {"key": "site", "label": "Site"},
        {"key": "implanted_on", "label": "Implanted"},
        {"key": "cells", "label": "Cells", "align": "end"},
    ]
    rows = [
        {
            "animal": one.animal.code,
            "implant": {"text": one.label, "url": url_for("implants.show", record_id=one.id)},
            "site": site_words(one),
            "implanted_on": as_text(one.implanted_on),
            "cells": None if one.cell_count is None else f"{one.cell_count:,}",
        }
        for one in implants_of_preparation(current_session(), preparation.id)
    ]
    return {"caption": "Implants of this count", "columns": columns, "rows": rows}


PAGES = RecordPages(
    pages=Blueprint("preparations", __name__, url_prefix="/p/<project_code>/preparations"),
    noun=PREPARATION,
    form=PreparationForm,
    listing=_listing,
    template="preparations/show.html",
    context=_context,
    start=_start,
    lead="What the cell counter said of a suspension before it was implanted.",
)
pages = install(PAGES)
