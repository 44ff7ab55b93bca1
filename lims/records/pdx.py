"""Writes patient-derived models and what was checked of them."""

from __future__ import annotations

from lims.models import Implant, ModelCheck, PdxModel
from lims.records.nouns import Noun

MODEL: Noun[PdxModel] = Noun("model", PdxModel, dependents=((Implant, "model_id"),))
MODEL_CHECK: Noun[ModelCheck] = Noun(
    "check", ModelCheck, fixed=frozenset({"model_id"}), derived=frozenset({"masters_percent"}), key=()
)
