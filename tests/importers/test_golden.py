"""Every file of `tests/golden` reads exactly as the JSON beside it says: a file and its expectation, dropped in, are a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.golden import FOLDER, expectation, pairs, told


@pytest.mark.parametrize("file", pairs(), ids=lambda file: file.name)
def test_a_file_reads_as_it_is_expected_to(file: Path) -> None:
    expected = json.loads(expectation(file).read_text(encoding="utf-8"))

    found = told(file, expected.get("choices", {}))

    assert found == {key: value for key, value in expected.items() if key != "choices"}


def test_no_expectation_is_without_its_file() -> None:
    assert {one.name for one in FOLDER.glob("*.json")} == {expectation(one).name for one in pairs()}
