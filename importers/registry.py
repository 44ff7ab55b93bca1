"""What an importer is, and all of them in the order they are listed."""

from __future__ import annotations

from typing import Protocol

from importers.analyst import IMPORTER as ANALYST
from importers.asm import IMPORTER as ASM_COUNTS
from importers.base import Choices, Claim, Question, Reading, Refused
from importers.body_weight import IMPORTER as BODY_WEIGHT
from importers.caliper_long import IMPORTER as CALIPER_LONG
from importers.caliper_wide import IMPORTER as CALIPER_WIDE
from importers.cancermodels import IMPORTER as CANCERMODELS
from importers.click_info import IMPORTER as CLICK_INFO
from importers.colony_log import IMPORTER as COLONY_LOG
from importers.group_headed import IMPORTER as GROUP_HEADED
from importers.halo import IMPORTER as HALO
from importers.halo_summary import IMPORTER as HALO_SUMMARY
from importers.json_records import IMPORTER as JSON_RECORDS
from importers.living_image import IMPORTER as LIVING_IMAGE
from importers.mapped_table import IMPORTER as MAPPED_TABLE
from importers.masshunter import IMPORTER as MASSHUNTER
from importers.nucleocounter import IMPORTER as NUCLEOCOUNTER
from importers.paravision import IMPORTER as PARAVISION
from importers.quantstudio import IMPORTER as QUANTSTUDIO
from importers.qupath import IMPORTER as QUPATH
from importers.registry_template import IMPORTER as REGISTRY_TEMPLATE
from importers.segment_volumes import IMPORTER as SEGMENT_VOLUMES
from importers.sheets import Workbook
from importers.skyline import IMPORTER as SKYLINE
from importers.targetlynx import IMPORTER as TARGETLYNX
from importers.vicell import IMPORTER as VICELL
from importers.xcalibur import IMPORTER as XCALIBUR


class Importer(Protocol):
    """One format. `claim` looks at headers only and is quick; `read` is pure and may be run any number of times."""

    key: str
    title: str
    reads: str
    """One sentence for the list of importers: which file, which columns, which kinds of measurement."""

    def claim(self, book: Workbook) -> Claim | None:
        """Say whether this workbook is of this format, with the evidence, without reading the data."""
        ...

    def read(self, book: Workbook, claim: Claim, choices: Choices) -> Reading:
        """Read everything; report every problem in one pass. Raises `Refused` only if nothing at all can be read."""
        ...


IMPORTERS: tuple[Importer, ...] = (
    LIVING_IMAGE,
    CLICK_INFO,
    CALIPER_LONG,
    CALIPER_WIDE,
    GROUP_HEADED,
    COLONY_LOG,
    BODY_WEIGHT,
    SEGMENT_VOLUMES,
    PARAVISION,
    QUPATH,
    HALO,
    HALO_SUMMARY,
    ANALYST,
    TARGETLYNX,
    MASSHUNTER,
    XCALIBUR,
    SKYLINE,
    QUANTSTUDIO,
    VICELL,
    NUCLEOCOUNTER,
    ASM_COUNTS,
    MAPPED_TABLE,
    REGISTRY_TEMPLATE,
    CANCERMODELS,
    JSON_RECORDS,
)

STREAMED = frozenset({QUPATH.key, HALO.key})
"""Keys of those that summarise a text of any length while its rows pass by (`Sheet.every_row`); all others hold a file whole."""

WITHOUT_DECIMALS = frozenset({CLICK_INFO.key, PARAVISION.key, HALO.key, CANCERMODELS.key, JSON_RECORDS.key})
"""Keys of those that read no number by the decimal mark of the file's text: their formats fix it, or hold whole numbers only."""


def questions_for(importer: str, book: Workbook) -> tuple[Question, ...]:
    """Give the reader's own questions that matter to what an importer reads: none is asked without a reason."""
    return tuple(one for one in book.questions if one.key != "decimal" or importer not in WITHOUT_DECIMALS)


def by_key(key: str) -> Importer:
    """Give the importer of a key. Raises `Refused` for a key that is none, with the keys there are."""
    for importer in IMPORTERS:
        if importer.key == key:
            return importer
    keys = ", ".join(importer.key for importer in IMPORTERS)
    raise Refused("importer-unknown", f'there is no importer "{key}"', expected=f"one of {keys}", remedy=f"choose one of {keys}")
