"""What the CancerModels.org workbook says in words, and which term of ours each is; a word of no table is a finding."""

from __future__ import annotations

from collections.abc import Mapping

from lims.domain.tissue_terms import CheckKind, CheckResult, ModelKind
from lims.domain.vocabulary import CollectionProcedure, Sex, TumourOrigin

NOTHING = frozenset(
    {"", "not provided", "not collected", "no provided", "not specified", "not available", "na", "n/a", "none", "-"}
)
"""Words by which a field says that nothing is known, as letters in lower case."""

SEX: Mapping[str, Sex] = {"female": Sex.FEMALE, "male": Sex.MALE}
ORIGIN: Mapping[str, TumourOrigin] = {
    "primary": TumourOrigin.PRIMARY,
    "metastatic": TumourOrigin.METASTATIC,
    "metastastic": TumourOrigin.METASTATIC,  # as the template itself spells it
    "metastasis": TumourOrigin.METASTATIC,
    "recurrent": TumourOrigin.RECURRENT,
    "recurrence": TumourOrigin.RECURRENT,
    "relapse": TumourOrigin.RECURRENT,
}
PROCEDURE: Mapping[str, CollectionProcedure] = {
    "biopsy": CollectionProcedure.BIOPSY,
    "needle biopsy": CollectionProcedure.BIOPSY,
    "core needle biopsy": CollectionProcedure.BIOPSY,
    "surgical resection": CollectionProcedure.RESECTION,
    "resection": CollectionProcedure.RESECTION,
    "surgery": CollectionProcedure.RESECTION,
    "craniotomy": CollectionProcedure.CRANIOTOMY,
    "autopsy": CollectionProcedure.AUTOPSY,
    "lumbar puncture": CollectionProcedure.CSF_TAP,
}
CULTURE: Mapping[str, ModelKind] = {
    "organoid": ModelKind.ORGANOID,
    "cell model": ModelKind.CELL_CULTURE,
    "cell line": ModelKind.CELL_CULTURE,
    "2d": ModelKind.CELL_CULTURE,
    "3-d other": ModelKind.CELL_CULTURE,
    "crc": ModelKind.CELL_CULTURE,  # conditionally reprogrammed cells
}
TECHNIQUE: Mapping[str, CheckKind] = {
    "fingerprinting": CheckKind.STR_PROFILE,
    "dna fingerprinting": CheckKind.STR_PROFILE,
    "str": CheckKind.STR_PROFILE,
    "str analysis": CheckKind.STR_PROFILE,
    "str profiling": CheckKind.STR_PROFILE,
    "histology": CheckKind.HISTOLOGY_CONCORDANCE,
    "histopathology": CheckKind.HISTOLOGY_CONCORDANCE,
    "mycoplasma": CheckKind.MYCOPLASMA,
    "mycoplasma testing": CheckKind.MYCOPLASMA,
    "species-specific pcr": CheckKind.SPECIES_FRACTION,
}
CONCORDANCE: tuple[tuple[str, CheckResult], ...] = (
    ("no concordance", CheckResult.FAILED),
    ("poor concordance", CheckResult.FAILED),
    ("low concordance", CheckResult.FAILED),
    ("moderate concordance", CheckResult.INCONCLUSIVE),
    ("good concordance", CheckResult.PASSED),
    ("high concordance", CheckResult.PASSED),
    ("concordant", CheckResult.PASSED),
)
"""What the description of a validation says, the first that is in it."""
NOTTINGHAM = {"1": 1, "2": 2, "3": 3, "i": 1, "ii": 2, "iii": 3}
"""Grades of the Nottingham system, after the word grade is taken off."""
