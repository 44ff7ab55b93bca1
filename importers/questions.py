"""What a file leaves open: questions asked with the evidence, answered by a person or by a proposal that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from importers.base import Choices, Finding, Option, Question, Severity

ANSWER_IT = "answer this question"
"""What to do about a question without an answer, or with one that is none."""


@dataclass(slots=True)
class Asked:
    """The questions of one reading, and the findings that unanswered ones leave."""

    choices: Choices
    questions: list[Question] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def ask(
        self,
        key: str,
        prompt: str,
        options: Sequence[Option] = (),
        *,
        proposed: str | None = None,
        evidence: str = "",
        samples: Sequence[str] = (),
        sheet: str | None = None,
        typed: str = "",
    ) -> str | None:
        """Ask once, and give the answer in use: a person's choice, else the proposal, else `None` with an error finding.

        typed: what may be typed where none of the options fits; whoever asks judges that.
        """
        for asked in self.questions:
            if asked.key == key:
                return asked.answer
        given = self.choices.get(key)
        allowed = [] if typed else [option.value for option in options]
        answer = proposed if given is None else given
        if given is not None and allowed and given not in allowed:
            self._refuse_answer(key, given, options, sheet)
            answer = None
        elif answer is None:
            self._wait(key, prompt, options, evidence, sheet, typed)
        self.questions.append(Question(key, prompt, tuple(options), proposed, evidence, tuple(samples), answer, typed))
        return answer

    def _refuse_answer(self, key: str, given: str, options: Sequence[Option], sheet: str | None) -> None:
        self.findings.append(
            Finding(
                Severity.ERROR,
                f"question-{key}",
                f'"{given}" is not an answer to the question {key}',
                sheet=sheet,
                value=given,
                expected=one_of(options),
                remedy=ANSWER_IT,
                option=f"--set {key}={options[0].value}",
            )
        )

    def _wait(self, key: str, prompt: str, options: Sequence[Option], evidence: str, sheet: str | None, typed: str) -> None:
        self.findings.append(
            Finding(
                Severity.ERROR,
                f"question-{key}",
                f"{prompt} {evidence}".strip(),
                sheet=sheet,
                expected=one_of(options, typed) if options else "an answer",
                remedy=ANSWER_IT,
                option=f"--set {key}={'|'.join([*(one.value for one in options), *(['ANSWER'] if typed or not options else [])])}",
            )
        )


def one_of(options: Sequence[Option], typed: str = "") -> str:
    """Say what may be answered: `one of mm, cm`, `a symbol of the list; or one of leave it out`."""
    return f"{typed}; or one of {_labels(options)}" if typed else f"one of {_labels(options)}"


def _labels(options: Sequence[Option]) -> str:
    return ", ".join(option.label for option in options)


def range_in_words(values: Sequence[float | None]) -> tuple[float | None, str]:
    """Give the median of the values and a sentence with their range; `None` and nothing to say where there are none."""
    numbers = [value for value in values if value is not None]
    if not numbers:
        return None, "There are no values to judge by."
    middle = median(numbers)
    return middle, f"The {len(numbers)} values run from {min(numbers):g} to {max(numbers):g}, half of them above {middle:g}."
