"""How the demo's records are told from a lab's own: by the title that every page of the project shows."""

from __future__ import annotations

DEMO_PROJECT = "BCBM"
DEMO_TITLE = "Demo: synthetic data"
