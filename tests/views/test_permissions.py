"""Who may do what: the table, and the pages that ask it."""

from __future__ import annotations

import pytest

from lims.audit.tags import NOUNS
from lims.domain.errors import NotAllowed
from lims.domain.permissions import PERMISSIONS, ROLE_DESCRIPTIONS, ROLE_TITLES, allowed, require, titles, writes
from lims.domain.vocabulary import RoleName
from tests.support.cases import each

WRITING = [action for action in PERMISSIONS if writes(action)]


@each("action", WRITING)
def test_an_auditor_writes_nothing(action: str) -> None:
    assert not allowed(RoleName.AUDITOR, action)


@each("action", [action for action in PERMISSIONS if not writes(action)])
def test_an_auditor_reads_everything(action: str) -> None:
    assert allowed(RoleName.AUDITOR, action)


@each("action", sorted(PERMISSIONS))
def test_a_project_administrator_may_do_everything_in_it(action: str) -> None:
    assert allowed(RoleName.ADMINISTRATOR, action)


@each("action", [action for action in PERMISSIONS if action.endswith(":withdraw")])
def test_a_technician_withdraws_nothing(action: str) -> None:
    assert not allowed(RoleName.TECHNICIAN, action)


def test_only_administrators_manage_members() -> None:
    for action in ("membership:create", "membership:change", "membership:withdraw", "project:change"):
        assert PERMISSIONS[action] == {RoleName.ADMINISTRATOR}


def test_actions_are_in_the_words_of_the_trail() -> None:
    assert {action.partition(":")[0] for action in PERMISSIONS} <= NOUNS


def test_every_role_has_its_words() -> None:
    assert set(ROLE_TITLES) == set(ROLE_DESCRIPTIONS) == set(RoleName)


def test_a_misspelt_action_is_an_error_and_never_a_permission() -> None:
    with pytest.raises(KeyError):
        allowed(RoleName.ADMINISTRATOR, "measurment:create")


def test_a_refusal_names_the_roles_that_may() -> None:
    with pytest.raises(NotAllowed, match=r"auditor.*administrator, study director, scientist or technician"):
        require(RoleName.AUDITOR, "measurement:create")


def test_one_role_is_read_without_or() -> None:
    assert titles(frozenset({RoleName.ADMINISTRATOR})) == "administrator"
