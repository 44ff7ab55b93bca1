"""The profiles of a project: how the files of each source are read, now and before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session, joinedload

from lims.domain.errors import NotFound
from lims.domain.vocabulary import BatchState, RecordStatus
from lims.models import Animal, AnimalAlias, ImportBatch, ImportProfile, ImportProfileVersion, User
from lims.queries.chunks import in_chunks

LATEST = and_(ImportProfileVersion.profile_id == ImportProfile.id, ImportProfileVersion.number == ImportProfile.number)
"""Joins each profile with its latest version."""


def latest_versions(session: Session, project_id: int) -> Sequence[ImportProfileVersion]:
    """Give the latest version of every profile that is not withdrawn, by name; one statement."""
    return session.scalars(
        select(ImportProfileVersion)
        .join(ImportProfile, LATEST)
        .where(ImportProfile.project_id == project_id, ImportProfile.status == RecordStatus.ACTIVE)
        .options(joinedload(ImportProfileVersion.profile))
        .order_by(ImportProfile.name)
    ).all()


def profile_named(session: Session, project_id: int, name: str) -> ImportProfileVersion:
    """Give the latest version of a profile by its name, written in whatever case.

    Raises:
        NotFound: the project has no such profile, or it was withdrawn; says which there are.
    """
    versions = latest_versions(session, project_id)
    for version in versions:
        if version.profile.name.casefold() == name.strip().casefold():
            return version
    names = ", ".join(f'"{version.profile.name}"' for version in versions)
    raise NotFound(
        f'There is no import profile "{name}" in this project.',
        expected=f"one of {names}" if names else "a profile; there is none yet",
        remedy="Correct the name, or leave it out: a file that a profile recognises is read by it anyway.",
    )


def profile_list(project_id: int) -> Select[Any]:
    """Select the profiles with their latest version, and how many files each of them read."""
    files = (
        select(func.count())
        .select_from(ImportBatch)
        .join(ImportProfileVersion, ImportProfileVersion.id == ImportBatch.profile_version_id)
        .where(ImportProfileVersion.profile_id == ImportProfile.id, ImportBatch.state == BatchState.COMMITTED)
    )
    return (
        select(files.correlate(ImportProfile).scalar_subquery().label("files"))
        .select_from(ImportProfile)
        .join(ImportProfileVersion, LATEST)
        .outerjoin(User, User.id == ImportProfileVersion.made_by_id)
        .where(ImportProfile.project_id == project_id)
    )


def versions_of(session: Session, profile: ImportProfile) -> Sequence[ImportProfileVersion]:
    """Give all versions of a profile, the latest first."""
    return session.scalars(
        select(ImportProfileVersion)
        .where(ImportProfileVersion.profile_id == profile.id)
        .options(joinedload(ImportProfileVersion.made_by))
        .order_by(ImportProfileVersion.number.desc())
    ).all()


def batches_by(session: Session, profile: ImportProfile, limit: int) -> Sequence[ImportBatch]:
    """Give the last files that a profile read, whatever became of them."""
    return session.scalars(
        select(ImportBatch)
        .join(ImportBatch.profile_version)
        .where(ImportProfileVersion.profile_id == profile.id)
        .options(joinedload(ImportBatch.profile_version))
        .order_by(ImportBatch.id.desc())
        .limit(limit)
    ).all()


def known_animals(session: Session, project_id: int, labels: Sequence[str]) -> set[str]:
    """Give which of the labels name animals of the project, as an import resolves them: by code or another name."""
    animals = select(Animal.code).where(Animal.project_id == project_id, Animal.status == RecordStatus.ACTIVE)
    aliases = select(AnimalAlias.alias).where(AnimalAlias.project_id == project_id, AnimalAlias.status == RecordStatus.ACTIVE)
    known = in_chunks(session, labels, lambda some: animals.where(Animal.code.in_(some)))
    known += in_chunks(session, labels, lambda some: aliases.where(AnimalAlias.alias.in_(some)))
    return {name for (name,) in known}
