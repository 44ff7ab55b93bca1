"""The pages of alterations: form, list with its filters, one record, and the matrix."""

from __future__ import annotations

import csv
import io

import pytest

from lims.db import Database
from lims.domain.tissue_terms import AlterationKind, Compartment
from lims.domain.vocabulary import RoleName
from lims.views.transaction import Application
from tests.support import factories
from tests.support.cases import each
from tests.support.pages import Browser, add_person, add_project, message, only, redirect

LIST = "/p/BCBM/alterations/"
NEW = "/p/BCBM/alterations/new?specimen_id=P01-BM"
MATRIX = "/p/BCBM/alterations/matrix"


def _line(app: Application, database: Database) -> Browser:
    """A patient's metastasis that founded BM-01, and tissue of its first mouse."""
    project = add_project(database, "BCBM")
    add_person(database, "Ada", BCBM=RoleName.SCIENTIST)
    with factories.declared(database) as session:
        patient = factories.patient(session, project, "P01")
        founding = factories.specimen(session, patient, "P01-BM")
        model = factories.model(session, project, "BM-01", founding_specimen_id=founding.id)
        factories.model(session, project, "BM-02")
        mouse = factories.animal(session, project, "M0012")
        grown = factories.implant(session, mouse, donor_id=patient.id, passage=0, model_id=model.id)
        harvest = factories.specimen(session, patient, "BM-01-P0", patient_id=None, source_implant_id=grown.id, passage=0)
        factories.alteration(session, founding, "PIK3CA", hgvs="p.His1047Arg", vaf_percent=34)
        factories.alteration(session, harvest, "ERBB2", kind=AlterationKind.COPY_NUMBER, copies=12)
        factories.alteration(
            session, harvest, "Abcg2", kind=AlterationKind.EXPRESSION, log2_ratio=2.1, compartment=Compartment.MOUSE_HOST
        )
        factories.alteration(session, harvest, "TP53", vaf_percent=55)
    return Browser(app).sign_in("Ada")


@pytest.fixture
def on_each(app_on_each: Application, database: Database) -> Browser:
    return _line(app_on_each, database)


@pytest.fixture
def ada(app: Application, sqlite_database: Database) -> Browser:
    return _line(app, sqlite_database)


def test_the_form_groups_values_by_the_kinds_that_have_them(ada: Browser) -> None:
    form = ada.get(NEW)
    groups = {
        group.legend.text: [str(one["name"]) for one in group.select("input")] for group in form.select("fieldset") if group.legend
    }
    assert groups["Mutation or fusion"] == ["hgvs", "vaf_percent"]
    assert groups["Copy number"] == ["copies"]
    kinds = {str(one["name"]): str(one["data-kinds"]).split() for one in form.select("input[data-kinds]")}
    assert kinds["vaf_percent"] == ["mutation", "fusion"]
    assert kinds["log2_ratio"] == ["copy_number", "expression", "protein"]
    assert kinds["h_score"] == ["expression", "protein"]
    assert form.select_one("script[src*='js/kinds.js']") is not None


def test_an_alteration_is_recorded_by_alias_and_changed(ada: Browser) -> None:
    form = ada.get(NEW, heading="Record an alteration")
    options = {option["value"] for option in only(form, "datalist#gene-list").find_all("option")}
    assert {"ERBB2", "Abcb1a"} <= options
    assert "list of 2026" in message(form)
    saved = ada.submit(form, NEW, gene="her2", kind="copy_number", copies="8,5", platform="MSK-IMPACT 341")
    page = ada.get(redirect(saved), heading="ERBB2")
    assert "8.5 copies, amplified in the human tumour of P01-BM" in message(page)
    assert "HER family" in message(page)
    change = f"{redirect(saved)}/change"
    ada.submit(ada.get(change), change, copies="3", reason="typing error")
    assert "3 copies, gain" in message(ada.get(redirect(saved)))


@each(
    ("values", "told"),
    [
        ({"gene": "EBRB2", "kind": "mutation", "hgvs": "p.L755S"}, "perhaps ERBB2"),
        ({"gene": "Abcb1a", "kind": "expression", "log2_ratio": "1"}, "is a gene of the mouse host"),
        ({"gene": "Abcb1a", "kind": "expression", "log2_ratio": "1", "compartment": "mouse_host"}, "no mouse host in it"),
        ({"gene": "PIK3CA", "kind": "mutation", "copies": "2"}, "A mutation is recorded without a value"),
        ({"gene": "AKT1", "kind": "protein", "h_score": "301"}, "H-score 301 cannot be"),
        ({"gene": "PIK3CA", "kind": "mutation", "hgvs": "H1047R"}, "not written as HGVS"),
        ({"gene": "", "kind": "mutation", "hgvs": "p.L755S"}, "Name the gene"),
    ],
)
def test_what_cannot_be_or_is_unusual_stays_on_the_form(ada: Browser, values: dict[str, str], told: str) -> None:
    assert told in message(ada.submit(ada.get(NEW), NEW, status=422, **values))


@each(
    ("query", "found"),
    [
        ("", ["Abcg2", "ERBB2", "PIK3CA", "TP53"]),
        ("gene=HER2", ["ERBB2"]),
        ("gene=p53", ["TP53"]),
        ("gene=3", ["PIK3CA", "TP53"]),
        ("pathway=her_family", ["ERBB2"]),
        ("pathway=abc_transporters", ["Abcg2"]),
        ("pathway=other", ["TP53"]),
        ("kind=copy_number", ["ERBB2"]),
        ("compartment=mouse_host", ["Abcg2"]),
        ("model=1", ["Abcg2", "ERBB2", "PIK3CA", "TP53"]),
        ("model=2", []),
        ("model=99", []),
        ("patient=P01", ["Abcg2", "ERBB2", "PIK3CA", "TP53"]),
        ("specimen=P01-BM", ["PIK3CA"]),
    ],
)
def test_list_is_filtered(on_each: Browser, query: str, found: list[str]) -> None:
    page = on_each.get(f"{LIST}?{query}", heading="Alterations")
    rows = page.select("table.data tbody tr")
    assert sorted(row.select("td")[0].text.strip() for row in rows) == found
    assert all(row.select("td")[7].text.strip() == "BM-01" for row in rows)


@pytest.mark.parametrize("query", ["pathway=liver", "kind=liver", "compartment=rat"])
def test_filters_that_mean_nothing_are_refused(ada: Browser, query: str) -> None:
    assert ada.client.get(f"{LIST}?{query}").status_code == 422


def test_matrix_leads_to_the_alterations(ada: Browser) -> None:
    page = ada.get(MATRIX, heading="Models × genes")
    table = page.select_one("table.matrix")
    assert table is not None
    assert [one.text.strip() for one in table.select("th[scope=colgroup]")] == [
        "HER family",
        "PI3K–AKT–mTOR",
        "ABC transporters",
        "Other genes",
    ]
    assert [" ".join(one.text.split()) for one in table.select("tbody th[scope=row]")] == ["P01-BM patient", "BM-01-P0 P0 · M0012"]
    assert "founding specimen not recorded" in message(page)
    amplified = table.find("a", string=None, href=lambda address: bool(address) and "gene=ERBB2" in address)
    assert amplified is not None
    assert "amplified" in amplified.text
    listed = ada.get(str(amplified["href"]))
    assert [row.select("td")[0].text.strip() for row in listed.select("table.data tbody tr")] == ["ERBB2"]
    assert "mouse" in only(table, "th.host").text


def test_matrix_of_one_set_says_what_is_empty(ada: Browser) -> None:
    assert "gene=PIK3CA" not in str(ada.get(f"{MATRIX}?pathway=her_family").select_one("table.matrix"))
    assert ada.client.get(f"{MATRIX}?pathway=liver").status_code == 422


def test_matrix_as_a_file_says_whose_gene_it_is(ada: Browser) -> None:
    answer = ada.client.get(f"{MATRIX}?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["Specimen"] for row in rows] == ["P01-BM", "BM-01-P0"]
    assert rows[0]["PIK3CA"] == "mutation p.His1047Arg"
    assert rows[1]["ERBB2"] == "12 copies, amplified"
    assert rows[1]["Abcg2 (mouse host)"] == "log2 +2.1, up"
    assert ada.client.get(f"{MATRIX}?format=pdf").status_code == 422


def test_an_empty_matrix_says_what_to_do_first(app: Application, sqlite_database: Database) -> None:
    project = add_project(sqlite_database, "BCBM")
    add_person(sqlite_database, "Ada", BCBM=RoleName.SCIENTIST)
    browser = Browser(app).sign_in("Ada")
    assert "No model yet" in message(browser.get(MATRIX))
    with factories.declared(sqlite_database) as session:
        factories.model(session, project, "BM-01")
    assert "Record an alteration" in message(browser.get(MATRIX))
