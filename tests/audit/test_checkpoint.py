"""Checkpoints: signed notes after C2SP, their key outside the database."""

import base64
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from lims.audit.checkpoint import (
    KEY_FILE,
    CheckpointError,
    SigningKey,
    make_checkpoint,
    read_note,
    saved_notes,
    sign,
    signing_key,
)
from lims.config import Settings
from lims.db import Database
from lims.models import AuditCheckpoint, AuditEvent
from tests.audit.trail import write_trail

AT = datetime(2026, 11, 2, 10, 14, tzinfo=UTC)


def test_a_checkpoint_attests_the_trails_end(database: Database, settings: Settings, tmp_path: Path) -> None:
    write_trail(database)
    elsewhere = settings.model_copy(update={"checkpoint_dir": tmp_path / "elsewhere"})
    with database.transaction() as session:
        note = make_checkpoint(session, elsewhere)
    read = read_note(note)
    with database.reading() as session:
        last = session.get_one(AuditEvent, 3)
        assert (read.seq, read.hash) == (3, last.hash)
        assert session.scalar(select(AuditCheckpoint.note)) == note
    assert read.signed_by(signing_key(settings).verifier)
    assert saved_notes(tmp_path / "elsewhere") == [note]


def test_the_key_is_made_once_and_readable_by_its_owner_alone(settings: Settings) -> None:
    first = signing_key(settings)
    assert str(signing_key(settings)) == str(first)
    assert stat.S_IMODE((settings.data_dir / KEY_FILE).stat().st_mode) == 0o600
    assert first.name == "bcbm-lims/pdx-laboratory"


def test_an_unreadable_key_is_refused_with_its_place(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / KEY_FILE).write_text("PRIVATE+KEY+x", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"audit-key holds no key for checkpoints; put back the file"):
        signing_key(settings)


def test_the_notes_form_is_c2sp() -> None:
    # The verifier key of the specification's own example, and its key hash.
    key = SigningKey("example.com/foo", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    note = sign(key, 7, "ab" * 32, AT)
    body, signature = note.split("\n\n")
    assert body.split("\n") == ["example.com/foo", "7", base64.b64encode(b"\xab" * 32).decode(), "2026-11-02T10:14:00Z"]
    dash, name, encoded = signature.removesuffix("\n").split(" ")
    assert (dash, name) == ("—", "example.com/foo")
    assert base64.b64decode(encoded)[:4] == key.verifier.hash
    key.private.public_key().verify(base64.b64decode(encoded)[4:], f"{body}\n".encode())


@pytest.mark.parametrize("position", [3, 17, 20, 70, -10])
def test_a_changed_note_is_not_signed(position: int) -> None:
    key = SigningKey("lab", Ed25519PrivateKey.generate())
    note = sign(key, 1234, "ab" * 32, AT)
    position %= len(note)
    changed = note[:position] + ("A" if note[position] != "A" else "B") + note[position + 1 :]
    try:
        signed = read_note(changed).signed_by(key.verifier)
    except CheckpointError:
        signed = False
    assert read_note(note).signed_by(key.verifier)
    assert not signed


@pytest.mark.parametrize("text", ["", "x", "a\n1\nzz\nt\n\n— a AAAA\n", "a\n²\nAAAA\nt\n\n"])
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="this is no checkpoint"):
        read_note(text)


def test_an_empty_trail_has_a_checkpoint_too(database: Database, settings: Settings) -> None:
    with database.transaction() as session:
        assert read_note(make_checkpoint(session, settings)).seq == 0
