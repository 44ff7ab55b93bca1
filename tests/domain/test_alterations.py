"""What an alteration has to say, and what its value comes to."""

from __future__ import annotations

import pytest

from lims.domain.alterations import Call, call_of, require_value, unusual
from lims.domain.errors import DomainError
from lims.domain.tissue_terms import AlterationKind

MUTATION, COPIES, FUSION, EXPRESSION, PROTEIN = AlterationKind


@pytest.mark.parametrize(
    ("kind", "copies", "ratio", "expected"),
    [
        (MUTATION, None, None, Call.MUTATION),
        (FUSION, None, None, Call.FUSION),
        (COPIES, 12, None, Call.AMPLIFIED),
        (COPIES, 6, None, Call.AMPLIFIED),
        (COPIES, 5.9, None, Call.GAIN),
        (COPIES, 2.6, None, Call.GAIN),
        (COPIES, 2.4, None, Call.NEUTRAL),
        (COPIES, 1, None, Call.LOSS),
        (COPIES, 0, None, Call.DELETED),
        (COPIES, 0, 3.0, Call.DELETED),  # copies say more than a ratio
        (COPIES, None, 1.0, Call.AMPLIFIED),
        (COPIES, None, 0.5, Call.GAIN),
        (COPIES, None, 0.2, Call.NEUTRAL),
        (COPIES, None, -0.5, Call.LOSS),
        (COPIES, None, -1.0, Call.DELETED),
        (EXPRESSION, None, 1.0, Call.UP),
        (EXPRESSION, None, 0.9, Call.UNCHANGED),
        (EXPRESSION, None, -1.4, Call.DOWN),
        (PROTEIN, None, None, Call.STAINED),
    ],
)
def test_values_come_to_a_word(kind: AlterationKind, copies: float | None, ratio: float | None, expected: Call) -> None:
    assert call_of(kind, copies, ratio) is expected


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        (MUTATION, {"copies": 3.0}, "hgvs"),
        (COPIES, {"hgvs": "p.His1047Arg"}, "copies"),
        (FUSION, {"vaf_percent": 12.0}, "hgvs"),
        (EXPRESSION, {}, "log2_ratio"),
        (PROTEIN, {"copies": 2.0}, "h_score"),
    ],
)
def test_a_finding_without_a_value_of_its_kind_is_refused(kind: AlterationKind, values: dict[str, object], field: str) -> None:
    with pytest.raises(DomainError, match="without a value") as refused:
        require_value(kind, values)
    assert refused.value.field == field
    assert refused.value.expected


@pytest.mark.parametrize(
    ("kind", "values"),
    [(MUTATION, {"vaf_percent": 0.0}), (COPIES, {"copies": 0.0}), (EXPRESSION, {"log2_ratio": 0.0}), (PROTEIN, {"h_score": 0.0})],
)
def test_zero_is_a_value(kind: AlterationKind, values: dict[str, object]) -> None:
    require_value(kind, values)
    assert unusual(kind, values) == []


@pytest.mark.parametrize(
    "change", ["p.His1047Arg", "p.H1047R", "c.3140A>G", "NM_006218.4:c.3140A>G", "NM_006218.4(PIK3CA):c.3140A>G", "p.(His1047Arg)"]
)
def test_changes_as_hgvs_writes_them_are_usual(change: str) -> None:
    assert unusual(MUTATION, {"hgvs": change}) == []


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        (MUTATION, {"hgvs": "H1047R"}, "not written as HGVS"),
        (FUSION, {"hgvs": "ERBB2-GRB7"}, "two partners"),
        (COPIES, {"copies": 8.0, "h_score": 120.0}, "no H-score"),
    ],
)
def test_what_does_not_belong_is_asked_about(kind: AlterationKind, values: dict[str, object], told: str) -> None:
    (notice,) = unusual(kind, values)
    assert told in notice.message
    assert notice.severity == "warning"
