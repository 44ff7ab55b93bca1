"""The page of a lineage, its files, and the crumb on the pages of the chain."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.db import Database
from lims.domain.tissue_terms import AliquotMaterial
from lims.domain.vocabulary import ImplantSite, PassageConvention, RecordStatus
from lims.models import AuditEvent, Patient, PdxModel, Project
from tests.queries.test_lineage import Line, line, many
from tests.support import factories as make
from tests.support.databases import kept
from tests.support.pages import Browser, message, only
from tests.support.statements import statements
from tests.views.cohort import add_people


@pytest.fixture
@kept
def ids(sqlite_database: Database) -> Line:
    add_people(sqlite_database)
    with make.declared(sqlite_database) as session:
        return line(session, session.query(Project).filter_by(code="BCBM").one())


@pytest.fixture
def sara(browser: Browser, ids: Line) -> Browser:
    return browser.sign_in("Sara")


def boxes(page: BeautifulSoup) -> list[str]:
    return [" ".join(box.get_text(" ").split()) for box in page.select("svg.lineage > a, svg.lineage > g:has(rect)")]


def test_the_drawing_leads_to_every_record_in_the_order_it_is_read(sara: Browser, ids: Line) -> None:
    page = sara.get(f"/p/BCBM/lineage/patient/{ids.patient}", heading="Lineage of P01")
    links = page.select("svg.lineage > a")
    assert links[0]["href"] == f"/p/BCBM/patients/{ids.patient}"
    assert links[1]["href"] == f"/p/BCBM/specimens/{ids.specimen}"
    told = [code for box in boxes(page) for code in ("P01-M2 brain", "P01-H1", "P01-A1b", "P01-BM") if code in box]
    assert told[0] == "P01-BM"
    assert told[-1] == "P01-M2 brain"
    assert links[0]["aria-label"] == "patient P01, consent given"
    assert page.select_one(".lineage-frame[role=region][aria-label][tabindex='0']")
    assert page.select("[style]") == []


def test_what_leads_to_the_record_is_marked(sara: Browser, ids: Line) -> None:
    page = sara.get(f"/p/BCBM/lineage/specimen/{ids.harvest}")
    (here,) = page.select("[data-here]")
    assert "P01-H1" in here.text
    assert len(page.select("svg.lineage path[stroke='#0b6470']")) == 5


def test_a_withdrawn_consent_and_a_withdrawn_record_are_told_in_words(sara: Browser, ids: Line, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        patient = session.get_one(Patient, ids.patient)
        make.consent(session, patient, withdrawn_on=date(2025, 6, 1))
        specimen = session.get_one(make.Specimen, ids.specimen)
        make.aliquot(session, specimen, "LOST", status=RecordStatus.WITHDRAWN)
    page = sara.get(f"/p/BCBM/lineage/aliquot/{ids.vial}")
    assert "Consent of P01 was withdrawn on 2025-06-01" in message(page)
    assert any(box.endswith("consent withdrawn") for box in boxes(page))
    (lost,) = [box for box in page.select("svg.lineage text") if box.text == "LOST"]
    assert lost["text-decoration"] == "line-through"
    assert any("LOST" in box and "withdrawn" in box for box in boxes(page))


def test_a_tumours_lineage_names_its_animal(sara: Browser, ids: Line) -> None:
    page = sara.get(f"/p/BCBM/lineage/implant/{ids.first}", heading="Lineage of implant brain of P01-M1")
    assert [link.text for link in page.select("h1 a")] == ["brain", "P01-M1"]
    assert "what leads to implant brain of P01-M1." in message(page)


@pytest.mark.parametrize(
    ("convention", "labels"),
    [(PassageConvention.FIRST_IS_P0, ["patient", "P0", "P1"]), (PassageConvention.FIRST_IS_P1, ["patient", "P1", "P2"])],
)
def test_the_drawing_is_banded_by_passage_as_the_laboratory_counts(
    sara: Browser, ids: Line, sqlite_database: Database, convention: PassageConvention, labels: list[str]
) -> None:
    with make.declared(sqlite_database) as session:
        session.get_one(PdxModel, ids.model).passage_convention = convention
    page = sara.get(f"/p/BCBM/lineage/patient/{ids.patient}")
    bands = page.select("svg.lineage > g:first-of-type > text")
    assert [band.text for band in bands] == labels
    places = [float(str(band["x"])) for band in bands]
    assert places == sorted(places)


def test_the_drawing_fits_the_window_until_its_full_size_is_asked_for(sara: Browser, ids: Line) -> None:
    address = f"/p/BCBM/lineage/patient/{ids.patient}"
    page = sara.get(address)
    assert page.select("svg.lineage.lineage-fit")
    (full,) = [link for link in page.select(".plot-note a") if link.text == "At full size"]
    page = sara.get(str(full["href"]))
    assert page.select("svg.lineage.lineage-fit") == []
    (back,) = [link for link in page.select(".plot-note a") if link.text == "Fitted to the window"]
    assert back["href"] == address


def test_what_is_alike_is_folded_until_asked_for(sara: Browser, ids: Line, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        specimen = session.get_one(make.Specimen, ids.specimen)
        for number in range(8):
            make.aliquot(session, specimen, f"F{number}", material=AliquotMaterial.FFPE)
    page = sara.get(f"/p/BCBM/lineage/patient/{ids.patient}")
    (folded,) = [link for link in page.select("svg.lineage > a") if "8 aliquots" in link.text]
    assert folded["aria-label"] == "8 aliquots, each available · ffpe: show each"
    assert "F7" in only(page, "table.data").text
    every = sara.get(str(folded["href"]))
    assert len(every.select("svg.lineage > a, svg.lineage > g:has(rect)")) == 16
    assert "Fold what is alike" in message(every)


def test_the_record_one_came_from_is_never_folded_away(sara: Browser, ids: Line, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        specimen = session.get_one(make.Specimen, ids.specimen)
        vials = [make.aliquot(session, specimen, f"F{number}").id for number in range(8)]
    page = sara.get(f"/p/BCBM/lineage/aliquot/{vials[5]}")
    (here,) = page.select("[data-here]")
    assert "F5" in here.text


def test_the_table_goes_out_as_a_file_and_the_drawing_as_a_picture(sara: Browser, ids: Line, sqlite_database: Database) -> None:
    address = f"/p/BCBM/lineage/pdx_model/{ids.model}"
    sheet = sara.client.get(f"{address}?format=csv").text.splitlines()
    assert sheet[0] == "\ufeffRecord,Kind,Steps,Comes from,What,Passage,Date,State"
    assert sheet[1].startswith("P01,patient,0,,")
    assert len(sheet) == 9
    picture = sara.client.get(f"{address}?format=svg")
    assert picture.content_type.startswith("image/svg+xml")
    drawn = ElementTree.fromstring(picture.text)
    assert drawn.findall(".//{*}a") == []
    assert "P01-M2 brain" in picture.text
    with sqlite_database.reading() as session:
        exports = session.scalars(select(AuditEvent.action).where(AuditEvent.action == "model:export")).all()
    assert len(exports) == 2
    assert "csv, xlsx, json" in sara.client.get(f"{address}?format=exe").text


def test_hostile_text_stays_text(sara: Browser, ids: Line, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        session.get_one(make.Specimen, ids.specimen).site = "</text><script>alert(1)</script>"
        session.get_one(make.Specimen, ids.specimen).code = '"><b>&x'
    page = sara.get(f"/p/BCBM/lineage/patient/{ids.patient}")
    assert page.select("svg script, svg b") == []
    ElementTree.fromstring(sara.client.get(f"/p/BCBM/lineage/patient/{ids.patient}?format=svg").text)


@pytest.mark.parametrize("path", ["patient/{patient}", "specimen/{specimen}", "implant/{first}", "pdx_model/{model}"])
def test_another_projects_lineage_is_not_found(browser: Browser, ids: Line, path: str) -> None:
    olga = browser.sign_in("Olga")
    address = path.format(patient=ids.patient, specimen=ids.specimen, first=ids.first, model=ids.model)
    olga.get(f"/p/OTHER/lineage/{address}", 404)
    olga.get(f"/p/BCBM/lineage/{address}", 404)


def test_of_what_is_no_tissue_there_is_no_lineage(sara: Browser, ids: Line) -> None:
    sara.get("/p/BCBM/lineage/cage/1", 404)
    sara.get("/p/BCBM/lineage/specimen/999", 404)


def test_an_animal_without_tissue_says_what_to_do(sara: Browser, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        bare = make.animal(session, session.query(Project).filter_by(code="BCBM").one()).id
    assert "Record the implant with the aliquot" in message(sara.get(f"/p/BCBM/lineage/animal/{bare}"))


def test_the_crumb_stands_on_the_pages_of_the_chain(sara: Browser, ids: Line) -> None:
    page = sara.get(f"/p/BCBM/specimens/{ids.harvest}")
    steps = page.select("aside ol.crumb li")
    assert [" ".join(step.text.split()) for step in steps][:2] == ["patient P01", "specimen P01-BM"]
    assert steps[-1]["aria-current"] == "page"
    assert steps[0].select_one(f"a[href='/p/BCBM/patients/{ids.patient}']")
    assert page.select_one(f".page-actions a[href='/p/BCBM/lineage/specimen/{ids.harvest}']")
    patient = sara.get(f"/p/BCBM/patients/{ids.patient}")
    assert patient.select_one(f".page-actions a[href='/p/BCBM/lineage/patient/{ids.patient}']")
    assert patient.select("ol.crumb") == []


def test_an_animal_shows_where_each_of_its_tumours_comes_from(sara: Browser, ids: Line, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        make.implant(session, session.get_one(make.Animal, ids.mouse), "flank")
        bare = make.animal(session, session.query(Project).filter_by(code="BCBM").one()).id
    page = sara.get(f"/p/BCBM/animals/{ids.mouse}")
    (chain,) = page.select("ol.crumb")
    assert "Where its tumours come from" in message(page)
    assert chain.select("li")[0].text.split() == ["patient", "P01"]
    assert page.select_one(f".page-actions a[href='/p/BCBM/lineage/animal/{ids.mouse}']")
    assert sara.get(f"/p/BCBM/animals/{bare}").select(".crumb") == []


def test_a_page_of_1000_records_costs_the_statements_of_a_small_one(sara: Browser, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        small, large = many(session, project, 10), many(session, project, 499)
    counts = []
    for patient in (small, large):
        with statements(sqlite_database.engine) as seen:
            page = sara.get(f"/p/BCBM/lineage/patient/{patient}?all=1")
        counts.append(len(seen))
        assert "folded" not in message(page)
    assert counts[0] == counts[1]
    assert len(page.select("svg.lineage rect")) == 1_000
    assert len(page.select("table.data tbody tr")) == 50


def test_a_tumour_names_its_site_and_state(sara: Browser, ids: Line, sqlite_database: Database) -> None:
    with make.declared(sqlite_database) as session:
        session.get_one(make.Implant, ids.first).site = ImplantSite.INTRACRANIAL
    assert any(
        "P01-M1 brain" in box and "P0 · pending · intracranial" in box
        for box in boxes(sara.get(f"/p/BCBM/lineage/animal/{ids.mouse}"))
    )
