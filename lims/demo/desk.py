"""Takes the demo's files in as people do: upload, look at the check page, confirm, record; or leave them waiting there."""

from __future__ import annotations

from dataclasses import dataclass

from lims.audit.record import Actor
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import BatchState
from lims.intake import run
from lims.intake.store import FileStore
from lims.intake.upload import receive
from lims.intake.withdraw import withdraw
from lims.models import ImportBatch, Project, Study


class DemoIncomplete(RuntimeError):
    """A file of the demo did not come out as the demo needs it: a defect of the demo or of an importer."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where files come in: one project's."""

    settings: Settings
    database: Database
    project: int

    def check(
        self,
        actor: Actor,
        name: str,
        content: bytes,
        study: int,
        *,
        expect: BatchState = BatchState.CHECKED,
        supersedes: int | None = None,
    ) -> run.Outcome:
        """Store a file and check it; what it would record waits on its check page."""
        batch = self._receive(actor, name, content, study, supersedes=supersedes)
        return _expected(run.check(self.settings, self.settings.url, batch, actor), name, expect)

    def record(
        self, actor: Actor, name: str, content: bytes, study: int, *, supersedes: int | None = None, reason: str = ""
    ) -> int:
        """Check a file, confirm what it asks, and record what its check page showed; gives the batch."""
        checked = self.check(actor, name, content, study, supersedes=supersedes)
        with self.database.transaction() as session:
            run.confirm_proposals(session, actor, session.get_one(ImportBatch, checked.batch_id))
        outcome = run.commit(
            self.settings, self.settings.url, checked.batch_id, actor, expect=checked.report["digest"], reason=reason
        )
        return _expected(outcome, name, BatchState.COMMITTED).batch_id

    def record_at_once(self, actor: Actor, name: str, content: bytes, study: int, answers: dict[str, str]) -> int:
        """Record a file of a known kind with the answers given before, as `lims import --commit` does; gives the batch."""
        batch = self._receive(actor, name, content, study, answers=answers)
        outcome = run.commit(self.settings, self.settings.url, batch, actor)
        return _expected(outcome, name, BatchState.COMMITTED).batch_id

    def _receive(
        self,
        actor: Actor,
        name: str,
        content: bytes,
        study: int,
        *,
        supersedes: int | None = None,
        answers: dict[str, str] | None = None,
    ) -> int:
        with self.database.transaction() as session:
            batch, _ = receive(
                session,
                actor,
                FileStore(self.settings.file_dir),
                session.get_one(Project, self.project),
                name,
                content,
                study=session.get_one(Study, study),
                choices=answers,
                supersedes=session.get_one(ImportBatch, supersedes) if supersedes else None,
            )
        return batch.id

    def withdraw(self, actor: Actor, batch: int, reason: str) -> None:
        """Take a recorded batch back."""
        with self.database.transaction() as session:
            withdraw(session, actor, session.get_one(ImportBatch, batch), reason=reason)


def _expected(outcome: run.Outcome, name: str, state: BatchState) -> run.Outcome:
    if outcome.state is not state:
        said = "; ".join(finding.message for finding in outcome.findings[:3])
        raise DemoIncomplete(f"{name} came out {outcome.state.value}, not {state.value}: {said}")
    return outcome
