"""Identifiers: normalised, and refused where two that look alike would differ."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.errors import DomainError
from lims.domain.identifiers import LONGEST, as_scanned, clean_identifier


@pytest.mark.parametrize("text", ["M1", "BC-0007", "A:1", "MG R4", "Zoë", "小鼠 7", "M_1/2.b"])
def test_names_of_labs_stay_as_they_are(text: str) -> None:
    assert clean_identifier(f"  {text}\n") == text


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\ufeff", "\x00", "\x1b", "\u2028", "\ue000", "\ud800", "\u00ad"])
def test_what_does_not_show_is_refused_and_named(hidden: str) -> None:
    with pytest.raises(DomainError, match=f"U\\+{ord(hidden):04X}") as refused:
        clean_identifier(f"M{hidden}1", what="animal id")

    assert refused.value.field == "animal id"
    assert refused.value.remedy
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("text", ["", "  ", "\t\n"])
def test_nothing_is_no_identifier(text: str) -> None:
    with pytest.raises(DomainError, match="is empty"):
        clean_identifier(text)


def test_the_longest() -> None:
    assert clean_identifier("M" * LONGEST) == "M" * LONGEST
    with pytest.raises(DomainError, match="81 characters"):
        clean_identifier("M" * 81)
    assert len(clean_identifier("M" * 200, longest=200)) == 200


@given(st.text(max_size=100))
def test_whatever_is_accepted_is_normal_and_stays_so(text: str) -> None:
    try:
        cleaned = clean_identifier(text)
    except DomainError as refused:
        assert str(refused)
        return
    assert cleaned == clean_identifier(cleaned) == unicodedata.normalize("NFC", cleaned).strip()
    assert clean_identifier(unicodedata.normalize("NFD", text)) == cleaned


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("AL-00012", ("AL-00012",)),
        ("AL-00012\r\n", ("AL-00012",)),
        (" AL-00012,\t", ("AL-00012",)),
        ("AL-00012AL-00012", ("AL-00012AL-00012", "AL-00012")),
        ("AL-00012\nal-00012\n", ("AL-00012 al-00012", "AL-00012")),
        ("AL-00012,AL-00012", ("AL-00012,AL-00012", "AL-00012")),
        ("\ufeffAL-\u200b1", ("AL-1",)),
        ("Zoe\u0308", ("Zoë",)),
        ("1212", ("1212",)),
        ("MG R4 MG R4", ("MG R4 MG R4", "MG R4")),
        (" ,\n", ()),
        ("", ()),
    ],
)
def test_what_a_scanner_adds_is_left_out(read: str, meant: tuple[str, ...]) -> None:
    assert as_scanned(read) == meant


@given(st.text())
def test_whatever_is_read_has_a_meaning_or_none(read: str) -> None:
    for meant in as_scanned(read):
        assert meant
        assert as_scanned(meant)[0] == meant
