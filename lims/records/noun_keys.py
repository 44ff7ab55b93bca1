"""What tells the records of a noun apart: codes that are given, keys that are taken, and withdrawn records that come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.errors import DomainError, each_row
from lims.domain.sources import NEVER_CHANGED, NEVER_TWICE
from lims.domain.vocabulary import RecordStatus
from lims.queries.chunks import in_chunks
from lims.records.naming import next_codes
from lims.records.noun import Draft, Noun, Record
from lims.records.values import word


def give_codes(session: Session, noun: Noun[Record], project_id: int, drafts: Sequence[Draft]) -> None:
    """Give the next free codes of the project to drafts that have none."""
    unnamed = [draft for draft in drafts if not draft.values.get("code")]
    for draft, code in zip(unnamed, next_codes(session, project_id, noun.name, len(unnamed), noun.model), strict=True):
        draft.values["code"] = code


def with_withdrawn(
    session: Session, noun: Noun[Record], project_id: int, drafts: Sequence[Draft], rows: Sequence[Mapping[str, Any]]
) -> list[Draft]:
    """Let a withdrawn record of the same key come back: as it stands, with what the row says and nothing that it leaves out."""
    keys = [tuple(draft.values[name] for name in noun.key) for draft in drafts]
    existing = _known(session, noun, project_id, keys)
    return each_row(
        zip(keys, drafts, rows, strict=True),
        lambda one: _returning(noun, existing[one[0]], one[1], one[2]) if one[0] in existing else one[1],
    )


def _known(session: Session, noun: Noun[Record], project_id: int, keys: Sequence[tuple[Any, ...]]) -> dict[Any, Record]:
    """Give the withdrawn records of these keys; an active one, or a key that stands twice in the list, refuses."""
    times, seen = Counter(keys), set[tuple[Any, ...]]()
    model: Any = noun.model
    first = getattr(model, noun.key[0])
    known = in_chunks(
        session, sorted({key[0] for key in keys}), lambda some: select(model).where(model.project_id == project_id, first.in_(some))
    )
    found = {tuple(getattr(one, name) for name in noun.key): one for (one,) in known}

    def require_free(key: tuple[Any, ...]) -> None:
        if key in seen:
            raise _taken(noun, key, f"stands {times[key]} times in this list")
        seen.add(key)
        if key in found and found[key].status is RecordStatus.ACTIVE:
            raise _taken(noun, key, "exists already")

    each_row(keys, require_free)
    return found


def _returning(noun: Noun[Record], withdrawn: Record, draft: Draft, row: Mapping[str, Any]) -> Draft:
    standing = {name: getattr(withdrawn, name) for name in noun.columns | noun.derived}
    said = {name: draft.values[name] for name, value in row.items() if value is not None and name in draft.values}
    for name in sorted(noun.fixed & said.keys()):
        if standing[name] != said[name]:
            told = f'"{withdrawn.audit_label}" was withdrawn, and had another {word(noun.model, name)}.'
            raise DomainError(
                f"{noun.word[0].upper()}{noun.word[1:]} {told}",
                field=noun.key[-1],
                expected=f"a {word(noun.model, noun.key[-1])} that no {noun.word} had before",
                remedy=f"Bring the withdrawn {noun.word} back, or use another code.",
                source=NEVER_CHANGED,
            )
    return replace(draft, values=standing | said, record=withdrawn)


def _taken(noun: Noun[Record], key: tuple[Any, ...], told: str) -> DomainError:
    return DomainError(
        f'{noun.word[0].upper()}{noun.word[1:]} "{key[-1]}" {told}.',
        field=noun.key[-1],
        expected=f"a {word(noun.model, noun.key[-1])} no other {noun.word} has",
        source=NEVER_TWICE,
    )
