"""People, projects and memberships as the records write them, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lims.audit.record import Actor
from lims.db import Database
from lims.domain.errors import Conflict, DomainError, NotFound
from lims.domain.vocabulary import RoleName
from lims.models import Animal, AuditEvent, Role, User
from lims.queries.scope import find, find_by_code, scoped
from lims.records.accounts import change_user, create_user, deactivate_user, set_password
from lims.records.passwords import check_password, generate_password
from lims.records.projects import add_member, change_member, create_project, withdraw_member
from tests.support import factories
from tests.support.cases import each


def person(database: Database, actor: Actor, name: str = "Tom Tech", **more: bool) -> User:
    """Add a person."""
    with database.transaction() as session:
        return create_user(session, actor, email=f"{name[:3]}@lab.test", name=name, password_hash="x", **more)


def test_roles_are_made_once_with_their_words(database: Database, actor: Actor) -> None:
    tom, ada = person(database, actor), person(database, actor, "Ada Admin")
    with database.transaction() as session:
        project = create_project(session, actor, code="P1", title="One")
        for one in (tom, ada):
            add_member(session, actor, project, one, RoleName.SCIENTIST)
    with database.reading() as session:
        [role] = session.scalars(select(Role)).all()
        assert role.name is RoleName.SCIENTIST
        assert role.description
        assert session.scalars(select(AuditEvent.action).order_by(AuditEvent.seq)).all()[-1] == "project:create"


def test_a_member_is_added_once(database: Database, actor: Actor) -> None:
    tom = person(database, actor)
    with database.transaction() as session:
        project = create_project(session, actor, code="P1", title="One")
        membership = add_member(session, actor, project, tom, RoleName.AUDITOR)
    with pytest.raises(DomainError, match="member of P1 already"), database.transaction() as session:
        add_member(session, actor, project, tom, RoleName.SCIENTIST)
    with database.transaction() as session:
        withdraw_member(session, actor, session.merge(membership), version=membership.version, reason="left")
    with database.transaction() as session:
        again = add_member(session, actor, project, tom, RoleName.SCIENTIST)
    assert again.id == membership.id


@pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
def test_changes_need_a_reason(database: Database, actor: Actor, reason: str) -> None:
    tom = person(database, actor)
    with pytest.raises(DomainError, match="reason"), database.transaction() as session:
        change_user(session, actor, session.get_one(User, tom.id), version=1, name="T", administrator=False, reason=reason)
    with pytest.raises(DomainError, match="reason"), database.transaction() as session:
        deactivate_user(session, actor, session.get_one(User, tom.id), version=1, reason=reason)


def test_an_older_version_conflicts(database: Database, actor: Actor) -> None:
    tom = person(database, actor)
    with database.transaction() as session:
        project = create_project(session, actor, code="P1", title="One")
        membership = add_member(session, actor, project, tom, RoleName.AUDITOR)
    with pytest.raises(Conflict), database.transaction() as session:
        change_member(session, actor, session.merge(membership), RoleName.SCIENTIST, version=0, reason="x")


def test_nobody_ends_their_own_access(database: Database, actor: Actor) -> None:
    ada = person(database, actor, "Ada Admin", administrator=True)
    with pytest.raises(DomainError, match="own access"), database.transaction() as session:
        deactivate_user(session, Actor(ada.id, ada.name), session.get_one(User, ada.id), version=1, reason="x")


def test_a_new_password_ends_sessions_and_its_hash_is_not_in_the_trail(database: Database, actor: Actor) -> None:
    tom = person(database, actor)
    with database.transaction() as session:
        set_password(session, actor, session.get_one(User, tom.id), password_hash="$argon2id$secret-hash")
    with database.reading() as session:
        changed = session.get_one(User, tom.id)
        assert changed.fs_uniquifier != tom.fs_uniquifier
        from lims.models import AuditChange

        assert "secret-hash" not in "".join(session.scalars(select(AuditChange.fields)))


@each("name", ["", "  ", "x" * 201, "a\u202eb", "a\x07b"])
def test_names_that_cannot_be_printed_are_refused(database: Database, actor: Actor, name: str) -> None:
    with pytest.raises(DomainError, match="cannot be used"), database.transaction() as session:
        create_user(session, actor, email="a@lab.test", name=name, password_hash="x")


def test_passwords() -> None:
    made = {generate_password() for _ in range(50)}
    assert len(made) == 50
    assert all(check_password(one) for one in made)
    with pytest.raises(DomainError, match="11 characters"):
        check_password("x" * 11)


def test_another_projects_record_is_not_found(database: Database) -> None:
    with factories.declared(database) as session:
        mine, theirs = factories.project(session), factories.project(session)
        animal = factories.animal(session, theirs, "M1")
    with database.reading() as session:
        assert find(session, Animal, theirs.id, animal.id).code == "M1"
        assert find_by_code(session, Animal, theirs.id, "M1").id == animal.id
        assert session.scalars(scoped(Animal, mine.id)).all() == []
        with pytest.raises(NotFound) as of_another:
            find(session, Animal, mine.id, animal.id)
        with pytest.raises(NotFound):
            find_by_code(session, Animal, mine.id, "M1")
        with pytest.raises(NotFound) as of_none:
            find(session, Animal, mine.id, 10**30)
    assert str(of_another.value).replace(str(animal.id), "N") == str(of_none.value).replace(str(10**30), "N")
