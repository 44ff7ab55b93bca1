"""Tests of registries both ways: what goes out as a workbook, is edited and comes back changes what was edited alone."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from importers.base import Severity
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import RowFate, Sex
from lims.exports.own_layout import own_xlsx
from lims.exports.template_rows import Reader
from lims.exports.templates import template_blocks
from lims.intake import run
from lims.models import Animal, Arm, Cage, Patient, Project, Regimen, Study, TherapyAgent, TherapyLine
from lims.records.colony import CAGE
from lims.records.nouns import change, record
from lims.records.patients import PATIENT
from lims.records.registries import REGISTRIES
from tests.intake.desk import Desk, weights
from tests.support import factories
from tests.support.factories import declared
from tests.support.templates import edited, put, template
from tests.support.whole import whole


def _exported(desk: Desk, noun: str) -> bytes:
    with desk.database.reader() as session:
        code = session.get_one(Project, desk.project).code
        reader = Reader(session, desk.project, unblinded=True, zone=desk.settings.zone)
        return b"".join(template_blocks(reader.contents(REGISTRIES[noun], code, filled=True)))


def _rows(desk: Desk) -> list[dict[str, object]]:
    """Give every patient by column."""
    return [{column.key: getattr(one, column.key) for column in Patient.__mapper__.column_attrs} for one in desk.records(Patient)]


def _codes(outcome) -> list[str]:
    return [one.code for one in outcome.findings]


def test_one_edited_cell_is_all_that_changes(desk_on_each: Desk) -> None:
    desk = desk_on_each
    with declared(desk.database) as session:
        project = session.get_one(Project, desk.project)
        for number in range(3):
            factories.patient(session, project, f"P{number}", sex=Sex.FEMALE, birth_year=1960 + number, ethnicity="not asked")
    before = _rows(desk)
    content = edited(
        _exported(desk, "patient"),
        *(put("year of birth", 4, 1971), put("ethnicity", 5, None)),
        *(put("patient", 6, "007"), put("sex", 6, "male")),
    )

    looked = desk.check(content, "patients.xlsx")
    assert looked.report["rows"] == {"read": 4, "new": 1, "same": 1, "changed": 2, "conflicting": 0, "refused": 0, "skipped": 0}
    assert sorted(line["fate"] for line in looked.report["lines"][0]["lines"]) == ["changed", "changed", "new"]
    assert any("1961 → 1971" in one.message for one in looked.findings)
    desk.record(content, "patients.xlsx", changed="accept", reason="corrected by hand")

    after = _rows(desk)
    unchanged = {"birth_year": 1971, "version": 2}
    assert after[0] == before[0]
    assert after[1] == before[1] | unchanged
    assert after[2] == before[2] | {"ethnicity": None, "version": 2}
    assert (after[3]["code"], after[3]["sex"]) == ("007", Sex.MALE)
    desk.sound()


def test_a_cell_that_was_emptied_takes_away_and_says_so_where_nothing_may_be_blank(desk: Desk) -> None:
    with declared(desk.database) as session:
        project = session.get_one(Project, desk.project)
        for code in ("P1", "P2", "P3"):
            factories.patient(session, project, code, sex=Sex.FEMALE, diagnosis="x")
    edits = (put("sex", 3, None), put("diagnosis", 3, None), put("patient", 4, None), put("diagnosis", 5, "=1+1"))
    content = edited(_exported(desk, "patient"), *edits)
    outcome = desk.record(content, "patients.xlsx", changed="accept", leave_out="refused", reason="x")

    assert outcome.report["rows"] == {"read": 3, "new": 0, "same": 0, "changed": 1, "conflicting": 0, "refused": 2, "skipped": 0}
    assert {(one.address, one.code) for one in outcome.findings if one.severity is Severity.ERROR} == {
        ("Patients!C4", "patient-refused"),
        ("Patients!G5", "cell-error"),
    }
    assert [(one["sex"], one["diagnosis"]) for one in _rows(desk)] == [
        (Sex.NOT_RECORDED, None),
        (Sex.FEMALE, "x"),
        (Sex.FEMALE, "x"),
    ]


def test_refused_lines_go_out_as_a_template_that_comes_back(desk: Desk) -> None:
    content = edited(template("cage"), put("cage", 3, "C1"), put("cage", 4, "C2"), put("capacity", 4, 99))
    batch = desk.drop(content, "cages.xlsx", choices={"leave_out": "refused"})
    assert desk.commit(batch).report["rows"]["new"] == 1

    refused = own_xlsx(run.refused_rows(desk.settings, desk.settings.url, batch, desk.actor))
    outcome = desk.record(edited(refused, put("capacity", 2, 6)), "corrected.xlsx")

    assert (outcome.importer, outcome.report["rows"]["new"]) == ("registry_template", 1)
    assert desk.codes(Cage) == ["C1", "C2"]


def test_every_registry_comes_back_as_it_went_out(desk: Desk) -> None:
    with declared(desk.database) as session:
        project = session.get_one(Project, desk.project)
        whole(session, project)
        factories.cohort(session, project)
    with desk.database.transaction() as session:
        odd = ("=1+1", "two\r\nlines", "'quoted", "1,234", "007", " µ\u2009² ")
        notes = [{"code": f"C-{number}", "note": note} for number, note in enumerate(odd)]
        record(session, desk.actor, CAGE, desk.project, notes)
    desk.record(weights(("W-1", "2026-03-01", 21.5), ("W-1", "2026-03-02", 21.25)))
    for noun in REGISTRIES:
        batch = desk.drop(_exported(desk, noun), f"{noun}.xlsx")
        # Without the child process, of which sixteen would take long.
        outcome = run.process(run.Task(desk.settings.url, desk.settings, batch, desk.actor))

        rows = outcome.report["rows"]
        assert rows[RowFate.SAME] == rows["read"] > 0, (noun, rows, outcome.findings)
        assert not outcome.blocked, noun


def test_a_line_that_somebody_changed_meanwhile_is_a_conflict_that_shows_both(desk: Desk) -> None:
    with declared(desk.database) as session:
        project = session.get_one(Project, desk.project)
        one = factories.patient(session, project, "P1", birth_year=1960, ethnicity="A")
        other = factories.patient(session, project, "P2", birth_year=1961)
    content = edited(_exported(desk, "patient"), put("year of birth", 3, 1970), put("year of birth", 4, 1971))
    with desk.database.transaction() as session:
        there = session.get_one(Patient, one.id)
        change(session, desk.actor, PATIENT, there, version=1, reason="typed wrong", fields={"birth_year": 1965})

    outcome = desk.check(content, "patients.xlsx", changed="accept")

    assert outcome.blocked
    (told,) = [one for one in outcome.findings if one.code == "changed-meanwhile"]
    assert (told.address, told.expected) == ("Patients!E3", "1965")
    assert "1965" in told.message
    assert "1970" in told.message
    assert other.id


def test_agents_of_a_line_are_added_with_it(desk: Desk) -> None:
    with declared(desk.database) as session:
        patient = factories.patient(session, session.get_one(Project, desk.project), "P1")
        factories.therapy_line(session, patient)
    content = edited(
        _exported(desk, "therapy"),
        put("agents", 3, "trastuzumab [monoclonal antibody]; capecitabine [chemotherapy]"),
        *(put("patient", 4, "P1"), put("line number", 4, 2), put("start", 4, date(2025, 3, 1))),
        put("agents", 4, "tucatinib [tyrosine kinase inhibitor]"),
    )
    outcome = desk.record(content, "therapy.xlsx")

    assert not outcome.blocked, outcome.findings
    with desk.database.reading() as session:
        found = session.execute(
            select(TherapyLine.line_number, TherapyAgent.name, TherapyAgent.agent_class)
            .join(TherapyAgent, TherapyAgent.therapy_line_id == TherapyLine.id)
            .order_by(TherapyLine.line_number, TherapyAgent.id)
        ).all()
    assert [tuple(row) for row in found][1:] == [
        (1, "capecitabine", AgentClass.CHEMOTHERAPY),
        (2, "tucatinib", AgentClass.TYROSINE_KINASE_INHIBITOR),
    ]


def test_regimens_are_planned_and_changed_for_the_arm_of_their_study(desk: Desk) -> None:
    with declared(desk.database) as session:
        project = session.get_one(Project, desk.project)
        agent = factories.agent(session, project, "T-DXd")
        for code in ("S1", "S2"):
            planned = factories.arm(session, factories.study(session, project, code), "A")
            factories.regimen(session, planned, agent, "QDx5")
    content = edited(
        _exported(desk, "regimen"),
        put("schedule", 3, "qdx10"),
        *(put(header, 5, value) for header, value in {"study": "S2", "arm": "A", "agent": "t-dxd", "dose": 5}.items()),
        *(put("route", 5, "intraperitoneal"), put("schedule", 5, "BID x14")),
        *(put(header, 6, value) for header, value in {"study": "S9", "arm": "A", "agent": "T-DXd", "dose": 5}.items()),
        *(put("route", 6, "intraperitoneal"), put("schedule", 6, "QDx3")),
        *(put(header, 7, value) for header, value in {"study": "S1", "arm": "A", "agent": "T-DXd", "dose": 5}.items()),
        *(put("route", 7, "intraperitoneal"), put("schedule", 7, "now and then")),
    )
    outcome = desk.record(content, "regimens.xlsx", changed="accept", leave_out="refused")

    counts = {"read": 5, "new": 1, "same": 1, "changed": 1, "conflicting": 0, "refused": 2, "skipped": 0}
    assert outcome.report["rows"] == counts
    refused = {one.address: one.message for one in outcome.findings if one.severity is Severity.ERROR}
    assert list(refused) == ["Regimens!C6", "Regimens!J7"]
    assert 'no study "S9"' in refused["Regimens!C6"]
    with desk.database.reading() as session:
        plans = select(Study.code, Regimen.schedule).join(Arm, Arm.study_id == Study.id).join(Regimen).order_by(Regimen.id)
        assert [tuple(row) for row in session.execute(plans)] == [("S1", "QDx10"), ("S2", "QDx5"), ("S2", "BIDx14")]
    desk.sound()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (template("cage", project="OTHER"), "template-project"),
        (edited(template("cage"), lambda book: book["About"].cell(3, 2, "1-00000000")), "template-version"),
        (edited(template("cage"), lambda book: book["Columns"].cell(3, 3, "status")), "template-described"),
        (edited(template("cage"), lambda book: book["About"].cell(2, 2, "mouse")), "template-registry"),
    ],
)
def test_a_template_that_is_not_of_here_and_now_is_refused_before_it_is_read(desk: Desk, content: bytes, code: str) -> None:
    outcome = desk.check(content, "cages.xlsx")

    assert outcome.blocked
    assert _codes(outcome) == [code]
    assert outcome.findings[0].remedy


def test_codes_and_records_of_another_project_mean_nothing_here(desk: Desk) -> None:
    other = desk.other_project("OTHER")
    with declared(desk.database) as session:
        theirs = session.get_one(Project, other.project)
        factories.cage(session, theirs, "THEIRS")
        factories.animal(session, theirs, "M-THEIRS")
    relabelled = edited(_exported(other, "animal"), lambda book: book["About"].cell(4, 2, "BCBM"))
    assert _codes(desk.check(relabelled, "animals.xlsx", changed="accept")) == ["record-gone"]

    content = edited(template("animal"), put("animal", 3, "M-1"), put("cage", 3, "THEIRS"), put("sex", 3, "hermaphrodite"))
    refused = desk.check(content, "animals.xlsx")
    assert _codes(refused) == ["term-unknown"]
    content = edited(template("animal"), put("animal", 3, "M-1"), put("cage", 3, "THEIRS"))
    refused = desk.check(content, "animals.xlsx")
    (told,) = refused.findings
    assert "THEIRS" in told.message
    assert told.address == "Animals!L3"
    with desk.database.reading() as session:
        assert session.scalars(select(Animal).where(Animal.project_id == desk.project)).all() == []
