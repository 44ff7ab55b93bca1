"""Refuses records whose noun or fields this application does not have, before anything else is judged of them."""

from __future__ import annotations

from importers.base import Reading, Refused
from lims.intake.plan_records import context_of
from lims.intake.record_nouns import FileNoun, file_nouns


def require_known(reading: Reading) -> None:
    """Look whether all records of a reading are of a noun that a file may write, with fields of that noun.

    Raises:
        Refused: they are not; all unknown fields are named at once.
    """
    nouns = file_nouns()
    for records in reading.records:
        kind = nouns.get(records.noun)
        if kind is None:
            raise Refused(
                "noun-unknown",
                f'A file cannot record any "{records.noun}".',
                expected=f"measurement, or one of {', '.join(sorted({one.noun.name for one in nouns.values()}))}",
                remedy="Correct the noun and send it again.",
            )
        unknown = [f'"{name}"' for name in records.fields if not _known(kind, name)]
        if unknown:
            raise Refused(
                "field-unknown",
                f"Of the noun {kind.noun.name} there is no field {', '.join(unknown)}.",
                expected=f"some of {', '.join(_fields(kind))}",
                remedy="Correct the names of the fields, or leave them out, and send it again.",
            )


def _known(kind: FileNoun, name: str) -> bool:
    if name in kind.beside or kind.column_of(name):
        return True
    try:
        context_of(kind, name)
    except TypeError:
        return False
    return True


def _fields(kind: FileNoun) -> list[str]:
    return [*(name.removesuffix("_id") for name in kind.noun.columns), *kind.beside]
