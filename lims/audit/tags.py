"""The vocabulary of actions: `noun:verb`, so that a trail can be filtered and no two words mean the same."""

from __future__ import annotations

NOUNS = frozenset(
    {
        "action",
        "agent",
        "alias",
        "aliquot",
        "alteration",
        "animal",
        "arm",
        "assay",
        "audit",
        "batch",
        "cage",
        "check",
        "consent",
        "dose",
        "endpoint",
        "enrolment",
        "exposure",
        "fate",
        "implant",
        "import-profile",
        "kind",
        "lot",
        "measurement",
        "membership",
        "model",
        "patient",
        "pattern",
        "place",
        "preparation",
        "procedure",
        "profile",
        "project",
        "protocol",
        "randomisation",
        "regimen",
        "session",
        "specimen",
        "stain",
        "study",
        "system",
        "therapy",
        "token",
        "user",
        "view",
    }
)
VERBS = frozenset(
    {
        "amend",
        "change",
        "check",
        "checkpoint",
        "commit",
        "create",
        "export",
        "fail",
        "lock",
        "open",
        "close",
        "reset",
        "review",
        "set-up",
        "sign",
        "store",
        "supersede",
        "unblind",
        "withdraw",
    }
)


def check_tag(action: str) -> str:
    """Give the action back, or raise `ValueError` where it is not of the vocabulary."""
    noun, _, verb = action.partition(":")
    if noun not in NOUNS or verb not in VERBS:
        raise ValueError(f"{action!r} is no action of the audit vocabulary; expected noun:verb as in lims/audit/tags.py")
    return action
