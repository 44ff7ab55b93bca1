"""Which animal a scan is of, and when it was taken, where only the file's own name says so: read by a pattern, or asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePath

from importers.base import Finding, Question, Severity
from importers.questions import ANSWER_IT, Asked
from importers.sample_names import SampleName, pattern_of

PATTERN = "file_pattern"
_PROMPT = (
    "How are the files named? {animal} stands for the animal, {date} for 2024-01-31 or 20240131, * for anything else, as in "
    "{animal}_{date}_*."
)
_PIECES = re.compile(r"([_ .]|(?<=\D)-|-(?=\D))")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}")
_ID = re.compile(r"[A-Za-z]{1,8}-?\d{1,6}[A-Za-z]?")
_NOT_AN_ID = re.compile(
    r"(?:day|d|week|wk|w|month|mo|scan|run|rep|exp|t|te|tr|v|ver|seg|slice|label|part|post|pre)-?\d+[a-z]?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file is of. Both are `None` while a person has to say."""

    animal: str | None
    taken_on: date | None


def scan_of(asked: Asked, file_name: str) -> Scan:
    """Read animal and date from a file's name by the lab's pattern, a proposed one, or ask for both."""
    stem = PurePath(file_name).stem
    named = _named(asked, stem)
    animal = named.animal if named else None
    taken_on = named.collected_on if named else None
    called = f"The file is called “{file_name}”."
    if animal is None:
        animal = asked.ask("animal", "Which animal was scanned? The file does not say.", evidence=called)
    return Scan(animal, taken_on or asked_day(asked, "On which date was it scanned? As in 2024-01-31.", called))


def asked_day(asked: Asked, prompt: str, evidence: str) -> date | None:
    """Ask for the one date of a file; an answer that is none is an error finding."""
    answer = asked.ask("date", prompt, evidence=evidence)
    try:
        return date.fromisoformat(answer) if answer else None
    except ValueError:
        asked.findings.append(
            Finding(
                *(Severity.ERROR, "question-date", f'"{answer}" is not a date'),
                value=answer,
                expected="a date such as 2024-01-31",
                remedy=ANSWER_IT,
                option="--set date=2024-01-31",
            )
        )
        asked.questions[-1] = replace(asked.questions[-1], answer=None)
        return None


def _named(asked: Asked, stem: str) -> SampleName | None:
    """Read the name by the pattern in use; where none is given or supported by the name, the question waits without an error."""
    given = asked.choices.get(PATTERN)
    proposed = None if given else _proposal(stem)
    if not (given or proposed):
        evidence = f"In “{stem}” no part is surely the animal, so animal and date are asked."
        asked.questions.append(Question(PATTERN, _PROMPT, evidence=evidence, samples=(stem,)))
        return None
    pattern = str(given or proposed)
    try:
        said = pattern_of(pattern).read(stem)
    except ValueError as problem:
        _refuse(asked, pattern, f"The pattern “{pattern}” {problem}.")
        return None
    if said is None:
        _refuse(asked, pattern, f"The file is called “{stem}”, which is not as the pattern “{pattern}” says.")
        return None
    asked.ask(PATTERN, _PROMPT, proposed=proposed, evidence=f"“{stem}” reads as {said}.", samples=[stem])
    return said


def _refuse(asked: Asked, pattern: str, told: str) -> None:
    asked.questions.append(Question(PATTERN, _PROMPT, evidence=told))
    asked.findings.append(
        Finding(
            *(Severity.ERROR, f"question-{PATTERN}", told),
            value=pattern,
            expected="a pattern of the file's name, such as {animal}_{date}_*",
            remedy="rename the file, or answer this question",
            option=f"--set {PATTERN}=PATTERN",
        )
    )


def _proposal(stem: str) -> str | None:
    """Propose the pattern of a name in which exactly one part looks like an animal's id; what is neither id nor date is a `*`."""
    days = _DAY.findall(stem)
    if len(days) > 1:
        return None
    before, day, after = stem.partition(days[0]) if days else (stem, "", "")
    pieces = [*_PIECES.split(before), *(["{date}"] if day else []), *_PIECES.split(after)]
    ids = [place for place, piece in enumerate(pieces) if _ID.fullmatch(piece) and not _NOT_AN_ID.fullmatch(piece)]
    if len(ids) != 1:
        return None
    return "".join(
        "{animal}" if place == ids[0] else piece if not piece or piece == "{date}" or _PIECES.fullmatch(piece) else "*"
        for place, piece in enumerate(pieces)
    )
