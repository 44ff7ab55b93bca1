"""Requests of programs to import, by the key that each chose: sent again, for whatever reason, it is the same request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lims.domain.errors import DomainError
from lims.models import ImportBatch, ImportRequest

KEPT = timedelta(days=30)
LONGEST_KEY = 200


def known_batch(session: Session, token_id: int, project_id: int, key: str, body_sha256: str) -> ImportBatch | None:
    """Give the batch that a request under this key made before; nothing where the key is new.

    Raises:
        DomainError: the key is none, or was used for another request.
    """
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise DomainError(
            "The Idempotency-Key cannot be used.", expected=f"1 to {LONGEST_KEY} printable ASCII characters, such as a UUID"
        )
    mine = (ImportRequest.token_id == token_id, ImportRequest.project_id == project_id, ImportRequest.key == key)
    before = session.scalar(select(ImportRequest).where(*mine))
    if before is None:
        return None
    if before.body_sha256 != body_sha256:
        raise DomainError(
            f"This Idempotency-Key was used before, for another request (batch {before.batch_id}); nothing was done.",
            expected="the same file and the same parameters under the same key",
            remedy="Use a new key for each import, and the same one only to repeat it.",
        )
    return session.get_one(ImportBatch, before.batch_id)


def keep_request(session: Session, token_id: int, batch: ImportBatch, key: str, body_sha256: str) -> None:
    """Keep which batch a request made, and forget the token's old ones."""
    now = datetime.now(UTC)
    session.execute(delete(ImportRequest).where(ImportRequest.token_id == token_id, ImportRequest.made_at < now - KEPT))
    session.add(
        ImportRequest(
            project_id=batch.project_id, token_id=token_id, key=key, body_sha256=body_sha256, batch_id=batch.id, made_at=now
        )
    )
    session.flush()
