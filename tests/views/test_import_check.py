"""The check page of an import: cells corrected, rows left out, names explained, warnings looked at; by people and engines alike."""

from __future__ import annotations

import csv
import io
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from importers import streams
from importers.overlay import PROBLEM_COLUMN
from lims.db import Database
from lims.domain.vocabulary import BatchState, RecordStatus, RoleName
from lims.models import AnimalAlias, AuditEvent, ImportAcceptance, ImportBatch, ImportEdit, Measurement, Project
from lims.views.transaction import Application
from tests.importers import test_quantstudio as quantstudio
from tests.importers import test_qupath as qupath
from tests.support import factories
from tests.support.pages import Browser, add_person, add_project, application, message, only, sent

IMPORTS = "/p/BCBM/imports"
BATCH = f"{IMPORTS}/1"
WEIGHTS = "id,date,weight (g)\nM1,2026-03-02,20*\nM2,2026-03-02,21\nM1,2026-03-09,9\n"


@pytest.fixture
def app(settings: Any, database: Database) -> Application:
    """Give the application on each engine in turn."""
    return application(settings, database)


@pytest.fixture
def ada(app: Application, database: Database) -> Browser:
    add_project(database, "BCBM")
    add_person(database, "Ada", BCBM=RoleName.SCIENTIST)
    add_person(database, "Ben", BCBM=RoleName.TECHNICIAN)
    add_person(database, "Aud", BCBM=RoleName.AUDITOR)
    return Browser(app).sign_in("Ada")


def upload(browser: Browser, content: str | bytes, name: str = "file.csv", number: int = 1) -> str:
    """Upload a file as the given batch and tick that its animals are created; gives the batch's page."""
    page = browser.get(f"{IMPORTS}/new")
    content = content.encode() if isinstance(content, str) else content
    form = sent(page, f"{IMPORTS}/new") | {"file": (BytesIO(content), name)}
    assert browser.client.post(f"{IMPORTS}/new", data=form, content_type="multipart/form-data").status_code == 302
    return f"{IMPORTS}/{number}"


def create(browser: Browser, batch: str = BATCH, **more: Any) -> None:
    browser.submit(browser.get(batch), f"{batch}/check", create="y", **more)


def correct(browser: Browser, batch: str = BATCH, status: int = 302, **more: Any) -> Any:
    return browser.submit(browser.get(batch), f"{batch}/corrections", status, **({"do": "correct", "reason": "misread"} | more))


def cells(page: Any, caption: str) -> list[list[str]]:
    """Give a table of a page by its caption, row by row."""
    table = next(one for one in page.find_all("table") if one.caption and one.caption.get_text() == caption)
    return [[" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"])] for row in table.tbody("tr")]


def state(database: Database, batch: int = 1) -> BatchState:
    with database.reading() as session:
        return session.get_one(ImportBatch, batch).state


def test_a_cell_is_corrected_in_its_place_and_the_reading_tells_it(ada: Browser, database: Database) -> None:
    upload(ada, WEIGHTS)
    create(ada)
    assert "1 error stands in the way" in message(ada.get(BATCH))

    correct(ada, **{"read-file!C2": "20.5"})

    page = ada.get(BATCH)
    assert cells(page, "Corrections")[0][:5] == ["file!C2", "20*", "20.5", "misread", "Ada"]
    assert [row[0] for row in cells(page, "Kinds of findings")] == ["warning", "warning"]
    page = ada.submit(page, f"{BATCH}/commit").location and ada.get(BATCH)
    assert "Tick that you looked at: value jumps and value unusual" in message(page)
    ada.submit(page, f"{BATCH}/accept", code="value-jumps")
    page = ada.get(BATCH)
    assert "Ada looked at it" in message(page)
    ada.submit(page, f"{BATCH}/commit", accept="value-unusual")

    batch = ada.get(BATCH)
    assert "3 measurements of this file count today" in message(batch)
    assert cells(batch, "Corrections")[0][:3] == ["file!C2", "20*", "20.5"]
    with database.reading() as session:
        reading = session.scalars(select(Measurement).where(Measurement.source_row == 2)).one()
        assert (reading.value, reading.source_column) == (20.5, 3)
        accepted = session.scalars(select(ImportAcceptance).order_by(ImportAcceptance.code)).all()
        assert [(one.code, one.number, one.accepted_by_id) for one in accepted] == [("value-jumps", 1, 1), ("value-unusual", 1, 1)]
    told = message(ada.get(f"/p/BCBM/measurements/{reading.id}"))
    assert "Text in the cell 20* Corrected before import read as 20.5, by Ada, because: misread" in told
    assert "Ada corrected file!C2 before the import, from “20*” to “20.5” Reason: misread" in told


def test_what_is_asked_says_so_and_a_finding_without_a_cell_offers_no_correction(ada: Browser) -> None:
    upload(ada, "Segment\tNumber of voxels [voxels] (1)\tVolume [mm3] (1)\tVolume [cm3] (1)\ntumor\t25\t2.5\t0.0025\n", "scan.tsv")

    page = ada.get(BATCH)
    asked = {one["for"].removeprefix("answer-"): one.get_text() for one in page.select("section.answers label[for^=answer-]")}
    assert asked["animal"].endswith("needs an answer")
    assert asked["date"].endswith("needs an answer")
    assert asked["file_pattern"].endswith("optional")
    assert not only(page, "#answer-lesions legend").text.endswith("needs an answer")
    assert page.select_one(".correct-bar") is None
    assert "Answer this question" in message(page)

    upload(ada, "Wert,Tier\n1,x\n", "odd.csv", 2)
    page = ada.get(f"{IMPORTS}/2")
    assert "This file was not read." in message(page)
    assert page.select_one(".tiles") is None


def test_a_question_with_few_answers_offers_them_in_words_and_takes_what_is_typed_beside_them(ada: Browser) -> None:
    targets = quantstudio.wells(("SP-1", "primer 7", "UNKNOWN", "24.1"), ("SP-1", "18S", "UNKNOWN", "9.0"))
    upload(ada, quantstudio.export(targets), "plate.txt")

    def answered(**given: str) -> str:
        """Answer the question, and give what the page then has for its answer."""
        ada.submit(ada.get(BATCH), f"{BATCH}/check", **{f"answer-target_primer_7{part}": value for part, value in given.items()})
        page = ada.get(BATCH)
        chosen = only(page, "#answer-target_primer_7 input[type=radio][checked]")
        return str(chosen["value"] or only(page, "input[name='answer-target_primer_7-typed']")["value"])

    page = ada.get(BATCH)
    asked = only(page, "#answer-target_primer_7")
    assert "reference gene, human transcripts only" in asked.text
    assert "The symbol of a gene: ERBB2 of the tumour, Erbb2 of the mouse host" in asked.text
    assert "human_reference" not in message(page)
    assert asked.select("input[type=radio][checked]") == []
    assert answered(**{"": "leave_out"}) == "leave_out"
    assert answered(**{"-typed": "BCRP"}) == "BCRP", "what is typed counts, though nobody moved the choice"
    assert answered(**{"": "mouse_reference"}) == "mouse_reference", "what was typed before does not stand in the way"


def test_a_file_whose_rows_only_pass_by_says_that_no_cell_of_it_is_corrected_and_what_to_do(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONG_BYTES", 1_000)
    upload(ada, qupath.CELLS + qupath.cell("Tumor: Positive") * 50, "measurements.tsv")
    page = ada.submit(ada.get(BATCH), f"{BATCH}/check", **{"answer-marker": "HER2", "answer-specimen": "S9"}) and ada.get(BATCH)

    assert "specimen-unknown" in {one["value"] for one in page.select('main input[name="code"]')}
    assert "none of its cells can be seen or corrected" in message(page)
    assert "export it again, and upload that" in message(page)
    assert not page.select(f'form[action="{BATCH}/corrections"], a[href*="/rows?"]')
    assert "none of its cells" in message(ada.get(f"{BATCH}/rows?row=2", 422))


def test_what_is_no_correction_is_refused_and_nothing_is_kept(ada: Browser, app: Application, database: Database) -> None:
    upload(ada, WEIGHTS)
    for cell, value, why in [
        ("file!C1", "weight (kg)", "is a header"),
        ("file!C9", "20", "There is no row 9"),
        ("file!J2", "20", "There is no cell file!J2"),
        ("other!C2", "20", 'The file has no sheet "other"'),
        ("file!C2", "=1+1", "is a formula"),
        ("file!C2", "20*", 'reads "20*" already'),
        ("file!C2", "20\u200b5", "do not show (U+200B)"),
        ("file!C2", "9" * 1001, "1,001 characters are too many"),
        ("C", "20", '"C" is no cell'),
    ]:
        form = sent(ada.get(BATCH), f"{BATCH}/corrections") | {f"read-{cell}": value, "do": "correct", "reason": "x"}
        response = ada.client.post(f"{BATCH}/corrections", data=form)
        assert response.status_code in (302, 422), cell
        told = message(ada.get(BATCH)) if response.status_code == 302 else response.text
        assert why in told.replace("&#34;", '"'), (cell, value)
    correct(ada, **{"read-file!C2": "20", "reason": " "})
    assert "A reason is needed" in message(ada.get(BATCH))
    correct(ada)
    assert "No cell was corrected" in message(ada.get(BATCH))
    correct(ada, do="leave-out", rows="file!1")
    assert "is a header" in message(ada.get(BATCH))
    correct(ada, do="leave-out")
    assert "No row is chosen" in message(ada.get(BATCH))
    with database.reading() as session:
        assert session.scalars(select(ImportEdit)).all() == []

    auditor = Browser(app).sign_in("Aud")
    page = auditor.get(BATCH)
    assert page.find("form", action=f"{BATCH}/corrections") is None
    tokens = sent(page, "/logout") | {"read-file!C2": "20", "reason": "x"}
    for step in ("corrections", "corrections/withdraw", "left-out", "accept", "changes", "names", "names/withdraw"):
        assert auditor.client.post(f"{BATCH}/{step}", data=tokens).status_code == 403, step


def test_two_people_correct_one_cell_and_the_second_is_told(ada: Browser, app: Application, database: Database) -> None:
    upload(ada, WEIGHTS)
    ben = Browser(app).sign_in("Ben")
    seen_by_both = ben.get(BATCH)
    correct(ada, **{"read-file!C2": "20.5"})

    refused = ben.submit(seen_by_both, f"{BATCH}/corrections", 409, do="correct", reason="typo", **{"read-file!C2": "25"})
    assert 'Ada corrected file!C2 to "20.5" meanwhile' in message(refused)
    correct(ben, **{"read-file!C2": "25"})
    with database.reading() as session:
        edits = session.scalars(select(ImportEdit).order_by(ImportEdit.id)).all()
        assert [(one.value, one.raw, one.status.value) for one in edits] == [("20.5", "20*", "withdrawn"), ("25", "20*", "active")]

    page = ada.get(BATCH)
    ada.submit(page, f"{BATCH}/corrections/withdraw", edit=2)
    assert "Corrected and left out" not in message(ada.get(BATCH))
    ada.submit(ada.get(BATCH), f"{BATCH}/corrections", **{"do": "correct", "reason": "again", "read-file!C2": "26"})
    page = ada.get(BATCH)
    ada.submit(page, f"{BATCH}/corrections/withdraw", 409, edit=2)
    ada.submit(page, f"{BATCH}/corrections/withdraw", 404, edit=99)


def test_rows_are_left_out_with_a_reason_counted_and_taken_in_again(ada: Browser, database: Database) -> None:
    upload(ada, WEIGHTS)
    create(ada)
    page = ada.get(BATCH)
    correct(ada, do="leave-out", rows=["file!2", "file!4"], reason="wrong scale")

    page = ada.get(BATCH)
    assert "3 rows read = 1 new + 0 same + 0 changed + 0 conflicting + 0 refused + 2 skipped" in message(page)
    assert "wrong scale" in message(page)
    assert "None. Every cell was read as expected" in message(page)
    row = ada.get(f"{BATCH}/rows?sheet=file&row=2")
    assert "Left out by Ada: wrong scale" in message(row)
    ada.submit(row, f"{BATCH}/corrections/withdraw", edit=1)
    assert "1 refused + 1 skipped" in message(ada.get(BATCH))

    # All rows of a kind at once, then the rest is recorded, and nothing can be corrected any more.
    ada.submit(ada.get(BATCH), f"{BATCH}/left-out", code="number-unreadable", reason="no number")
    page = ada.get(BATCH)
    ada.submit(page, f"{BATCH}/commit")
    assert state(database) is BatchState.COMMITTED
    late = ada.client.post(f"{BATCH}/corrections", data=sent(page, f"{BATCH}/check") | {"read-file!C2": "20", "reason": "late"})
    assert late.status_code == 409
    assert "Save corrections" not in message(ada.get(f"{BATCH}/rows?sheet=file&row=2"))
    for address in ("?sheet=file&row=0", "?sheet=file&row=99", "?sheet=none&row=2", "?row=x"):
        assert ada.client.get(f"{BATCH}/rows{address}").status_code == 422


def events(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.seq)))


def test_names_nobody_knows_are_left_out_with_every_row_of_theirs(ada: Browser, database: Database) -> None:
    with factories.declared(database) as session:
        factories.animal(session, session.query(Project).one(), "M9")
    days = [f"2026-03-{day:02}" for day in range(2, 8)]
    rows = "".join(f"{mouse},{day},2{number}\n" for day in days for number, mouse in enumerate(("M9", "M1", "M2")))
    upload(ada, f"id,date,weight (g)\n{rows}")
    page = ada.get(BATCH)
    assert cells(page, "Kinds of findings")[0][1] == "2"
    assert "Leave these 12 rows out" in message(page)

    ada.submit(page, f"{BATCH}/left-out", code="animal-unknown", reason="another project")
    page = ada.get(BATCH)
    assert "12 rows left out, with the reason" in message(page)
    assert "18 rows read = 6 new + 0 same + 0 changed + 0 conflicting + 0 refused + 12 skipped" in message(page)


def test_what_stands_for_several_rows_is_left_out_whole_and_told_of_each(ada: Browser, database: Database) -> None:
    with factories.declared(database) as session:
        factories.animal(session, session.query(Project).one(), "M1")
    upload(ada, "Mouse,Date,Volume (mm3)\nM1,2026-03-02,20\nM1,2026-03-03,22\n")
    assert "Leave these 2 rows out" in message(ada.get(BATCH))
    content = list(csv.reader(io.StringIO(ada.client.get(f"{BATCH}/refused.csv").text)))
    assert ["No tumour is recorded" in row[-1] for row in content] == [False, True, True]
    ada.submit(ada.get(BATCH), f"{BATCH}/left-out", code="tumour-unknown", reason="not ours")
    assert "0 refused + 2 skipped" in message(ada.get(BATCH))


NAMES = f"{BATCH}/names"


def with_unknown_names(ada: Browser, database: Database) -> BeautifulSoup:
    """Upload a file of three animals that nobody knows by these names; gives the page that asks for them."""
    with factories.declared(database) as session:
        project = session.query(Project).one()
        for code in ("M001", "M002", "M003"):
            chip, tag = ("900" + code[1:] * 4, "L-12") if code == "M003" else (None, None)
            factories.animal(session, project, code, rfid=chip, ear_tag=tag)
    upload(ada, "id,date,weight (g)\nm1,2026-03-02,20\nX2,2026-03-02,21\nX3,2026-03-02,22\n")
    return ada.get(NAMES)


def typed_for(page: BeautifulSoup, name: str) -> str:
    """Give what stands in the field of an animal's name."""
    return str(only(page, f'input[name="means-animal:{name}"]')["value"])


def test_names_are_asked_for_and_only_suggested(ada: Browser, database: Database) -> None:
    page = with_unknown_names(ada, database)
    assert [row[:3] for row in cells(page, "Names nobody knows")] == [
        ["animal", "m1", "row 2"],
        ["animal", "X2", "row 3"],
        ["animal", "X3", "row 4"],
    ]
    assert typed_for(page, "m1") == ""
    assert typed_for(ada.get(f"{NAMES}?suggest=animal:m1"), "m1") == "M001"
    # What reads alike is suggested beside what is typed already, and saves nothing.
    asked = ada.submit(page, NAMES, 200, do="suggest", **{"means-animal:X2": "M002"})
    assert (typed_for(asked, "m1"), typed_for(asked, "X2")) == ("M001", "M002")
    assert len(cells(ada.get(NAMES), "Names nobody knows")) == 3


def test_of_names_with_one_wrong_answer_none_is_kept_and_nothing_typed_is_lost(ada: Browser, database: Database) -> None:
    page = with_unknown_names(ada, database)
    refused = ada.submit(page, NAMES, 422, **{"means-animal:m1": "M001", "always": "animal:m1", "means-animal:X2": "M9"})
    assert 'X2 : There is no animal "M9" in this project' in message(refused)
    field = only(refused, 'input[name="means-animal:X2"]')
    assert (field["value"], field["aria-invalid"]) == ("M9", "true")
    assert only(refused, f'a[href="#{field["id"]}"]').text == "X2"
    assert typed_for(refused, "m1") == "M001"
    assert only(refused, 'input[value="animal:m1"]').has_attr("checked")
    assert len(cells(ada.get(NAMES), "Names nobody knows")) == 3
    ada.submit(page, NAMES, **{"means-animal:X2": " "})
    assert "No name was answered" in message(ada.get(NAMES))


def test_an_unknown_name_is_said_for_this_file_or_for_good(ada: Browser, database: Database) -> None:
    page = with_unknown_names(ada, database)
    before, typed = len(events(database)), {"means-animal:m1": "M001", "always": "animal:m1"}
    ada.submit(page, NAMES, **typed, **{"means-animal:X2": "M002\t", "means-animal:X3": "900003003003003"})
    assert events(database)[before:] == ["batch:check", "batch:check"], "one of what was said, one of the check that followed"
    page = ada.get(BATCH)
    assert "3 rows read = 3 new" in message(page)
    ada.submit(page, f"{BATCH}/commit")
    with database.reading() as session:
        assert [(one.alias, one.animal_id) for one in session.scalars(select(AnimalAlias))] == [("m1", 1)]
        assert session.get_one(ImportBatch, 1).choices["animal:X2"] == "M002"
        assert sorted(session.scalars(select(Measurement.animal_id))) == [1, 2, 3]

    # The next file needs no answer for the name that was kept, and asks again for the other.
    second = upload(ada, "id,date,weight (g)\nm1,2026-03-03,20\nX2,2026-03-03,21\n", "next.csv", 2)
    assert [row[1] for row in cells(ada.get(f"{second}/names"), "Names nobody knows")] == ["X2"]
    wrong = {"means-animal:X2": "M001", "means-animal:M002": "M001", "always": ["animal:M002"]}
    refused = ada.submit(ada.get(f"{second}/names"), f"{second}/names", 422, **wrong)
    assert 'M002: "M002" is the id of another animal' in message(refused)
    assert len(cells(ada.get(f"{second}/names"), "Names nobody knows")) == 1


def test_ear_tags_and_other_names_are_suggested_and_understood(ada: Browser, database: Database) -> None:
    ada.submit(with_unknown_names(ada, database), NAMES, **{"means-animal:m1": "M001", "always": "animal:m1"})
    third = upload(ada, "id,date,weight (g)\nl12,2026-03-04,20\nM-1,2026-03-04,21\n", "third.csv", 2)
    page = ada.get(f"{third}/names?suggest=all")
    assert typed_for(page, "l12") == "M003"
    assert "ear tag L-12 reads alike" in message(page)
    assert page.find("option", value="M001")["label"] == "other name m1"
    ada.submit(page, f"{third}/names", **{"means-animal:l12": "L-12", "means-animal:M-1": ""})
    assert [row[1] for row in cells(ada.get(f"{third}/names"), "Names nobody knows")] == ["M-1"]


def test_what_to_do_is_said_without_options_of_the_command_line(ada: Browser) -> None:
    upload(ada, "id,date,weight\nM1,2026-03-02,2000\nM2,x,21\n")
    upload(ada, "id,date,weight (g)\nM1,2026-03-02,20\n", "animals.csv", 2)
    upload(ada, "Wert;Tier\n1;2\n", "unknown.csv", 3)
    for number, said in enumerate(("Answer this question", "let the import create", "Map its columns"), 1):
        page = message(ada.get(f"{IMPORTS}/{number}"))
        assert said in page
        assert "--" not in page


def test_findings_are_filtered_paged_and_filed(ada: Browser) -> None:
    rows = "".join(f"M{number},2026-03-02,{number}x\n" for number in range(120))
    upload(ada, f"id,date,weight (g)\n{rows}M1,2026-03-03,9\n")
    create(ada)
    page = ada.get(f"{BATCH}?severity=error")
    assert "Page 1 of 3" in message(page)
    assert len(cells(page, "Findings")) == 50
    assert len(cells(ada.get(f"{BATCH}?code=number-unreadable&page=3"), "Findings")) == 20
    (found,) = cells(ada.get(f"{BATCH}?q=117x"), "Findings")
    assert found[2] == "C119"
    filed = list(csv.DictReader(io.StringIO(ada.client.get(f"{BATCH}?code=number-unreadable&format=csv").text.lstrip("\ufeff"))))
    assert (len(filed), filed[0]["Cell says"], filed[0]["Row"]) == (120, "0x", "2")


@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_failed_rows_come_out_corrected_and_go_in_again_once(ada: Browser, database: Database, name: str) -> None:
    upload(ada, WEIGHTS)
    create(ada, leave_out="y")
    content = ada.client.get(f"{BATCH}/refused.{name}").data
    if name == "csv":
        rows = list(csv.reader(io.StringIO(content.decode())))
    else:
        rows = [list(row) for row in openpyxl.load_workbook(BytesIO(content))["file"].iter_rows(values_only=True)]
    assert (rows[0][:3], rows[0][3], rows[1][:3]) == (["id", "date", "weight (g)"], PROBLEM_COLUMN, ["M1", "2026-03-02", "20*"])
    assert "20*" in rows[1][3]
    page = ada.get(BATCH)
    ada.submit(page, f"{BATCH}/commit", accept=["value-unusual"], reason="later")
    assert state(database) is BatchState.COMMITTED

    fixed = content.replace(b"20*,", b"20.5,") if name == "csv" else book([*rows[:1], ["M1", "2026-03-02", 20.5, rows[1][3]]])
    second = upload(ada, fixed, f"fixed.{name}", 2)
    page = ada.get(second)
    assert "problem column ignored" in message(page)
    assert "1 row read = 1 new" in message(page)
    ada.submit(page, f"{second}/commit", accept=[one["value"] for one in page.find_all("input", attrs={"name": "accept"})])
    with database.reading() as session:
        active = select(Measurement.value).where(Measurement.status == RecordStatus.ACTIVE).order_by(Measurement.value)
        assert list(session.scalars(active)) == [9.0, 20.5, 21.0]
    assert ada.client.get(f"{BATCH}/refused.pdf").status_code == 404


def book(rows: list[list[Any]]) -> bytes:
    made = openpyxl.Workbook()
    made.worksheets[0].title = "file"
    for row in rows:
        made.worksheets[0].append(row)
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def test_changes_are_shown_field_by_field_and_accepted_by_kind(ada: Browser, database: Database) -> None:
    upload(ada, "id,date,weight (g),volume (mm3)\nM1,2026-03-02,20,100\n")
    create(ada)
    ada.submit(ada.get(BATCH), f"{BATCH}/commit")
    second = upload(ada, "id,date,weight (g),volume (mm3)\nM1,2026-03-02,20.5,120\n", "better.csv", 2)
    page = ada.get(second)
    assert [row[:4] for row in cells(page, "Changes of what is recorded")] == [
        ["M1, 2026-03-02", "tumour volume by caliper (mm³)", "100.0", "120.0"],
        ["M1, 2026-03-02", "body weight (g)", "20.0", "20.5"],
    ]
    assert [row[:4] for row in cells(ada.get(f"{second}/changes"), "Changes of what is recorded")]
    ada.submit(page, f"{second}/changes", changed="body_weight")
    create(ada, second, leave_out="y")
    page = ada.get(second)
    ada.submit(page, f"{second}/commit", reason="")
    assert "Say why recorded values change" in message(ada.get(second))
    ada.submit(page, f"{second}/commit", reason="scale was off")
    with database.reading() as session:
        values = dict(session.execute(select(Measurement.kind, Measurement.value)).all())
        assert values == {"body_weight": 20.5, "caliper_volume": 100.0}


def test_who_may_not_record_reads_why_and_is_offered_nothing(ada: Browser, app: Application) -> None:
    upload(ada, "id,date,weight (g)\nM1,2026-03-02,20\nM1,2026-03-09,21\nM2,2026-03-02,21\n")
    create(ada, study="")
    offered = ada.get(BATCH)
    assert only(offered, ".commit-bar button").text == "Record 3 measurements on 2 animals, create 2 animals"
    auditor = Browser(app).sign_in("Aud").get(BATCH)
    assert not auditor.select("main form[method=post]"), "nothing is offered that answers with a refusal"
    said = message(auditor)
    assert "record 3 measurements on 2 animals" in said
    assert "It takes the role administrator, study director, scientist or technician" in said
    ada.submit(offered, f"{BATCH}/commit")
    assert "Recorded 3 measurements on 2 animals" in message(ada.get(BATCH))


def test_the_history_of_a_batch_is_told_in_words(ada: Browser) -> None:
    upload(ada, "id,date,weight (g)\nM1,2026-03-02,20\n")
    create(ada)
    ada.submit(ada.get(BATCH), f"{BATCH}/commit")
    told = " ".join(only(ada.get(BATCH), "ol.history").text.split())
    assert "Ada uploaded it" in told
    assert "had it read as Body weight" in told
    assert "recorded what it holds" in told
    assert "body_weight" not in told
