"""Keeps uploaded bytes by their SHA-256. A file is stored before anything is done with it, and never changed."""

from __future__ import annotations

import hashlib
import os
import shutil
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

    def put(self, content: bytes | Path) -> str:
        """Store bytes, or a copy of a file; returns the SHA-256. Atomic: a crash leaves the whole file or none."""
        sha256 = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else _hash_of(content)
        path = self.path(sha256)
        if path.exists():
            return sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                if isinstance(content, bytes):
                    stream.write(content)
                else:
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, stream)
                stream.flush()
                os.fsync(stream.fileno())
            if isinstance(content, Path) and _hash_of(Path(temporary)) != sha256:
                raise DomainError(
                    f'The file "{content.name}" changed while it was being stored.',
                    remedy="Wait until it is written, and try again.",
                )
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
        return self.checked(sha256).read_bytes()

    def checked(self, sha256: str) -> Path:
        """Give the place of a file that was checked against its hash, for what is too large to hold.

        Raises:
            StoredFileDamaged: the file is missing or is not what was stored.
        """
        path = self.path(sha256)
        try:
            found = _hash_of(path)
        except FileNotFoundError:
            raise StoredFileDamaged(
                f"The stored file {sha256[:12]}… is missing from the file store; restore it from the backup."
            ) from None
        if found != sha256:
            raise StoredFileDamaged(f"The stored file {sha256[:12]}… was changed on disk; restore it from the backup.")
        return path


def _hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class StoredFileDamaged(DomainError):
    """A stored file is gone or differs from its hash."""
