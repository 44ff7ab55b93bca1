"""Writes patients, specimens and PDX models."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.record import Actor, declare
from lims.domain.identifiers import clean_identifier
from lims.models import PdxModel
from lims.records.common import add_or_reinstate


def add_models(session: Session, actor: Actor, project_id: int, codes: Sequence[str], *, reason: str = "") -> list[PdxModel]:
    """Record models by code, where an old file names no more than that."""
    declare(session, actor, "model:create", reason=reason, project=project_id)
    cleaned = [clean_identifier(code, what="model code") for code in codes]
    known = session.scalars(select(PdxModel).where(PdxModel.project_id == project_id, PdxModel.code.in_(cleaned)))
    existing = {model.code: model for model in known}
    wanted = [(code, {"project_id": project_id, "code": code}) for code in cleaned]
    return add_or_reinstate(session, existing, wanted, PdxModel)
