"""The text a record's only change must have: canonical JSON of exactly its values, whatever stands beside it in its column."""

from itertools import permutations
from typing import Any

import orjson
import pytest

from lims.audit import expected
from lims.audit.canon import canonical
from lims.audit.entities import AuditedColumn, Entity, Kind, live_texts
from lims.audit.expected import Expected

NASTY: tuple[Any, ...] = (
    None,
    "",
    "null",
    0,
    1,
    1.0,
    True,
    False,
    "1",
    "1.0",
    "21.4",
    "é",
    "e\u0301",
    "µ 🐭",
    '"',
    "\\",
    "%",
    "%s %d %%",
    "line\nbreak",
    '"],"b":["x',
    2**62,
    -7,
)


def texts(rows: list[tuple[Any, ...]], kind: Kind = Kind.PLAIN, told: list[str] | None = None) -> list[str]:
    entity = Entity("table", (AuditedColumn("b", "b", Kind.PLAIN), AuditedColumn("a_id", "a", kind)))
    return Expected(entity).texts(rows, told or ["{}"] * len(rows))


def row(value: Any) -> tuple[Any, ...]:
    return (1, "beside", value)


def said(kind: Kind, value: Any) -> str:
    fields = {"b": ["beside"]}
    (live,) = live_texts(kind, [value])
    if live is not None:
        fields["a"] = [live]
    return canonical(fields)


@pytest.mark.parametrize("kind", [Kind.PLAIN, Kind.FRACTION, Kind.DATE, Kind.MOMENT, Kind.JSON])
def test_each_value_gives_the_text_of_that_value_alone(kind: Kind) -> None:
    values = [*NASTY, 0.0, -0.0, 1e300, float("inf")] if kind is Kind.FRACTION else list(NASTY)
    expected_texts = [said(kind, value) for value in values]
    assert texts([row(value) for value in values], kind) == expected_texts
    assert [texts([row(value)] * 2, kind)[1] for value in values] == expected_texts
    for one, other in permutations(range(len(values)), 2):
        assert texts([row(values[one]), row(values[other])], kind) == [expected_texts[one], expected_texts[other]]


def test_equal_values_of_different_types_stay_apart() -> None:
    assert len(set(texts([row(value) for value in NASTY]))) == len(NASTY)


def test_rows_without_any_value_and_without_the_first() -> None:
    assert texts([(1, None, None), (2, None, None)]) == ["{}", "{}"]
    assert texts([(1, "b", None), (2, None, "a"), (3, "b", "a")]) == [
        '{"b":["b"]}',
        '{"a":["a"]}',
        '{"a":["a"],"b":["b"]}',
    ]


def test_what_the_trail_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        texts([row("fine"), row(b"bytes")])


def reference(key: Any, name: Any) -> str:
    return canonical({"a": [[key, name]], "b": ["beside"]})


def test_a_reference_takes_its_name_from_the_trail_and_its_number_from_the_row() -> None:
    told = [reference(3, "M1"), reference(4, 'M"%2'), reference(3, "M1")]
    assert texts([row(3), row(4), row(3)], Kind.REFERENCE, told) == told
    assert texts([row(3), row(5)], Kind.REFERENCE, told[:2]) == [told[0], '{"a":[[5]],"b":["beside"]}']


@pytest.mark.parametrize(
    "told",
    [
        "no json",
        "[]",
        "7",
        "{}",
        '{"a":7}',
        '{"a":[null]}',
        '{"a":[3]}',
        '{"a":[[]]}',
        '{"a":[[true,"M1"]]}',
        '{"a":[[1.0,"M1"]]}',
        '{"a":[["1","M1"]]}',
    ],
)
def test_a_reference_that_the_trail_does_not_name_matches_nothing(told: str) -> None:
    (text,) = texts([row(1)], Kind.REFERENCE, [told])
    assert text != told
    assert orjson.loads(text)["a"] == [[1]]


def test_a_forgotten_name_is_learned_anew() -> None:
    entity = Entity("table", (AuditedColumn("b", "b", Kind.PLAIN), AuditedColumn("a_id", "a", Kind.REFERENCE)))
    known = Expected(entity)
    assert known.texts([row(3)], [reference(3, "old")]) == [reference(3, "old")]
    assert known.texts([row(3)], [reference(3, "new")]) == [reference(3, "old")]
    known.forget([row(3)])
    assert known.texts([row(3)], [reference(3, "new")]) == [reference(3, "new")]


def test_names_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "MAX_NAMES", 1)
    known = Expected(Entity("table", (AuditedColumn("b", "b", Kind.PLAIN), AuditedColumn("a_id", "a", Kind.REFERENCE))))
    for key in range(0, 20, 2):
        told = [reference(key, "one"), reference(key + 1, "other")]
        assert known.texts([row(key), row(key + 1)], told) == told
        assert len(known._names["a"]) == 2
