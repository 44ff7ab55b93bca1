"""Files are recognised by the profiles of their project, and by nothing else than their headers."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from importers.mapping import KEY, MappedColumn, TableMapping
from lims.domain.errors import Conflict, DomainError, NotFound
from lims.domain.vocabulary import BatchState
from lims.intake.profiles import receive_by_profile
from lims.intake.store import FileStore
from lims.models import ImportBatch, ImportProfile, ImportProfileVersion, Project
from lims.records.import_profiles import EVERY_FILE, IMPORT_PROFILE, Content, change_profile, save_profile
from lims.records.nouns import withdraw
from tests.intake.desk import Desk, balanced, codes, found

TABLE = "Tier|am|KG\nM1|{day}|21,5\nM2|{day}|20,0\n"
MAPPING = TableMapping(
    "anything",
    1,
    (MappedColumn("Tier", "animal"), MappedColumn("am", "date"), MappedColumn("KG", "value", kind="body_weight", unit="g")),
)
SIGNATURE = ("Tier", "am", "KG")


def table(day: str, delimiter: str = ";") -> str:
    return TABLE.format(day=day).replace("|", delimiter)


def save(desk: Desk, name: str = "Barn", **more: object) -> ImportProfileVersion:
    said = {"importer": "mapped_table", "choices": {KEY: MAPPING.to_text(), "decimal": "comma", "create": "animals"}}
    content = Content(**{**said, "signature": SIGNATURE, **more})
    with desk.database.transaction() as session:
        return save_profile(session, desk.actor, desk.project, name=name, content=content)


def batch_of(desk: Desk, number: int) -> ImportBatch:
    with desk.database.reading() as session:
        return session.get_one(ImportBatch, number)


def test_a_file_is_read_by_the_profile_that_knows_its_headers(desk_on_each: Desk) -> None:
    desk = desk_on_each
    assert codes(desk.check(table("01.03.2026")))[:1] == ["format-unknown"]
    version = save(desk)
    assert version.choices.keys() == {KEY, "decimal"}, "what holds for one file only is not kept"

    outcome = desk.record(table("02.03.2026"), create="animals")
    assert outcome.state is BatchState.COMMITTED, outcome.findings
    assert outcome.report["evidence"] == ['profile "Barn" (version 1) knows these headers']
    assert balanced(outcome) == {"read": 2, "new": 2}
    assert [value for *_, value in desk.readings()] == [21.5, 20.0]
    batch = batch_of(desk, outcome.batch_id)
    assert (batch.profile_version_id, batch.importer) == (version.id, "mapped_table")
    assert batch.choices["decimal"] == "comma"

    moved = "KG;Tier;am\n22,5;M1;09.03.2026\n"
    assert desk.record(moved).report["evidence"] == outcome.report["evidence"]
    assert desk.record(table("16.03.2026", delimiter="\t")).state is BatchState.COMMITTED
    desk.sound()


def test_a_profile_of_another_project_reads_nothing(desk: Desk) -> None:
    save(desk)
    assert codes(desk.other_project("OTHER").check(table("02.03.2026")))[:1] == ["format-unknown"]


def test_what_a_person_says_goes_before_the_profile(desk: Desk) -> None:
    save(desk)
    outcome = desk.check(table("02.03.2026"), create="animals", decimal="point")
    assert "decimal-mark" in codes(outcome) or "number-unreadable" in codes(outcome) or outcome.findings
    assert batch_of(desk, outcome.batch_id).choices["decimal"] == "point"
    other = desk.drop(table("03.03.2026"), importer="body_weight")
    assert batch_of(desk, other).profile_version_id is None
    assert "profile" not in str(desk.look(other).report.get("evidence"))


def test_a_file_is_cut_as_the_profile_says(desk: Desk) -> None:
    text = "Tier,am;KG\nM1,2026-03-02;21\n"
    save(desk, choices={KEY: MAPPING.to_text(), "delimiter": "semicolon"}, signature=("Tier,am", "KG"))
    outcome = desk.check(text)
    assert batch_of(desk, outcome.batch_id).profile_version_id is not None


def test_a_kind_that_the_project_gave_up_is_an_error(desk: Desk) -> None:
    gone = TableMapping("x", 1, (*MAPPING.columns[:2], MappedColumn("KG", "value", kind="rotarod", unit="s")))
    save(desk, choices={KEY: gone.to_text()})
    outcome = desk.check(table("02.03.2026"), create="animals")
    assert outcome.state is BatchState.REFUSED
    assert "no kind of measurement" in found(outcome, "kind-unknown").message


def test_a_named_profile_reads_a_file_whatever_its_headers_or_says_what_differs(desk: Desk) -> None:
    save(desk)
    with desk.database.transaction() as session:
        place = (session, desk.actor, FileStore(desk.settings.file_dir), session.get_one(Project, desk.project))
        more, _ = receive_by_profile(*place, "more.csv", table("02.03.2026").replace("KG", "KG;x").encode(), "barn")
        less, _ = receive_by_profile(*place, "less.csv", table("02.03.2026").replace("KG", "Gew").encode(), "Barn")
        with pytest.raises(NotFound, match='no import profile "Stable"') as refused:
            receive_by_profile(*place, "x.csv", b"x", "Stable")
        numbers = more.id, less.id
    assert refused.value.expected == 'one of "Barn"'
    assert "column-not-mapped" in codes(desk.look(numbers[0]))
    said = found(desk.look(numbers[1]), "headers-changed")
    assert '"KG" is missing, and "Gew" is new' in (said.remedy or "")
    assert batch_of(desk, numbers[1]).profile_version_id is not None


def test_two_profiles_never_know_the_same_file(desk: Desk) -> None:
    save(desk)
    with pytest.raises(DomainError, match='by the profile "Barn" already'):
        save(desk, "Stable", signature=("KG", "tier", "AM"))
    with pytest.raises(DomainError, match="There is an import profile"):
        save(desk, "BARN", signature=("a", "b"))
    with pytest.raises(DomainError, match="without headers"):
        save(desk, "Empty", signature=())
    assert len(desk.records(ImportProfile)) == 1


def test_a_profile_may_be_for_every_file_of_a_format_and_headers_go_before(desk: Desk) -> None:
    general = save(desk, "Any balance", importer="body_weight", choices={"date_order": "mdy"}, signature=(EVERY_FILE,))
    save(desk, "Any caliper", importer="caliper_long", choices={}, signature=(EVERY_FILE,))
    with pytest.raises(DomainError, match='by the profile "Any balance" already'):
        save(desk, "Other balance", importer="body_weight", choices={}, signature=(EVERY_FILE,))
    own = save(desk, "Room 2", importer="body_weight", choices={"date_order": "dmy"}, signature=("id", "date", "mass (g)"))
    weights = "id,date,weight (g),remark\nM1,03/04/2026,21,\n"
    first = desk.check(weights, create="animals")
    assert first.report["evidence"][0] == 'profile "Any balance" (version 1) is for every file of this format'
    second = desk.check(weights.replace("weight (g),remark", "mass (g)").replace("21,", "21"), create="animals")
    versions = [batch_of(desk, one.batch_id).profile_version_id for one in (first, second)]
    assert versions == [general.id, own.id]
    assert codes(desk.check("Colour,Taste\nred,sweet\n"))[:1] == ["format-unknown"]


def test_a_profile_has_versions_is_withdrawn_and_comes_back(desk: Desk) -> None:
    first = save(desk)
    content = Content("mapped_table", {KEY: MAPPING.to_text(), "decimal": "point"}, SIGNATURE)

    def change(version: int, reason: str, said: Content = content) -> None:
        with desk.database.transaction() as session:
            profile = session.get_one(ImportProfile, first.profile_id)
            change_profile(session, desk.actor, profile, version=version, content=said, reason=reason)

    with pytest.raises(DomainError, match="reason"):
        change(1, " ")
    change(1, "the export has points now")
    with pytest.raises(Conflict):
        change(1, "somebody else was faster")
    with pytest.raises(DomainError, match="Nothing differs"):
        change(2, "the same again")
    with desk.database.reading() as session:
        kept = list(session.scalars(select(ImportProfileVersion).order_by(ImportProfileVersion.number)))
    assert [(one.number, one.reason, one.choices["decimal"]) for one in kept] == [
        (1, "first version", "comma"),
        (2, "the export has points now", "point"),
    ]
    with desk.database.transaction() as session:
        withdraw(session, desk.actor, IMPORT_PROFILE, session.get_one(ImportProfile, first.profile_id), version=2, reason="closed")
    assert codes(desk.check(table("02.03.2026")))[:1] == ["format-unknown"]
    again = save(desk)
    assert (again.profile_id, again.number, again.reason) == (first.profile_id, 3, "saved anew under its old name")
    assert desk.events().count("import-profile:change") == 1
    desk.sound()


def test_a_file_that_is_nearly_a_profiles_says_what_differs(desk: Desk) -> None:
    save(desk)
    told = found(desk.check(table("02.03.2026").replace("KG", "Gewicht (g)")), "format-unknown")
    assert 'most like the files of profile "Barn" (version 1): "KG" is missing, and "Gewicht (g)" is new' in told.message
    save(desk, "Balance", importer="body_weight", choices={"date_order": "dmy"}, signature=("id", "date", "weight (g)"))
    changed = desk.check("id,date,weight (g),remark\nM1,2026-03-02,21,\n", create="animals")
    assert '"remark" is new' in found(changed, "profile-differs").message
    assert batch_of(desk, changed.batch_id).profile_version_id is None
