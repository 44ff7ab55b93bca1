"""What was previewed is what is committed, or the commit stops and says what changed."""

from __future__ import annotations

from datetime import date

import pytest

from lims.audit.record import declare
from lims.domain.vocabulary import BatchState
from lims.models import Animal, AnimalAlias, Project, Study
from tests.intake.desk import EVERYTHING, Desk, balanced, found, weights
from tests.support import factories

FILE = weights(("M1", "2026-03-02", 20), ("M2", "2026-03-02", 21))


def test_an_unchanged_preview_is_committed(desk_on_each: Desk) -> None:
    desk = desk_on_each
    seen = desk.check(FILE, create=EVERYTHING)

    outcome = desk.commit(seen.batch_id, expect=seen.report["digest"])

    assert (seen.state, outcome.state) == (BatchState.CHECKED, BatchState.COMMITTED)
    assert seen.report["rows"] == outcome.report["rows"]
    assert len(desk.readings()) == 2
    desk.sound()


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_a_commit_without_the_digest_of_a_preview_records_nothing(desk: Desk, digest: str) -> None:
    seen = desk.check(FILE, create=EVERYTHING)

    outcome = desk.commit(seen.batch_id, expect=digest)

    assert outcome.state is BatchState.REFUSED
    assert desk.readings() == []


def test_another_file_in_between_stops_the_commit_and_the_sentence_says_what_changed(desk_on_each: Desk) -> None:
    desk = desk_on_each
    seen = desk.check(FILE, create=EVERYTHING)
    desk.record(weights(("M1", "2026-03-02", 20)), "other.csv")

    outcome = desk.commit(seen.batch_id, expect=seen.report["digest"])

    assert outcome.state is BatchState.REFUSED
    assert "new 2 → 1, same 0 → 1" in found(outcome, "preview-changed").message
    assert len(desk.readings()) == 1
    seen = desk.look(seen.batch_id)
    assert desk.commit(seen.batch_id, expect=seen.report["digest"]).state is BatchState.COMMITTED
    assert len(desk.readings()) == 2
    desk.sound()


def test_an_animal_recorded_in_between_stops_the_commit(desk: Desk) -> None:
    seen = desk.check(FILE, create=EVERYTHING)
    with factories.declared(desk.database) as session:
        factories.animal(session, session.get_one(Project, desk.project), "M1")

    outcome = desk.commit(seen.batch_id, expect=seen.report["digest"])

    assert "same counts, other values" in found(outcome, "preview-changed").message


def test_an_alias_that_names_another_animal_meanwhile_stops_the_commit(desk: Desk) -> None:
    with factories.declared(desk.database) as session:
        of = session.get_one(Project, desk.project)
        one, other = (factories.animal(session, of, code) for code in ("A-1", "A-2"))
        alias = factories.alias(session, one, "M1").id
        factories.alias(session, other, "M2")
    seen = desk.check(FILE)
    assert seen.state is BatchState.CHECKED
    with desk.database.transaction() as session:
        declare(session, desk.actor, "system:set-up")
        session.get_one(AnimalAlias, alias).animal_id = other.id

    outcome = desk.commit(seen.batch_id, expect=seen.report["digest"])

    assert (outcome.state, desk.readings()) == (BatchState.REFUSED, [])


def test_a_day_0_dated_meanwhile_stops_the_commit(desk: Desk) -> None:
    with factories.declared(desk.database) as session:
        study = factories.study(session, session.get_one(Project, desk.project), "S1", day_zero_on=None).id
    seen = desk.check("Mouse,Day,Volume (mm3)\nM1,3,120\n", create=EVERYTHING, study="S1")
    assert seen.state is BatchState.CHECKED
    with desk.database.transaction() as session:
        declare(session, desk.actor, "system:set-up")
        session.get_one(Study, study).day_zero_on = date(2026, 3, 2)

    assert desk.commit(seen.batch_id, expect=seen.report["digest"]).state is BatchState.REFUSED
    assert desk.readings() == []


def test_a_check_creates_nothing_and_says_what_a_commit_would(desk: Desk) -> None:
    seen = desk.check("Mouse,Date,Volume (mm3),Group,Study\nM1,2026-03-02,120,Vehicle,S1\n", create=EVERYTHING)

    assert balanced(seen) == {"read": 1, "new": 1}
    assert seen.report["records"] == {"measurement": 1, "study": 1, "arm": 1, "animal": 1, "implant": 1, "enrolment": 1}
    assert seen.report["create"] == {
        "study": ["S1"],
        "arms": ["S1: Vehicle"],
        "animals": ["M1"],
        "tumours": 1,
        "agents": [],
        "cages": [],
    }
    assert desk.records(Animal) == []


def test_a_replacement_is_previewed_as_if_the_batch_it_replaces_were_gone(desk_on_each: Desk) -> None:
    desk = desk_on_each
    desk.record(weights(("M1", "2026-03-02", 20)))
    old = desk.record(weights(("M1", "2026-03-02", 25), ("M1", "2026-03-09", 26)), changed="accept", reason="scale").batch_id
    better = weights(("M1", "2026-03-02", 20), ("M1", "2026-03-09", 22))
    batch = desk.drop(better, supersedes=old)

    seen = desk.look(batch)

    assert balanced(seen) == {"read": 2, "same": 1, "new": 1}
    assert [value for *_, value in desk.readings()] == [25.0, 26.0]
    assert desk.commit(batch, expect=seen.report["digest"], reason="no, it was right").state is BatchState.COMMITTED
    assert [value for *_, value in desk.readings()] == [20.0, 22.0]
    desk.sound()


def test_a_header_without_rows_is_refused(desk: Desk) -> None:
    seen = desk.check(weights())

    finding = found(seen, "no-rows")
    assert seen.state is BatchState.REFUSED
    assert finding.row == 1
    assert finding.remedy
