"""Patients are known by a pseudonym: what looks like a name, a date of birth or a hospital number is refused."""

from __future__ import annotations

import re

from lims.domain.errors import DomainError
from lims.domain.identifiers import clean_identifier

_DATE = re.compile(r"(?<!\d)(?:(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:\d\d|(?:19|20)\d\d))(?!\d)")
_LONG_NUMBER = re.compile(r"\d{6,}")
_DIGIT = re.compile(r"\d")
_NAME = re.compile(r"[^\W\d_][a-zà-ÿ'’]{2,}[ ,.]+[^\W\d_]")
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


def _identifies(code: str, why: str) -> DomainError:
    return DomainError(
        f'The patient code "{code}" {why}.',
        field="code",
        expected=EXPECTED,
        remedy="Keep the list that says whose code it is outside this system.",
    )
