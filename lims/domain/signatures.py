"""Electronic signatures: what one says, what it does, and how it stands to what was signed.

A signature shows the signer's printed name, the time and what it means (21 CFR 11.50), and is bound to what was signed
(11.70): whether it holds follows from the record as it is now, and is stored nowhere.
"""

from __future__ import annotations

from enum import StrEnum

from lims.domain.errors import DomainError

NAMED_SIGNERS_ONLY = "21 CFR 11.200(a)(3)"


class SignatureMeaning(StrEnum):
    """What a person says by signing (21 CFR 11.50(a)(3))."""

    APPROVED = "approved"
    REVIEWED = "reviewed"
    RESPONSIBLE = "responsible"


class SignatureAct(StrEnum):
    """What a signature does: locks a study, stands beside the one that did, amends a locked study, marks a review of the trail."""

    LOCK = "lock"
    COUNTERSIGN = "countersign"
    AMENDMENT = "amendment"
    REVIEW = "review"


class Standing(StrEnum):
    """How a signature stands to what was signed."""

    VALID = "valid"
    SUPERSEDED = "superseded"
    CHANGED = "changed"
    BROKEN = "broken"
    MISSING = "missing"


MEANING_WORDS: dict[SignatureMeaning, str] = {
    SignatureMeaning.APPROVED: "I approve this",
    SignatureMeaning.REVIEWED: "I have reviewed this",
    SignatureMeaning.RESPONSIBLE: "I am responsible for this",
}

ACT_WORDS: dict[SignatureAct, str] = {
    SignatureAct.LOCK: "locked the study",
    SignatureAct.COUNTERSIGN: "signed the locked study",
    SignatureAct.AMENDMENT: "amended the locked study",
    SignatureAct.REVIEW: "reviewed the audit trail",
}

STANDING_WORDS: dict[Standing, str] = {
    Standing.VALID: "valid",
    Standing.SUPERSEDED: "no longer valid: an amendment came after it",
    Standing.CHANGED: "no longer valid: what was signed has changed",
    Standing.BROKEN: "invalid: it is not the signature that was given",
    Standing.MISSING: "gone: the audit trail tells of this signature, and its record was removed",
}


def require_signer(signer: int | None) -> int:
    """Give the account that signs.

    Raises:
        DomainError: it is the command line or a program, which nobody can hold to a signature.
    """
    if signer is None:
        raise DomainError(
            "A signature is a person's own.",
            expected="somebody who signed in and gives the password again",
            source=NAMED_SIGNERS_ONLY,
        )
    return signer


def require_unchanged(seen: str, now: str) -> None:
    """Refuse to sign what is not what the person had before them.

    Raises:
        DomainError: it changed meanwhile.
    """
    if seen != now:
        raise DomainError(
            "What you are about to sign has changed since this page was opened.",
            remedy="Look at the study again, then open this form anew.",
        )
