"""The pages of mappings and profiles: an unknown table is mapped, its profile reads the next one, and what changed is said."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from lims.db import Database
from lims.domain.vocabulary import RecordStatus, RoleName
from lims.models import ImportBatch, ImportProfile, ImportProfileVersion, Measurement
from lims.views.transaction import Application
from tests.support import factories
from tests.support.pages import Browser, add_person, add_project, message, sent

HOME = "/p/BARN"
ODD = """Barn sheet;;;;
;;;;
Käfigtier;Wann;KG;Rotarod latency;Bemerkung
{rows}"""
WEEK = ("T-1;02.03.2026;21,4;61;\nT-2;02.03.2026;20,1;58;limps\n", "T-1;09.03.2026;21,9;63;\nT-2;09.03.2026;20,4;57;\n")
SAID = {"c1": "animal", "c2": "date", "c3": "value|body_weight|g", "c4": "value|rotarod_latency|s", "c5": "unread"}


@pytest.fixture
def barn(app_on_each: Application, database: Database) -> Browser:
    """A scientist of a project with two animals and a kind of measurement of its own, on each engine in turn."""
    project = add_project(database, "BARN")
    add_person(database, "Ada", BARN=RoleName.SCIENTIST)
    with factories.declared(database) as session:
        for code in ("T-1", "T-2"):
            factories.animal(session, project, code)
        factories.lab_kind(session, project, "rotarod_latency", title="Rotarod latency", unit="s", hard_min=0, hard_max=900)
    return Browser(app_on_each).sign_in("Ada")


def upload(browser: Browser, *files: tuple[str, str | bytes]) -> str:
    """Upload files; gives where that leads."""
    form: dict[str, Any] = sent(browser.get(f"{HOME}/imports/new"), f"{HOME}/imports/new")
    form["file"] = [(BytesIO(held if isinstance(held, bytes) else held.encode()), name) for name, held in files]
    answer = browser.client.post(f"{HOME}/imports/new", data=form, content_type="multipart/form-data")
    assert answer.status_code == HTTPStatus.FOUND, answer.text
    return str(answer.headers["Location"])


def week(number: int) -> tuple[str, str]:
    return f"week {number + 1}.csv", ODD.format(rows=WEEK[number])


def options(page: BeautifulSoup, name: str) -> str:
    """Give what a list is set to."""
    chosen = page.find("select", attrs={"name": name}).find("option", selected=True)
    return str(chosen["value"]) if chosen else ""


def of(database: Database, model: Any) -> list[Any]:
    with database.reading() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def test_an_unknown_table_is_mapped_once_and_the_next_one_is_read_without_a_question(barn: Browser, database: Database) -> None:
    check = upload(barn, week(0))
    page = barn.get(check)
    assert "o importer recognises" in message(page)
    mapping = f"{check}/mapping"
    assert page.find("a", href=mapping), "the check page leads to the mapping page"

    page = barn.get(mapping, heading="Map week 1.csv")
    shown = message(page)
    assert "Row 3 of sheet “week 1” is taken: the first row with 5 different names. 2 rows below it." in shown
    assert "2 of 2 different values are animals of this project" in shown
    assert "2 numbers from 20.1 to 21.4, half of them above 20.75." in shown
    assert [options(page, name) for name in SAID] == ["animal", "date", "", "value|rotarod_latency|s", ""]
    assert page.find("select", attrs={"name": "decimal"}).find("option", selected=True)["value"] == "comma"

    refused = barn.submit(page, mapping, status=422, c3="", c4="animal")
    told = message(refused)
    assert "KG : Say what it holds, or that it is not read." in told
    assert "Bemerkung : Say what it holds" in told
    assert of(database, ImportBatch)[0].importer is None

    answer = barn.submit(page, mapping, **SAID, why5="kept on paper", name="Barn sheet")
    assert answer.headers["Location"] == check
    page = barn.get(check)
    assert "Profile &quot;Barn sheet&quot;" not in str(page.title)
    assert 'rofile "Barn sheet" (version 1) knows these headers' in message(page)
    assert page.select_one(".commit-bar button").get_text() == "Record 4 measurements on 2 animals"
    barn.submit(page, f"{check}/commit")

    second = upload(barn, week(1))
    page = barn.get(second)
    assert 'rofile "Barn sheet" (version 1) knows these headers' in message(page)
    assert page.select_one(".commit-bar button").get_text() == "Record 4 measurements on 2 animals"
    barn.submit(page, f"{second}/commit")
    readings = [(one.kind, str(one.taken_on), one.value) for one in of(database, Measurement)]
    assert sorted(readings)[:2] == [("body_weight", "2026-03-02", 20.1), ("body_weight", "2026-03-02", 21.4)]
    assert ("rotarod_latency", "2026-03-09", 63.0) in readings
    batches = of(database, ImportBatch)
    assert [one.profile_version_id for one in batches] == [1, 1]
    page = barn.get(second)
    assert "Barn sheet, version 1" in message(page)
    assert '"columns"' not in message(page), "the mapping is told by its profile, not as it is kept"
    assert barn.client.get(f"{second}/mapping").headers["Location"] == second
    assert "Batch 2 is recorded already" in message(barn.get(second))


def test_headers_that_changed_are_said_and_the_mapping_opens_filled_in(barn: Browser, database: Database) -> None:
    first = upload(barn, week(0))
    barn.submit(barn.get(f"{first}/mapping"), f"{first}/mapping", **SAID, name="Barn sheet")
    name, text = week(1)
    changed = upload(barn, (name, text.replace("KG", "Gewicht (g)")))
    said = 'It is most like the files of profile "Barn sheet" (version 1): "KG" is missing, and "Gewicht (g)" is new'
    assert said in message(barn.get(changed))

    page = barn.get(f"{changed}/mapping")
    assert 'most like those of the profile Barn sheet , but "KG" is missing' in message(page)
    assert [options(page, key) for key in SAID] == ["animal", "date", "", "value|rotarod_latency|s", "unread"]
    filled = {"c3": "value|body_weight|g", "keep": "version"}
    refused = barn.submit(page, f"{changed}/mapping", status=422, **filled)
    assert "A reason is needed" in message(refused)
    barn.submit(page, f"{changed}/mapping", **filled, reason="the barn renamed a column")
    assert 'rofile "Barn sheet" (version 2) knows these headers' in message(barn.get(changed))

    profile = message(barn.get(f"{HOME}/import-profiles/1", heading="Import profile Barn sheet"))
    assert "the barn renamed a column" in profile
    assert "“Gewicht (g)” added; “KG” no longer there" in profile
    assert "“KG”" in message(barn.get(f"{HOME}/import-profiles/1?version=1"))
    assert "import profile" in message(barn.get(f"{HOME}/import-profiles/1/history"))
    listed = message(barn.get(f"{HOME}/import-profiles/"))
    assert "Barn sheet" in listed
    assert "the barn renamed a column" in listed


def test_a_profile_is_changed_renamed_withdrawn_and_then_reads_nothing(barn: Browser, database: Database) -> None:
    first = upload(barn, week(0))
    barn.submit(barn.get(f"{first}/mapping"), f"{first}/mapping", **SAID, name="Barn sheet")
    edit = f"{HOME}/import-profiles/1/edit"
    page = barn.get(edit, heading="Change how Barn sheet reads")
    assert "Nothing differs" in message(barn.submit(page, edit, status=422, reason="to see"))
    assert "No column says which animal it is." in message(barn.submit(page, edit, status=422, c1="unread", reason="to see"))
    barn.submit(page, edit, c4="unread", why4="measured elsewhere", reason="the rotarod has a file of its own")
    (_, latest) = of(database, ImportProfileVersion)
    assert (latest.number, latest.reason) == (2, "the rotarod has a file of its own")
    second = upload(barn, week(1))
    page = barn.get(second)
    assert page.select_one(".commit-bar button").get_text() == "Record 2 measurements on 2 animals"
    assert "not read: measured elsewhere" in message(page)
    assert "Rotarod latency, in s → not read: measured elsewhere" in message(barn.get(f"{HOME}/import-profiles/1"))

    change = f"{HOME}/import-profiles/1/change"
    barn.submit(barn.get(change), change, name="Sheet of the barn", reason="clearer")
    withdraw = f"{HOME}/import-profiles/1/withdraw"
    barn.submit(barn.get(withdraw), withdraw, reason="the barn closed")
    assert of(database, ImportProfile)[0].status is RecordStatus.WITHDRAWN
    third = upload(barn, ("week 3.csv", ODD.format(rows="T-1;16.03.2026;22,0;60;\n")))
    assert "o importer recognises" in message(barn.get(third))
    assert "Sheet of the barn" in message(barn.get(f"{HOME}/import-profiles/1"))


def test_answers_to_an_importers_questions_are_kept_and_not_asked_again(barn: Browser, database: Database) -> None:
    rows = "Animal,Date,Weight\nT-1,{0},21\nT-2,{0},20\n"
    first = upload(barn, ("weights 1.csv", rows.format("03/04/2026")))
    page = barn.get(first)
    barn.submit(page, f"{first}/check", **{"answer-date_order": "mdy", "answer-weight_unit": "g"})
    new = f"{HOME}/import-profiles/new?batch=1"
    page = barn.get(new, heading="Keep how weights 1.csv is read")
    assert "mdy" in message(page)
    assert "A profile needs a name" in message(barn.submit(page, new, status=422))
    barn.submit(page, new, name="Balance", note="the balance in room 2", known_by="headers")

    second = upload(barn, ("weights 2.csv", rows.format("03/05/2026")))
    page = barn.get(second)
    told = message(page)
    assert 'rofile "Balance" (version 1) knows these headers' in told
    assert "Taken as" not in told
    assert page.select_one(".commit-bar button").get_text() == "Record 2 measurements on 2 animals"
    barn.submit(page, f"{second}/commit")
    assert {str(one.taken_on) for one in of(database, Measurement)} == {"2026-03-05"}
    again = upload(barn, ("weights 3.csv", rows.format("03/06/2026").replace("Weight", "Weight,Remark").replace(",21", ",21,x")))
    assert 'The headers are not those of profile "Balance" (version 1)' in message(barn.get(again))
    page = barn.get(f"{HOME}/import-profiles/new?batch=2")
    assert "already" in message(barn.submit(page, f"{HOME}/import-profiles/new?batch=2", status=422, name="Balance again"))
    barn.submit(page, f"{HOME}/import-profiles/new?batch=2", name="Any balance", known_by="format")
    assert "every file of this format" in message(barn.get(f"{HOME}/import-profiles/{of(database, ImportProfile)[-1].id}"))
    third = upload(barn, ("weights 4.csv", rows.format("03/07/2026").replace("Animal", "Mouse")))
    assert 'rofile "Any balance" (version 1) is for every file of this format' in message(barn.get(third))


def test_a_sheet_and_headers_are_chosen_and_what_is_no_table_says_so(barn: Browser) -> None:
    first = upload(barn, week(0))
    page = barn.get(f"{first}/mapping?header_row=1&decimal=point&apart=y")
    assert "Row 1 of sheet “week 1” is taken: chosen by you" in message(page)
    assert page.find("input", attrs={"name": "header_row", "type": "hidden"})["value"] == "1"
    picture = upload(barn, ("picture.png", b"\x89PNG nothing"))
    barn.get(picture)
    assert "no columns that could be mapped" in message(barn.get(f"{picture}/mapping"))
    barn.get(f"{HOME}/imports/99/mapping", status=404)
    assert "Nobody has said yet how this file is read" in message(barn.get(f"{HOME}/import-profiles/new?batch=1", status=422))


def test_several_files_are_a_batch_each_and_a_bad_one_stops_none(barn: Browser, database: Database) -> None:
    good, other = week(0), ("weights.csv", "Animal,Date,Weight (g)\nT-1,2026-03-02,21\n")
    page = upload(barn, good, ("empty.csv", ""), other, ("picture.png", b"\x89PNG nothing"))
    assert page == f"{HOME}/imports/uploaded?batch=1&batch=2&batch=3"
    shown = barn.get(page, heading="Uploaded files")
    assert 'The file "empty.csv" is empty.' in message(shown)
    rows = [[" ".join(cell.get_text(" ").split()) for cell in row("td")] for row in shown.select("main table tbody tr")]
    assert [row[:2] for row in rows] == [["week 1.csv", "refused"], ["weights.csv", "checked"], ["picture.png", "refused"]]
    assert rows[1][2:] == ["Body weight", "1", "0", ""]
    assert "No importer recognises" in rows[0][5]
    assert [one["href"] for one in shown.select("main table tbody a")] == [f"{HOME}/imports/{number}" for number in (1, 2, 3)]

    again = barn.get(upload(barn, good, other))
    assert len(of(database, ImportBatch)) == 3, "the same bytes are the same imports"
    assert "weights.csv" in message(again)
    barn.get(f"{HOME}/imports/uploaded?batch=99", status=404)

    path = f"{HOME}/imports/new"
    nothing = barn.client.post(path, data=sent(barn.get(path), path) | {"file": [(BytesIO(), "a.csv"), (BytesIO(), "b.csv")]})
    assert nothing.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "a.csv" in nothing.text
    assert "b.csv" in nothing.text
    replacing = sent(barn.get(f"{path}?supersedes=2"), path) | {"file": [(BytesIO(b"a"), "a.csv"), (BytesIO(b"b"), "b.csv")]}
    assert "One corrected file replaces a batch" in barn.client.post(path, data=replacing).text
