"""The layers of pyproject.toml name every module, so that none is left out of the check."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def layered() -> set[str]:
    """The modules that the layers contract names."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contract = next(one for one in settings["contracts"] if one["type"] == "layers")
    return {name for layer in contract["layers"] for name in re.findall(r"[\w.]+", layer)}


def modules(folder: Path) -> set[str]:
    """The modules and packages directly in a package."""
    found = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    prefix = ".".join(folder.relative_to(ROOT).parts)
    return {f"{prefix}.{name}" for name in found - {"__init__"}}


def test_every_module_has_its_layer() -> None:
    # The audit package is split between two layers; every other package is of one.
    present = (modules(ROOT / "lims") - {"lims.audit"}) | modules(ROOT / "lims" / "audit")
    assert sorted(present - layered()) == []
