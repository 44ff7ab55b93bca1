"""Reads animal, matrix and time of each sample: by the pattern that a person confirms, with the laboratory's words for matrices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, islice

from importers import values
from importers.base import Finding, Option, Severity
from importers.columns import squash
from importers.injection_sorting import proposal_for
from importers.injections import LONGEST_KEY, SHOWN, Batch, counted
from importers.sample_names import LIKELY, NOT_KEPT, PARTS_IN_WORDS, SURE, Pattern, SampleName, pattern_of
from lims.domain.cohort_terms import ExposureMatrix

NONE_OF_THEM = "-"
"""Answer for samples of a matrix that is not recorded."""
EXAMPLE = "{study}_{animal}_{matrix}_{hours}h"
_MATRICES = (
    *(Option(matrix.value, matrix.value.replace("_", " ")) for matrix in ExposureMatrix),
    Option(NONE_OF_THEM, "none of these: leave the samples out"),
)


def read_samples(batch: Batch, names: Sequence[str], column: int) -> dict[int, SampleName]:
    """Read the names of all live entries; one that does not fit is an error. column: where the names stand, 0 if in no column."""
    pattern = _ask_pattern(batch, names) if batch.live else None
    if pattern is None:
        return {}
    read = {name: pattern.read(name) for name in dict.fromkeys(names[index] for index in batch.live)}
    unfit = {name: _unfit(name, sample, pattern) for name, sample in read.items()}
    found: dict[int, SampleName] = {}
    for index in batch.live:
        name = names[index]
        sample, told = read[name], unfit[name]
        if sample is not None and not told:
            found[index] = sample
            continue
        expected = f"a name such as {pattern.example}"
        remedy = "Correct the name in the file, change the pattern, or leave the row out."
        batch.refuse(index, "sample-name", told, expected=expected, remedy=remedy, value=name, column=column)
    return found


def _unfit(name: str, sample: SampleName | None, pattern: Pattern) -> str:
    """Say why a name cannot be taken; nothing where it can."""
    if not name:
        return "There is a concentration, but no sample name."
    if sample is None:
        return f"The sample name `{name}` does not fit the pattern {pattern.text}."
    problem = values.identifier_problems([sample.animal]).get(0)
    return f"The animal of the sample name `{name}` {problem.reason}." if problem else ""


def _ask_pattern(batch: Batch, names: Sequence[str]) -> Pattern | None:
    """Ask for the pattern of the names, with what it would read in some of them."""
    proposal = proposal_for(batch, names)
    text = batch.asked.choices.get("sample_pattern") or proposal.pattern
    pattern, why = None, ""
    try:
        pattern = pattern_of(text) if text else None
    except ValueError as problem:
        why = str(problem)
    different = list(dict.fromkeys(names[index] for index in batch.live))
    batch.asked.ask(
        "sample_pattern",
        f"How are the samples named? Write their pattern, such as {EXAMPLE}.",
        proposed=proposal.pattern,
        evidence=f"{proposal.evidence} Its parts: {PARTS_IN_WORDS}.",
        samples=_shown(pattern, different),
    )
    if why:
        batch.refuse_answer("sample_pattern", text or "", why, f"a pattern such as {EXAMPLE}")
    return pattern


def _shown(pattern: Pattern | None, names: Sequence[str]) -> list[str]:
    """Show what a pattern reads in some names, and one that does not fit."""
    if pattern is None:
        return list(names[:SHOWN])
    fitting = islice((f"{name}: {one}" for name in names if (one := pattern.read(name))), SHOWN)
    others = islice((f"{name}: does not fit" for name in names if pattern.read(name) is None), 1)
    return [*fitting, *others]


def read_matrices(batch: Batch, samples: Mapping[int, SampleName]) -> dict[int, ExposureMatrix]:
    """Give each sample's matrix; a word that may mean several is asked, and so is a file whose names do not say."""
    spelled: dict[str, str] = {}
    told = {index: spelled.setdefault(squash(sample.matrix or ""), sample.matrix or "") for index, sample in samples.items()}
    counts = Counter(told.values())
    meant = {word: SURE.get(squash(word)) or _ask_matrix(batch, word, number) for word, number in counts.items()}
    for word, answer in meant.items():
        if answer == NONE_OF_THEM:
            batch.set_aside([index for index, said in told.items() if said == word], f'no concentration of "{word}" is recorded')
    return {index: ExposureMatrix(answer) for index, word in told.items() if (answer := meant[word]) and answer != NONE_OF_THEM}


def _ask_matrix(batch: Batch, word: str, number: int) -> str | None:
    if not word:
        return _ask_for_all(batch)
    plain = squash(word)
    likely = LIKELY.get(plain)
    evidence = f"{counted(number)}. "
    if plain in NOT_KEPT:
        evidence += f"Concentrations of {word.casefold()} are not recorded."
    elif plain in LIKELY and likely is None:
        evidence += "The word alone does not say which."
    elif likely is not None:
        evidence += f"Mostly {likely.value.replace('_', ' ')} is meant."
    else:
        evidence += "The word is not known."
    return batch.asked.ask(
        f"matrix:{word}"[:LONGEST_KEY],
        f"What is “{word}” in the sample names?",
        _MATRICES,
        proposed=NONE_OF_THEM if plain in NOT_KEPT else likely.value if likely else None,
        evidence=evidence.strip(),
    )


def _ask_for_all(batch: Batch) -> str | None:
    """Ask for the matrix of the whole file; one that the file's or a sheet's name says is proposed."""
    named = (batch.book.name, *(sheet.name for sheet in batch.book.sheets))
    words = dict.fromkeys(chain.from_iterable(_words(name) for name in named))
    said = {SURE[word]: word for word in words if word in SURE}
    one = next(iter(said)) if len(said) == 1 else None
    return batch.asked.ask(
        "matrix",
        "What are these samples of? Their names do not say.",
        _MATRICES,
        proposed=one.value if one else None,
        evidence=f"The file's name says “{said[one]}”." if one else "",
    )


def _words(name: str) -> list[str]:
    return [squash(word) for word in name.replace("_", " ").replace("-", " ").replace(".", " ").split()]


def time_findings(samples: Mapping[int, SampleName]) -> list[Finding]:
    """Say that nothing tells when the samples were taken."""
    timed = (sample.hours is not None or sample.collected_on or sample.before_dose for sample in samples.values())
    if not samples or any(timed):
        return []
    return [
        Finding(
            *(Severity.WARNING, "sample-time", "The sample names say neither the time after the dose nor the day of collection."),
            expected="a part {hours}, {time} or {date} in the pattern of the names",
            remedy="Acknowledge, or answer with a pattern that has one: plasma and tissue are compared by it.",
        )
    ]
