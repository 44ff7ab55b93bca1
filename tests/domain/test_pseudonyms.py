"""What may be a patient's code: refused, doubted and neither."""

from __future__ import annotations

import pytest

from lims.domain.errors import DomainError
from lims.domain.pseudonyms import PSEUDONYM_SOURCE, clean_patient_code, doubt_patient_code, words_in


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("Anna Jansen", "reads like a person's name"),
        ("Jansen, A. 7", "reads like a person's name"),
        ("Jansen", "reads like a person's name"),
        ("P 1968-04-12", "contains a full date"),
        ("P-12.04.68", "contains a full date"),
        ("P4711042", "contains a number of six digits or more"),
    ],
)
def test_what_identifies_a_person_is_refused(code: str, why: str) -> None:
    with pytest.raises(DomainError) as refused:
        clean_patient_code(code)
    assert f'The patient code "{code}" {why}' in str(refused.value)
    assert (refused.value.field, refused.value.source) == ("code", PSEUDONYM_SOURCE)
    assert refused.value.expected
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("MUSTERMANN1", "MUSTERMANN"),
        ("ASchmidt71", "ASchmidt"),
        ("schmidt71", "schmidt"),
        ("Schmidt-71", "Schmidt"),
        ("71_Schmidt", "Schmidt"),
        ("Lee7", "Lee"),
        ("MÜLLER-3", "MÜLLER"),
        ("BCBM-Jansen-3", "Jansen"),
        ("P07 Ødegård", "Ødegård"),
    ],
)
def test_what_could_be_a_name_is_doubted(code: str, word: str) -> None:
    assert clean_patient_code(code) == code
    (notice,) = doubt_patient_code(code)
    assert notice.message == f'"{word}" in the patient code "{code}" could be a person\'s name.'
    assert (notice.severity, notice.field, notice.source) == ("warning", "code", PSEUDONYM_SOURCE)
    assert notice.expected
    assert doubt_patient_code(code, words_in(code)) == []


@pytest.mark.parametrize(
    "code",
    [
        *("P07", "p07", "P7a", "BCBM-003", "BCBM-P01", "HER2-12", "her2-12", "PDX-7", "W-P01", "PT12", "JD-71", "LEE-7", "TNBC4"),
        *("CRC0112", "PATIENT-07", "Donor3", "brain-12", "NCT-04-12", "BM-Pat-1", "2024/17"),
    ],
)
def test_codes_of_laboratories_are_not_doubted(code: str) -> None:
    assert doubt_patient_code(clean_patient_code(code)) == []


def test_a_word_of_the_project_is_no_name() -> None:
    known = words_in("DEBBRAH-2") | words_in("Charité 7")
    assert known == {"debbrah", "charité"}
    assert doubt_patient_code("DEBBRAH-07", known) == []
    assert doubt_patient_code("Charité-9", known) == []
    assert len(doubt_patient_code("DEBBRAH-Jansen-07", known)) == 1
