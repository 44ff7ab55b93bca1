"""Answers to a file's questions, as its history tells them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importers.mapping import KEY, MappedColumn, TableMapping
from lims.audit.answers import answers_changed
from lims.audit.history import sentence

MAPPING = TableMapping(
    "s",
    1,
    (
        MappedColumn("Tier", "animal"),
        MappedColumn("KG", "value", kind="body_weight", unit="g"),
        MappedColumn("Ohr", "unread", reason="clipped ears"),
    ),
).to_text()
COLUMNS = "(Tier: animal; KG: body weight in g; Ohr: not read, clipped ears)"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (None, {}, "none"),
        ({}, {"decimal": "comma"}, "decimal comma"),
        ({"decimal": "comma", "date": "2026-03-02"}, {"decimal": "point"}, "decimal comma → point; date taken back"),
        ({"decimal": "comma"}, {"decimal": "comma", KEY: MAPPING}, f"mapping {COLUMNS}"),
        (None, {"animal_column": "roi_label", "create": "animals,arms"}, "animal column roi label; create animals, arms"),
        (None, {"animal:M_07": "M_7,a"}, "animal:M_07 M_7,a"),
        ({}, {KEY: "{"}, "mapping that cannot be read"),
        (None, ["a", "b"], None),
    ],
)
def test_answers_are_told_by_what_differs(old: Any, new: Any, told: str | None) -> None:
    assert answers_changed(old, new) == told
    if told is not None:
        assert sentence("import_batch", "choices", json.dumps(old), json.dumps(new)) == f"answers {told}"
