"""The bundle verifies offline, and its check is tested harder than its writer."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from lims.audit.bundle import bundle
from lims.audit.canon import GENESIS, event_hash
from lims.audit.checkpoint import SigningKey, make_checkpoint, sign, signing_key
from lims.audit.standalone import verify_bundle
from lims.config import Settings
from lims.db import Database
from lims.domain.vocabulary import BatchState
from lims.intake.store import FileStore
from lims.models import ImportBatch, StoredFile
from tests.audit.trail import rename, write_trail
from tests.support import factories

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Packed:
    """An unpacked bundle."""

    folder: Path
    key: str

    def problems(self, *, key: str | None = None, kept: list[Path] | None = None) -> list[str]:
        return verify_bundle.run(self.folder, key, kept or []).problems

    def text(self) -> str:
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.rglob("*")) if path.is_file())

    def read(self, name: str) -> list[Line]:
        return [json.loads(line) for line in (self.folder / name).read_text(encoding="utf-8").splitlines()]

    def write(self, name: str, lines: list[Line]) -> None:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (self.folder / name).write_text(text, encoding="utf-8")


def unpack(database: Database, own: Settings, folder: Path, project: int | None = None) -> Packed:
    stream = io.BytesIO()
    bundle(database, own, FileStore(own.file_dir), stream, project=project)
    with zipfile.ZipFile(stream) as archive:
        archive.extractall(folder)
    return Packed(folder, str(signing_key(own).verifier))


def add_file(database: Database, own: Settings, project: int, content: bytes) -> None:
    store = FileStore(own.file_dir)
    with factories.declared(database, "batch:store") as session:
        now = datetime.now(UTC)
        stored = StoredFile(sha256=store.put(content), size=len(content), stored_at=now)
        session.add(stored)
        session.flush()
        session.add(
            ImportBatch(
                project_id=project, file_id=stored.id, file_name="w.csv", state=BatchState.STORED, choices={}, uploaded_at=now
            )
        )


@pytest.fixture
def packed(sqlite_database: Database, settings: Settings, tmp_path: Path) -> Packed:
    trail = write_trail(sqlite_database)
    add_file(sqlite_database, settings, trail.project, b"mouse,weight\n")
    return unpack(sqlite_database, settings, tmp_path / "bundle")


def test_a_bundle_holds_on_both_engines_and_for_one_project(database: Database, settings: Settings, tmp_path: Path) -> None:
    mine = write_trail(database, "MINE")
    other = write_trail(database, "OTHER")
    rename(database, other.project, "Secret title Ünïcødé")
    add_file(database, settings, mine.project, b"mine")
    add_file(database, settings, other.project, b"other")
    rename(database, mine.project, "Mine again")
    whole = unpack(database, settings, tmp_path / "whole")
    part = unpack(database, settings, tmp_path / "part", mine.project)
    assert whole.problems(key=whole.key) == []
    assert part.problems(key=part.key) == []
    assert {line["seq"] for line in part.read("events.jsonl")} == {line["seq"] for line in whole.read("events.jsonl")}
    for leaked in ("OTHER", "Secret title", "Ünïcødé"):
        assert leaked in whole.text()
        assert leaked not in part.text()
    assert "Mine again" in part.text()
    assert [path.name for path in (part.folder / "files").iterdir()] == [hashlib.sha256(b"mine").hexdigest()]


def test_the_check_runs_with_python_and_nothing_else(packed: Packed, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", str(packed.folder / "verify_bundle.py")]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Everything holds" in ran.stdout
    events = packed.read("events.jsonl")
    events[1]["reason"] = "harmless"
    packed.write("events.jsonl", events)
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "PROBLEM: Event 2 was changed after it was written" in ran.stdout


@pytest.mark.parametrize("field", sorted(verify_bundle.EVENT))
def test_each_field_of_an_event(packed: Packed, field: str) -> None:
    events = packed.read("events.jsonl")
    value = events[1][field]
    events[1][field] = value + 1 if isinstance(value, int) else "x" if value is None else value + "x"
    packed.write("events.jsonl", events)
    assert packed.problems()


@pytest.mark.parametrize("field", sorted(verify_bundle.EVENT))
def test_each_field_of_an_event_removed(packed: Packed, field: str) -> None:
    events = packed.read("events.jsonl")
    del events[1][field]
    packed.write("events.jsonl", events)
    assert packed.problems()


@pytest.mark.parametrize("field", sorted(verify_bundle.CHANGE))
def test_each_field_of_a_change(packed: Packed, field: str) -> None:
    changes = packed.read("changes.jsonl")
    line = next(line for line in changes if line["event"] == 2)
    line[field] = {"value": ["1.0"]} if field == "fields" else "x" if field == "entity" else line[field] + 1
    packed.write("changes.jsonl", changes)
    assert any("vent 2" in problem or "event 3" in problem for problem in packed.problems())


def swap(lines: list[Line]) -> None:
    lines[1], lines[2] = lines[2], lines[1]


LINES: dict[str, Callable[[list[Line]], object]] = {
    "swapped": swap,
    "first dropped": lambda lines: lines.pop(0),
    "dropped": lambda lines: lines.pop(1),
    "last dropped": lambda lines: lines.pop(),
    "doubled": lambda lines: lines.insert(1, dict(lines[1])),
    "emptied": lambda lines: lines.clear(),
    "one more": lambda lines: lines.append(dict(lines[0])),
    "field added": lambda lines: lines[1].update(note="x"),
    "no object": lambda lines: lines.insert(1, []),  # type: ignore[arg-type]  # no line, on purpose
}


@pytest.mark.parametrize("name", ["events.jsonl", "changes.jsonl"])
@pytest.mark.parametrize("how", sorted(LINES))
def test_lines(packed: Packed, name: str, how: str) -> None:
    lines = packed.read(name)
    LINES[how](lines)
    packed.write(name, lines)
    assert packed.problems()


def test_a_field_that_stands_twice_is_refused(packed: Packed) -> None:
    path = packed.folder / "events.jsonl"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"reason":"weighed"', '"reason":"shown","reason":"weighed"'), encoding="utf-8")
    assert any("a field stands there twice" in problem for problem in packed.problems())


@pytest.mark.parametrize("missing", ["events.jsonl", "changes.jsonl", "key.txt"])
def test_a_missing_part_is_named(packed: Packed, missing: str) -> None:
    (packed.folder / missing).unlink()
    assert packed.problems() == [f"The bundle is not complete: {missing} is missing."]


def test_source_files(packed: Packed) -> None:
    (source,) = (packed.folder / "files").iterdir()
    source.write_bytes(b"mouse,weight\nM1,1\n")
    assert any("was changed" in problem for problem in packed.problems())
    source.unlink()
    assert any("is missing from the bundle" in problem for problem in packed.problems())
    added = b"planted"
    (packed.folder / "files" / hashlib.sha256(added).hexdigest()).write_bytes(added)
    assert any("was added to the bundle" in problem for problem in packed.problems())


def cut(packed: Packed) -> None:
    last = packed.read("events.jsonl")[-1]["seq"]
    for name, field in (("events.jsonl", "seq"), ("changes.jsonl", "event")):
        packed.write(name, [line for line in packed.read(name) if line[field] != last])


def test_the_tail_cut(packed: Packed, tmp_path: Path) -> None:
    (note,) = (packed.folder / "checkpoints").iterdir()
    kept = tmp_path / "kept.txt"
    kept.write_bytes(note.read_bytes())
    cut(packed)
    assert any("the end was cut off" in problem for problem in packed.problems())
    note.unlink()
    assert any("No valid checkpoint" in problem for problem in packed.problems())
    assert any("the end was cut off" in problem for problem in packed.problems(kept=[kept]))


def test_the_chain_rebuilt_with_another_key(packed: Packed, tmp_path: Path) -> None:
    (note,) = (packed.folder / "checkpoints").iterdir()
    kept = tmp_path / "kept.txt"
    kept.write_bytes(note.read_bytes())
    events, previous = packed.read("events.jsonl"), GENESIS
    events[1]["reason"] = "harmless"
    for event in events:
        event["previous_hash"] = previous
        previous = event["hash"] = event_hash(event)
    packed.write("events.jsonl", events)
    assert any("was written anew" in problem for problem in packed.problems())
    thief = SigningKey(packed.key.split("+")[0], Ed25519PrivateKey.generate())
    note.write_text(sign(thief, len(events), previous, datetime.now(UTC)), encoding="utf-8")
    assert any("is not signed by the key" in problem for problem in packed.problems())
    (packed.folder / "key.txt").write_text(f"{thief.verifier}\n", encoding="utf-8")
    check = verify_bundle.run(packed.folder, None, [])
    assert check.problems == [], "a bundle made up as a whole holds in itself"
    assert any("compare it with one from elsewhere" in remark for remark in check.remarks)
    assert any("signed by somebody else" in problem for problem in packed.problems(key=packed.key))
    assert packed.problems(kept=[kept])


def test_events_behind_a_sealed_one_are_still_bound(sqlite_database: Database, settings: Settings, tmp_path: Path) -> None:
    mine, other = write_trail(sqlite_database, "MINE"), write_trail(sqlite_database, "OTHER")
    rename(sqlite_database, mine.project, "Mine again")
    part = unpack(sqlite_database, settings, tmp_path / "part", mine.project)
    events = part.read("events.jsonl")
    assert [set(event) == verify_bundle.SEALED for event in events] == [False, False, False, True, True, True, False]
    events[1]["reason"], previous = "harmless", GENESIS
    for event in events[:3]:
        event["previous_hash"] = previous
        previous = event["hash"] = event_hash(event)
    events[3]["previous_hash"] = previous
    part.write("events.jsonl", events)
    assert part.problems() == ["Event 4 was changed after it was written: its hash does not fit what it says."]
    assert other.project != mine.project


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 511))
def test_the_signature_check_agrees_with_cryptography(seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify_bundle.signature_fits(public, message, signature)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verify_bundle.signature_fits(public, message, bytes(flipped))
    assert not verify_bundle.signature_fits(public, message + b"x", signature)
    assert not verify_bundle.signature_fits(bytes([public[0] ^ 1, *public[1:]]), message, signature)


def test_rfc_8032_vectors() -> None:
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verify_bundle.signature_fits(public, b"\x72", signature)
    # The same scalar plus the group's order would be a second signature of the same message.
    scalar = int.from_bytes(signature[32:], "little") + verify_bundle.L
    assert not verify_bundle.signature_fits(public, b"\x72", signature[:32] + scalar.to_bytes(32, "little"))
    assert not verify_bundle.signature_fits(public, b"\x72", signature[:63])


def test_a_lost_source_file_is_counted_and_named(sqlite_database: Database, settings: Settings, tmp_path: Path) -> None:
    trail = write_trail(sqlite_database)
    add_file(sqlite_database, settings, trail.project, b"lost")
    digest = hashlib.sha256(b"lost").hexdigest()
    FileStore(settings.file_dir).path(digest).unlink()
    target = tmp_path / "bundle.zip"
    counts = bundle(sqlite_database, settings, FileStore(settings.file_dir), target)
    assert (counts.files, counts.missing_files, counts.events, counts.sealed) == (0, 1, 4, 0)
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "out")
    assert any(digest in problem for problem in Packed(tmp_path / "out", "").problems())


def test_earlier_checkpoints_are_all_checked(sqlite_database: Database, settings: Settings, tmp_path: Path) -> None:
    trail = write_trail(sqlite_database)
    with sqlite_database.transaction() as session:
        make_checkpoint(session, settings)
    rename(sqlite_database, trail.project, "Renamed")
    packed = unpack(sqlite_database, settings, tmp_path / "bundle")
    assert len(list((packed.folder / "checkpoints").iterdir())) == 2
    assert packed.problems() == []
