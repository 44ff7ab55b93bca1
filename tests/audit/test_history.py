"""A record's history as sentences: a printout shows whether data changed since entry (Annex 11 §8.2)."""

from lims.audit.history import entries
from lims.db import Database
from lims.models import Enrolment, Measurement, User
from tests.audit.trail import write_trail
from tests.support import factories


def test_clause_6_a_corrected_weight_reads_as_people_say_it(database: Database) -> None:
    trail = write_trail(database)
    with factories.declared(database, "measurement:change") as session:
        session.get_one(Measurement, trail.measurements[0]).value = 20.9
    with database.reading() as session:
        newest, first = entries(session, "measurement", trail.measurements[0])
    assert newest.sentences == ("body weight 21.4 → 20.9 g",)
    assert (newest.event, newest.person, newest.reason, newest.created) == (4, "tester", "test", False)
    assert first.created
    assert "body weight 21.4 g" in first.sentences
    assert "date 2026-03-02" in first.sentences


def test_a_whole_number_in_a_column_of_fractions_reads_without_a_fraction(database: Database) -> None:
    trail = write_trail(database)
    with factories.declared(database, "measurement:change") as session:
        session.get_one(Measurement, trail.measurements[0]).value = 22
    with database.reading() as session:
        assert entries(session, "measurement", trail.measurements[0])[0].sentences == ("body weight 21.4 → 22 g",)


def test_references_read_by_name_and_passwords_not_at_all(database: Database) -> None:
    with factories.declared(database) as session:
        project = factories.project(session)
        study = factories.study(session, project)
        vehicle, treated = factories.arm(session, study), factories.arm(session, study, "tucatinib", 2)
        enrolled = factories.enrolment(session, vehicle, factories.animal(session, project))
        person = factories.user(session)
    with factories.declared(database, "enrolment:change") as session:
        session.get_one(Enrolment, enrolled.id).arm_id = treated.id
    with factories.declared(database, "user:change") as session:
        session.get_one(User, person.id).password = "$argon2id$another"
    with database.reading() as session:
        assert entries(session, "enrolment", enrolled.id)[0].sentences == ("arm vehicle → tucatinib",)
        changed, made = entries(session, "user_account", person.id)
    assert changed.sentences == ("password changed",)
    assert "password set" in made.sentences


def test_a_value_taken_away_and_the_limit(database: Database) -> None:
    trail = write_trail(database)
    with factories.declared(database, "animal:change") as session:
        from lims.models import Animal

        session.get_one(Animal, trail.animal).ear_tag = None
    with database.reading() as session:
        (newest,) = entries(session, "animal", trail.animal, limit=1)
        assert newest.sentences == ("ear tag C2 → not set",)
        assert len(entries(session, "animal", trail.animal)) == 3
        assert entries(session, "animal", 4711) == []
