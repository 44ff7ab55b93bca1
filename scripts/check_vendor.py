"""Check that every vendored front-end file is the one its VENDOR.json and frontend/package-lock.json name.

Needs Python only: each file's SHA-256 is compared with the folder's VENDOR.json, and the folder's version and integrity
with the lock file, so neither a file nor a record of it changes unseen. `node frontend/vendor.mjs` writes them anew.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "lims" / "static" / "vendor"
LOCK = ROOT / "frontend" / "package-lock.json"
RECORD = "VENDOR.json"


def _folder_problems(folder: Path, packages: dict[str, Any]) -> list[str]:
    record_file = folder / RECORD
    if not record_file.is_file():
        return [f"{folder.name}: {RECORD} is missing, so nothing says where these files come from."]
    record = json.loads(record_file.read_text(encoding="utf-8"))
    problems = []
    if folder.name != f"{record['name']}-{record['version']}":
        problems.append(f"{folder.name}: {RECORD} names {record['name']} {record['version']}.")
    locked = packages.get(f"node_modules/{record['name']}", {})
    problems += [
        f"{folder.name}: {key} is {record[key]!r}, but package-lock.json says {locked.get(key)!r}."
        for key in ("version", "integrity")
        if record[key] != locked.get(key)
    ]
    listed = record["files"]
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    present.pop(RECORD)
    problems += [f"{folder.name}: {name} is listed but missing." for name in sorted(listed.keys() - present.keys())]
    problems += [f"{folder.name}: {name} is not listed in {RECORD}." for name in sorted(present.keys() - listed.keys())]
    for name in sorted(listed.keys() & present.keys()):
        if hashlib.sha256(present[name].read_bytes()).hexdigest() != listed[name]:
            problems.append(f"{folder.name}: {name} was changed: its SHA-256 is not the one listed.")
    return problems


def vendor_problems(vendor: Path = VENDOR, lock: Path = LOCK) -> list[str]:
    """List, in sentences, every vendored file that is missing, extra, changed or of another version than locked."""
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    entries = sorted(vendor.iterdir())
    problems = [f"{entry.name}: a file outside any package's folder." for entry in entries if not entry.is_dir()]
    for folder in entries:
        if folder.is_dir():
            problems += _folder_problems(folder, packages)
    recorded = {folder.name.rsplit("-", 1)[0] for folder in entries if folder.is_dir()}
    wanted = packages[""]["dependencies"].keys()
    return problems + [f"{name}: in package.json, but no folder holds it." for name in sorted(wanted - recorded)]


def main() -> int:
    """Print the problems, or how many packages are as recorded; return the exit code."""
    problems = vendor_problems()
    if problems:
        print("Vendored files differ from their record:", *problems, sep="\n  ", file=sys.stderr)
        print("Run `npm ci --ignore-scripts && npm run vendor` in frontend/ and look at the difference.", file=sys.stderr)
        return 1
    print(f"{sum(1 for _ in VENDOR.iterdir())} vendored packages are as recorded.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
