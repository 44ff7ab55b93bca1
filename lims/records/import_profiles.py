"""Writes import profiles: how the files of a source are read, kept under a name. Each change is a new version with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from importers.mapping import same_headers
from lims.audit.record import Actor
from lims.domain.errors import DomainError
from lims.domain.sources import CONSISTENT, NEVER_TWICE
from lims.models import ImportProfile, ImportProfileVersion
from lims.queries.import_profiles import latest_versions
from lims.records.noun import Draft, Noun
from lims.records.nouns import begin_change, record
from lims.records.references import check_references

READER_ANSWERS = ("encoding", "delimiter")
"""Answers without which the headers of a text cannot be seen."""
OF_ONE_FILE = frozenset({"create", "leave_out", "changed", "date", "study", "day0"})
"""Answers that hold for one file only, so that no profile keeps them."""
EVERY_FILE = "⟨every file of the format⟩"
"""The one entry of a signature by which a profile knows all files that its importer recognises."""
FIRST, AGAIN = "first version", "saved anew under its old name"


@dataclass(frozen=True, slots=True)
class Content:
    """What a version says: which importer, with which answers, for files with which headers, of which study."""

    importer: str
    choices: Mapping[str, str]
    signature: Sequence[str]
    study_id: int | None = None
    kept: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Leave out what holds for one file only."""
        kept = {key: value for key, value in self.choices.items() if value and key not in OF_ONE_FILE}
        object.__setattr__(self, "kept", kept)


def _check(session: Session, project_id: int, drafts: Sequence[Draft]) -> None:
    """Refuse a name that differs from another one in its case only: on the command line it would mean either."""
    names = {one.profile.name.casefold(): one.profile_id for one in latest_versions(session, project_id)}
    for draft in drafts:
        taken = names.get(draft.values["name"].casefold())
        if taken is not None and (draft.record is None or taken != draft.record.id):
            raise DomainError(
                f'There is an import profile "{draft.values["name"]}" already.',
                field="name",
                expected="a name that no other profile has",
                remedy="Choose another name, or save this as a new version of that profile.",
                source=NEVER_TWICE,
            )


IMPORT_PROFILE: Noun[ImportProfile] = Noun(
    "import-profile", ImportProfile, check=_check, key=("name",), derived=frozenset({"number"})
)


def save_profile(
    session: Session, actor: Actor, project_id: int, *, name: str, content: Content, note: str | None = None
) -> ImportProfileVersion:
    """Save how a file was read under a name; a withdrawn profile of that name comes back with this as its newest version.

    Raises:
        DomainError: the name is taken, or another profile recognises the same headers.
    """
    (profile,) = record(session, actor, IMPORT_PROFILE, project_id, [{"name": name, "note": note}])
    before = session.scalar(select(ImportProfileVersion.id).where(ImportProfileVersion.profile_id == profile.id).limit(1))
    if before is not None:
        profile.number += 1
    return _add_version(session, actor, profile, content, FIRST if before is None else AGAIN)


def change_profile(
    session: Session, actor: Actor, profile: ImportProfile, *, version: int, content: Content, reason: str
) -> ImportProfileVersion:
    """Give a profile a new version; batches that older ones read keep naming those. `version` is the row that was seen.

    Raises:
        DomainError: no reason is given, nothing differs, or another profile recognises the same headers.
        Conflict: somebody else changed the profile meanwhile, or it was withdrawn.
    """
    begin_change(session, actor, IMPORT_PROFILE, profile, version=version, reason=reason)
    current = next(one for one in latest_versions(session, profile.project_id) if one.profile_id == profile.id)
    same = (current.importer, current.choices, current.signature, current.study_id)
    if same == (content.importer, content.kept, list(content.signature), content.study_id):
        raise DomainError("Nothing differs from what is recorded.", remedy="Change something, or leave the page.")
    profile.number += 1
    return _add_version(session, actor, profile, content, reason)


def _add_version(session: Session, actor: Actor, profile: ImportProfile, content: Content, reason: str) -> ImportProfileVersion:
    if not content.signature:
        raise DomainError("A file without headers cannot be recognised.", field="name", expected="a table with a header row")
    _refuse_same_headers(session, profile, content)
    check_references(session, ImportProfileVersion, profile.project_id, [{"study_id": content.study_id}])
    made = ImportProfileVersion(
        project_id=profile.project_id,
        profile_id=profile.id,
        number=profile.number,
        importer=content.importer,
        choices=content.kept,
        signature=list(content.signature),
        study_id=content.study_id,
        reason=reason.strip(),
        made_by_id=actor.id,
        made_at=datetime.now(UTC),
    )
    session.add(made)
    session.flush()
    return made


def _refuse_same_headers(session: Session, profile: ImportProfile, content: Content) -> None:
    """Two profiles that know a file by the same headers could not both read it."""
    for other in latest_versions(session, profile.project_id):
        of_format = EVERY_FILE in content.signature and other.importer != content.importer
        if other.profile_id != profile.id and same_headers(other.signature, content.signature) and not of_format:
            raise DomainError(
                f'These files are read by the profile "{other.profile.name}" already.',
                field="name",
                expected="files that no other profile knows",
                remedy=f'Save this as a new version of "{other.profile.name}", or withdraw that profile.',
                source=CONSISTENT,
            )
