"""Who may see a file as it was uploaded, and sending one."""

from __future__ import annotations

from flask import Response

from lims.domain.errors import NotAllowed
from lims.models import ImportBatch
from lims.queries.blinding import tells_arms
from lims.views.downloads import attach
from lims.views.support import current_actor, current_session, sees_arms


def veiled(batch: ImportBatch) -> bool:
    """Tell whether a file may name arms that the person who asks must not know."""
    return not sees_arms() and tells_arms(current_session(), batch, current_actor().id)


def require_unveiled(batch: ImportBatch) -> None:
    """Keep a file that may name arms from those who must not know them; it stands as it was uploaded, and hides nothing."""
    if veiled(batch):
        raise NotAllowed(
            "This file may say which animal of a blinded study is in which arm.",
            remedy="Its readings are in the project. Ask a study director for the file itself.",
        )


def download(content: bytes, name: str, mimetype: str) -> Response:
    """Send bytes as a file."""
    return attach(Response(content, mimetype=mimetype), name)
