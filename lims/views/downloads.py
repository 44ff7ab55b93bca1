"""The name under which an answer is saved as a file."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from flask import Response


def attach(response: Response, name: str) -> Response:
    """Let the browser save an answer under a name, whatever its letters: RFC 6266, in plain ASCII and as UTF-8."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    names = {"filename": plain} | ({} if plain == name else {"filename*": f"UTF-8''{quote(name, safe='')}"})
    response.headers.set("Content-Disposition", "attachment", **names)
    return response
