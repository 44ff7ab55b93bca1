"""The vendored front end is what its records say, and the check notices when it is not."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "frontend" / "package-lock.json"
VENDOR = ROOT / "lims" / "static" / "vendor"


@pytest.fixture(scope="module")
def vendor_problems() -> Callable[[Path, Path], list[str]]:
    """The check, loaded from scripts/, which is no package."""
    spec = importlib.util.spec_from_file_location("check_vendor", ROOT / "scripts" / "check_vendor.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    checked: Callable[[Path, Path], list[str]] = module.vendor_problems
    return checked


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the vendored folders to spoil."""
    return Path(shutil.copytree(VENDOR, tmp_path / "vendor"))


def _folder(vendor: Path, name: str) -> Path:
    return next(vendor.glob(f"{name}-[0-9]*"))


def test_the_committed_files_are_as_recorded(vendor_problems: Callable[[Path, Path], list[str]]) -> None:
    assert vendor_problems(VENDOR, LOCK) == []


def test_every_package_carries_its_licence() -> None:
    for folder in VENDOR.iterdir():
        assert (folder / "LICENSE").stat().st_size > 500, folder.name


def test_a_changed_file_is_named(vendor_problems: Callable[[Path, Path], list[str]], copy: Path) -> None:
    script = _folder(copy, "vega-embed") / "vega-embed.min.js"
    script.write_bytes(script.read_bytes() + b"\n")
    (problem,) = vendor_problems(copy, LOCK)
    assert "vega-embed.min.js was changed" in problem


def test_missing_and_unlisted_files_are_named(vendor_problems: Callable[[Path, Path], list[str]], copy: Path) -> None:
    folder = _folder(copy, "bootstrap")
    (folder / "LICENSE").rename(folder / "extra.js")
    problems = vendor_problems(copy, LOCK)
    assert [problem.split(": ")[1] for problem in problems] == [
        "LICENSE is listed but missing.",
        "extra.js is not listed in VENDOR.json.",
    ]


def test_a_folder_without_record_is_named(vendor_problems: Callable[[Path, Path], list[str]], copy: Path) -> None:
    (_folder(copy, "vega-lite") / "VENDOR.json").unlink()
    (problem,) = vendor_problems(copy, LOCK)
    assert "VENDOR.json is missing" in problem


def test_another_version_than_locked_is_named(
    vendor_problems: Callable[[Path, Path], list[str]], copy: Path, tmp_path: Path
) -> None:
    locked = json.loads(LOCK.read_text(encoding="utf-8"))
    locked["packages"]["node_modules/bootstrap"]["integrity"] = "sha512-other"
    lock = tmp_path / "package-lock.json"
    lock.write_text(json.dumps(locked), encoding="utf-8")
    (problem,) = vendor_problems(copy, lock)
    assert "integrity" in problem
    assert "sha512-other" in problem


def test_a_package_nobody_copied_is_named(vendor_problems: Callable[[Path, Path], list[str]], copy: Path) -> None:
    shutil.rmtree(_folder(copy, "bootstrap-icons"))
    assert vendor_problems(copy, LOCK) == ["bootstrap-icons: in package.json, but no folder holds it."]


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]


def test_templates_load_only_vendored_files_that_exist() -> None:
    templates = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html"))
    named = set(re.findall(r"filename=[\"'](vendor/[^\"']+)[\"']", templates))
    assert named
    assert [name for name in sorted(named) if not (ROOT / "lims" / "static" / name).is_file()] == []


def test_templates_ask_only_for_icons_the_sprite_has() -> None:
    sprite = (_folder(VENDOR, "bootstrap-icons") / "icons.svg").read_text(encoding="utf-8")
    drawn = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    templates = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html"))
    asked = set(re.findall(r"\bicon\([\"']([a-z0-9-]+)[\"']", templates))
    assert asked
    assert asked <= drawn
