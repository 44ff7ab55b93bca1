"""Keeps uploaded bytes by their SHA-256. A file is stored before anything is done with it, and never changed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from lims.domain.errors import DomainError


class FileStore:
    """A folder of files named by content hash: `ab/abcdef…`. File names of people never touch the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Give the place of a file."""
        return self.folder / sha256[:2] / sha256

    def put(self, content: bytes) -> str:
        """Store bytes; returns their SHA-256. Atomic: a crash leaves the whole file or none."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path(sha256)
        if path.exists():
            return sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return sha256

    def get(self, sha256: str) -> bytes:
        """Give the bytes back, checked against their hash.

        Raises:
            StoredFileDamaged: the file is missing or is not what was stored.
        """
        try:
            content = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise StoredFileDamaged(
                f"The stored file {sha256[:12]}… is missing from the file store; restore it from the backup."
            ) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoredFileDamaged(f"The stored file {sha256[:12]}… was changed on disk; restore it from the backup.")
        return content


class StoredFileDamaged(DomainError):
    """A stored file is gone or differs from its hash."""
