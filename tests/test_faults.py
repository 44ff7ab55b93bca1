"""docs/faults.md names tests that exist, for every fault and every clause."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "faults.md"
FAULTS, CLAUSES = 40, 18
_NAME = re.compile(r"`([\w/]+\.py)::([\w:]+)`")
_LINE = re.compile(r"^\| (\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)


def names_in(file: str) -> set[str]:
    """Give the names of a module's tests, those of its classes as pytest writes them."""
    module = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    classes = [one for one in module.body if isinstance(one, ast.ClassDef)]
    named = {one.name for one in module.body if isinstance(one, ast.FunctionDef)}
    return named | {f"{group.name}::{one.name}" for group in classes for one in group.body if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize("file", sorted({file for file, _ in _NAME.findall(PAGE.read_text(encoding="utf-8"))}))
def test_tests_that_are_named_exist(file: str) -> None:
    named = {name for of, name in _NAME.findall(PAGE.read_text(encoding="utf-8")) if of == file}
    assert named - names_in(file) == set()
    assert all(name.rpartition("::")[2].startswith("test_") for name in named)


def test_every_fault_and_every_clause_has_tests_or_says_later() -> None:
    lines = _LINE.findall(PAGE.read_text(encoding="utf-8"))
    assert [int(number) for number, _ in lines] == [*range(1, FAULTS + 1), *range(1, CLAUSES + 1)]
    for number, told in lines:
        assert _NAME.search(told) or told.startswith("later: "), number
