"""Imports mutated copies of real files for a while, by hand: `python scripts/fuzz_imports.py FOLDER [--minutes 10] [--seed 1]`.

Every copy goes the whole way in a laboratory of its own: stored, checked, its questions answered at random, committed. What must
never happen is counted and shown with the seed that brings it about again: an exception that is no refusal, a file that takes
longer than the limit, records of a batch that was not committed, books that do not balance, a trail that does not verify.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, select

from lims import migrate
from lims.audit.record import Actor, declare
from lims.audit.verify import verify
from lims.config import Settings
from lims.db import Database
from lims.domain.errors import DomainError
from lims.domain.vocabulary import BatchState
from lims.intake import run
from lims.intake.resolving import CREATABLE
from lims.intake.store import FileStore
from lims.intake.upload import receive
from lims.models import ImportBatch, Measurement, Project, RecordSource
from lims.records.projects import create_project

ACTOR = Actor(None, "fuzzer", "command line")
LONGEST_SECONDS = 60
UGLY = (
    *(
        "",
        " ",
        "\u00a0",
        "NaN",
        "inf",
        "-0",
        "1e400",
        "1,234",
        "1.234,5",
        "0x10",
        "１２",
        "1*",
        "N/A",
        "#DIV/0!",
        "=1+1",
        "@SUM(A1)",
    ),
    *("9999-12-31", "0000-00-00", "31/02/2024", "45352", "1900-01-00", "2024-03-01T25:61:00", "03/04/24"),
    *("\u202eM07", "M07\u200b", "M\u00a007", "\x00", "\ud7ff", "a" * 40_000, "'; DROP TABLE animal; --", "<script>", "µ", "μ"),
)
Mutation = Callable[[random.Random, bytes], bytes]


def flip(chance: random.Random, content: bytes) -> bytes:
    """Change a few bytes."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 20)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(chance: random.Random, content: bytes) -> bytes:
    """Take a piece out, or everything behind a place."""
    start = chance.randrange(len(content))
    return content[:start] + (b"" if chance.random() < 0.3 else content[start + chance.randint(1, 4096) :])


def repeat(chance: random.Random, content: bytes) -> bytes:
    """Let a piece stand twice."""
    start = chance.randrange(len(content))
    end = start + chance.randint(1, 8192)
    return content[:end] + content[start:end] + content[end:]


def spoil_cells(chance: random.Random, content: bytes) -> bytes:
    """Put something ugly in place of a few cells of a text file."""
    for sign in chance.sample((b"\t", b",", b";"), 3):
        cells = content.split(sign)
        if len(cells) > 3:
            for _ in range(chance.randint(1, 6)):
                cells[chance.randrange(len(cells))] = chance.choice(UGLY).encode("utf-8", "surrogatepass")
            return sign.join(cells)
    return flip(chance, content)


def shuffle_lines(chance: random.Random, content: bytes) -> bytes:
    """Change the order of lines, their ends, or the encoding."""
    lines = content.splitlines(keepends=False)
    if chance.random() < 0.5:
        chance.shuffle(lines)
    text = chance.choice((b"\n", b"\r\n", b"\r", b"\n\n")).join(lines)
    try:
        return text.decode().encode("utf-16") if chance.random() < 0.3 else text
    except UnicodeDecodeError:
        return text


def spoil_part(chance: random.Random, content: bytes) -> bytes:
    """Spoil one part of a workbook, in a zip that is sound; another file is spoilt as it is."""
    spoil = chance.choice((flip, cut, repeat, spoil_numbers))
    if not zipfile.is_zipfile(BytesIO(content)):
        return chance.choice((flip, cut, repeat))(chance, content)
    try:
        return _with_part(chance, content, spoil)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, UnicodeError, ValueError, NotImplementedError):
        return flip(chance, content)  # an earlier change has broken the archive already


def _with_part(chance: random.Random, content: bytes, spoil: Mutation) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = chance.choice([one for one in names if "sheet" in one or "shared" in one] or names)
        for name in names:
            part = old.read(name)
            new.writestr(name, spoil(chance, part) if name == chosen and part else part)
    return out.getvalue()


def spoil_numbers(chance: random.Random, content: bytes) -> bytes:
    """Put something ugly between the tags of a few cells."""
    parts = content.split(b"</v>")
    for _ in range(min(chance.randint(1, 10), len(parts) - 1)):
        place = chance.randrange(len(parts) - 1)
        head = parts[place].rpartition(b">")[0]
        ugly = "".join(one for one in chance.choice(UGLY) if one not in "<&\x00")
        parts[place] = head + b">" + ugly.encode("utf-8", "ignore")
    return b"</v>".join(parts)


MUTATIONS: tuple[Mutation, ...] = (flip, cut, repeat, spoil_cells, shuffle_lines, spoil_part, spoil_part, spoil_cells)


class Laboratory:
    """A database of its own, with one project."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, secret_key="of a fuzzer, " * 3)
        self.url = self.settings.url
        migrate.upgrade(self.url)
        with self.session() as session:
            declare(session, ACTOR, "project:create")
            self.project = create_project(session, ACTOR, code="FUZZ", title="Fuzzed").id
            session.commit()

    def session(self) -> Any:
        """Open a writing session; the database is closed before a child is forked."""
        return Database(self.url).writer()

    def receive(self, name: str, content: bytes, choices: dict[str, str]) -> int:
        """Store a file and open a batch."""
        with self.session() as session, session.begin():
            store, project = FileStore(self.settings.file_dir), session.get_one(Project, self.project)
            return receive(session, ACTOR, store, project, name, content, choices=choices)[0].id

    def answer(self, batch_id: int, chance: random.Random) -> None:
        """Answer what the file leaves open, at random."""
        with self.session() as session, session.begin():
            batch = session.get_one(ImportBatch, batch_id)
            open_ones = [one for one in (batch.report or {}).get("questions", []) if one["answer"] is None]
            answers = {
                one["key"]: chance.choice(one["options"])[0]
                if one["options"]
                else chance.choice(["2024-03-01", "M07", "ERBB2", "1"])
                for one in open_ones
            }
            run.take_answers(session, ACTOR, batch, choices=answers)

    def recorded(self, batch_id: int) -> int:
        """Count what is recorded of a batch."""
        with Database(self.url).reading() as session:
            counts = (
                session.scalar(select(func.count()).select_from(table).where(table.batch_id == batch_id)) or 0
                for table in (Measurement, RecordSource)
            )
            return sum(counts)


def problems_of(lab: Laboratory, chance: random.Random, name: str, content: bytes, seen: Counter[str]) -> list[str]:
    """Take one file the whole way; gives what must not be."""
    choices = {"create": ",".join(CREATABLE), "leave_out": "refused"} if chance.random() < 0.8 else {}
    try:
        batch = lab.receive(name, content, choices)
        outcome = run.check(lab.settings, lab.url, batch, ACTOR)
        if outcome.state is BatchState.REFUSED and outcome.importer is not None:
            lab.answer(batch, chance)
        outcome = run.commit(lab.settings, lab.url, batch, ACTOR, reason="fuzzed")
    except DomainError as refused:
        seen[f"refused: {type(refused).__name__}"] += 1
        return []
    seen[outcome.state.value] += 1
    rows = outcome.report["rows"]
    problems = []
    if rows["read"] != sum(number for fate, number in rows.items() if fate != "read"):
        problems.append(f"the books do not balance: {rows}")
    if outcome.state is not BatchState.COMMITTED and lab.recorded(batch):
        problems.append(f"{outcome.state.value}, and {lab.recorded(batch)} of its records are there")
    if outcome.state is BatchState.REFUSED and not outcome.findings:
        problems.append("refused without a finding")
    return problems


def main() -> int:
    """Run until the time is over; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    files = sorted(one for one in asked.folder.rglob("*") if one.is_file() and one.stat().st_size)
    seen: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    until, number = time.monotonic() + asked.minutes * 60, asked.seed * 1_000_000
    with TemporaryDirectory(prefix="lims-fuzz-") as folder:
        lab = Laboratory(Path(folder))
        while time.monotonic() < until:
            number += 1
            chance = random.Random(number)  # noqa: S311  # the same number brings the same file about
            file = chance.choice(files)
            content = file.read_bytes()
            for _ in range(chance.randint(1, 3)):
                content = chance.choice(MUTATIONS)(chance, content) or b"x"
            began = time.monotonic()
            try:
                problems = problems_of(lab, chance, file.name, content, seen)
            except Exception:  # noqa: BLE001  # whatever it is, it is what this looks for
                problems = [traceback.format_exc(limit=-6)]
            if time.monotonic() - began > LONGEST_SECONDS:
                problems.append(f"took {time.monotonic() - began:.0f} s")
            failures += [{"seed": number, "file": file.name, "problem": one} for one in problems]
            sys.stderr.write(f"\r{sum(seen.values())} files, {len(failures)} problems ")
        report = verify(Database(lab.url))
    told = {"files": sum(seen.values()), **seen, "trail": [str(one) for one in report.problems], "problems": failures}
    sys.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return 1 if failures or report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
