"""Signatures by the services: what one is bound to, what locks, what an amendment changes, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select, text

from lims.audit.record import Actor, writing
from lims.audit.triggers import drop_statements
from lims.audit.verify import verify
from lims.db import Database
from lims.domain.cohort_terms import AllocationMethod, FateReason
from lims.domain.errors import Conflict, DomainError
from lims.domain.signatures import SignatureAct, SignatureMeaning, Standing
from lims.domain.vocabulary import AnimalStatus, Quality, StudyStatus
from lims.models import Animal, Arm, AuditEvent, Enrolment, Fate, Measurement, Signature, Study
from lims.queries.signed import Content, Judged, changed_records, digest, hash_of, judge_study
from lims.records.fates import FATE, record_fates
from lims.records.nouns import change, record, withdraw
from lims.records.randomisations import Wish, randomise
from lims.records.readings import NewReading, record_readings
from lims.records.signatures import Said, amend_fate, amend_reading, countersign, doubts_of_lock, lock, note
from lims.records.studies import ARM, ENROLMENT, STUDY, enrol, unblind
from tests.records.dosing_lab import DoseLab, day, give, make_lab, planned
from tests.support import factories
from tests.support.cases import each
from tests.support.databases import kept

APPROVED = Said(SignatureMeaning.APPROVED, "final report 12")


@dataclass(frozen=True, slots=True)
class Signed:
    """A closed study, and who may sign it."""

    lab: DoseLab
    director: Actor
    other: Actor


@pytest.fixture
@kept
def closed(database: Database) -> Signed:
    """Give a closed study of dosed animals, all of them dead."""
    lab = make_lab(database)
    give(database, lab, planned(lab, 0), planned(lab, 1))
    with factories.declared(database) as session:
        director, other = (
            factories.actor(factories.member(session, lab.project, person=factories.user(session, name)))
            for name in ("Dora", "Olaf")
        )
    died = [{"animal_id": mouse.id, "died_on": day(9), "reason": FateReason.SCHEDULED} for mouse in lab.mice]
    with database.transaction() as session:
        record_fates(session, director, lab.project.id, died)
    with factories.declared(database) as session:
        session.get_one(Study, lab.study.id).state = StudyStatus.CLOSED
    return Signed(lab, director, other)


@pytest.fixture
@kept
def locked(database: Database, closed: Signed) -> Signed:
    """Give it locked."""
    sign(database, closed)
    return closed


def sign(database: Database, of: Signed, said: Said = APPROVED, *, seen: str | None = None) -> None:
    """Lock the study by the director."""
    with database.transaction() as session:
        study = session.get_one(Study, of.lab.study.id)
        lock(session, of.director, study, said, version=study.version, seen=seen or seen_now(session, study))


def seen_now(session: Any, study: Study) -> str:
    return digest(Content(session, study.id).told())


def judged(database: Database, of: Signed) -> list[Judged]:
    with database.reading() as session:
        return judge_study(session, session.get_one(Study, of.lab.study.id))


def standing(database: Database, of: Signed) -> list[Standing]:
    return [one.standing for one in judged(database, of)]


def weight(database: Database, of: Signed) -> Measurement:
    """Give the first reading of the study."""
    with database.reading() as session:
        return session.scalars(
            select(Measurement).where(Measurement.animal_id == of.lab.mice[0].id).order_by(Measurement.id)
        ).first()  # type: ignore[return-value]  # it is there


def amend(database: Database, of: Signed, *, right: float | None = None, by: Actor | None = None) -> None:
    """Correct the study's first reading by an amendment."""
    found = weight(database, of)
    with database.transaction() as session:
        reading, study = session.get_one(Measurement, found.id), session.get_one(Study, of.lab.study.id)
        beside = None if right is None else NewReading(reading.animal_id, reading.kind, day(0), right)
        amend_reading(
            session,
            by or of.director,
            study,
            reading,
            Said(SignatureMeaning.RESPONSIBLE, "scale was not zeroed"),
            version=reading.version,
            right=beside,
        )


def tamper(database: Database, statement: str, **bound: object) -> None:
    """Change something as whoever may alter tables can."""
    with database.engine.execution_options(writes=True).connect() as connection, connection.begin(), writing(connection):
        for drop in drop_statements(database.dialect):
            connection.execute(text(drop))
        connection.execute(text(statement), bound)


def test_a_lock_is_a_signature_bound_to_what_the_study_is(database: Database, closed: Signed) -> None:
    sign(database, closed)
    (one,) = judged(database, closed)
    assert one.standing is Standing.VALID
    assert (one.changed, one.later) == ({}, {})
    made = one.signature
    assert (made.act, made.meaning, made.name, made.person_id) == (
        SignatureAct.LOCK,
        SignatureMeaning.APPROVED,
        "Dora",
        closed.director.id,
    )
    with database.reading() as session:
        assert session.get_one(Study, closed.lab.study.id).state is StudyStatus.LOCKED
        event = session.get_one(AuditEvent, made.event_seq)
        assert (event.action, event.actor, event.reason) == ("study:lock", "Dora", "final report 12")
    assert verify(database).problems == []


def test_the_same_content_has_the_same_hash_on_both_engines(database: Database, closed: Signed) -> None:
    with database.reading() as session:
        told = Content(session, closed.lab.study.id).counted()
    counts = {table: part["count"] for table, part in told.items() if part["count"]}
    assert counts == {"study": 1, "arm": 2, "regimen": 2, "enrolment": 4, "animal": 4, "measurement": 4, "dose": 2, "fate": 4}
    assert told["measurement"]["sha256"] == "3e1526b610bbbebf9810d76b3af1b59766fd3c41d757e313c1c9c1ef8311a8ea"


@each("state", [StudyStatus.DRAFT, StudyStatus.ACTIVE, StudyStatus.LOCKED])
def test_clause_8_only_a_closed_study_is_locked(database: Database, closed: Signed, state: StudyStatus) -> None:
    with factories.declared(database) as session:
        session.get_one(Study, closed.lab.study.id).state = state
    with pytest.raises(DomainError, match=f"is {state.value}"):
        sign(database, closed)
    with database.reading() as session, pytest.raises(DomainError, match=f"is {state.value}"):
        doubts_of_lock(session, session.get_one(Study, closed.lab.study.id))


def test_no_change_and_no_file_locks_a_study(database: Database, closed: Signed) -> None:
    with pytest.raises(DomainError, match="cannot become locked by this"), database.transaction() as session:
        study = session.get_one(Study, closed.lab.study.id)
        change(session, closed.director, STUDY, study, version=study.version, reason="done", fields={"state": StudyStatus.LOCKED})
    with pytest.raises(DomainError, match="cannot become locked"), database.transaction() as session:
        record(
            session,
            closed.director,
            STUDY,
            closed.lab.project.id,
            [{"code": "NEW", "title": "New", "state": StudyStatus.LOCKED, "event_reasons": ["found_dead"]}],
        )


def test_nobody_signs_what_they_did_not_see_nor_without_saying_why(database: Database, closed: Signed) -> None:
    with pytest.raises(DomainError, match="has changed since this page was opened"):
        sign(database, closed, seen="0" * 64)
    with pytest.raises(DomainError, match="A reason is needed"):
        sign(database, closed, Said(SignatureMeaning.APPROVED, "  "))
    with pytest.raises(Conflict), database.transaction() as session:
        study = session.get_one(Study, closed.lab.study.id)
        lock(session, closed.director, study, APPROVED, version=study.version + 1, seen=seen_now(session, study))
    with database.reading() as session:
        assert session.get_one(Study, closed.lab.study.id).state is StudyStatus.CLOSED
        assert session.scalar(select(func.count()).select_from(Signature)) == 0


def test_clause_14_no_program_and_no_command_line_signs(database: Database, closed: Signed) -> None:
    for nobody in (factories.actor(), Actor(None, "batch 3", "batch 3")):
        with pytest.raises(DomainError, match="A signature is a person's own"), database.transaction() as session:
            study = session.get_one(Study, closed.lab.study.id)
            lock(session, nobody, study, APPROVED, version=study.version, seen=seen_now(session, study))


def test_what_lives_on_is_doubted_before_a_lock(database: Database, closed: Signed) -> None:
    with database.reading() as session:
        assert doubts_of_lock(session, session.get_one(Study, closed.lab.study.id)) == []
    with factories.declared(database) as session:
        study = session.get_one(Study, closed.lab.study.id)
        factories.enrolment(
            session, session.get_one(Arm, closed.lab.arms[0].id), factories.animal(session, closed.lab.project, "LIVES")
        )
    with database.reading() as session:
        (told,) = doubts_of_lock(session, session.get_one(Study, study.id))
        assert told.message == "1 animal of the study lives: what is recorded later is not signed."


def test_clause_12_a_signature_copied_to_another_study_is_invalid(database: Database, locked: Signed) -> None:
    with factories.declared(database) as session:
        other = factories.study(session, locked.lab.project, "COPY", state=StudyStatus.LOCKED)
    columns = "entity, act, meaning, person_id, name, signed_at, statement, event_seq, content, sha256, project_id"
    copied = f"SELECT 99, :other, {columns} FROM signature"
    tamper(database, f"INSERT INTO signature (id, key, {columns}) {copied}", other=other.id)
    with database.reading() as session:
        (copy,) = judge_study(session, session.get_one(Study, other.id))
    assert copy.standing is Standing.BROKEN
    assert standing(database, locked) == [Standing.VALID]
    (problem,) = verify(database).problems
    assert (problem.kind, problem.entity, problem.key) == ("row not logged", "signature", 99)


def test_clause_12_a_signature_edited_in_the_database_is_invalid(database: Database, locked: Signed) -> None:
    edits = {"name": "Somebody Else", "meaning": "reviewed", "statement": "no", "signed_at": "2020-01-01 00:00:00", "content": "{}"}
    for column, value in {**edits, "sha256": "0" * 64, "event_seq": 1, "act": "amendment"}.items():
        with database.reading() as session:
            was = session.scalar(text(f"SELECT {column} FROM signature"))
        tamper(database, f"UPDATE signature SET {column} = :value", value=value)
        assert standing(database, locked) == [Standing.BROKEN], column
        (problem,) = verify(database).problems
        assert (problem.kind, problem.entity, problem.field) == ("changed behind the log", "signature", column)
        tamper(database, f"UPDATE signature SET {column} = :was", was=was)
    assert standing(database, locked) == [Standing.VALID]


def test_clause_12_a_hash_that_fits_the_edited_row_is_told_by_the_trail(database: Database, locked: Signed) -> None:
    with database.reading() as session:
        one = session.scalars(select(Signature)).one()
        one.name = "Somebody Else"
        fits = hash_of(one)
        session.rollback()
    tamper(database, "UPDATE signature SET name = 'Somebody Else', sha256 = :fits", fits=fits)
    assert standing(database, locked) == [Standing.BROKEN]


def test_clause_12_what_changes_behind_the_signature_shows(database: Database, locked: Signed) -> None:
    edits = {
        "measurement": "value = 25",
        "fate": "reason = 'found_dead'",
        "dose": "volume_ul = 3",
        "arm": "title = 'x'",
        "study": "hypothesis = 'x'",
        "animal": "sex = 'male'",
        "enrolment": "excluded_on = '2026-03-04', exclusion_reason = 'x'",
    }
    changed = set()
    for table, setting in edits.items():
        tamper(database, f"UPDATE {table} SET {setting} WHERE id = (SELECT min(id) FROM {table})")
        changed.add(table)
        (one,) = judged(database, locked)
        assert (one.standing, one.changed) == (Standing.CHANGED, dict.fromkeys(changed, 0))
    tamper(database, "UPDATE fate SET status = 'withdrawn' WHERE id = (SELECT max(id) FROM fate)")
    assert judged(database, locked)[0].changed["fate"] == -1


def test_clause_12_what_joins_a_locked_study_or_opens_it_behind_the_application_shows(database: Database, locked: Signed) -> None:
    tamper(database, "UPDATE study SET state = 'closed'")
    assert judged(database, locked)[0].changed == {"study": 0}
    tamper(database, "UPDATE study SET state = 'locked'")
    assert standing(database, locked) == [Standing.VALID]
    with factories.declared(database) as session:
        mouse = factories.animal(session, locked.lab.project, "LATE")
        factories.enrolment(session, session.get_one(Arm, locked.lab.arms[0].id), mouse)
        factories.arm(session, session.get_one(Study, locked.lab.study.id), "late", 3)
    (one,) = judged(database, locked)
    assert (one.standing, one.changed, one.later) == (Standing.CHANGED, {"arm": 1, "enrolment": 1, "animal": 1}, {})


def test_clause_12_a_signature_that_was_removed_or_moved_is_told_by_the_trail(database: Database, locked: Signed) -> None:
    amend(database, locked, by=locked.other)
    tamper(database, "DELETE FROM signature WHERE act = 'amendment'")
    first, second = judged(database, locked)
    assert (first.standing, second.standing) == (Standing.CHANGED, Standing.MISSING)
    assert (second.signature.name, second.signature.act) == ("Olaf", SignatureAct.AMENDMENT)
    assert [(one.kind, one.entity) for one in verify(database).problems] == [("row gone", "signature")]
    with factories.declared(database) as session:
        other = factories.study(session, locked.lab.project, "COPY", state=StudyStatus.LOCKED)
    tamper(database, "UPDATE signature SET key = :other", other=other.id)
    assert standing(database, locked) == [Standing.MISSING, Standing.MISSING]


def test_a_death_recorded_after_the_signature_is_taken_back_as_any_other(database: Database, closed: Signed) -> None:
    """An animal that lived on is not left dead by a mistake; what was signed of the others stays."""
    with database.transaction() as session:
        ours = session.scalars(select(Fate).order_by(Fate.id.desc())).first()
        assert ours is not None
        withdraw(session, closed.director, FATE, ours, version=ours.version, reason="another cage")
        mouse = ours.animal_id
    sign(database, closed)
    late = {"animal_id": mouse, "died_on": day(9), "reason": FateReason.FOUND_DEAD}
    with database.transaction() as session:
        (fate,) = record_fates(session, closed.director, closed.lab.project.id, [late])
        key = fate.id
    assert judged(database, closed)[0].later == {"fate": 1}
    with database.transaction() as session:
        fate = session.get_one(Fate, key)
        withdraw(session, closed.director, FATE, fate, version=fate.version, reason="the other mouse")
    with database.reading() as session:
        assert session.get_one(Animal, mouse).state is AnimalStatus.ALIVE
        signed = session.scalars(select(Fate).where(Fate.status == "active")).first()
    with pytest.raises(DomainError, match="locked by a signature"), database.transaction() as session:
        assert signed is not None
        fate = session.get_one(Fate, signed.id)
        withdraw(session, closed.director, FATE, fate, version=fate.version, reason="the other mouse")
    assert standing(database, closed) == [Standing.VALID]


def test_an_amendment_corrects_a_reading_and_supersedes(database: Database, locked: Signed) -> None:
    was = weight(database, locked)
    amend(database, locked, right=21.5)
    first, second = judged(database, locked)
    assert (first.standing, second.standing) == (Standing.SUPERSEDED, Standing.VALID)
    assert first.by is not None
    assert first.by.id == second.signature.id
    assert (first.changed, first.later) == ({"measurement": 0}, {"measurement": 1})
    assert (second.signature.act, second.signature.statement) == (SignatureAct.AMENDMENT, "scale was not zeroed")
    with database.reading() as session:
        old = session.get_one(Measurement, was.id)
        assert (old.value, old.quality, old.quality_reason) == (20.0, Quality.EXCLUDED, "scale was not zeroed")
        new = session.scalars(select(Measurement).order_by(Measurement.id.desc())).first()
        assert new is not None
        assert (new.value, new.occurrence, new.animal_id) == (21.5, 2, old.animal_id)
        assert session.get_one(Study, locked.lab.study.id).state is StudyStatus.LOCKED
    assert verify(database).problems == []


def test_an_excluded_reading_counts_again_by_an_amendment(database: Database, locked: Signed) -> None:
    amend(database, locked)
    amend(database, locked)
    assert weight(database, locked).quality is Quality.OK
    # What was signed first is again what there is, and its signature stands again.
    assert standing(database, locked) == [Standing.VALID, Standing.SUPERSEDED, Standing.VALID]


def test_a_fate_is_corrected_with_the_animal_s_day_of_death(database: Database, locked: Signed) -> None:
    said = Said(SignatureMeaning.RESPONSIBLE, "necropsy report")
    with database.transaction() as session:
        study, fate = session.get_one(Study, locked.lab.study.id), session.scalars(select(Fate).order_by(Fate.id)).first()
        assert fate is not None
        fields = {"died_on": day(8), "reason": FateReason.FOUND_DEAD}
        amend_fate(session, locked.director, study, fate, said, version=fate.version, fields=fields)
        mouse = fate.animal_id
    first, second = judged(database, locked)
    assert (first.standing, first.changed, second.standing) == (Standing.SUPERSEDED, {"fate": 0}, Standing.VALID)
    with database.reading() as session:
        assert session.get_one(Animal, mouse).died_on == day(8)
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "study:amend"))
        assert (event.seq, event.reason) == (second.signature.event_seq, "necropsy report")
        assert changed_records(session, first) == [("fate", 1)]
    assert verify(database).problems == []
    with pytest.raises(DomainError, match=r"last measurement|before"), database.transaction() as session:
        study, fate = session.get_one(Study, locked.lab.study.id), session.scalars(select(Fate).order_by(Fate.id)).first()
        assert fate is not None
        amend_fate(session, locked.director, study, fate, said, version=fate.version, fields={"died_on": day(-9)})


def test_a_note_and_a_second_signature_leave_the_first_as_it_is(database: Database, locked: Signed) -> None:
    for step, by, said in (
        (countersign, locked.other, Said(SignatureMeaning.REVIEWED, "checked against the files")),
        (note, locked.director, Said(SignatureMeaning.RESPONSIBLE, "the pathologist's report is filed as R-12")),
    ):
        with database.transaction() as session:
            study = session.get_one(Study, locked.lab.study.id)
            step(session, by, study, said, seen=seen_now(session, study))
    assert [(one.signature.name, one.standing) for one in judged(database, locked)] == [
        ("Dora", Standing.VALID),
        ("Olaf", Standing.VALID),
        ("Dora", Standing.VALID),
    ]


def test_signing_and_amending_take_a_locked_study(database: Database, closed: Signed) -> None:
    for step in (countersign, note):
        with pytest.raises(DomainError, match="is of a locked study; study BM-014 is closed"), database.transaction() as session:
            study = session.get_one(Study, closed.lab.study.id)
            step(session, closed.director, study, APPROVED, seen=seen_now(session, study))
    with pytest.raises(DomainError, match="is of a locked study"):
        amend(database, closed)


def test_an_amendment_is_of_a_reading_that_the_study_counts_and_judged_as_any(database: Database, locked: Signed) -> None:
    with factories.declared(database) as session:
        stray = factories.measurement(session, factories.animal(session, locked.lab.project, "STRAY"))
    with pytest.raises(DomainError, match="does not count this reading"), database.transaction() as session:
        study, reading = session.get_one(Study, locked.lab.study.id), session.get_one(Measurement, stray.id)
        amend_reading(session, locked.director, study, reading, APPROVED, version=reading.version)
    with pytest.raises(DomainError, match="Body weight 2,150 g"):
        amend(database, locked, right=2150.0)
    assert weight(database, locked).quality is Quality.OK
    with pytest.raises(DomainError, match="locked by a signature"), database.transaction() as session:
        record_readings(
            session, locked.director, locked.lab.project.id, [NewReading(locked.lab.mice[0].id, "body_weight", day(1), 20.0)]
        )


def test_every_refusal_of_a_locked_study_says_to_amend_it(database: Database, locked: Signed) -> None:
    lab = locked.lab
    with factories.declared(database) as session:
        newcomer = {"animal_id": factories.animal(session, lab.project, "NEW").id, "arm_id": lab.arms[0].id}
    wish = Wish(method=AllocationMethod.MINIMISATION, animals=[newcomer["animal_id"]], left_out={}, seed="1", on=day(0))

    def refused(step: Any) -> None:
        with pytest.raises(DomainError) as caught, database.transaction() as session:
            step(session)
        assert "Amend it on the study's page" in str(caught.value.remedy)

    refused(
        lambda session: record(
            session, locked.director, ARM, lab.project.id, [{"study_id": lab.study.id, "code": "new", "title": "new"}]
        )
    )
    refused(lambda session: enrol(session, locked.director, session.get_one(Study, lab.study.id), [newcomer]))
    refused(lambda session: randomise(session, locked.director, session.get_one(Study, lab.study.id), wish))
    refused(
        lambda session: withdraw(
            session, locked.director, ENROLMENT, one := session.scalars(select(Enrolment)).first(), version=one.version, reason="x"
        )
    )
    refused(
        lambda session: change(
            session,
            locked.director,
            STUDY,
            session.get_one(Study, lab.study.id),
            version=session.get_one(Study, lab.study.id).version,
            reason="x",
            fields={"title": "x"},
        )
    )
    refused(
        lambda session: record_readings(
            session, locked.director, lab.project.id, [NewReading(lab.mice[0].id, "body_weight", day(1), 20.0)]
        )
    )


def test_unblinding_and_what_lives_on_leave_a_signature_valid(database: Database, closed: Signed) -> None:
    with factories.declared(database) as session:
        study = session.get_one(Study, closed.lab.study.id)
        study.blinded = True
        alive = factories.animal(session, closed.lab.project, "LIVES")
        factories.enrolment(session, session.get_one(Arm, closed.lab.arms[0].id), alive)
    sign(database, closed)
    with database.transaction() as session:
        study = session.get_one(Study, closed.lab.study.id)
        unblind(session, closed.director, study, version=study.version, reason="signed")
        record_readings(session, closed.director, closed.lab.project.id, [NewReading(alive.id, "body_weight", day(10), 20.0)])
    (one,) = judged(database, closed)
    assert (one.standing, one.later) == (Standing.VALID, {"measurement": 1})
