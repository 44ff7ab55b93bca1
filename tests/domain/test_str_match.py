"""STR profiles and their match."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.errors import DomainError
from lims.domain.str_match import AUTOSOMAL_LOCI, LOCI, StrVerdict, match, parse_profile, profile_lines

PROFILE = """
AMEL: X
CSF1PO: 10
D5S818: 11, 12
D7S820: 8 / 9
D13S317\t11; 9
D16S539 = 11,11
TH01 6 9.3
Penta D 9,12
vWA: 14,15
TPOX: 8,12
"""


def test_a_profile_as_laboratories_write_it() -> None:
    profile = parse_profile(PROFILE)

    assert profile_lines(profile) == [
        "CSF1PO: 10",
        "D5S818: 11, 12",
        "D7S820: 8, 9",
        "D13S317: 9, 11",
        "D16S539: 11",
        "Penta D: 9, 12",
        "TH01: 6, 9.3",
        "TPOX: 8, 12",
        "vWA: 14, 15",
        "AMEL: X",
    ]
    assert parse_profile("\n".join(profile_lines(profile))) == profile


@pytest.mark.parametrize(
    ("line", "locus", "alleles"),
    [
        ("amelogenin: y, x", "AMEL", ("X", "Y")),
        ("VWA: 17", "vWA", ("17",)),
        ("THO1: 9.3, 7", "TH01", ("7", "9.3")),
        ("penta_e: 7.0, 07", "Penta E", ("7",)),
        ("D21S11: 30, 32.2, 29", "D21S11", ("29", "30", "32.2")),
        ("DYS391: 10", "DYS391", ("10",)),
        ("D5S818: 9, 10, 11, 12", "D5S818", ("9", "10", "11", "12")),
    ],
)
def test_spellings(line: str, locus: str, alleles: tuple[str, ...]) -> None:
    assert parse_profile(line) == {locus: alleles}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The STR profile is empty."),
        ("\n \n", "The STR profile is empty."),
        ("D5S818: 11\n\nD5S8: 12", 'Line 3: no STR locus called "D5S8" is known.'),
        ("D5S818: 11\nD7S820: 8\nd5s818: 12", "Line 3: D5S818 stands in line 1 already."),
        ("D5S818:", "Line 1: D5S818 has no allele."),
        ("D5S818", "Line 1: D5S818 has no allele."),
        ("rubbish", 'Line 1: "rubbish" names no locus and alleles.'),
        (": 11", 'Line 1: no STR locus called "" is known.'),
        ("D5S818: OL", 'Line 1: D5S818 has the allele "OL".'),
        ("D5S818: 11, ?", 'Line 1: D5S818 has the allele "?".'),
        ("D5S818: 0", 'Line 1: D5S818 has the allele "0".'),
        ("D5S818: 61", 'Line 1: D5S818 has the allele "61".'),
        ("D5S818: 9.35", 'Line 1: D5S818 has the allele "9.35".'),
        ("D5S818: -11", 'Line 1: D5S818 has the allele "-11".'),
        ("D5S818: １１", 'Line 1: D5S818 has the allele "１１".'),
        ("D5S818: X", 'Line 1: D5S818 has the allele "X".'),
        ("AMEL: 11", 'Line 1: AMEL has the allele "11".'),
        ("D5S818: 1,2,3,4,5,6,7,8,9", "Line 1: D5S818 has 9 alleles."),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(DomainError) as refused:
        parse_profile(text)

    assert str(refused.value) == sentence
    assert refused.value.field == "alleles"
    assert refused.value.expected


def typed(count: int, *alleles: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(AUTOSOMAL_LOCI[:count], alleles)


@pytest.mark.parametrize(
    ("changed", "tanabe", "verdict"),
    [
        (0, 100.0, StrVerdict.RELATED),
        (1, 95.0, StrVerdict.RELATED),
        (2, 90.0, StrVerdict.RELATED),  # the edge belongs to related
        (3, 85.0, StrVerdict.AMBIGUOUS),
        (4, 80.0, StrVerdict.AMBIGUOUS),  # the edge belongs to ambiguous
        (5, 75.0, StrVerdict.UNRELATED),
        (10, 50.0, StrVerdict.UNRELATED),
    ],
)
def test_thresholds(changed: int, tanabe: float, verdict: StrVerdict) -> None:
    query = typed(10, "11", "12") | typed(changed, "11", "13")
    found = match(query, typed(10, "11", "12"))

    assert (found.tanabe_percent, found.masters_percent, found.verdict) == (tanabe, tanabe, verdict)
    assert (found.shared, found.query_alleles, found.reference_alleles) == (20 - changed, 20, 20)


def test_a_lost_allele_weighs_less_by_masters() -> None:
    found = match(typed(8, "11"), typed(8, "11", "12"))

    assert (found.shared, found.query_alleles, found.reference_alleles) == (8, 8, 16)
    assert found.masters_percent == 100
    assert found.tanabe_percent == pytest.approx(200 * 8 / 24)
    assert found.verdict is StrVerdict.UNRELATED


def test_only_autosomal_loci_typed_in_both_count() -> None:
    query = {**typed(10, "11"), "AMEL": ("X",), "DYS391": ("10",)}
    reference = {**typed(9, "11"), "AMEL": ("X", "Y"), "DYS391": ("11",), "vWA": ("14",)}

    found = match(query, reference)

    assert found.loci == AUTOSOMAL_LOCI[:9]
    assert found.tanabe_percent == 100


def test_too_few_loci_in_common() -> None:
    few = {**typed(2, "11"), "AMEL": ("X",)}
    with pytest.raises(DomainError, match=r"Only 2 loci are typed in both profiles: CSF1PO, D1S1656\. Fewer than 8") as refused:
        match(few, typed(20, "11"))
    assert refused.value.field == "alleles"

    with pytest.raises(DomainError, match=r"Only 7 loci"):
        match(typed(7, "11"), typed(20, "11"))
    with pytest.raises(DomainError, match=r"Only 0 loci are typed in both profiles\. "):
        match({}, {})


ALLELES = st.sets(st.integers(min_value=1, max_value=60).map(str), min_size=1, max_size=4).map(tuple)
PROFILES = st.fixed_dictionaries(dict.fromkeys(AUTOSOMAL_LOCI[:8], ALLELES))


@given(PROFILES, PROFILES)
def test_a_match_is_between_nothing_and_all(query: dict[str, tuple[str, ...]], reference: dict[str, tuple[str, ...]]) -> None:
    found = match(query, reference)

    assert 0 <= found.tanabe_percent <= 100
    assert 0 <= found.masters_percent <= 100
    assert match(reference, query).tanabe_percent == found.tanabe_percent
    assert match(query, query).verdict is StrVerdict.RELATED


@given(st.dictionaries(st.sampled_from(LOCI[:25]), ALLELES, min_size=1))
def test_what_is_written_reads_back(profile: dict[str, tuple[str, ...]]) -> None:
    lines = profile_lines(parse_profile("\n".join(profile_lines(profile))))

    assert profile_lines(parse_profile("\n".join(reversed(lines)))) == lines


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        profile = parse_profile(text)
    except DomainError as refused:
        assert refused.field == "alleles"
        return
    assert profile
