"""What a file's names mean: ids and aliases of this project, created only where a person agreed, never another project's."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from lims.domain.vocabulary import BatchState, Sex
from lims.models import Animal, Arm, Enrolment, Implant, Measurement, PdxModel, Project, Study
from tests.intake.desk import Desk, balanced, codes, found, weights
from tests.support import factories

COHORT = (
    "Mouse,Date,Volume (mm3),Group,Study,Sex,Birth date\n"
    "M1,2026-03-02,120,Vehicle,S1,F,2026-01-05\n"
    "M2,2026-03-02,98,Drug,S1,M,2026-01-06\n"
)


def test_unknown_animals_are_all_listed_with_what_to_do(desk: Desk) -> None:
    outcome = desk.check(weights(("M1", "2026-03-02", 20), ("M2", "2026-03-02", 21), ("M1", "2026-03-09", 20)))

    assert outcome.state is BatchState.REFUSED
    assert balanced(outcome) == {"read": 3, "refused": 3}
    assert outcome.report["unknown_animals"] == ["M1", "M2"]
    told = [finding for finding in outcome.findings if finding.code == "animal-unknown"]
    assert [(finding.row, finding.value) for finding in told] == [(2, "M1"), (3, "M2")]
    assert all("--create animals" in finding.option for finding in told)


@pytest.mark.parametrize(
    ("create", "made"),
    [
        ("animals", (["M1", "M2"], [], [])),
        ("animals,study", (["M1", "M2"], ["S1"], [])),
        ("animals,arms", (["M1", "M2"], [], [])),
        ("animals,arms,study", (["M1", "M2"], ["S1"], ["Vehicle", "Drug"])),
        ("arms,study", ([], [], [])),
        ("", ([], [], [])),
        ("mice,,ANIMALS", ([], [], [])),
    ],
)
def test_only_what_was_agreed_to_is_created(desk: Desk, create: str, made: tuple[list[str], list[str], list[str]]) -> None:
    outcome = desk.record(COHORT, create=create)

    assert outcome.state is (BatchState.COMMITTED if made[0] else BatchState.REFUSED)
    assert (desk.codes(Animal), desk.codes(Study), desk.codes(Arm)) == made
    if made[0] and "study" not in create:
        assert found(outcome, "study-unknown").value == "S1"
    if made[0] and made[1] and not made[2]:
        assert codes(outcome) == ["arm-unknown", "arm-unknown"]
    desk.sound()


def test_what_the_file_says_of_an_animal_is_recorded_with_it(desk: Desk) -> None:
    desk.record(COHORT)

    one, other = desk.records(Animal)
    assert (one.sex, one.birth_date, other.sex) == (Sex.FEMALE, date(2026, 1, 5), Sex.MALE)
    assert [implant.label for implant in desk.records(Implant)] == ["tumour", "tumour"]
    assert len(desk.records(Enrolment)) == 2


def test_another_projects_animal_cannot_be_told_from_one_that_does_not_exist(desk_on_each: Desk) -> None:
    desk = desk_on_each
    other = desk.other_project("SECRET")
    desk.record(weights(("M1", "2026-03-02", 20)))

    taken = other.check(weights(("M1", "2026-03-02", 21)))
    free = other.check(weights(("M2", "2026-03-02", 21)))

    same = [[finding.message.replace("M2", "M1") for finding in one.findings] for one in (taken, free)]
    assert same[0] == same[1]
    assert [one.report["rows"] for one in (taken, free)] == [taken.report["rows"]] * 2
    other.record(weights(("M1", "2026-03-02", 21)))
    assert [other.readings(), desk.readings()] == [
        [("M1", "body_weight", "2026-03-02", 21.0)],
        [("M1", "body_weight", "2026-03-02", 20.0)],
    ]
    desk.sound()


def test_another_projects_study_is_not_used(desk: Desk) -> None:
    other = desk.other_project("SECRET")
    other.record(COHORT)

    outcome = desk.record(COHORT, create="animals,arms")

    assert found(outcome, "study-unknown").value == "S1"
    assert desk.records(Enrolment)[-1].project_id == other.project


def test_an_alias_and_the_id_beside_it_are_one_animal(desk_on_each: Desk) -> None:
    desk = desk_on_each
    with factories.declared(desk.database) as session:
        mouse = factories.animal(session, session.get_one(Project, desk.project), "BC-0007")
        factories.alias(session, mouse, "M07")
        factories.implant(session, mouse, "brain")

    text = "Mouse,Date,Volume (mm3),Group,Study\nM07,2026-03-02,120,Drug,S1\nBC-0007,2026-03-09,150,Drug,S1\n"
    outcome = desk.record(text)

    assert (outcome.state, codes(outcome)) == (BatchState.COMMITTED, [])
    assert desk.readings() == [
        ("BC-0007", "caliper_volume", "2026-03-02", 120.0),
        ("BC-0007", "caliper_volume", "2026-03-09", 150.0),
    ]
    assert len(desk.records(Enrolment)) == 1
    assert [implant.label for implant in desk.records(Implant)] == ["brain"]
    desk.sound()


def test_one_animal_in_two_arms_of_a_study_is_said(desk: Desk) -> None:
    with factories.declared(desk.database) as session:
        mouse = factories.animal(session, session.get_one(Project, desk.project), "BC-0007")
        factories.alias(session, mouse, "M07")

    text = "Mouse,Date,Volume (mm3),Group,Study\nM07,2026-03-02,120,Drug,S1\nBC-0007,2026-03-09,150,Vehicle,S1\n"
    outcome = desk.record(text)

    assert (outcome.state, desk.readings()) == (BatchState.REFUSED, [])
    assert '"Drug"' in found(outcome, "animal-in-other-arm").message


def test_which_of_two_tumours_is_never_guessed(desk: Desk) -> None:
    with factories.declared(desk.database) as session:
        mouse = factories.animal(session, session.get_one(Project, desk.project), "M1")
        for label in ("MG R4", "MG L4"):
            factories.implant(session, mouse, label)

    outcome = desk.record("Mouse,Date,Volume (mm3)\nM1,2026-03-02,120\n")

    assert outcome.state is BatchState.REFUSED
    assert found(outcome, "tumour-unknown").expected == "MG L4 or MG R4"


def test_a_reading_goes_to_the_tumour_it_names(desk: Desk) -> None:
    text = "Mouse,Date,Tumor,Volume (mm3)\nM1,2026-03-02,L4,120\nM1,2026-03-02,R4,90\nM1,2026-03-09,R4,99\n"

    assert balanced(desk.record(text)) == {"read": 3, "new": 3}

    with desk.database.reading() as session:
        rows = session.execute(
            select(Implant.label, Measurement.value).join(Implant, Implant.id == Measurement.implant_id).order_by(Measurement.id)
        ).all()
    assert [tuple(row) for row in rows] == [("L4", 120.0), ("R4", 90.0), ("R4", 99.0)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("id,date,weight (g)\nM\u200b1,2026-03-02,20\n", "M\u200b1"),
        (f"id,date,weight (g)\n{'M' * 81},2026-03-02,20\n", "M" * 81),
        (f"id,date,weight (g),cage\nM1,2026-03-02,20,{'C' * 81}\n", "C" * 81),
        (f"id,date,weight (g),strain\nM1,2026-03-02,20,{'S' * 201}\n", "S" * 201),
        (f"Mouse,Date,Volume (mm3),Group,Study\nM1,2026-03-02,120,{'G' * 201},S1\n", "G" * 201),
        (f"Mouse,Date,Volume (mm3),Group,Study\nM1,2026-03-02,120,Drug,{'S' * 81}\n", "S" * 81),
        (f"Mouse,Date,Volume (mm3),Tumor\nM1,2026-03-02,120,{'T' * 81}\n", "T" * 81),
        (f"Mouse,Date,Volume (mm3),Model\nM1,2026-03-02,120,{'X' * 81}\n", "X" * 81),
    ],
    ids=["hidden", "animal", "cage", "strain", "arm", "study", "tumour", "model"],
)
def test_a_name_that_cannot_be_recorded_is_found_at_the_check(desk: Desk, text: str, value: str) -> None:
    outcome = desk.record(text)

    assert outcome.state is BatchState.REFUSED
    finding = found(outcome, "name-unusable")
    assert (finding.row, finding.value) == (2, value)
    assert finding.expected
    assert desk.records(Animal) == []


def test_a_name_in_decomposed_letters_is_the_same_name(desk: Desk) -> None:
    desk.record(weights(("Zoe\u0308", "2026-03-02", 20)))

    assert balanced(desk.record(weights(("Zo\u00eb", "2026-03-02", 20), ("Zo\u00eb", "2026-03-09", 21)), create="")) == {
        "read": 2,
        "new": 1,
        "same": 1,
    }
    assert desk.codes(Animal) == ["Zo\u00eb"]


def test_a_model_that_a_file_names_is_created_with_the_tumours(desk: Desk) -> None:
    desk.record("Mouse,Date,Volume (mm3),Model\nM1,2026-03-02,120,BM-12\n")

    assert desk.codes(PdxModel) == ["BM-12"]
    assert [implant.model_id for implant in desk.records(Implant)] == [1]
