"""Judges, before anything is read of it, whether a filled-in template is of this project and of today's columns."""

from __future__ import annotations

from importers.base import Refused
from importers.sheets import Workbook
from importers.template_format import described_columns, marker_of, version_of
from lims.records.registries import REGISTRIES

_AGAIN = "Download the template again (page Templates, or `lims template`), copy your lines into it, and upload that."


def require_own(book: Workbook, project: str) -> None:
    """Let pass whatever is no template, and a template of this project whose columns are those of today.

    Raises:
        Refused: the template is of another project, of another version, or its description was changed by hand.
    """
    marker = marker_of(book.sheets)
    if marker is None:
        return
    if marker.project != project:
        raise Refused(
            "template-project",
            f"This template was written for the project {marker.project or 'of no name'}, and this is {project}.",
            expected=f"a template of {project}: codes and records of another project mean something else here",
            remedy=f"Upload it in {marker.project}, or download a template of {project} and copy the lines that belong here.",
        )
    registry = REGISTRIES.get(marker.noun)
    if registry is None:
        raise Refused(
            "template-registry",
            f'This template is of a registry "{marker.noun}", which is not there.',
            expected=f"one of {', '.join(REGISTRIES)}",
            remedy=_AGAIN,
        )
    if marker.version != registry.version:
        raise Refused(
            "template-version",
            f"This template has the version {marker.version or 'none'}, and the columns of {registry.title.lower()} changed since: "
            f"it is {registry.version} now.",
            expected=f"a template of version {registry.version}",
            remedy=_AGAIN,
        )
    if version_of(marker.noun, described_columns(book)) != registry.version:
        raise Refused(
            "template-described",
            "The sheets that describe this template's columns were changed, so nobody can tell what its columns hold.",
            expected="the sheets `Columns` and `Lists` as they were downloaded",
            remedy=_AGAIN,
        )
