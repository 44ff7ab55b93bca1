"""Asks which gene a target of qPCR is, whose, and which targets the others are measured against."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from importers.base import Finding, Option, Severity
from importers.columns import in_words
from importers.questions import ANSWER_IT, Asked, one_of
from lims.domain.errors import DomainError
from lims.domain.expression import compartment_by_case, is_reference_gene, without_species
from lims.domain.genes import clean_gene
from lims.domain.tissue_terms import Compartment

LEAVE_OUT = "leave_out"
REFERENCE = "reference"
"""Of transcripts of both species, such as 18S rRNA."""
REFERENCES: Mapping[str, Compartment | None] = {
    "human_reference": Compartment.HUMAN_TUMOUR,
    "mouse_reference": Compartment.MOUSE_HOST,
    REFERENCE: None,
}
WHOSE = {Compartment.HUMAN_TUMOUR: "human tumour", Compartment.MOUSE_HOST: "mouse host"}
_REFERENCE_OPTIONS = (
    Option("human_reference", "reference gene, human transcripts only"),
    Option("mouse_reference", "reference gene, mouse transcripts only"),
    Option(REFERENCE, "reference gene of both, such as 18S"),
    Option(LEAVE_OUT, "leave it out"),
)
_SYMBOL = "the symbol of a gene: ERBB2 of the tumour, Erbb2 of the mouse host"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a target is: a gene of a compartment, or a reference gene of one or (`None`) of both."""

    symbol: str
    compartment: Compartment | None
    reference: bool = False


def meaning_of(name: str, asked: Asked, sheet: str, *, reference: bool = False) -> Meaning | None:
    """Ask what a target is; `None` where it is left out or nobody has said yet. reference: the file calls it one."""
    species, symbol = without_species(name)
    known = {one: gene for one in Compartment if (gene := _gene(name, one) or _gene(symbol, one))}
    by_case = compartment_by_case(name) or species or compartment_by_case(symbol)
    reference = reference or is_reference_gene(name)
    key = _key_of(name, asked)
    if not known and not reference:
        return _typed(name, key, asked, sheet)
    options = [Option(one.value, f"{gene}, {WHOSE[one]}") for one, gene in known.items()] + list(_REFERENCE_OPTIONS)
    proposed, evidence = _proposal(name, known, by_case, reference=reference)
    prompt = f'What is the target "{name}"?'
    answer = asked.ask(key, prompt, options, proposed=proposed, evidence=evidence, sheet=sheet)
    if answer is None or answer == LEAVE_OUT:
        return None
    if answer in REFERENCES:
        return Meaning(name, REFERENCES[answer], reference=True)
    return Meaning(known[Compartment(answer)], Compartment(answer))


def _proposal(
    name: str, known: Mapping[Compartment, str], by_case: Compartment | None, *, reference: bool
) -> tuple[str | None, str]:
    written = {
        Compartment.HUMAN_TUMOUR: f'"{name}" is written as human symbols are',
        Compartment.MOUSE_HOST: f'"{name}" is written as mouse symbols are',
        None: f'"{name}" may be of human or mouse',
    }[by_case]
    if reference:
        whose = next(key for key, one in REFERENCES.items() if one is by_case)
        return whose, f"It is a usual reference gene; {written}."
    if by_case in known:
        return by_case.value if by_case else None, f"{written}."
    whose = in_words([WHOSE[one] for one in known])
    return None, f"{written}, and the list has it for the {whose}."


def _typed(name: str, key: str, asked: Asked, sheet: str) -> Meaning | None:
    """Ask for the symbol of a target that is on no list of genes."""
    answer = asked.ask(
        key,
        f'Which gene is the target "{name}"?',
        _REFERENCE_OPTIONS,
        evidence=f'"{name}" is no gene of the list.',
        sheet=sheet,
        typed=_SYMBOL,
    )
    if answer is None or answer == LEAVE_OUT:
        return None
    if answer in REFERENCES:
        return Meaning(name, REFERENCES[answer], reference=True)
    compartment = compartment_by_case(answer)
    gene = _gene(answer, compartment) if compartment is not None else None
    if gene is not None:
        return Meaning(gene, compartment)
    asked.questions[-1] = replace(asked.questions[-1], answer=None)
    asked.findings.append(
        Finding(
            Severity.ERROR,
            f"question-{key}",
            f'"{answer}" is no gene of the list',
            sheet=sheet,
            value=answer,
            expected=one_of(_REFERENCE_OPTIONS, _SYMBOL),
            remedy=ANSWER_IT,
            option=f"--set {key}=leave_out",
        )
    )
    return None


def _gene(name: str, compartment: Compartment) -> str | None:
    try:
        return clean_gene(name, compartment)
    except DomainError:
        return None


def _key_of(name: str, asked: Asked) -> str:
    """Name a target's question; GAPDH and Gapdh are two, and so are names that differ in a sign only."""
    key = "target_" + re.sub(r"\W+", "_", name)[:60]
    taken = {question.key for question in asked.questions}
    return next(one for one in (key, *(f"{key}_{number}" for number in range(2, 1000))) if one not in taken)
