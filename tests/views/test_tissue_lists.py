"""The lists and pages of what stands beside patients, specimens and models: consents, treatment, assays, profiles, checks."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from sqlalchemy import select

from lims.db import Database
from lims.domain.tissue_terms import BestResponse, CheckKind, CheckResult, Her2Ihc, IshProbe, StopReason
from lims.domain.vocabulary import RecordStatus, SpecimenKind
from lims.models import Project
from lims.views.transaction import Application
from tests.support import factories as make
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.pages import Browser, message
from tests.support.statements import statements
from tests.views.cohort import add_people
from tests.views.test_studies import cells

HOME = "/p/BCBM"
ALLELES = ["CSF1PO: 10, 12", "D13S317: 11, 12", "D16S539: 9, 11", "D18S51: 14, 17", "D3S1358: 15, 16", "D5S818: 11, 12"]
ALLELES += ["FGA: 21, 23", "TH01: 6, 9.3"]
LISTS = {
    "consents": "Consents",
    "therapy": "Treatment",
    "assays": "Receptor assays",
    "profiles": "STR profiles",
    "checks": "Checks of models",
}


@pytest.fixture
@kept
def ids(database: Database) -> dict[str, int]:
    """Give two patients with what belongs to them; the ids of the first one's records."""
    add_people(database)
    with make.declared(database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        first, second = make.patient(session, project, "P03"), make.patient(session, project, "P04")
        consent = make.consent(session, first)
        make.consent(session, second, protocol="Other bank", xenograft=False, given_on=date(2025, 2, 1))
        make.consent(session, second, protocol_version="4", given_on=date(2025, 3, 1), withdrawn_on=date(2025, 9, 1))
        make.consent(session, second, protocol_version="9", status=RecordStatus.WITHDRAWN)
        ended = {"started_on": date(2024, 3, 1), "stopped_on": date(2024, 9, 1), "stop_reason": StopReason.PROGRESSION_CNS}
        line = make.therapy_line(session, first, best_response=BestResponse.PARTIAL_RESPONSE, **ended)
        make.therapy_line(session, second, "tucatinib", line_number=2)
        specimen = make.specimen(session, first, "P03-BM", kind=SpecimenKind.TUMOUR)
        other = make.specimen(session, second, "P04-BM", kind=SpecimenKind.TUMOUR)
        ish = {"ish_probe": IshProbe.DUAL, "her2_copies": 5.1, "her2_cep17_ratio": 2.4}
        assay = make.assay(session, specimen, er_percent=90, her2_ihc=Her2Ihc.TWO_PLUS, laboratory="Pathology", **ish)
        make.assay(session, other, assayed_on=None)
        profile = make.profile(session, specimen, typed_on=date(2025, 4, 1), kit="PowerPlex 16", alleles=ALLELES)
        reference = make.profile(session, other, alleles=ALLELES)
        region = make.stain_region(session, specimen)
        model = make.model(session, project, "BM-03", founding_specimen_id=specimen.id)
        compared = {"profile_id": profile.id, "reference_profile_id": reference.id, "value_percent": 96.25}
        check = make.model_check(session, model, kind=CheckKind.STR_PROFILE, **compared)
        make.model_check(session, model, result=CheckResult.FAILED, checked_on=date(2025, 10, 1))
    found = {"patients": first.id, "specimens": specimen.id, "models": model.id, "consents": consent.id}
    return found | {"therapy": line.id, "assays": assay.id, "profiles": profile.id, "checks": check.id, "stains": region.id}


@pytest.fixture
def scientist(app_on_each: Application, ids: dict[str, int]) -> Browser:
    return Browser(app_on_each).sign_in("Sara")


@each(
    ("name", "rows"),
    [
        (
            "consents",
            [
                ["BM-Bank 4", "P04", "2025-03-01", "research, xenografts", "withdrawn", "2025-09-01"],
                ["Other bank 3", "P04", "2025-02-01", "research", "ended", ""],
                ["BM-Bank 3", "P03", "2025-01-08", "research, xenografts", "in force", ""],
            ],
        ),
        (
            "therapy",
            [
                ["Line\u00a01", "P03", "trastuzumab", "2024-03-01", "2024-09-01", "partial response", "Progression in the CNS"],
                ["Line\u00a02", "P04", "tucatinib", "", "", "", ""],
            ],
        ),
        ("profiles?q=PowerPlex", [["2025-04-01", "P03-BM", "P03", "PowerPlex 16", "8"]]),
        ("assays?patient=P03", [["2025-02-03", "P03-BM", "P03", "90", "", "", "2+", "dual probe, ratio 2.4, 5.1 copies"]]),
        ("assays?patient=P04", [["no date", "P04-BM", "P04", "", "", "", "3+", ""]]),
        (
            "checks",
            [
                ["Mycoplasma", "BM-03", "2025-10-01", "failed", "", "", ""],
                ["STR profile", "BM-03", "2025-09-01", "passed", "96.2", "", ""],
            ],
        ),
    ],
)
def test_a_list_shows_what_is_recorded(scientist: Browser, name: str, rows: list[list[str]]) -> None:
    name, _, query = name.partition("?")
    page = scientist.get(f"{HOME}/{name}/?{query}", heading=LISTS[name])
    assert cells(page, LISTS[name]) == rows
    table = page.find("table")
    assert table is not None
    assert len(table.find_all("th")) <= 8


@each(
    ("address", "count"),
    [
        ("consents/?state=in+force", 1),
        ("consents/?state=ended", 1),
        ("consents/?state=perhaps", 0),
        ("consents/?use=xenograft", 2),
        ("consents/?use=sharing", 0),
        ("consents/?q=other", 1),
        ("consents/?from=2025-02-15", 1),
        ("consents/?status=withdrawn", 1),
        ("therapy/?agent=tuca", 1),
        ("therapy/?class=monoclonal_antibody", 2),
        ("therapy/?class=chemotherapy", 0),
        ("therapy/?stop_reason=progression_cns", 1),
        ("therapy/?best_response=partial_response", 1),
        ("assays/?her2_ihc=2%2B", 1),
        ("assays/?ish_probe=dual", 1),
        ("assays/?q=pathology", 1),
        ("assays/?from=2025-01-01", 1),
        ("profiles/?patient=P04", 1),
        ("profiles/?to=2025-04-01", 1),
        ("checks/?result=failed", 1),
        ("checks/?kind=str_profile", 1),
        ("checks/?q=BM-0&to=2025-09-01", 1),
    ],
)
def test_a_list_is_narrowed_in_the_address(scientist: Browser, address: str, count: int) -> None:
    rows = json.loads(scientist.client.get(f"{HOME}/{address}&format=json").text)
    assert len(rows) == count
    scientist.get(f"{HOME}/{address}")


@each("address", ["consents/?use=perhaps", "therapy/?class=perhaps", "checks/?kind=perhaps", "assays/?from=soon"])
def test_a_filter_that_means_nothing_is_refused(scientist: Browser, address: str) -> None:
    scientist.get(f"{HOME}/{address}", status=422)


@each("name", LISTS)
@each("form", ["csv", "xlsx", "json"])
def test_a_list_is_sent_as_a_file(scientist: Browser, name: str, form: str) -> None:
    answer = scientist.client.get(f"{HOME}/{name}/?format={form}")
    assert answer.status_code == 200
    if form == "csv":
        header, *rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
        assert header[-1] == "Record"
        assert len(rows) >= 2
        assert not any("object at" in cell for row in rows for cell in row)


@each(
    ("name", "heading", "told"),
    [
        ("consents", "BM-Bank 3", "in force of P03"),
        ("therapy", "line 1", "trastuzumab Monoclonal antibody"),
        ("assays", "2025-02-03 IHC 2+", "dual probe, ratio 2.4, 5.1 copies"),
        ("profiles", "STR profile 2025-04-01", "TH01 6, 9.3"),
        ("profiles", "STR profile 2025-04-01", "Checks that compare it BM-03 2025-09-01 passed"),
        ("checks", "str profile 2025-09-01", "BM-03"),
    ],
)
def test_each_has_a_page_with_its_steps_and_history(
    scientist: Browser, app_on_each: Application, ids: dict[str, int], name: str, heading: str, told: str
) -> None:
    address = f"{HOME}/{name}/{ids[name]}"
    page = scientist.get(address, heading=heading)
    assert told in message(page)
    for step in ("change", "withdraw", "history"):
        assert page.find("a", href=f"{address}/{step}") is not None
    auditor = Browser(app_on_each).sign_in("Ines")
    assert auditor.get(address).find("a", href=f"{address}/change") is None
    Browser(app_on_each).sign_in("Olga").get(f"/p/OTHER/{name}/{ids[name]}", status=404)


@each(
    ("family", "shown"),
    [
        (("patients", "consents", "therapy"), "Patients"),
        (("specimens", "assays", "stains", "profiles"), "Specimens"),
        (("models", "checks"), "Models"),
    ],
)
def test_lists_stand_beside_each_other_and_the_rail_says_where(
    scientist: Browser, ids: dict[str, int], family: tuple[str, ...], shown: str
) -> None:
    for name in family:
        page = scientist.get(f"{HOME}/{name}/")
        tabs = page.find("nav", attrs={"aria-label": "Lists beside each other"})
        assert tabs is not None
        assert [str(link["href"]) for link in tabs.find_all("a")] == [f"{HOME}/{one}/" for one in family]
        assert [str(link["href"]) for link in tabs.find_all("a", attrs={"aria-current": "page"})] == [f"{HOME}/{name}/"]
        for place in (page, scientist.get(f"{HOME}/{name}/{ids[name]}")):
            assert shown in {" ".join(link.text.split()) for link in place.select(".rail a[aria-current], nav a[aria-current]")}


def test_the_number_of_statements_does_not_grow_with_the_lists(
    scientist: Browser, database: Database, app_on_each: Application, ids: dict[str, int]
) -> None:
    def asked() -> list[int]:
        counts = []
        for name in LISTS:
            with statements(database.engine) as seen:
                scientist.get(f"{HOME}/{name}/")
            counts.append(len(seen))
        return counts

    before = asked()
    with make.declared(database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        for number in range(10):
            patient = make.patient(session, project, f"P1{number}")
            make.consent(session, patient)
            make.therapy_line(session, patient)
            specimen = make.specimen(session, patient)
            make.assay(session, specimen)
            make.profile(session, specimen)
            make.model_check(session, make.model(session, project, founding_specimen_id=specimen.id))
    assert asked() == before


def test_a_view_of_a_list_is_saved(scientist: Browser) -> None:
    page = scientist.get(f"{HOME}/consents/?state=withdrawn")
    scientist.submit(page, f"{HOME}/views/", name="Gone")
    assert "Gone" in message(scientist.get(f"{HOME}/consents/"))


def test_a_model_is_recorded_from_the_specimen_that_it_is_founded_from(
    scientist: Browser, database: Database, ids: dict[str, int]
) -> None:
    address = f"{HOME}/models/new?founding_specimen_id="
    page = scientist.get(f"{HOME}/specimens/{ids['specimens']}")
    assert "consent permits xenografts" in message(page)
    assert page.find("a", href=f"{address}P03-BM") is not None
    scientist.submit(scientist.get(f"{address}P03-BM"), f"{address}P03-BM", code="BM-09")
    with make.declared(database) as session:
        project = session.scalars(select(Project).where(Project.code == "BCBM")).one()
        patient = make.patient(session, project, "P05")
        plasma = make.specimen(session, patient, "P05-PL", kind=SpecimenKind.PLASMA)
        make.consent(session, patient)
        withdrawn = make.patient(session, project, "P06")
        make.consent(session, withdrawn, withdrawn_on=date(2026, 1, 2))
        gone = make.specimen(session, withdrawn, "P06-BM", kind=SpecimenKind.TUMOUR)
    for specimen, told in ((plasma, "consent permits xenografts"), (gone, "consent withdrawn")):
        page = scientist.get(f"{HOME}/specimens/{specimen.id}")
        assert told in message(page)
        assert page.find("a", string=lambda text: "Record a model" in (text or "")) is None
