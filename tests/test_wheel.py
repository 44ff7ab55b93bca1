"""The wheel runs by itself: no checkout beside it, nothing fetched."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the tools at hand."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone into a folder; what it depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("site")
    install = ["install", "--quiet", "--no-deps", "--no-index", "--root-user-action=ignore", "--target", str(folder), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *install], check=True, capture_output=True)
    return folder


def run(installed: Path, folder: Path, *command: str) -> str:
    """Run a command in an empty folder with the wheel's code first; gives what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIMS_")}
    environment |= {"PYTHONPATH": str(installed), "LIMS_DATA_DIR": str(folder / "data")}
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_everything_that_runs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {f"lims/_bundled/{path.relative_to(ROOT)}" for top in ("migrations", "templates") for path in files(ROOT / top)}
    packages = {str(path.relative_to(ROOT)) for top in ("lims", "importers") for path in files(ROOT / top)}
    others = {name for name in names if not name.startswith("bcbm_lims-")}
    assert others == shipped | packages


def files(folder: Path) -> list[Path]:
    """The files of a folder that belong to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_its_own_templates_and_migrations_are_used(installed: Path, tmp_path: Path) -> None:
    told = run(
        installed, tmp_path, sys.executable, "-c", "from lims import paths; print(paths.templates_dir(), paths.migrations_dir())"
    )
    assert told.split() == [str(installed / "lims" / "_bundled" / name) for name in ("templates", "migrations")]


def test_the_command_line_sets_up_a_database(installed: Path, tmp_path: Path) -> None:
    lims = str(installed / "bin" / "lims")
    assert "import" in run(installed, tmp_path, sys.executable, lims, "--help")
    run(installed, tmp_path, sys.executable, lims, "init")
    assert (tmp_path / "data" / "lims.db").is_file()
