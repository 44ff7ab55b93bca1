"""What a project's trail is made of, whatever the engine: whose events, what they changed, and what it costs to list them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.audit.export import Filters
from lims.audit.problems import Problem
from lims.audit.record import Actor, declare
from lims.audit.verify import verify
from lims.db import Database
from lims.domain.errors import DomainError, NotFound
from lims.models import Animal, AuditChange, AuditEvent
from lims.queries.audit import (
    CHANGES_A_PAGE,
    COUNTED_BY_KIND,
    Touched,
    changes_of,
    count_events,
    events_of,
    find_event,
    labels_of,
    last_noted,
    newest_event,
    problems_of,
    require_record,
    reviewed_up_to,
    touched_by,
    trail_is_longer_than,
)
from lims.records.audit import REVIEW, record_review
from tests.audit.trail import Trail, rename, tamper, write_trail
from tests.support import factories as make
from tests.support.cases import each
from tests.support.databases import kept
from tests.support.statements import statements


def seqs(session: Session, project: int, **filters: object) -> list[int]:
    rows = events_of(project, Filters(project=project, **filters))  # type: ignore[arg-type]  # keywords of several types
    return list(session.scalars(rows.with_only_columns(AuditEvent.seq).order_by(AuditEvent.seq)))


@pytest.fixture
@kept
def trail(database: Database) -> Trail:
    """Give events 1 to 3 of one project, and 4 to 6 of another."""
    told = write_trail(database)
    write_trail(database, "OTHER")
    return told


def test_a_project_s_trail_is_its_own_events_and_what_made_it(database: Database, trail: Trail) -> None:
    with database.transaction() as session:
        declare(session, make.actor(), "session:open", detail={"address": "10.0.0.7"})
    with database.reading() as session:
        events = session.scalars(select(AuditEvent.project_id).order_by(AuditEvent.seq)).all()
        assert events[0] is None, "the event that made the project belongs to none by itself"
        assert seqs(session, trail.project) == [1, 2, 3]
        assert count_events(session, trail.project) == 3
        assert count_events(session, trail.project, after=2) == 1
        assert newest_event(session, trail.project) == 3


@each(
    ("filters", "expected"),
    [
        ({"person": 0}, [1, 2, 3]),
        ({"person": 77}, []),
        ({"action": "animal:change"}, [3]),
        ({"entity": "measurement"}, [2]),
        ({"entity": "study"}, [1]),
        ({"reason": "WEIGH"}, [2]),
        ({"reason": "%"}, []),
        ({"after": 1}, [2, 3]),
        ({"since": datetime(2020, 1, 1, tzinfo=UTC)}, [1, 2, 3]),
        ({"until": datetime(2020, 1, 1, tzinfo=UTC)}, []),
    ],
)
def test_each_filter_leaves_what_fits(database: Database, trail: Trail, filters: dict[str, object], expected: list[int]) -> None:
    with database.reading() as session:
        assert seqs(session, trail.project, **filters) == expected


def test_a_record_s_events_are_found_by_kind_and_number(database: Database, trail: Trail) -> None:
    with database.reading() as session:
        assert seqs(session, trail.project, entity="animal", key=trail.animal) == [1, 3]
        elsewhere = session.scalar(select(Animal.id).where(Animal.project_id != trail.project).limit(1))
        assert elsewhere
        assert seqs(session, trail.project, entity="animal", key=elsewhere) == []


def test_an_event_of_another_project_is_not_found(database: Database, trail: Trail) -> None:
    with database.reading() as session:
        assert find_event(session, trail.project, 3).action == "animal:change"
        for seq in (4, 5, 99, 0, -1, 2**80):
            with pytest.raises(NotFound, match=f"no event {seq} in this project"):
                find_event(session, trail.project, seq)


def test_what_events_touched_is_said_by_kind(database: Database, trail: Trail) -> None:
    with database.reading() as session:
        touched = touched_by(session, trail.project, [1, 2, 3])
    assert touched[2] == Touched(3, {"measurement": 3})
    assert touched[3] == Touched(1, {"animal": 1}, ("animal", trail.animal))
    assert touched[1].by_kind["project"] == 1


def test_an_event_that_changed_two_projects_shows_each_its_own(database: Database) -> None:
    with make.declared(database) as session:
        one, two = make.project(session), make.project(session)
        make.animal(session, one, "MINE")
        make.animal(session, two, "THEIRS")
    with database.reading() as session:
        event = find_event(session, one.id, 1)
        told = changes_of(session, one.id, event)
        assert (event.changes, told.total) == (4, 2)
        assert [record.label for record in told.records] == [f"project {one.code}", "animal MINE"]
        assert touched_by(session, one.id, [1])[1].total == 2


def test_very_many_changes_are_counted_not_named(database: Database) -> None:
    with make.declared(database, "animal:create") as session:
        project = make.project(session)
        for number in range(COUNTED_BY_KIND):
            session.add(Animal(project_id=project.id, code=f"A{number:04}", sex="female"))
    with database.reading() as session:
        assert touched_by(session, project.id, [1]) == {1: Touched(COUNTED_BY_KIND + 1, {})}
        last = changes_of(session, project.id, find_event(session, project.id, 1), page=99)
        assert (last.page, last.pages) == (3, 3)
        assert len(last.records) == COUNTED_BY_KIND + 1 - 2 * CHANGES_A_PAGE


def test_changes_are_told_in_sentences_with_units(database: Database, trail: Trail) -> None:
    with database.reading() as session:
        weighed = changes_of(session, trail.project, find_event(session, trail.project, 2))
        moved = changes_of(session, trail.project, find_event(session, trail.project, 3))
    code = weighed.records[0].label.removeprefix("body weight of ").removesuffix(", 2026-03-02")
    assert [record.label for record in weighed.records] == [f"body weight of {code}, 2026-03-0{day}" for day in (2, 3, 4)]
    assert all(record.created for record in weighed.records)
    assert "body weight 21.4 g" in weighed.records[0].sentences
    assert [(one.label, one.created, one.sentences) for one in moved.records] == [(f"animal {code}", False, ("ear tag C1 → C2",))]


def test_records_are_named_by_what_they_belong_to(database: Database) -> None:
    with make.declared(database) as session:
        project = make.project(session)
        person = make.member(session, project)
        animal = make.animal(session, project, "M1")
        tumour, alias = make.implant(session, animal, "left"), make.alias(session, animal, "old")
        batch = make.batch(session, project)
        references = [("implant", tumour.id), ("animal_alias", alias.id), ("import_batch", batch.id), ("animal", 999)]
        references += [("membership", person.memberships[0].id), ("no_table", 3)]
        patient, drug = make.patient(session, project, "P1"), make.agent(session, project)
        line, dose = make.therapy_line(session, patient), make.dose(session, animal, drug, given_on=date(2026, 3, 2))
        preparation, run = (
            make.preparation(session, project, "CP-1"),
            make.randomisation(session, make.study(session, project, "S")),
        )
        put = make.allocation(session, run, animal, exclusion_reason="ill")
        references += [("therapy_line", line.id), ("dose", dose.id), ("cell_preparation", preparation.id), ("allocation", put.id)]
    with database.reading() as session:
        texts = {entity: label.text for (entity, _), label in labels_of(session, references).items()}
    assert texts == {
        "implant": "implant left of M1",
        "animal_alias": "animal's other name old of M1",
        "import_batch": f"batch {batch.id}",
        "animal": "animal #999",
        "membership": f"membership of {person.name}",
        "no_table": "no table #3",
        "therapy_line": f"therapy line {line.line_number} of P1",
        "dose": "dose 2026-03-02 of M1",
        "cell_preparation": "cell preparation CP-1",
        "allocation": "allocation of M1",
    }


def test_a_record_is_known_only_in_its_project(database: Database, trail: Trail) -> None:
    with database.reading() as session:
        assert require_record(session, trail.project, "animal", trail.animal).text.startswith("animal ")
        other = session.scalar(select(AuditChange.project_id).where(AuditChange.event_seq == 5).limit(1))
        assert other
        for project, entity, key in (
            (other, "animal", trail.animal),
            (trail.project, "animal", 2**70),
            (trail.project, "pg_user", 1),
            (trail.project, "role", 1),
        ):
            with pytest.raises(NotFound, match="in this project"):
                require_record(session, project, entity, key)


def test_listing_costs_the_same_however_long_the_trail(database: Database, trail: Trail) -> None:
    def cost() -> int:
        with database.reading() as session, statements(database.engine) as seen:
            found = seqs(session, trail.project)
            touched = touched_by(session, trail.project, found)
            labels_of(session, [one.only for one in touched.values() if one.only])
            changes_of(session, trail.project, find_event(session, trail.project, 2))
        return len(seen)

    before = cost()
    for number in range(12):
        rename(database, trail.project, f"Title {number}")
        with database.transaction() as session:
            declare(session, make.actor(), "animal:change", reason="moved", project=trail.project)
            session.get_one(Animal, trail.animal).ear_tag = f"D{number}"
    # One more kind of record, one more statement for its names; not one for each event.
    assert cost() == before + 1


def test_a_review_reaches_to_the_event_it_names(database: Database, trail: Trail) -> None:
    with make.declared(database) as session:  # event 7
        ada, tom = make.actor(make.user(session, "Ada")), make.actor(make.user(session, "Tom"))
    with database.transaction() as session:
        record_review(session, ada, trail.project, up_to=2, comment="weights")
    with database.reading() as session:
        review = last_noted(session, trail.project, REVIEW, ada.id)
        assert review
        assert review.detail == {"after": 0, "up_to": 2}
        assert reviewed_up_to(session, trail.project, review) == 2
        assert last_noted(session, trail.project, REVIEW, tom.id) is None
    with database.transaction() as session:
        record_review(session, ada, trail.project, up_to=8, comment="the rest")
    with database.reading() as session:
        review = last_noted(session, trail.project, REVIEW, ada.id)
        assert review
        assert reviewed_up_to(session, trail.project, review) == review.seq == 9


@each(("up_to", "comment"), [(0, "x"), (4, "x"), (2**70, "x"), (3, " "), (3, "")])
def test_a_review_of_nothing_and_one_without_words_are_refused(database: Database, trail: Trail, up_to: int, comment: str) -> None:
    with pytest.raises(DomainError), database.transaction() as session:
        record_review(session, Actor(1, "Ada"), trail.project, up_to=up_to, comment=comment)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditEvent)) == 6


def test_problems_of_other_projects_stay_there(database: Database, trail: Trail) -> None:
    tamper(database, "UPDATE animal SET ear_tag = 'X9' WHERE ear_tag = 'C2'")
    report = verify(database)
    assert len(report.problems) == 2
    cut = Problem("tail cut", "The checkpoint attests 9 events.", event=9)
    with database.reading() as session:
        own = problems_of(session, trail.project, [*report.problems, cut])
    assert [(one.entity, one.key) for one in own] == [("animal", trail.animal), (None, None)]


def test_the_length_of_the_trail_is_known_without_counting_it(database: Database, trail: Trail) -> None:
    with database.reading() as session:
        total = session.scalar(select(func.count()).select_from(AuditChange)) or 0
        assert trail_is_longer_than(session, total - 1)
        assert not trail_is_longer_than(session, total)
