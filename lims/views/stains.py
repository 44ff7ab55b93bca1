"""The pages of stained slides: the list of regions, one region, its form, and what a specimen's page draws of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import Any, ClassVar

from flask import Blueprint, url_for
from sqlalchemy import ColumnElement
from wtforms import StringField, TextAreaField

from lims.domain.stains import H_SCORE, HIGHEST_H, clean_marker, per_mm2
from lims.domain.tissue_terms import Compartment
from lims.domain.vocabulary import RecordStatus
from lims.models import Patient, Specimen, StainRegion
from lims.plots_stains import bar_by_region
from lims.queries.specimens import donor_codes
from lims.queries.stains import stain_list, stains_of
from lims.records.stains import STAIN_REGION
from lims.views.cells import badge
from lims.views.form_fields import CodeField, GeneField, IsoDateField, NumberField, TermField, WholeNumberField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.study_plots import PlotColumn, StudyPlot, number
from lims.views.support import current_project, current_session
from lims.views.tables import Column, Empty, Filter, Listing, choice, day, one_of, search

LISTED = 40
"""Regions that a specimen's page lists; the list of all has the others."""
DRAWN = 25
"""Bars of a plot."""


class StainForm(RecordForm):
    """One marker in one region."""

    groups = (
        Group("Marker", ("specimen_id", "compartment", "marker"), "A gene of the list, such as ERBB2, or a stain such as H&E."),
        Group("Where", ("image", "region", "software"), "Each region of an image counts once for a marker and a program."),
        Group(
            "Found",
            ("cells", "positive_cells", "positive_percent", "h_score", "area_mm2"),
            f"The percentage follows from counts. H-score: 1 × % weak + 2 × % moderate + 3 × % strong, 0 to 300 ({H_SCORE}).",
        ),
        Group("Analysis", ("analysed_on", "note")),
    )
    units: ClassVar = {"positive_percent": "%", "area_mm2": "mm²"}
    once: ClassVar = frozenset({"specimen_id"})

    specimen_id = CodeField("Specimen", Specimen, [needed("Name the specimen that the slide is of.")])
    compartment = TermField("Compartment", Compartment, default=Compartment.HUMAN_TUMOUR)
    marker = GeneField("Marker", [needed("Name the marker.")], description="Usual aliases such as HER2 and Ki-67 are understood.")
    image = StringField("Image", [needed("Name the image or slide.")])
    region = StringField("Region", [needed("Name the region.")], description="Such as Tumour, Rim, or whole section.")
    software = StringField("Counted by", [needed("Say how it was counted.")], description="Program and algorithm, or by eye.")
    cells = WholeNumberField("Cells")
    positive_cells = WholeNumberField("Positive cells")
    positive_percent = NumberField("Positive")
    h_score = NumberField("H-score")
    area_mm2 = NumberField("Area")
    analysed_on = IsoDateField("Analysed on")
    note = TextAreaField("Note")


def _listing() -> tuple[Listing, Any]:
    project, session = current_project(), current_session()
    rows = stain_list(project.id)
    column = rows.selected_columns
    listing = Listing(
        noun="stain",
        caption="Stained regions",
        columns=_columns(column),
        filters=(
            Filter("marker", "Marker", "search", _of_marker),
            search("q", "Specimen, image or region", Specimen.code, StainRegion.image, StainRegion.region),
            one_of("patient", "Patient", Patient.code, [(code, code) for code in donor_codes(session, project.id)]),
            choice("compartment", "Compartment", StainRegion.compartment, Compartment),
            day("from", "From", StainRegion.analysed_on),
            day("to", "To", StainRegion.analysed_on, until=True),
            choice("status", "Record", StainRegion.status, RecordStatus),
        ),
        sort="marker",
        key=StainRegion.id,
        page="stains.show",
        empty=Empty(
            "No stained region yet. Import what QuPath or HALO counted, or record what was seen by eye.",
            "Record a region",
            "stains.new",
        ),
    )
    return listing, rows


def _columns(column: Any) -> tuple[Column, ...]:
    return (
        Column("marker", "Marker", StainRegion.marker, mono=True),
        Column("specimen", "Specimen", column.specimen, mono=True),
        Column("region", "Region", StainRegion.region),
        Column("image", "Image", StainRegion.image),
        Column("cells", "Cells", StainRegion.cells, align="end", show=_whole),
        Column("positive_percent", "Positive", StainRegion.positive_percent, unit="%", align="end", show=_tenths),
        Column("h_score", "H-score", StainRegion.h_score, align="end", show=_units),
        Column("density", "Positive cells", column.density, unit="per mm²", align="end", show=_units),
        Column("positive_cells", "Positive cells", StainRegion.positive_cells, on_page=False),
        Column("area_mm2", "Area", StainRegion.area_mm2, unit="mm²", on_page=False),
        Column("compartment", "Compartment", StainRegion.compartment, on_page=False),
        Column("patient", "Patient", column.patient, on_page=False),
        Column("software", "Counted by", StainRegion.software, on_page=False),
        Column("analysed_on", "Analysed", StainRegion.analysed_on, on_page=False),
        Column("note", "Note", StainRegion.note, on_page=False),
        Column("status", "Record", StainRegion.status, show=badge, on_page=False),
    )


def _of_marker(typed: str) -> ColumnElement[bool]:
    """A symbol or alias names its gene in tumour and host; anything else is searched for."""
    named = {clean_marker(typed, compartment) for compartment in Compartment} - {typed}
    return StainRegion.marker.in_(named) if named else StainRegion.marker.icontains(typed, autoescape=True)


def _whole(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"


def _tenths(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"


def _units(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f}"


def _context(region: StainRegion) -> dict[str, Any]:
    found = [
        ("Cells", _whole(region.cells), ""),
        ("Positive cells", _whole(region.positive_cells), ""),
        ("Positive", _tenths(region.positive_percent), "%"),
        ("H-score", _units(region.h_score), "of 300"),
        ("Area", None if region.area_mm2 is None else f"{region.area_mm2:,.4g}", "mm²"),
        ("Cells", _units(per_mm2(region.cells, region.area_mm2)), "per mm²"),
        ("Positive cells", _units(per_mm2(region.positive_cells, region.area_mm2)), "per mm²"),
    ]
    return {
        "found": [{"label": label, "value": value, "unit": unit} for label, value, unit in found if value is not None],
        "line": _line(region),
        "source": H_SCORE,
    }


def _line(region: StainRegion) -> str:
    parts = (
        None if region.positive_percent is None else f"{_tenths(region.positive_percent)} % positive",
        None if region.h_score is None else f"H-score {_units(region.h_score)}",
        None if region.cells is None else f"{_whole(region.cells)} cells",
    )
    return ", ".join(filter(None, parts)) or f"{region.area_mm2:,.4g} mm²"


def of_specimen(specimen: Specimen) -> dict[str, Any]:
    """Give what a specimen's page shows of its stains: the table of regions, and a plot for each marker that has a percentage."""
    regions = stains_of(current_session(), specimen.id)
    plots = [
        drawn
        for (marker, compartment), some in groupby(regions, key=lambda one: (one.marker, one.compartment))
        if (drawn := _plot(marker, compartment, list(some))) is not None
    ]
    return {"table": _table(regions[:LISTED]), "plots": plots, "count": len(regions), "listed": LISTED}


def _table(regions: Sequence[StainRegion]) -> dict[str, Any]:
    columns: list[dict[str, Any]] = [
        {"key": "marker", "label": "Marker", "mono": True},
        {"key": "region", "label": "Region"},
        {"key": "image", "label": "Image"},
        {"key": "cells", "label": "Cells", "align": "end"},
        {"key": "positive", "label": "Positive", "unit": "%", "align": "end"},
        {"key": "h_score", "label": "H-score", "align": "end"},
        {"key": "density", "label": "Positive cells", "unit": "per mm²", "align": "end"},
    ]
    rows = [
        {
            "_url": url_for("stains.show", record_id=one.id),
            "marker": one.marker,
            "region": one.region,
            "image": one.image,
            "cells": _whole(one.cells),
            "positive": _tenths(one.positive_percent),
            "h_score": _units(one.h_score),
            "density": _units(per_mm2(one.positive_cells, one.area_mm2)),
        }
        for one in regions
    ]
    return {"caption": "Stained regions", "columns": columns, "rows": rows}


def _plot(marker: str, compartment: Compartment, regions: Sequence[StainRegion]) -> StudyPlot | None:
    """Draw the H-scores of a marker where every region has one, otherwise its percentages; nothing where there are none."""
    scored = all(one.h_score is not None for one in regions)
    title, highest = ("H-score", HIGHEST_H) if scored else ("Positive cells (%)", 100.0)
    several = len({one.image for one in regions}) > 1
    points = [
        {
            "region": f"{one.region}, {one.image}" if several else one.region,
            "image": one.image,
            "value": value,
            "shown": f"{value:.0f}" if scored else f"{value:.1f} %",
            "cells": _whole(one.cells) or "not counted",
            "url": url_for("stains.show", record_id=one.id),
        }
        for one in regions
        if (value := one.h_score if scored else one.positive_percent) is not None
    ]
    if not points:
        return None
    some = f", {DRAWN} of {len(points)} regions" if len(points) > DRAWN else ""
    host = "" if compartment is Compartment.HUMAN_TUMOUR else ", mouse host"
    columns = [PlotColumn("region", "Region"), number("shown", title), number("cells", "Cells")]
    draw = partial(bar_by_region, points[:DRAWN], title_x=title, highest=highest)
    return StudyPlot(f"stain-{regions[0].id}", f"{title} of {marker}{host}{some}", draw, columns, points)


PAGES = RecordPages(
    pages=Blueprint("stains", __name__, url_prefix="/p/<project_code>/stains"),
    noun=STAIN_REGION,
    form=StainForm,
    listing=_listing,
    template="stains/show.html",
    context=_context,
    lead="What was counted of a marker in one region of a slide.",
)
pages = install(PAGES)
