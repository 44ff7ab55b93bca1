"""The pages of specimens: HER2 through the forms of assays, the cohort, the way of a line, STR profiles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from lims.db import Database
from lims.domain.tissue_terms import CnsStatus, Her2Label, Her2Result
from lims.domain.vocabulary import RoleName, SpecimenKind, TumourOrigin
from lims.models import Patient, Project, Specimen
from lims.records.nouns import record
from lims.records.tissue import SPECIMEN
from lims.views.transaction import Application
from tests.support import factories
from tests.support.cases import each
from tests.support.pages import Browser, add_person, add_project, message, only, redirect
from tests.support.statements import statements

LIST = "/p/BCBM/specimens/"
ASSAY = "/p/BCBM/assays/new?specimen_id=P01-BM"
PROFILE = "/p/BCBM/profiles/new?specimen_id=P01-BM"


def _scientist(app: Application, database: Database) -> Browser:
    project = add_project(database, "BCBM")
    add_person(database, "Ada", BCBM=RoleName.SCIENTIST)
    with factories.declared(database) as session:
        factories.patient(session, project, "P01", birth_year=1970)
    return Browser(app).sign_in("Ada")


def _record(browser: Browser, address: str, **values: Any) -> str:
    return redirect(browser.submit(browser.get(address), address, **values))


@pytest.fixture
def on_each(app_on_each: Application, database: Database) -> tuple[Browser, Database]:
    return _scientist(app_on_each, database), database


@pytest.fixture
def ada(app: Application, sqlite_database: Database) -> Browser:
    return _scientist(app, sqlite_database)


@pytest.fixture
def metastasis(ada: Browser) -> Iterator[str]:
    """Give the page of a brain metastasis that progressed after local therapy."""
    address = "/p/BCBM/specimens/new?patient_id=P01"
    disease = CnsStatus.PROGRESSING_AFTER_LOCAL_THERAPY.value
    yield _record(
        ada, address, code="P01-BM", collected_on="2025-02-03", site="frontal lobe", origin="metastatic", cns_status=disease
    )


def test_her2_follows_from_the_assays_that_are_typed(on_each: tuple[Browser, Database]) -> None:
    browser, _ = on_each
    address = "/p/BCBM/specimens/new?patient_id=P01"
    disease = CnsStatus.PROGRESSING_AFTER_LOCAL_THERAPY.value
    page = _record(browser, address, code="P01-BM", collected_on="2025-02-03", site="frontal lobe", cns_status=disease)
    assert "HER2 is not assessed" in message(browser.get(page))

    _record(browser, ASSAY, assayed_on="2025-02-05", her2_ihc="2+", laboratory="Central pathology")
    shown = message(browser.get(page))
    assert "IHC 2+ is decided by ISH" in shown
    assert "Equivocal: needs in-situ hybridisation (ISH)" in shown

    home = _record(browser, ASSAY, assayed_on="2025-02-09", ish_probe="dual", her2_copies="5,1", her2_cep17_ratio="2.4")
    assert home.endswith("#receptors")
    shown = message(browser.get(page))
    assert "HER2 positive ISH group 1" in shown
    assert "the IHC of the report of 2025-02-05 (Central pathology) and the ISH of the report of 2025-02-09" in shown
    assert "ASCO/CAP 2018, affirmed 2023" in shown
    assert "Mimics DEBBRAH cohort 3" in shown
    assert "NCT04420598" in shown
    assert "P01-BM" in message(browser.get(f"{LIST}?cohort=3&her2=positive"))
    assert "Nothing fits" in message(browser.get(f"{LIST}?cohort=4"))

    withdrawal = "/p/BCBM/assays/2/withdraw"
    browser.submit(browser.get(withdrawal), withdrawal, reason="another patient's report")
    shown = message(browser.get(page))
    assert "Equivocal: needs" in shown
    assert "withdrawn Bring back" in shown
    assert "changed HER2 result positive → equivocal" in shown
    browser.submit(browser.get(withdrawal), withdrawal, reason="it was hers after all")
    assert "HER2 positive ISH group 1" in message(browser.get(page))


def test_contradictory_reports_stay_on_the_form(ada: Browser, metastasis: str) -> None:
    form = ada.get(ASSAY, heading="Record a receptor assay")
    refused = ada.submit(form, ASSAY, status=422, ish_probe="single", her2_copies="5", her2_cep17_ratio="2.4")
    assert "cannot come from a single probe" in message(refused)
    doubted = ada.submit(form, ASSAY, status=422, her2_ihc="3+", ish_probe="dual", her2_copies="2", her2_cep17_ratio="1.1")
    assert "have both reviewed" in message(doubted)
    sure = ada.submit(form, ASSAY, her2_ihc="3+", ish_probe="dual", her2_copies="2", her2_cep17_ratio="1.1", confirmed="y")
    assert redirect(sure).endswith("#receptors")
    assert "IHC and ISH contradict each other" in message(ada.get(metastasis))


def test_unusual_specimens_are_confirmed(ada: Browser) -> None:
    address = "/p/BCBM/specimens/new"
    form = ada.get(address, heading="Record a specimen")
    assert "Name the patient" in message(ada.submit(form, address, status=422, code="S1"))
    plasma = {"code": "S1", "patient_id": "P01", "kind": "plasma", "tumour_content_percent": "20"}
    assert "Plasma has no tumour content" in message(ada.submit(form, address, status=422, **plasma))
    assert redirect(ada.submit(form, address, **plasma, confirmed="y")).endswith("/specimens/1")
    foreign = ada.submit(form, address, status=422, patient_id="P99")
    assert 'There is no patient "P99"' in message(foreign)


@pytest.fixture
def reader(ada: Browser, sqlite_database: Database) -> Browser:
    with factories.declared(sqlite_database) as session:
        project = session.query(Project).one()
        first = session.query(Patient).one()
        other = factories.patient(session, project, "P02")
        stable = {"cns_status": CnsStatus.STABLE_AFTER_LOCAL_THERAPY, "her2_result": Her2Result.POSITIVE}
        factories.specimen(session, first, "S-BM", site="frontal lobe", origin=TumourOrigin.METASTATIC, **stable)
        factories.specimen(session, first, "S-PT", site="breast", origin=TumourOrigin.PRIMARY)
        low = {"her2_result": Her2Result.NEGATIVE, "her2_label": Her2Label.HER2_LOW}
        factories.specimen(session, other, "S-CSF", kind=SpecimenKind.CSF, cns_status=CnsStatus.LEPTOMENINGEAL, **low)
    return ada


@each(
    ("query", "found"),
    [
        ("q=front", ["S-BM"]),
        ("patient=P02", ["S-CSF"]),
        ("kind=csf", ["S-CSF"]),
        ("origin=primary", ["S-PT"]),
        ("cns_status=leptomeningeal", ["S-CSF"]),
        ("her2=her2_low", ["S-CSF"]),
        ("her2=not_assessed", ["S-PT"]),
        ("cohort=5", ["S-CSF"]),
        ("cohort=1", ["S-BM"]),
        ("patient=P01&sort=-code", ["S-PT", "S-BM"]),
        ("status=withdrawn", []),
    ],
)
def test_list_is_filtered(reader: Browser, query: str, found: list[str]) -> None:
    page = reader.get(f"{LIST}?{query}", heading="Specimens")
    table = page.find("table")
    assert [only(row, "td").text.strip() for row in table.find_all("tr")[1:]] == found if found else table is None


@pytest.mark.parametrize("query", ["cohort=6", "cohort=x", "her2=maybe", "kind=liver"])
def test_filters_that_mean_nothing_are_refused(ada: Browser, query: str) -> None:
    assert ada.client.get(f"{LIST}?{query}").status_code == 422


def test_files_of_the_list_carry_what_the_page_leaves_out(ada: Browser, metastasis: str) -> None:
    text = ada.client.get(f"{LIST}?format=csv").text
    assert "CNS status" in text
    assert "progressing_after_local_therapy" in text


def test_a_harvest_shows_its_animal_and_the_way_of_its_line(ada: Browser, sqlite_database: Database, metastasis: str) -> None:
    _record(ada, ASSAY, assayed_on="2025-02-05", her2_ihc="3+")
    actor = factories.actor()
    with factories.declared(sqlite_database) as session:
        project = session.query(Project).one()
        founding = session.query(Specimen).one()
        model = factories.model(session, project, "BM-01", founding_specimen_id=founding.id)
        mouse = factories.animal(session, project, "M0012", birth_date=date(2025, 1, 1))
        grown = factories.implant(
            session, mouse, donor_id=founding.donor_id, passage=0, model_id=model.id, implanted_on=date(2025, 3, 1)
        )
    with sqlite_database.transaction() as session:
        tissue = {"code": "BM-01-P0", "source_implant_id": grown.id, "kind": SpecimenKind.TUMOUR, "collected_on": date(2025, 6, 1)}
        (harvest,) = record(session, actor, SPECIMEN, project.id, [tissue])
    address = "/p/BCBM/assays/new?specimen_id=BM-01-P0"
    _record(ada, address, assayed_on="2025-07-01", her2_ihc="1+")
    shown = message(ada.get(f"{LIST}{harvest.id}", heading="BM-01-P0"))
    assert "Harvest at P0 , brain of M0012 , from P01" in shown
    assert "The class changes once: HER2-positive → HER2-low at BM-01-P0." in shown
    assert "was HER2-positive" in shown
    page = ada.get(metastasis)
    drawn = only(page, "figure.drift svg")
    assert [link["href"] for link in drawn.find_all("a")] == [metastasis, f"{LIST}{harvest.id}"]
    assert "BM-01" in message(page)
    for address in ("/p/BCBM/patients/1", "/p/BCBM/models/1"):
        assert "HER2-positive → HER2-low at BM-01-P0" in message(ada.get(address))
    assert "P0\xa0·\xa0M0012" in ada.get(LIST).text


def test_an_str_profile_is_typed_one_locus_a_line(ada: Browser, metastasis: str) -> None:
    form = ada.get(PROFILE, heading="Record an STR profile")
    refused = ada.submit(form, PROFILE, status=422, alleles="TH01: 6, 9.3\nD5S818: twelve")
    assert 'Line 2: D5S818 has the allele "twelve"' in message(refused)
    assert "twelve" in only(refused, "textarea#alleles").text
    assert "The STR profile is empty" in message(ada.submit(form, PROFILE, status=422, alleles=" \n "))
    few = ada.submit(form, PROFILE, status=422, alleles="TH01\t9.3\t6")
    assert "too few to match a model by" in message(few)
    home = ada.submit(form, PROFILE, alleles="TH01\t9.3\t6", kit="PowerPlex 16", confirmed="y")
    assert redirect(home).endswith("#profiles")
    shown = ada.get(metastasis)
    loci = shown.find("dl", class_="loci")
    assert loci is not None
    assert loci.get_text(" ", strip=True) == "TH01 6, 9.3"
    address = "/p/BCBM/profiles/1/change"
    change = ada.get(address)
    ada.submit(change, address, status=302, alleles="TH01: 6, 9.3\nTPOX: 8", reason="one more locus", confirmed="y")
    assert "→ TH01: 6, 9.3, TPOX: 8" in message(ada.get("/p/BCBM/profiles/1/history"))
    assert only(change, "textarea#alleles").text.strip() == "TH01: 6, 9.3"


def test_a_page_costs_the_same_however_much_was_found(ada: Browser, sqlite_database: Database, metastasis: str) -> None:
    def cost() -> int:
        with statements(sqlite_database.engine) as asked:
            ada.get(metastasis)
        return len(asked)

    _record(ada, ASSAY, her2_ihc="3+")
    with factories.declared(sqlite_database) as session:
        specimen = session.query(Specimen).one()
        factories.alteration(session, specimen)
        factories.profile(session, specimen)
        factories.aliquot(session, specimen)
    before = cost()
    with factories.declared(sqlite_database) as session:
        specimen = session.query(Specimen).one()
        for _ in range(5):
            factories.alteration(session, specimen)
            factories.profile(session, specimen)
            factories.aliquot(session, specimen)
            factories.assay(session, specimen)
    assert cost() == before


def test_an_auditor_reads_and_is_offered_nothing_to_write(
    app: Application, ada: Browser, sqlite_database: Database, metastasis: str
) -> None:
    _record(ada, ASSAY, her2_ihc="3+")
    add_person(sqlite_database, "Otto", BCBM=RoleName.AUDITOR)
    auditor = Browser(app).sign_in("Otto")
    shown = message(auditor.get(metastasis))
    assert "Record an assay" not in shown
    assert "Withdraw" not in shown
    assert auditor.client.get(ASSAY).status_code == 403
