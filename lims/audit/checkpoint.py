"""Checkpoints: signed statements of the trail's size and last hash at a time, to be kept elsewhere.

A chain alone cannot show that its end was cut off or that all of it was written anew; a checkpoint kept elsewhere can.
The form is the signed note of C2SP (https://c2sp.org/signed-note) around the body of a transparency log's checkpoint
(https://c2sp.org/tlog-checkpoint): origin, size, root in base64, and the time as an extension line. The Ed25519 key
lies outside the database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.audit.canon import GENESIS
from lims.config import Settings
from lims.models import AuditCheckpoint, AuditEvent

KEY_FILE = "audit-key"
_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY"


class CheckpointError(ValueError):
    """A key or a note is not what it should be."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key, with its name; written `name+hash+base64` as C2SP does."""

    name: str
    public: bytes

    @property
    def hash(self) -> bytes:
        """Give the four bytes that name the key in a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """Write the key as a verifier reads it."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half, with its name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> VerifierKey:
        """Give the public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def __str__(self) -> str:
        """Write the key as its file holds it."""
        seed = base64.b64encode(_ED25519 + self.private.private_bytes_raw()).decode()
        return f"{_PRIVATE}+{self.name}+{self.verifier.hash.hex()}+{seed}"


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint as read: what it says, and its signatures as (key name, key hash, signature)."""

    origin: str
    seq: int
    hash: str
    at: str
    body: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def signed_by(self, key: VerifierKey) -> bool:
        """Tell whether this key's signature is there and fits."""
        public = Ed25519PublicKey.from_public_bytes(key.public)
        for name, key_hash, signature in self.signatures:
            if (name, key_hash) != (key.name, key.hash):
                continue
            try:
                public.verify(signature, self.body.encode())
            except InvalidSignature:
                return False
            return True
        return False


def signing_key(settings: Settings) -> SigningKey:
    """Give the installation's key, made at first use, readable by its owner alone.

    Raises:
        CheckpointError: the key file is not a key.
    """
    path = settings.data_dir / KEY_FILE
    try:
        return _read_key(path)
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    # A key's name may hold neither blanks nor plus signs.
    name = "bcbm-lims/" + re.sub(r"[\s+]+", "-", settings.lab_name.strip()).lower()
    key = SigningKey(name, Ed25519PrivateKey.generate())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(path)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(f"{key}\n")
    return key


def _read_key(path: Path) -> SigningKey:
    try:
        private, word, name, _, encoded = path.read_text(encoding="utf-8").strip().split("+", 4)
        seed = base64.b64decode(encoded, validate=True)
        if f"{private}+{word}" != _PRIVATE or seed[:1] != _ED25519:
            raise ValueError(word)
        return SigningKey(name, Ed25519PrivateKey.from_private_bytes(seed[1:]))
    except ValueError as unreadable:
        raise CheckpointError(f"{path} holds no key for checkpoints; put back the file from the backup") from unreadable


def make_checkpoint(session: Session, settings: Settings) -> str:
    """Sign the trail's present end; stores the note and copies it to the checkpoint folder. Call outside a declared action.

    Raises:
        OSError: the checkpoint folder cannot be written.
        CheckpointError: the key file is not a key.
    """
    last = session.execute(select(AuditEvent.seq, AuditEvent.hash).order_by(AuditEvent.seq.desc()).limit(1)).first()
    seq, last_hash = (last.seq, last.hash) if last else (0, GENESIS)
    now = datetime.now(UTC).replace(microsecond=0)
    note = sign(signing_key(settings), seq, last_hash, now)
    session.add(AuditCheckpoint(seq=seq, made_at=now, note=note))
    session.flush()
    if settings.checkpoint_dir is not None:
        settings.checkpoint_dir.mkdir(parents=True, exist_ok=True)
        target = settings.checkpoint_dir / f"checkpoint-{seq:012d}-{now:%Y%m%dT%H%M%SZ}.txt"
        temporary = target.with_suffix(".incoming")
        temporary.write_text(note, encoding="utf-8")
        temporary.replace(target)
    return note


def sign(key: SigningKey, seq: int, last_hash: str, at: datetime) -> str:
    """Write a signed note: `seq` events, the last of which has `last_hash` (hex), at a UTC time."""
    root = base64.b64encode(bytes.fromhex(last_hash)).decode()
    body = f"{key.name}\n{seq}\n{root}\n{at.isoformat().replace('+00:00', 'Z')}\n"
    signature = base64.b64encode(key.verifier.hash + key.private.sign(body.encode())).decode()
    return f"{body}\n— {key.name} {signature}\n"


def read_note(note: str) -> Note:
    """Read a signed note, without judging its signature.

    Raises:
        CheckpointError: it is no checkpoint.
    """
    body, blank, lines = note.partition("\n\n")
    try:
        if not blank:
            raise ValueError("no blank line")
        origin, size, root, at = body.split("\n")
        last_hash = base64.b64decode(root, validate=True)
        signatures = tuple(_read_signature(line) for line in lines.splitlines())
        if not size.isascii() or not size.isdigit() or len(last_hash) != 32 or not signatures:
            raise ValueError(size)
    except (ValueError, binascii.Error) as unreadable:
        raise CheckpointError(f"this is no checkpoint of an audit trail: {note[:60]!r}") from unreadable
    return Note(origin, int(size), last_hash.hex(), at, f"{body}\n", signatures)


def _read_signature(line: str) -> tuple[str, bytes, bytes]:
    dash, name, encoded = line.split(" ")
    signature = base64.b64decode(encoded, validate=True)
    if dash != "—" or len(signature) != 68:
        raise ValueError(line)
    return name, signature[:4], signature[4:]


def saved_notes(folder: Path) -> list[str]:
    """Give the checkpoints kept in a folder, oldest first."""
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("checkpoint-*.txt"))]
