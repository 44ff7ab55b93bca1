"""Patients are known by a pseudonym: what looks like a name, a date of birth or a hospital number is refused."""

from __future__ import annotations

import re

from lims.domain.errors import DomainError
from lims.domain.identifiers import clean_identifier

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
    raise DomainError(told, field=field, expected="nothing that identifies a person", remedy=remedy)


def _identifies(code: str, why: str) -> DomainError:
    return DomainError(
        f'The patient code "{code}" {why}.',
        field="code",
        expected=EXPECTED,
        remedy="Keep the list that says whose code it is outside this system.",
    )
