"""Checks an audit bundle. Needs Python 3.10 or newer and nothing else: no installation, no network.

Usage: python3 verify_bundle.py [FOLDER] [--key TEXT] [--checkpoint FILE ...]

FOLDER is the unpacked bundle; left out, the folder of this file. `--key` is the installation's public key as you got it
from elsewhere, `--checkpoint` a checkpoint that you kept yourself. Exit status: 0 all holds, 1 something does not.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GENESIS = "0" * 64
SEALED = {"seq", "previous_hash", "content", "hash"}
EVENT = {
    *("seq", "at", "actor_id", "actor", "origin", "action", "reason", "request"),
    *("project_id", "detail", "changes", "root", "previous_hash", "hash"),
}
CHANGE = {"event", "position", "entity", "key", "project", "fields"}
HIDDEN = {"event", "position", "leaf"}
SIGNED = {"act", "content", "entity", "event_seq", "key", "meaning", "name", "person", "project", "signed_at", "statement"}

# Ed25519 verification, RFC 8032 section 5.1 and appendix A.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def recover_x(y: int, sign: int) -> int | None:
    """Give the x of the curve's point with this y and this lowest bit of x; None where there is none."""
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign else x


def point_of(encoded: bytes) -> Point | None:
    """Decode a point, in extended homogeneous coordinates."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(one: Point, other: Point) -> Point:
    """Add two points."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(factor: int, point: Point) -> Point:
    """Multiply a point by a whole number."""
    total: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = add(total, point)
        point = add(point, point)
        factor >>= 1
    return total


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0) or 0
BASE: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def signature_fits(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether an Ed25519 signature (64 bytes) of a message fits a public key (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = point_of(public), point_of(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = multiply(scalar, BASE), add(commitment, multiply(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def canonical(value: Any) -> bytes:
    """Give the canonical JSON (RFC 8785) of text, whole numbers, booleans, null, lists and objects with ASCII names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(content: bytes) -> str:
    """Hash, as hexadecimal text."""
    return hashlib.sha256(content).hexdigest()


def merkle_root(leaves: list[bytes]) -> str:
    """Give the Merkle tree hash of RFC 6962 section 2.1 over leaf hashes."""
    if not leaves:
        return sha256(b"")
    while len(leaves) > 1:
        pairs = zip(leaves[::2], leaves[1::2], strict=False)
        above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        leaves = above + leaves[len(above) * 2 :]
    return leaves[0].hex()


def no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that names a field twice: a reader would see one value, the check another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands there twice")
    return found


class Check:
    """One run over a bundle: what was counted, and what does not hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self.remarks: list[str] = []
        self.signatures: list[str] = []
        self.events = self.sealed = self.changes = self.hidden = self.files = 0
        self.hashes = {0: GENESIS}
        self.expected_files: set[str] = set()

    def lines(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read a file of one JSON object a line; a line that is none is a problem."""
        with (self.folder / name).open(encoding="utf-8", newline="\n") as stream:
            for number, line in enumerate(stream, start=1):
                try:
                    value = json.loads(line, object_pairs_hook=no_twice)
                except ValueError as unreadable:
                    self.problems.append(f"{name}, line {number}, cannot be read: {unreadable}.")
                    continue
                if isinstance(value, dict):
                    yield number, value
                else:
                    self.problems.append(f"{name}, line {number}, is no JSON object.")

    def chain(self) -> None:
        """Check every event and its changes, in order."""
        seq, previous = 0, GENESIS
        changes = self.change_groups()
        group = next(changes, None)
        for number, event in self.lines("events.jsonl"):
            if set(event) not in (EVENT, SEALED) or type(event["seq"]) is not int:
                self.problems.append(f"events.jsonl, line {number}, is no event: its fields are {', '.join(sorted(event))}.")
                continue
            while group is not None and group[0] < event["seq"]:
                self.problems.append(f"changes.jsonl holds changes of event {group[0]}, which is not there to have made them.")
                group = next(changes, None)
            mine: list[tuple[int, bytes]] = []
            if group is not None and group[0] == event["seq"]:
                mine = group[1]
                group = next(changes, None)
            self.event(event, seq, previous, mine)
            seq, previous = event["seq"], str(event["hash"])
            self.hashes[seq] = previous
        while group is not None:
            self.problems.append(f"changes.jsonl holds changes of event {group[0]}, which is not in events.jsonl.")
            group = next(changes, None)

    def event(self, event: dict[str, Any], last: int, previous: str, changes: list[tuple[int, bytes]]) -> None:
        """Check one event: its number, its link to the one before, its hash, its changes."""
        seq = event["seq"]
        if seq != last + 1:
            self.problems.append(f"After event {last} comes event {seq}: events are missing, doubled or in another order.")
        elif event["previous_hash"] != previous:
            self.problems.append(f"Event {seq} does not follow event {last}: one of them was written anew or moved.")
        if "content" in event:
            self.sealed += 1
            content = event["content"]
            if changes:
                self.problems.append(f"Event {seq} is sealed, yet changes.jsonl holds changes of it.")
        else:
            self.events += 1
            content = sha256(canonical({name: event[name] for name in EVENT - {"seq", "previous_hash", "hash"}}))
            self.event_changes(event, changes)
        link = {"content": content, "previous_hash": event["previous_hash"], "seq": seq}
        if sha256(canonical(link)) != event["hash"]:
            self.problems.append(f"Event {seq} was changed after it was written: its hash does not fit what it says.")

    def event_changes(self, event: dict[str, Any], changes: list[tuple[int, bytes]]) -> None:
        """Check an event's changes against the Merkle root in it."""
        seq, number = event["seq"], event["changes"]
        positions = [position for position, _ in changes]
        if type(number) is not int or positions != list(range(number)):
            missing = sorted(set(range(number)) - set(positions)) if type(number) is int else []
            which = f"; missing: {', '.join(str(one + 1) for one in missing[:10])}" if missing else ""
            self.problems.append(f"Event {seq} made {number} changes, and changes.jsonl holds {len(positions)} of them{which}.")
        elif merkle_root([leaf for _, leaf in changes]) != event["root"]:
            self.problems.append(f"Event {seq}: one of its {number} changes is not what it was when the event was written.")

    def change_groups(self) -> Iterator[tuple[int, list[tuple[int, bytes]]]]:
        """Give the changes of one event after the other, as (position, leaf hash)."""
        current: int | None = None
        group: list[tuple[int, bytes]] = []
        for number, change in self.lines("changes.jsonl"):
            leaf = self.leaf(change)
            if leaf is None:
                self.problems.append(f"changes.jsonl, line {number}, is no change: its fields are {', '.join(sorted(change))}.")
                continue
            if change["event"] != current:
                if current is not None:
                    yield current, group
                current, group = change["event"], []
            group.append((change["position"], leaf))
        if current is not None:
            yield current, group

    def leaf(self, change: dict[str, Any]) -> bytes | None:
        """Give a change's leaf hash: as it stands there for a hidden one, computed for the others."""
        if set(change) not in (CHANGE, HIDDEN) or type(change["event"]) is not int or type(change["position"]) is not int:
            return None
        if "leaf" in change:
            self.hidden += 1
            try:
                return bytes.fromhex(change["leaf"])
            except (TypeError, ValueError):
                return None
        self.changes += 1
        if change["entity"] == "stored_file":
            self.expect_file(change["fields"])
        if change["entity"] == "signature":
            self.signature(change["key"], change["event"], change["fields"])
        content = {name: change[name] for name in ("entity", "fields", "key", "project")}
        return hashlib.sha256(b"\x00" + canonical(content)).digest()

    def expect_file(self, fields: Any) -> None:
        """Remember that a file was stored."""
        told = fields.get("sha256") if isinstance(fields, dict) else None
        if isinstance(told, list) and told and isinstance(told[-1], str):
            self.expected_files.add(told[-1])

    def signature(self, number: Any, event: int, fields: Any) -> None:
        """Check that a signature's hash covers all it says, and that it was given in this event; remember who signed what."""
        try:
            said = {name: fields[name][0] for name in SIGNED}
            said |= {name: said[name][0] for name in ("person", "project")}
            fits = fields["sha256"] == [sha256(canonical(said))] and said["event_seq"] == event
        except (KeyError, IndexError, TypeError):
            fits, said = False, {}
        if not fits:
            self.problems.append(
                f"Signature {number}, of event {event}, is not what was signed: its hash does not fit what it says."
            )
            return
        what = f"{said['entity'].replace('_', ' ')} {said['key']}"
        self.signatures.append(f"{said['name']}, {said['signed_at']}, {said['meaning']}: {said['act']}, {what}, event {event}")

    def checkpoints(self, key_text: str, kept: list[Path]) -> None:
        """Check the signed checkpoints, those of the bundle and those kept elsewhere, against the chain."""
        name, public = read_key(key_text)
        notes = [*sorted((self.folder / "checkpoints").glob("*.txt")), *kept]
        newest = -1
        for path in notes:
            try:
                size, root, at = read_note(path.read_text(encoding="utf-8"), name, public)
            except ValueError as wrong:
                self.problems.append(f"The checkpoint {path.name} {wrong}.")
                continue
            newest = max(newest, size)
            if size not in self.hashes:
                self.problems.append(
                    f"The checkpoint of {at} attests {size} events, and event {size} is not here: the end was cut off, "
                    "or an older backup was restored."
                )
            elif self.hashes[size] != root:
                self.problems.append(f"The checkpoint of {at} attests another event {size}: the trail was written anew.")
        last = max(self.hashes)
        if newest < 0:
            self.problems.append("No valid checkpoint is here: nothing shows that the trail is whole and not written anew.")
        elif newest < last:
            self.remarks.append(f"Events {newest + 1} to {last} are younger than the newest checkpoint: their end is not attested.")

    def stored_files(self) -> None:
        """Hash the source files again."""
        there = {path.name: path for path in (self.folder / "files").glob("*")}
        for name, path in sorted(there.items()):
            with path.open("rb") as stream:
                digest = hashlib.sha256()
                while block := stream.read(1 << 20):
                    digest.update(block)
            self.files += 1
            if digest.hexdigest() != name:
                self.problems.append(f"The source file {name} was changed: its SHA-256 is {digest.hexdigest()}.")
        for name in sorted(self.expected_files - set(there)):
            self.problems.append(f"The source file {name} stands in the trail and is missing from the bundle.")
        for name in sorted(set(there) - self.expected_files):
            if self.sealed or self.hidden:
                self.remarks.append(f"The source file {name} was first stored by an event that is sealed or hidden here.")
            else:
                self.problems.append(f"The source file {name} stands in no event of the trail: it was added to the bundle.")


def read_key(text: str) -> tuple[str, bytes]:
    """Read a public key of the form name+hash+base64.

    Raises:
        ValueError: it is none.
    """
    name, key_hash, encoded = text.strip().split("+", 2)
    described = base64.b64decode(encoded, validate=True)
    if described[:1] != b"\x01" or len(described) != 33 or sha256(name.encode() + b"\n" + described)[:8] != key_hash:
        raise ValueError("this is no Ed25519 key, or its hash does not fit")
    return name, described[1:]


def read_note(note: str, name: str, public: bytes) -> tuple[int, str, str]:
    """Read a signed checkpoint: the number of events, the last one's hash and the time.

    Raises:
        ValueError: it is no checkpoint, or the key did not sign it.
    """
    body, blank, signatures = note.partition("\n\n")
    parts = body.split("\n")
    if not blank or len(parts) != 4 or not (parts[1].isascii() and parts[1].isdigit()):
        raise ValueError("is no checkpoint")
    key_hash = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    for line in signatures.splitlines():
        words = line.split(" ")
        if len(words) == 3 and words[0] == "—" and words[1] == name:
            signed = base64.b64decode(words[2], validate=True)
            if signed[:4] == key_hash and signature_fits(public, (body + "\n").encode(), signed[4:]):
                return int(parts[1]), base64.b64decode(parts[2], validate=True).hex(), parts[3]
    raise ValueError(f"is not signed by the key {name}")


def run(folder: Path, key_text: str | None, kept: list[Path]) -> Check:
    """Check a whole bundle."""
    check = Check(folder)
    try:
        enclosed = (folder / "key.txt").read_text(encoding="utf-8").strip()
        if key_text is None:
            check.remarks.append(f"The key is the one in the bundle; compare it with one from elsewhere (--key): {enclosed}")
        elif key_text.strip() != enclosed:
            check.problems.append("The bundle's key is not the key you gave: the bundle was signed by somebody else.")
        check.chain()
        check.checkpoints(key_text or enclosed, kept)
        check.stored_files()
    except FileNotFoundError as missing:
        check.problems.append(f"The bundle is not complete: {Path(missing.filename).name} is missing.")
    except ValueError as unreadable:
        check.problems.append(f"The key or a file of the bundle cannot be read: {unreadable}.")
    return check


def main(arguments: list[str] | None = None) -> int:
    """Check a bundle and say what was found."""
    parser = argparse.ArgumentParser(description="Check an audit bundle.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", help="the installation's public key, as you got it from elsewhere")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="a checkpoint that you kept yourself")
    given = parser.parse_args(arguments)
    check = run(given.folder, given.key, given.checkpoint)
    say = sys.stdout.write
    say(f"{check.events} events with {check.changes} changes read; {check.sealed} events sealed, {check.hidden} changes hidden; ")
    say(f"{check.files} source files.\n")
    for signature in check.signatures:
        say(f"Signed by {signature}\n")
    for remark in check.remarks:
        say(f"Note: {remark}\n")
    for problem in check.problems:
        say(f"PROBLEM: {problem}\n")
    say("The bundle does NOT hold.\n" if check.problems else "Everything holds: nothing was changed, removed, moved or added.\n")
    return 1 if check.problems else 0


if __name__ == "__main__":
    sys.exit(main())
