"""The pages of stained regions: form, list, one record, and the specimen's page that draws them."""

from __future__ import annotations

import pytest

from lims.db import Database
from lims.domain.tissue_terms import Compartment
from lims.domain.vocabulary import RoleName
from lims.views.transaction import Application
from tests.support import factories
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.pages import Browser, add_person, add_project, message, only, redirect, specification

LIST = "/p/BCBM/stains/"
NEW = "/p/BCBM/stains/new?specimen_id=P01-BM"


def _slides(app: Application, database: Database) -> Browser:
    """A patient's metastasis with three regions of HER2, two without a score of Ki-67, and a harvest with mouse vessels."""
    fill(database)
    return Browser(app).sign_in("Ada")


@kept
def fill(database: Database) -> None:
    project = add_project(database, "BCBM")
    add_person(database, "Ada", BCBM=RoleName.SCIENTIST)
    with factories.declared(database) as session:
        patient = factories.patient(session, project, "P01")
        founding = factories.specimen(session, patient, "P01-BM")
        grown = factories.implant(session, factories.animal(session, project, "M0012"), donor_id=patient.id, passage=0)
        harvest = factories.specimen(session, patient, "BM-01-P0", patient_id=None, source_implant_id=grown.id, passage=0)
        for region, score in (("Core", 180.0), ("Rim", 90.0)):
            factories.stain_region(session, founding, region=region, positive_cells=600, positive_percent=60.0, h_score=score)
        factories.stain_region(session, founding, "MKI67", region="Core", h_score=None)
        factories.stain_region(
            session, founding, "MKI67", region="Rim", cells=0, positive_cells=0, positive_percent=None, h_score=None
        )
        factories.stain_region(session, harvest, "Pecam1", compartment=Compartment.MOUSE_HOST, area_mm2=None)


@pytest.fixture
def on_each(app_on_each: Application, database: Database) -> Browser:
    return _slides(app_on_each, database)


@pytest.fixture
def ada(app: Application, sqlite_database: Database) -> Browser:
    return _slides(app, sqlite_database)


def test_a_region_is_recorded_by_alias_and_its_percentage_follows(ada: Browser) -> None:
    form = ada.get(NEW, heading="Record a stained region")
    typed = {"marker": "estrogen receptor", "image": "S1.svs", "region": "Core", "software": "by eye", "cells": "200"}
    doubted = ada.submit(form, NEW, status=422, **{**typed, "marker": "ERBB22"})
    assert "no gene of the list and no known stain" in message(doubted)
    saved = ada.submit(form, NEW, **{**typed, "marker": "er", "positive_cells": "50", "h_score": "60", "area_mm2": "0,5"})
    page = ada.get(redirect(saved), heading="ESR1 in Core")
    assert "25.0 % positive, H-score 60, 200 cells" in message(page)
    assert "400 per mm²" in message(page)
    change = f"{redirect(saved)}/change"
    ada.submit(ada.get(change), change, positive_cells="40", reason="counted again")
    assert "20.0 % positive" in message(ada.get(redirect(saved)))


@each(
    ("values", "told"),
    [
        ({"cells": "10", "positive_cells": "11"}, "more than all 10 cells"),
        ({"positive_percent": "10", "h_score": "31"}, "cannot be of 10 %"),
        ({"positive_percent": "10", "compartment": "mouse_host"}, "no mouse host in it"),
        ({"region": "Core", "image": "P01-BM.svs", "software": "QuPath", "cells": "9"}, "is recorded already by QuPath"),
        ({}, "Nothing was found in this region"),
        ({"cells": "10", "analysed_on": "2999-01-01"}, "today is"),
        ({"cells": "1.5"}, "1.5"),
    ],
)
def test_what_cannot_be_stays_on_the_form(ada: Browser, values: dict[str, str], told: str) -> None:
    typed = {"marker": "HER2", "image": "S1.svs", "region": "Core 2", "software": "by eye", **values}
    assert told in message(ada.submit(ada.get(NEW), NEW, status=422, **typed))


@each(
    ("query", "found"),
    [
        ("", ["ERBB2", "ERBB2", "MKI67", "MKI67", "Pecam1"]),
        ("marker=HER2", ["ERBB2", "ERBB2"]),
        ("marker=cd31", ["Pecam1"]),
        ("marker=67", ["MKI67", "MKI67"]),
        ("q=Rim", ["ERBB2", "MKI67"]),
        ("q=BM-01-P0", ["Pecam1"]),
        ("patient=P01", ["ERBB2", "ERBB2", "MKI67", "MKI67", "Pecam1"]),
        ("compartment=mouse_host", ["Pecam1"]),
        ("to=2026-03-31", []),
        ("sort=-density", ["ERBB2", "ERBB2", "MKI67", "MKI67", "Pecam1"]),
    ],
)
def test_list_is_filtered(on_each: Browser, query: str, found: list[str]) -> None:
    page = on_each.get(f"{LIST}?{query}", heading="Stained regions")
    assert sorted(row.select("td")[0].text.strip() for row in page.select("table.data tbody tr")) == found


def test_the_specimen_draws_a_bar_for_each_region(ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ada.get("/p/BCBM/specimens/1")
    figures = page.select("#stains figure")
    plots = {only(one, "figcaption").text: specification(only(one, "script").text) for one in figures}
    assert list(plots) == ["H-score of ERBB2", "Positive cells (%) of MKI67"]
    scores = plots["H-score of ERBB2"]["data"]["values"]
    assert [(one["region"], one["value"]) for one in scores] == [("Core", 180.0), ("Rim", 90.0)]
    assert [one["region"] for one in plots["Positive cells (%) of MKI67"]["data"]["values"]] == ["Core"]
    assert len(page.select("#stains > .table-frame tbody tr")) == 4
    monkeypatch.setattr("lims.views.stains.LISTED", 3)
    monkeypatch.setattr("lims.views.stains.DRAWN", 1)
    page = ada.get("/p/BCBM/specimens/1")
    assert len(page.select("#stains > .table-frame tbody tr")) == 3
    assert "H-score of ERBB2, 1 of 2 regions" in message(page)
    assert "All 4 stained regions" in message(page)


def test_a_specimen_with_stains_is_not_withdrawn(ada: Browser) -> None:
    path = "/p/BCBM/specimens/2/withdraw"
    assert "stained region" in message(ada.submit(ada.get(path), path, status=409, reason="a mistake"))
