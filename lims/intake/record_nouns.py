"""Which nouns a file may write as `Records`, how a line meets a record that is there, and how what it refers to is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Table

from lims.domain.errors import DomainError
from lims.domain.genes import clean_gene
from lims.domain.positions import parse_position
from lims.domain.schedules import parse_schedule
from lims.domain.stains import clean_marker
from lims.domain.tissue_terms import Compartment
from lims.intake.record_stories import AliquotTeller, AnimalTeller, Teller
from lims.models import Agent, AgentLot, Animal, Arm, Base, Implant, TherapyLine
from lims.records.colony import ANIMAL, CAGE, PROTOCOL
from lims.records.doses import DOSE
from lims.records.exposures import EXPOSURE
from lims.records.fates import FATE
from lims.records.implants import IMPLANT
from lims.records.noun import Noun
from lims.records.patients import CONSENT, PATIENT, THERAPY_AGENT, THERAPY_LINE
from lims.records.pdx import MODEL, MODEL_CHECK
from lims.records.preparations import PREPARATION
from lims.records.procedures import PROCEDURE
from lims.records.stains import KEY as STAIN_KEY
from lims.records.stains import STAIN_REGION
from lims.records.storage import ALIQUOT, PLACE
from lims.records.studies import ARM, ENROLMENT, STUDY
from lims.records.tissue import ALTERATION, RECEPTOR_ASSAY, SPECIMEN, STR_PROFILE
from lims.records.treatment import AGENT, LOT, REGIMEN
from lims.records.values import table_of

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """How records of a table are found by what a file writes.

    names: columns that hold a name, the first one before the others. within: the reference that narrows it, where a name
    is unique within another record only, such as the label of a tumour within its animal. folded: whether case counts not.
    """

    names: tuple[str, ...] = ("code",)
    within: str | None = None
    folded: bool = False

    def plain(self, name: str) -> str:
        """Give a name as it is compared."""
        return name.lower() if self.folded else name


TARGETS: Mapping[type[Base], Target] = {
    Agent: Target(("code", "name"), folded=True),
    AgentLot: Target(("code",), "agent_id"),
    Animal: Target(("code",)),  # and by a confirmed alias (`lims.intake.resolve_records`)
    Arm: Target(("code", "title"), "study_id"),
    Implant: Target(("label",), "animal_id"),
    TherapyLine: Target(("line_number",), "patient_id"),
}


def target_of(model: type[Base]) -> Target:
    """Give how a table's records are found."""
    return TARGETS.get(model, Target())


@dataclass(frozen=True)
class FileNoun:
    """A noun that a file may write.

    natural: columns by which a line meets a record where the noun has no codes, or files of it give none; `otherwise` joins
    them where the last one is blank. moment: the column of these that a line or a record may leave blank and still mean the
    only one that agrees in the others. prepare: brings a line's typed values to the form in which they are compared, such as a
    gene's approved symbol. beside: fields that are no columns of the table, each read into values of columns. teller: writes
    the events that the noun's history consists of.
    """

    noun: Noun[Any]
    natural: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    moment: str | None = None
    prepare: Callable[[Values], None] = lambda values: None
    beside: Mapping[str, Callable[[Any], Values]] = field(default_factory=dict)
    teller: type[Teller] = Teller

    @property
    def key(self) -> tuple[str, ...]:
        """Give the columns by which a line meets a record."""
        return self.natural or self.noun.key

    @property
    def table(self) -> Table:
        """Give the noun's table."""
        return table_of(self.noun.model)

    @property
    def entity(self) -> str:
        """Give the table's name."""
        return str(self.table.name)

    def column_of(self, named: str) -> str | None:
        """Give the column that a field of `Records` is: its own name, or that of a reference; nothing where it is none."""
        return next((name for name in (named, f"{named}_id") if name in self.noun.columns), None)


def _approved_gene(values: Values) -> None:
    """Compare genes by their approved symbols; what is none is refused by the noun's own rule."""
    if values.get("gene"):
        try:
            values["gene"] = clean_gene(values["gene"], values.get("compartment") or Compartment.HUMAN_TUMOUR)
        except DomainError:
            return


def _marker(values: Values) -> None:
    """Compare markers by the names under which they are kept."""
    if values.get("marker") and values.get("compartment"):
        values["marker"] = clean_marker(values["marker"], values["compartment"])


def _schedule(values: Values) -> None:
    """Compare schedules by the notation in which they are kept; what is none is refused by the noun's own rule."""
    if values.get("schedule"):
        try:
            values["schedule"] = parse_schedule(values["schedule"]).notation
        except DomainError:
            return


def _position(text: Any) -> Values:
    if text is None:
        return {"box_row": None, "box_column": None}
    row, column = parse_position(str(text))
    return {"box_row": row, "box_column": column}


FILE_NOUNS: tuple[FileNoun, ...] = (
    FileNoun(PROTOCOL),
    FileNoun(PATIENT),
    FileNoun(CONSENT, ("patient_id", "protocol", "protocol_version", "given_on")),
    FileNoun(THERAPY_LINE, ("patient_id", "line_number")),
    FileNoun(THERAPY_AGENT, ("therapy_line_id", "name", "agent_class")),
    FileNoun(AGENT),
    FileNoun(LOT),
    FileNoun(PLACE),
    FileNoun(CAGE),
    FileNoun(ANIMAL, teller=AnimalTeller),
    FileNoun(STUDY),
    FileNoun(ARM),
    FileNoun(REGIMEN, ("arm_id", "agent_id", "schedule"), prepare=_schedule),
    FileNoun(ENROLMENT),
    FileNoun(SPECIMEN),
    FileNoun(MODEL),
    FileNoun(RECEPTOR_ASSAY, ("specimen_id", "laboratory", "antibody", "assayed_on")),
    FileNoun(
        ALTERATION,
        ("specimen_id", "gene", "kind", "compartment", "platform", "hgvs"),
        otherwise=("found_on",),
        prepare=_approved_gene,
    ),
    FileNoun(STAIN_REGION, STAIN_KEY, prepare=_marker),
    FileNoun(STR_PROFILE, ("specimen_id", "kit", "typed_on")),
    FileNoun(MODEL_CHECK, ("model_id", "kind", "method", "checked_on")),
    FileNoun(ALIQUOT, beside={"position": _position}, teller=AliquotTeller),
    FileNoun(PREPARATION, ("sample", "count_name", "counted_at"), otherwise=("counted_on",)),
    FileNoun(IMPLANT),
    FileNoun(DOSE, ("animal_id", "agent_id", "nth", "given_on"), otherwise=("due_on",)),
    FileNoun(PROCEDURE, ("animal_id", "kind", "done_on", "done_at"), moment="done_at"),
    FileNoun(
        EXPOSURE,
        ("animal_id", "agent_id", "analyte", "matrix", "sample"),
        otherwise=("collected_on", "collected_at", "hours_after_dose"),
    ),
    FileNoun(FATE, ("animal_id",)),
)
"""In the order in which they depend on each other: the first ones stand on nothing."""


@cache
def file_nouns() -> Mapping[str, FileNoun]:
    """Give the nouns by what an importer may call them: their word in the trail, or their table.

    Of a word that a whole shares with its parts, as a line of therapy does with its agents, the whole is meant.
    """
    return {name: one for one in reversed(FILE_NOUNS) for name in (one.entity, one.noun.name)}
