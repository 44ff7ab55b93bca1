"""Writes the kinds of measurement that a laboratory adds to those of the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lims.domain.errors import Conflict, DomainError
from lims.domain.sources import CONSISTENT, NEVER_TWICE
from lims.domain.vocabulary import KIND_BY_CODE, RecordStatus
from lims.models import LabKind, Measurement
from lims.records.noun import Draft, Noun

CODE = re.compile(r"[a-z][a-z0-9_]{1,39}", re.ASCII)


def _check(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a code that files and addresses cannot carry, one of the vocabulary's, and limits that contradict each other."""
    for draft in drafts:
        values = draft.values
        if not CODE.fullmatch(values["code"]):
            raise DomainError(
                f'"{values["code"]}" cannot name a kind in files and addresses.',
                field="code",
                expected="small letters, digits and _, beginning with a letter, such as rotarod_latency",
                source=CONSISTENT,
            )
        known = KIND_BY_CODE.get(values["code"])
        titles = {kind.title.casefold(): kind for kind in KIND_BY_CODE.values()}
        known = known or titles.get(values["title"].casefold())
        if known is not None:
            raise DomainError(
                f"{known.title} is a kind that every project has.",
                field="code" if known.code == values["code"] else "title",
                expected="a kind that is not there yet",
                source=NEVER_TWICE,
            )
        _check_limits(draft)


def _check_limits(draft: Draft) -> None:
    values = draft.values
    low, high = values["hard_min"], values["hard_max"]
    if high <= low:
        raise DomainError(
            f"Nothing lies between {low:g} and {high:g}.", field="hard_max", expected=f"more than {low:g}", source=CONSISTENT
        )
    for name in ("soft_min", "soft_max"):
        soft = values[name]
        if soft is not None and not low <= soft <= high:
            raise DomainError(
                f"{soft:g} is refused already: values go from {low:g} to {high:g}.",
                field=name,
                expected=f"{low:g} to {high:g}, or nothing",
                source=CONSISTENT,
            )
    if values["soft_min"] is not None and values["soft_max"] is not None and values["soft_min"] > values["soft_max"]:
        raise DomainError(
            "The usual values end before they begin.",
            field="soft_max",
            expected=f"{values['soft_min']:g} or more",
            source=CONSISTENT,
        )


def _keep_measured(session: Session, kind: LabKind) -> None:
    own = Measurement.project_id == kind.project_id, Measurement.kind == kind.code, Measurement.status == RecordStatus.ACTIVE
    readings = session.scalar(select(func.count()).select_from(Measurement).where(*own))
    if readings:
        counted = f"{readings} reading of this kind counts" if readings == 1 else f"{readings} readings of this kind count"
        raise Conflict(f"{counted}.", remedy="Withdraw them first.")


KIND: Noun[LabKind] = Noun("kind", LabKind, check=_check, stay=_keep_measured, fixed=frozenset({"code", "unit", "subject"}))
