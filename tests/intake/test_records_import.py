"""Records of any noun from a file: new, the same, changed, conflicting, refused; recorded with their cells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select

from lims.domain.cohort_terms import ConcentrationUnit, ExposureMatrix
from lims.domain.vocabulary import BatchState, Sex
from lims.models import (
    Agent,
    Aliquot,
    AliquotEvent,
    Alteration,
    Animal,
    Cage,
    CageMove,
    Exposure,
    Patient,
    PdxModel,
    Project,
    RecordSource,
    Specimen,
)
from lims.records.nouns import change
from lims.records.patients import PATIENT
from tests.intake.desk import Desk, balanced, codes, found
from tests.intake.listing import book, listings_read, table
from tests.support import factories
from tests.support.statements import statements

EXPOSURES = "animal,agent,matrix,concentration,unit,sample,collected_on"
PATIENTS = "code,sex,diagnosis"


@pytest.fixture(autouse=True)
def _listings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with listings_read(monkeypatch):
        yield


def furnished(desk: Desk) -> Desk:
    """Give a desk with an animal that has an alias, a patient's specimen, an agent, and another project's animal."""
    with factories.declared(desk.database) as session:
        project = session.get_one(Project, desk.project)
        mouse = factories.animal(session, project, "M1")
        factories.alias(session, mouse, "tag-1")
        factories.agent(session, project, "T-DXd")
        factories.specimen(session, factories.patient(session, project, "P1"), "SP1")
        factories.animal(session, factories.project(session, "OTHER"), "X9")
    return desk


@pytest.fixture
def lab(desk: Desk) -> Desk:
    return furnished(desk)


@pytest.fixture
def lab_on_each(desk_on_each: Desk) -> Desk:
    return furnished(desk_on_each)


def sources(desk: Desk) -> list[tuple[str, int, int, bool]]:
    """Give table, number, row and whether it was made, of every source."""
    columns = (RecordSource.entity, RecordSource.record_id, RecordSource.source_row, RecordSource.made)
    with desk.database.reading() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(RecordSource.id))]


def said(outcome: Any) -> list[tuple[str, str, str | None]]:
    """Give where each finding stands, its kind and what it quotes."""
    return [(one.address, one.code, one.value) for one in outcome.findings]


def test_exposures_and_alterations_are_recorded_with_their_cells(lab_on_each: Desk) -> None:
    desk = lab_on_each
    rows = "M1,T-DXd,plasma,12.5,ng/mL,s1,2026-03-01", 'tag-1,t-dxd,liquor,"0,5",ng/mL,s2,1 March 2026'
    checked = desk.check(table("exposure", EXPOSURES, *rows))
    assert (desk.records(Exposure), sources(desk)) == ([], [])

    outcome = desk.commit(checked.batch_id, expect=checked.report["digest"])

    assert outcome.state is BatchState.COMMITTED, outcome.findings
    assert balanced(outcome) == {"read": 2, "new": 2}
    assert outcome.report["records"] == {"measurement": 0, "exposure": 2}
    assert outcome.report["lines"][0]["lines"][1]["values"] == ["tag-1", "t-dxd", "CSF", "0.5", "ng/mL", "s2", "2026-03-01"]
    first, second = desk.records(Exposure)
    assert (first.matrix, first.concentration, first.unit) == (ExposureMatrix.PLASMA, 12.5, ConcentrationUnit.NG_PER_ML)
    assert (first.animal_id, first.batch_id, second.matrix) == (second.animal_id, outcome.batch_id, ExposureMatrix.CSF)
    assert sources(desk) == [("exposure", first.id, 2, True), ("exposure", second.id, 3, True)]

    again = desk.record(table("exposure", EXPOSURES, *rows, "M1,T-DXd,plasma,11,ng/mL,s3,2026-03-01"))
    assert balanced(again) == {"read": 3, "new": 1, "same": 2}
    genes = desk.record(table("alteration", "specimen,gene,kind,log2_ratio", "SP1,HER2,expression,1.5", "SP1,PIK3CA,mRNA,-0.25"))
    assert codes(genes) == []
    assert [(one.gene, one.log2_ratio) for one in desk.records(Alteration)] == [("ERBB2", 1.5), ("PIK3CA", -0.25)]
    assert balanced(desk.check(table("alteration", "specimen,gene,kind,log2_ratio", "SP1,ERBB2,expression,1.5"))) == {
        "read": 1,
        "same": 1,
    }
    desk.sound()


def test_what_cannot_be_recorded_is_told_at_its_cell_and_the_rest_is_recorded(lab: Desk) -> None:
    content = table(
        "exposure",
        EXPOSURES,
        "M9,T-DXd,plasma,1,ng/mL,a,2026-03-01",  # unknown
        "X9,T-DXd,plasma,1,ng/mL,b,2026-03-01",  # another project's
        "M1,T-DXd,saliva,1,ng/mL,c,2026-03-01",  # no term
        "M1,T-DXd,plasma,-1,ng/mL,d,2026-03-01",  # outside the column's limit
        "M1,T-DXd,plasma,many,ng/g,e,3/4/26",  # two cells that cannot be read
        "M1,T-DXd,plasma,1,ng/g,f,2026-03-01",  # a rule of the noun
        "M1,T-DXd,plasma,1,ng/mL,g,2999-01-01",  # ahead
        "M1,T-DXd,plasma,1,ng/mL,h,2026-03-01",
    )

    outcome = lab.check(content)

    assert balanced(outcome) == {"read": 8, "new": 1, "refused": 7}
    assert [one for one in said(outcome) if one[1] != "exposure-agent-id-doubted"] == [
        ("file!B2", "animal-unknown", "M9"),
        ("file!B3", "animal-unknown", "X9"),
        ("file!D4", "exposure-refused", "saliva"),
        ("file!E5", "exposure-refused", "-1"),
        ("file!E6", "exposure-refused", "many"),
        ("file!H6", "exposure-refused", "3/4/26"),
        ("file!H8", "exposure-refused", "2999-01-01"),
        ("file!F7", "exposure-refused", "ng/g"),
    ]
    assert outcome.findings[0].message == 'There is no animal "M9" in this project.'
    assert "micrometastasis" in outcome.findings[2].expected
    assert "exposure-agent-id-doubted" in codes(outcome)  # no dose is recorded before the sample

    recorded = lab.commit(lab.drop(content.replace(",h,", ",i,"), choices={"leave_out": "refused"}))
    assert recorded.state is BatchState.COMMITTED
    assert [one.sample for one in lab.records(Exposure)] == ["i"]
    assert [row for *_, row, _ in sources(lab)] == [9]


def test_lines_of_one_record_are_one_or_contradict_each_other(lab: Desk) -> None:
    outcome = lab.check(
        table("patient", PATIENTS, "P2,F,carcinoma", "P2,female,carcinoma", "P3,F,carcinoma", "P3,M,carcinoma", "P4,F,carcinoma")
    )
    assert balanced(outcome) == {"read": 5, "new": 2, "same": 1, "conflicting": 2}
    assert codes(outcome) == ["two-lines-of-one-record"] * 2
    assert "row 4 (P3 · F · carcinoma), row 5 (P3 · M · carcinoma)" in outcome.findings[0].message


def test_changes_are_recorded_where_they_are_accepted_and_restored_when_taken_back(lab_on_each: Desk) -> None:
    desk = lab_on_each
    desk.record(table("patient", PATIENTS, "P2,F,carcinoma", "P3,F,carcinoma"))
    content = table("patient", PATIENTS, "P2,M,carcinoma", "P3,F,", "P4,F,carcinoma")

    refused = desk.check(content)
    assert balanced(refused) == {"read": 3, "new": 1, "same": 1, "changed": 1}
    assert refused.state is BatchState.REFUSED
    assert found(refused, "record-changed").message == "Patient P2 is recorded otherwise: sex female → male."
    (line,) = refused.report["changes"]
    assert (line["group"], line["of"], line["field"], line["old"], line["new"], line["row"]) == (
        "patient",
        "P2",
        "sex",
        "female",
        "male",
        2,
    )
    assert refused.report["changed"] == {"patient": 1}

    batch = desk.drop(content, choices={"changed": "patient"})
    outcome = desk.commit(batch, expect=desk.look(batch).report["digest"], reason="typed wrongly")
    assert outcome.state is BatchState.COMMITTED, outcome.findings
    sexes = {one.code: one.sex for one in desk.records(Patient)}
    assert (sexes["P2"], sexes["P4"]) == (Sex.MALE, Sex.FEMALE)
    assert [one[2:] for one in sources(desk)][-2:] == [(2, False), (4, True)]

    desk.withdraw(batch)
    sexes = {one.code: one.sex for one in desk.records(Patient)}
    assert sexes["P2"] is Sex.FEMALE
    assert "P4" not in sexes
    desk.sound()


def test_what_somebody_changed_since_is_a_conflict(lab: Desk) -> None:
    lab.record(table("patient", PATIENTS, "P2,F,carcinoma"))
    (known,) = [one for one in lab.records(Patient) if one.code == "P2"]

    def edit(**fields: Any) -> None:
        with lab.database.transaction() as session:
            one = session.get_one(Patient, known.id)
            change(session, lab.actor, PATIENT, one, version=one.version, reason="looked up", fields=fields)

    edit(diagnosis="ductal carcinoma")
    stale = lab.check(table("patient", PATIENTS, "P2,F,carcinoma", "P9,F,"), changed="accept")
    assert balanced(stale) == {"read": 2, "new": 1, "conflicting": 1}
    assert found(stale, "changed-meanwhile").message == (
        "Patient P2: diagnosis was changed to ductal carcinoma since this file was written; the file says carcinoma."
    )

    exported = table("patient", "known,version,clears,code,sex,diagnosis,birth_year", f"{known.id},1,1,P2,M,carcinoma,1960")
    outcome = lab.check(exported, changed="accept")
    assert balanced(outcome) == {"read": 1, "conflicting": 1}
    assert [one.address for one in outcome.findings] == ["file!G2"]  # the diagnosis alone: nobody changed sex and year of birth
    current = exported.replace(f"{known.id},1,1", f"{known.id},2,1").replace("carcinoma,1960", ",1960")
    outcome = lab.record(current, changed="accept", reason="as on paper")
    (one,) = [one for one in lab.records(Patient) if one.code == "P2"]
    assert (outcome.state, one.sex, one.birth_year, one.diagnosis) == (BatchState.COMMITTED, Sex.MALE, 1960, None)

    gone = lab.check(table("patient", "known,version,clears,code", "999,1,1,P2"))
    assert (codes(gone), balanced(gone)) == (["record-gone"], {"read": 1, "conflicting": 1})
    edit(birth_year=1961)
    with pytest.raises(Exception, match="was changed again since"):
        lab.withdraw(outcome.batch_id)


def chain() -> bytes:
    """Write a workbook from a patient to a vial in a box, each line referring to lines before it."""
    return book(
        ("patient", "code,sex", "P7,F"),
        ("specimen", "code,patient,kind,site,site_uberon", "SP7,P7,tumor,brain,UBERON:0000955", "SP8,P8,tumour,brain,"),
        ("model", "code,founding_specimen,state", "BM7,SP7,attempted"),
        ("storage_place", "code,kind,box_rows,box_columns", "BX7,box,9,9"),
        (
            "aliquot",
            "code,specimen,parent,material,place,position",
            "A2,SP7,A1,snap frozen,BX7,A2",
            "A1,SP7,,fresh frozen,BX7,A1",
            "A3,SP7,A9,ffpe,BX7,A1",
            "A4,SP7,,ffpe,BX7,A1",
            "A5,SP8,,ffpe,,",
        ),
        ("animal", "code,sex", "M7,F"),
        ("implant", "animal,label,model", "M7,brain,BM7"),
    )


def test_lines_refer_to_what_their_file_makes_and_all_of_it_is_taken_back(lab_on_each: Desk) -> None:
    desk = lab_on_each
    outcome = desk.look(batch := desk.drop(chain(), "chain.xlsx", choices={"leave_out": "refused"}))
    assert said(outcome) == [
        ("specimen!C3", "patient-unknown", "P8"),
        ("aliquot!D4", "parent-unknown", "A9"),
        ("aliquot!C6", "specimen-unknown", "SP8"),
        ("aliquot!G5", "aliquot-refused", "A1"),
    ]
    assert outcome.findings[-1].message == "Position A1 of BX7 holds A1."
    before = {table.__tablename__: len(desk.records(table)) for table in (Patient, Specimen, Animal)}

    recorded = desk.commit(batch, expect=outcome.report["digest"])
    assert recorded.state is BatchState.COMMITTED, recorded.findings
    vials = {one.code: one for one in desk.records(Aliquot)}
    assert (vials["A2"].parent_id, vials["A2"].box_row, vials["A2"].box_column) == (vials["A1"].id, 1, 2)
    (model,) = desk.records(PdxModel)
    assert model.founding_specimen_id == next(one.id for one in desk.records(Specimen) if one.code == "SP7")

    events = [(one.aliquot_id, one.kind.value, one.to_position) for one in desk.records(AliquotEvent)]
    assert events == [(vials["A1"].id, "stored", "BX7 A1"), (vials["A2"].id, "stored", "BX7 A2")]
    moved = desk.record(table("aliquot", "code,specimen,place,position", "A2,SP7,BX7,C3"), changed="accept", reason="counted")
    assert [(one.from_position, one.to_position) for one in desk.records(AliquotEvent)][-1] == ("BX7 A2", "BX7 C3")
    desk.withdraw(moved.batch_id)
    assert len(desk.records(AliquotEvent)) == len(events)

    desk.withdraw(batch)
    assert (desk.records(Aliquot), desk.records(PdxModel), desk.records(AliquotEvent)) == ([], [], [])
    assert {table.__tablename__: len(desk.records(table)) for table in (Patient, Specimen, Animal)} == before
    back = desk.record(chain(), "chain.xlsx", leave_out="refused")
    assert back.state is BatchState.COMMITTED
    assert {one.id for one in desk.records(Aliquot)} == {one.id for one in vials.values()}
    desk.sound()


def test_another_cage_in_a_list_of_animals_is_a_move(lab: Desk) -> None:
    lab.record(book(("cage", "code", "C1", "C2"), ("animal", "code,cage", "M7,C1", "M8,")), "colony.xlsx")
    outcome = lab.record(table("animal", "code,cage", "M7,C2", "M8,C2"), changed="accept", reason="counted")
    assert outcome.state is BatchState.COMMITTED, outcome.findings
    (move,) = lab.records(CageMove)
    cages = {one.code: one.id for one in lab.records(Cage)}
    assert (move.from_cage_id, move.to_cage_id, move.note) == (cages["C1"], cages["C2"], "batch 2")
    lab.withdraw(outcome.batch_id)
    assert {one.code: one.cage_id for one in lab.records(Animal) if one.code in ("M7", "M8")} == {"M7": cages["C1"], "M8": None}
    assert lab.records(CageMove) == []


def test_a_rule_that_names_no_record_refuses_the_first_that_breaks_it(lab: Desk) -> None:
    with factories.declared(lab.database) as session:
        factories.protocol(session, session.get_one(Project, lab.project), "PR1", animals_allowed=3)
    outcome = lab.check(table("animal", "code,protocol", *(f"M{number},PR1" for number in range(20, 26))))
    assert balanced(outcome) == {"read": 6, "new": 3, "refused": 3}
    assert said(outcome)[0][0] == "file!C5"


def test_refusals_of_what_follows_of_needed_values_and_of_what_never_changes_name_their_lines(lab: Desk) -> None:
    with factories.declared(lab.database) as session:
        project = session.get_one(Project, lab.project)
        for code in ("M2", "M3"):
            factories.animal(session, project, code)
        dosed = session.scalars(select(Animal).where(Animal.code == "M2")).one()
        factories.dose(session, dosed, session.scalars(select(Agent)).one(), given_on=date(2026, 4, 1))
    fates = lab.check(
        table("fate", "animal,died_on,reason", "M1,2026-03-09,found dead", "M2,2026-03-09,Tissue harvest", "M3,2026-03-09,sick")
    )
    assert balanced(fates) == {"read": 3, "new": 2, "refused": 1}
    assert [one[:2] for one in said(fates)] == [("file!C3", "fate-refused")]
    assert "the last dose of M2" in fates.findings[0].message

    needed = lab.check(table("exposure", "animal,agent,concentration,unit", "M1,T-DXd,1,ng/mL", "M2,T-DXd,,"))
    assert [(one.row, one.message) for one in needed.findings if one.code == "exposure-refused"] == [
        (2, "Matrix is needed."),
        (3, "Matrix is needed."),
    ]
    lab.record(table("patient", PATIENTS, "P2,F,carcinoma"))
    fixed = lab.check(table("specimen", "code,patient,kind", "SP1,P2,tumour", "SP2,P1,tumour"), changed="accept")
    assert balanced(fixed) == {"read": 2, "new": 1, "refused": 1}
    assert (fixed.findings[0].address, "never changed" in fixed.findings[0].message) == ("file!C2", True)


def test_a_preview_that_no_longer_holds_is_not_recorded(lab: Desk) -> None:
    checked = lab.check(table("patient", PATIENTS, "P2,F,carcinoma"))
    lab.record(table("patient", PATIENTS, "P2,F,carcinoma", "P5,F,carcinoma"))
    outcome = lab.commit(checked.batch_id, expect=checked.report["digest"])
    assert (outcome.state, codes(outcome)) == (BatchState.REFUSED, ["preview-changed"])
    assert "new 1 → 0" in found(outcome, "preview-changed").message


def test_a_corrected_file_takes_the_place_of_the_one_before(lab: Desk) -> None:
    first = lab.record(
        table("exposure", EXPOSURES, "M1,T-DXd,plasma,125,ng/mL,s1,2026-03-01", "M1,T-DXd,CSF,3,ng/mL,s2,2026-03-01")
    )
    second = lab.record(
        table("exposure", EXPOSURES, "M1,T-DXd,plasma,12.5,ng/mL,s1,2026-03-01"), supersedes=first.batch_id, reason="decimals"
    )
    assert second.state is BatchState.COMMITTED, second.findings
    assert [(one.concentration, one.batch_id) for one in lab.records(Exposure)] == [(12.5, second.batch_id)]
    lab.sound()


def test_statements_do_not_grow_with_the_lines(lab: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(number: int) -> int:
        content = book(
            ("animal", "code,sex", *(f"N{number}-{line},F" for line in range(number))),
            ("exposure", EXPOSURES, *(f"N{number}-{line},T-DXd,plasma,1,ng/mL,s,2026-03-01" for line in range(number))),
        )
        from lims.intake.run import Task, process

        task = Task(lab.settings.url, lab.settings, lab.drop(content, "n.xlsx"), lab.actor)
        with statements(Engine) as executed:  # type: ignore[arg-type]  # every engine: the run opens its own
            assert process(task).state is BatchState.CHECKED
        return len(executed)

    assert asked(40) - asked(4) <= 6  # rows that go together to the driver, some dozens a statement
