"""The columns of a list: eight at most, the rest behind a chooser whose state stands in the address, files and saved views."""

from __future__ import annotations

import csv
import io
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup

from lims.db import Database
from lims.models import Project
from lims.views import tables
from tests.support import factories as make
from tests.support.pages import Browser, fields, message, only
from tests.views.cohort import add_people

LIST = "/p/BCBM/specimens/"
USUAL = ["Specimen", "Patient", "From", "Kind", "Site", "Collected", "HER2", "Mimics"]


@pytest.fixture
def sara(browser: Browser, sqlite_database: Database) -> Browser:
    add_people(sqlite_database)
    with make.declared(sqlite_database) as session:
        project = session.query(Project).filter_by(code="BCBM").one()
        patient = make.patient(session, project, "P01")
        make.specimen(session, patient, "SP-1", collected_on=date(2026, 2, 1), site="frontal lobe")
        make.specimen(session, patient, "SP-2", site="cerebellum")
    return browser.sign_in("Sara")


def heads(page: BeautifulSoup) -> list[str]:
    return [one.text.strip() for one in page.select("table.data thead th")]


def sheet(browser: Browser, query: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(browser.client.get(f"{LIST}?{query}").text.removeprefix("\ufeff"))))


def test_a_list_opens_with_eight_columns_and_offers_the_rest(sara: Browser) -> None:
    page = sara.get(LIST)
    assert heads(page) == USUAL
    offered = {str(box["value"]): box.has_attr("checked") for box in page.select(".columns-menu input[type=checkbox]")}
    assert "code" not in offered
    assert (offered["site"], offered["cns_status"], offered["status"]) == (True, False, False)
    assert page.select_one(".columns-menu summary") is not None


def test_what_is_chosen_is_shown_in_the_lists_order_and_stays_in_every_link(sara: Browser) -> None:
    page = sara.get(f"{LIST}?columns=status&columns=site&q=lobe")
    assert heads(page) == ["Specimen", "Site", "Record"]
    assert [row.td.text for row in page.select("table.data tbody tr") if row.td] == ["SP-1"]
    chosen = "site,status"
    for link in page.select("table.data thead a, .exports a"):
        assert parse_qs(urlsplit(str(link["href"])).query)["columns"] == [chosen]
    (form,) = page.select("form.filters")
    assert fields(form)["columns"] == chosen
    (menu,) = page.select(".columns-menu form")
    assert fields(menu)["q"] == "lobe"
    assert only(page, ".columns-menu a[href='/p/BCBM/specimens/?q=lobe']").text == "The usual ones"


def test_files_have_exactly_the_chosen_columns_and_all_without_a_choice(sara: Browser) -> None:
    assert sheet(sara, "format=csv&columns=site,status") == [
        ["Specimen", "Site", "Record"],
        ["SP-1", "frontal lobe", "active"],
        ["SP-2", "cerebellum", "active"],
    ]
    head = sheet(sara, "format=csv")[0]
    assert set(USUAL) < set(head)
    assert "CNS status" in head
    found = sara.client.get(f"{LIST}?format=json&columns=site").json
    assert found is not None
    assert list(found[0]) == ["Specimen", "Site"]


def test_a_page_shows_eight_and_the_file_all_that_were_chosen(sara: Browser) -> None:
    page = sara.get(LIST)
    everything = [str(box["value"]) for box in page.select(".columns-menu input[type=checkbox]")]
    query = f"columns={','.join(everything)}"
    assert len(heads(sara.get(f"{LIST}?{query}"))) == 8
    assert len(sheet(sara, f"format=csv&{query}")[0]) == len(everything) + 1


@pytest.mark.parametrize("query", ["columns=", "columns=nothing", "columns=%00,<b>", "columns=code"])
def test_columns_that_there_are_not_are_no_choice(sara: Browser, query: str) -> None:
    assert heads(sara.get(f"{LIST}?{query}")) == USUAL


def test_sorting_by_a_column_that_is_out_of_sight_still_counts(sara: Browser) -> None:
    page = sara.get(f"{LIST}?columns=patient&sort=site")
    assert [row.td.text for row in page.select("table.data tbody tr") if row.td] == ["SP-2", "SP-1"]
    assert [row[0] for row in sheet(sara, "format=csv&columns=patient&sort=site")[1:]] == ["SP-2", "SP-1"]


def test_a_saved_view_keeps_its_columns(sara: Browser) -> None:
    sara.submit(sara.get(f"{LIST}?columns=site"), "/p/BCBM/views/", name="Sites")
    (link,) = sara.get(LIST).select(".views a")
    assert heads(sara.get(str(link["href"]))) == ["Specimen", "Site"]


def test_a_table_that_hides_nothing_offers_no_choice(sara: Browser) -> None:
    assert sara.get("/p/BCBM/imports/").select(".columns-menu") == []


def test_columns_that_need_room_are_marked_until_somebody_chooses(sara: Browser) -> None:
    roomy = [one.text.strip() for one in sara.get(LIST).select("table.data th.roomy")]
    assert "Specimen" not in roomy
    assert roomy
    assert sara.get(f"{LIST}?columns=site,collected_on").select(".roomy") == []


def test_nothing_of_the_choice_is_lost_by_clearing_the_filters(sara: Browser) -> None:
    page = sara.get(f"{LIST}?columns=site&q=none")
    assert "Nothing fits these filters." in message(page)
    (clear,) = [link for link in page.select("form.filters a") if link.text == "Clear filters"]
    assert heads(sara.get(f"{LIST}{clear['href']}")) == ["Specimen", "Site"]


def test_a_list_counts_so_far_and_says_that_there_are_more(sara: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PAGE_ROWS", 1)
    assert "2 in all" in message(sara.get(LIST))
    monkeypatch.setattr(tables, "COUNTED_ROWS", 1)
    first = sara.get(f"{LIST}?sort=code")  # the list as it opens is kept
    assert "Specimens 1+" in message(first)
    assert "More than 1" in message(first)
    (onward,) = first.select(".table-foot a[rel=next]")
    last = sara.get(LIST + str(onward["href"]).partition("/specimens/")[2])
    assert "2 in all" in message(last)
    assert last.select(".table-foot a[rel=next]") == []
    assert [row.td.text for row in last.select("table.data tbody tr") if row.td] == ["SP-2"]
