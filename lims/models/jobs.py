"""Work that goes on while nobody waits for it, and the requests of programs that must not do it twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lims.domain.vocabulary import JobKind, JobState
from lims.models.base import Base, Code, Id, InProject, Name, Prose, Sha256, reference
from lims.models.imports import ImportBatch

ACTIVE = "state IN ('queued', 'running')"


class Job(InProject, Base):
    """The check or the commit of a batch: asked for, under way, or over. Bookkeeping: what a job records is audited as such.

    This table is the truth about jobs; the queue (`lims.jobs.queue`) only wakes a worker. How far a running one is
    stands in the queue's own store, because the job's transaction holds the database meanwhile.
    """

    __tablename__ = "job"
    audited = False

    id: Mapped[Id]
    batch_id: Mapped[int] = reference("import_batch")
    kind: Mapped[JobKind]
    state: Mapped[JobState] = mapped_column(default=JobState.QUEUED)
    user_id: Mapped[int | None] = reference("user_account")
    actor: Mapped[Name]
    origin: Mapped[Code]
    request: Mapped[Code]
    """Who asked, as the audit trail names one (`lims.audit.record.Actor`)."""
    expect: Mapped[str | None] = mapped_column(String(64))
    """Digest of the preview that a person confirmed; empty: check and commit in one go."""
    reason: Mapped[Prose]
    accept: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Kinds of warnings that are acknowledged with the commit."""
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    """How often it was begun: more than once where a process was killed."""
    message: Mapped[Prose | None]
    """Why it failed, and what to do; or what else is to be said of one that is done."""

    batch: Mapped[ImportBatch] = relationship()

    __table_args__ = (
        Index(None, "state", "id"),
        Index(None, "batch_id", "id"),
        # Of one batch one thing is done at a time, however many people click.
        Index("uq_job_of_batch", "batch_id", unique=True, sqlite_where=text(ACTIVE), postgresql_where=text(ACTIVE)),
    )

    @property
    def active(self) -> bool:
        """Tell whether it still waits or runs."""
        return self.state in (JobState.QUEUED, JobState.RUNNING)


class ImportRequest(InProject, Base):
    """A program's request to import, under the key that it chose: the same key again is the same request. Bookkeeping."""

    __tablename__ = "import_request"
    audited = False

    id: Mapped[Id]
    token_id: Mapped[int] = reference("api_token")
    key: Mapped[Name]
    body_sha256: Mapped[Sha256]
    """Of everything that was asked, whatever its form."""
    batch_id: Mapped[int] = reference("import_batch")
    made_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("token_id", "project_id", "key"),)
