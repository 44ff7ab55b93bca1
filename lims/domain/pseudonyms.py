"""Patients are known by a pseudonym: what looks like a name, a date of birth or a hospital number is refused.

Source: GDPR, article 4(5): pseudonymised data cannot be attributed to a person without what is kept apart from it; HIPAA
Privacy Rule, 45 CFR 164.514(b)(2): names, dates of a person more exact than the year, and numbers of records identify. What
only could be a name, such as letters of a word in front of a number, is a person's to judge, and is doubted.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from lims.domain.errors import DomainError
from lims.domain.identifiers import clean_identifier
from lims.domain.notices import Notice

PSEUDONYM_SOURCE = "GDPR, article 4(5); HIPAA, 45 CFR 164.514(b)(2)"

_DATE = re.compile(r"(?<!\d)(?:(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:\d\d|(?:19|20)\d\d))(?!\d)")
_LONG_NUMBER = re.compile(r"\d{6,}")
_DIGIT = re.compile(r"\d")
_NAME = re.compile(r"[^\W\d_][a-zà-ÿ'’]{2,}[ ,.]+[^\W\d_]")
_DAY, _MONTH = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE_IN_PROSE = re.compile(
    rf"(?<!\d)(?:(?:19|20)\d\d[-./]{_DAY}[-./]{_DAY}|{_DAY}[-./]{_DAY}[-./](?:19|20)\d\d|[0-3]\d[-./][0-3]\d[-./]\d\d"
    rf"|{_DAY}\.? ?{_MONTH}\.? ?(?:19|20)\d\d|{_MONTH} {_DAY}, ?(?:19|20)\d\d)(?!\d)",
    re.IGNORECASE,
)
_LOOSE_NUMBER = re.compile(r"(?<![A-Za-z\d])\d{6,}")
"""Numbers of registers, such as NCT04420598, have their letters in front."""
_WORD = re.compile(r"[^\W\d_]+")
_VOWEL = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœ]", re.IGNORECASE)
_NO_NAME = re.compile(
    r"arm|bank|biopsy|brain|breast|case|cent(er|re)|cohort|control|donor|her|lab|mouse|participant|pat(ient)?|pdx|pilot|project"
    r"|sample|series|site|specimen|study|sub(ject)?|test|tissue|trial|tumou?r",
    re.IGNORECASE,
)
"""Words that laboratories put into codes, and that nobody takes for a person's name."""
EXPECTED = "a pseudonym of letters and a short number, such as BCBM-P01"


def clean_patient_code(text: str) -> str:
    """Give the patient code as it is kept.

    Raises:
        DomainError: it is empty, or looks like a name, a full date or a hospital number.
    """
    code = clean_identifier(text, what="patient code")
    if _DATE.search(code):
        raise _identifies(code, "contains a full date, which may be a date of birth")
    if _LONG_NUMBER.search(code):
        raise _identifies(code, "contains a number of six digits or more, which may be a hospital number or a date of birth")
    if not _DIGIT.search(code) or _NAME.search(code):
        raise _identifies(code, "reads like a person's name")
    return code


def words_in(code: str) -> frozenset[str]:
    """Give the words in a code, in small letters: what stands between digits and signs."""
    return frozenset(word.casefold() for word in _WORD.findall(code))


def doubt_patient_code(code: str, known: Collection[str] = frozenset()) -> list[Notice]:
    """Doubt a code with a word that could be a person's name (GDPR, article 4(5)); initials and acronyms are none.

    Four letters with a vowel, or three where not all are capitals. `known` are words that are no names in this project, in
    small letters: of its own code, its studies and the patients it has (`words_in`).
    """
    for word in _WORD.findall(code):
        long_enough = len(word) >= (4 if word.isupper() else 3)
        if long_enough and _VOWEL.search(word) and not _NO_NAME.fullmatch(word) and word.casefold() not in known:
            told = f'"{word}" in the patient code "{code}" could be a person\'s name.'
            return [Notice("warning", "code", told, EXPECTED, PSEUDONYM_SOURCE)]
    return []


def refuse_identifying(text: str | None, field: str, what: str) -> None:
    """Refuse prose about a patient that holds a full date or a long number; `what` names the field in the sentence.

    Names cannot be told from other words, so only these clear cases are refused.

    Raises:
        DomainError: the text holds one of them.
    """
    if not text:
        return
    if found := _DATE_IN_PROSE.search(text):
        why, remedy = "a full date, which may be a date of birth", "Write the year; days of consent and treatment have fields."
    elif found := _LOOSE_NUMBER.search(text):
        why, remedy = "a number of six digits or more, which may be a hospital number", "Leave it out."
    else:
        return
    told = f'{what} contains "{found[0]}": {why}.'
    raise DomainError(told, field=field, expected="nothing that identifies a person", remedy=remedy, source=PSEUDONYM_SOURCE)


def _identifies(code: str, why: str) -> DomainError:
    return DomainError(
        f'The patient code "{code}" {why}.',
        field="code",
        expected=EXPECTED,
        remedy="Keep the list that says whose code it is outside this system.",
        source=PSEUDONYM_SOURCE,
    )
