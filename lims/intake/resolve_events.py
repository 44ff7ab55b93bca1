"""Turns what a log says of doses, deaths and cages into this project's agents, reasons and cages; what is unclear is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from importers.base import Finding, Option, Question, Reading, Severity
from importers.sheets import Workbook
from lims.domain.cohort_terms import FateReason
from lims.domain.dose_words import is_vehicle, route_of
from lims.domain.errors import DomainError
from lims.domain.fate_words import understood
from lims.domain.fates import REASON_WORDS
from lims.domain.identifiers import LONGEST, clean_identifier
from lims.domain.tissue_terms import AgentClass
from lims.domain.vocabulary import BatchState, RecordStatus
from lims.intake.names import NamedAgent, Names, NewAgent
from lims.intake.stays import runs_of
from lims.models import Agent, Cage, ImportBatch
from lims.queries.chunks import in_chunks

NEW = "new"
"""Answer for a compound that becomes an agent of its own."""
REMEMBERED = 200
"""How many earlier files of this format are looked through for the same answer."""


class EventResolver:
    """Resolves the events of one reading against one project; `allowed` is what the file may create."""

    def __init__(self, session: Session, batch: ImportBatch, book: Workbook, reading: Reading, allowed: set[str]) -> None:
        self.session = session
        self.batch = batch
        self.book = book
        self.reading = reading
        self.allowed = allowed
        self.remembered = _remembered(session, batch, reading.importer) if reading.doses or reading.deaths else {}

    def resolve(self, names: Names) -> None:
        """Fill in agents, reasons and cages, with what has to be created, asked and found."""
        self._cages(names)
        if self.reading.doses is not None:
            self._agents(names)
            self._routes(names)
        if self.reading.deaths is not None:
            self._reasons(names)

    def _find(
        self,
        names: Names,
        severity: Severity,
        code: str,
        message: str,
        of: Any,
        column: Sequence[str | None],
        value: str,
        **more: str | None,
    ) -> None:
        """Say something once of a value of a column: it stands for all rows that have it."""
        sheet = self.book.sheets[of.sheet].name
        rows = tuple(row for row, one in zip(of.rows, column, strict=True) if one == value)
        also = ((sheet, rows),)
        names.findings.append(
            Finding(severity, code, message, sheet=sheet, row=rows[0], column=of.columns, value=value, also=also, **more)
        )

    def _ask(self, names: Names, question: Question) -> str | None:
        """Give a person's answer, else the proposal; an answer that is none of the options is an error, and counts as none."""
        given = self.batch.choices.get(question.key)
        allowed = [option.value for option in question.options]
        if given is not None and given not in allowed:
            names.findings.append(
                Finding(
                    Severity.ERROR,
                    f"question-{question.key}"[:LONGEST],
                    f'"{given}" is not an answer to the question {question.key}.',
                    value=given,
                    expected=f"one of {', '.join(allowed)}",
                    remedy="Choose one of them.",
                    option=f"--set {question.key}=ANSWER",
                )
            )
            return None
        answer = given or question.proposed
        names.questions.append(
            Question(question.key, question.prompt, question.options, question.proposed, question.evidence, (), answer)
        )
        return answer

    # Agents

    def _agents(self, names: Names) -> None:
        doses = self.reading.doses
        assert doses is not None  # noqa: S101  # asked for where there are doses
        active = select(Agent).where(Agent.project_id == self.batch.project_id, Agent.status == RecordStatus.ACTIVE)
        agents = self.session.scalars(active.order_by(Agent.code)).all()
        known = {name.casefold(): agent for agent in agents for name in (agent.name, agent.code)}
        counts = Counter(doses.compounds)
        planned: dict[str, NamedAgent] = {}
        for compound, number in counts.items():
            agent = known.get(compound.casefold()) or self._chosen(names, compound, number, agents)
            if agent is not None:
                names.agents[compound] = NamedAgent(agent.id, agent.code)
            elif self._may_create(names, compound):
                key = compound.casefold()
                if key not in planned:
                    names.new_agents.append(NewAgent(compound, AgentClass.VEHICLE if is_vehicle(compound) else AgentClass.OTHER))
                    planned[key] = NamedAgent(-len(names.new_agents), compound)
                names.agents[compound] = planned[key]
            elif not any(one.code == "name-unusable" and one.value == compound for one in names.findings):
                self._unknown_agent(names, compound, number)

    def _chosen(self, names: Names, compound: str, number: int, agents: Sequence[Agent]) -> Agent | None:
        """Ask which agent a compound is, where the project has agents and none is called so."""
        if not agents:
            return None
        by_code = {agent.code: agent for agent in agents}
        key = f"agent:{compound}"
        before = self.remembered.get(key)
        creates = NEW if self.allowed & {"agents", "arms"} else None
        answer = self._ask(
            names,
            Question(
                key,
                f"Which agent is “{compound}”?",
                (*(Option(one.code, f"{one.code} · {one.name}") for one in agents), Option(NEW, "none of them: a new agent")),
                before if before in by_code else creates,
                f"{number:,} doses of this file; no agent of the project has this code or name"
                + (", and an earlier file was answered so." if before in by_code else "."),
            ),
        )
        return by_code.get(answer or "")

    def _may_create(self, names: Names, compound: str) -> bool:
        if not (self.allowed & {"agents", "arms"} or self.batch.choices.get(f"agent:{compound}") == NEW):
            return False
        try:
            clean_identifier(compound, what="agent")
        except DomainError as problem:
            doses = self.reading.doses
            assert doses is not None  # noqa: S101  # asked for where there are doses
            more = {"remedy": problem.remedy or "Shorten it in the file, or choose an agent.", "source": problem.source}
            more["expected"] = problem.expected
            self._find(names, Severity.ERROR, "name-unusable", str(problem), doses, doses.compounds, compound, **more)
            return False
        return True

    def _unknown_agent(self, names: Names, compound: str, number: int) -> None:
        doses = self.reading.doses
        assert doses is not None  # noqa: S101  # asked for where there are doses
        self._find(
            names,
            Severity.ERROR,
            "agent-unknown",
            f'No agent of this project is called "{compound}", of which this file has {number:,} dose{"s" if number != 1 else ""}.',
            doses,
            doses.compounds,
            compound,
            expected="the code or the name of an agent",
            remedy="Say which agent it is, or let the import create it.",
            option=f'--set "agent:{compound}=CODE", or --create agents',
        )

    def _routes(self, names: Names) -> None:
        doses = self.reading.doses
        for words in dict.fromkeys(route for route in (doses.routes if doses else ()) if route):
            if route_of(words) is None and doses is not None:
                self._find(
                    names,
                    Severity.WARNING,
                    "route-unknown",
                    f'"{words}" is no route that is known; these doses are recorded without one.',
                    doses,
                    doses.routes,
                    words,
                    expected="such as po, iv, ip, sc or im",
                    remedy="Correct the file, or acknowledge that the route is left out.",
                )

    # Reasons

    def _reasons(self, names: Names) -> None:
        """Understand each wording once; what is not understood is asked, and not recorded while nobody says."""
        deaths = self.reading.deaths
        assert deaths is not None  # noqa: S101  # asked for where there are deaths
        for words, number in Counter(words for words in deaths.reasons if words).items():
            key = f"fate:{words}"
            meant, before = understood(words), self.remembered.get(key)
            known = before in {reason.value for reason in FateReason}
            told = (
                "an earlier file was answered so"
                if known
                else "these words name it"
                if meant
                else "no reason is known by these words"
            )
            answer = self._ask(
                names,
                Question(
                    key,
                    f"Why did the animals die of which this file says “{words}”?",
                    tuple(Option(reason.value, said) for reason, said in REASON_WORDS.items()),
                    before if known else (meant or FateReason.NOT_RECORDED).value,
                    f"{number:,} animal{'s' if number != 1 else ''}; {told}.",
                ),
            )
            names.reasons[words] = FateReason(answer) if answer else FateReason.NOT_RECORDED
            if not (meant or known or key in self.batch.choices):
                self._find(
                    names,
                    Severity.WARNING,
                    "fate-reason-unknown",
                    f'What "{words}" means as a reason of death is not known; these fates are recorded without a reason.',
                    deaths,
                    deaths.reasons,
                    words,
                    expected=f"one of {', '.join(REASON_WORDS.values())}",
                    remedy="Say what it means.",
                    option=f'--set "{key}=REASON"',
                )

    # Cages

    def _cages(self, names: Names) -> None:
        """Find the cages that are named for the file's animals; those of new animals are made with them."""
        stays = self.reading.stays
        runs = runs_of(stays) if stays is not None else {}
        new = {facts.label for facts in names.new_animals}
        names.first_cages = {label: of[0].cage for label, of in runs.items() if label in new}
        housed = {label: {run.cage for run in of} for label, of in runs.items() if label in names.hosts}
        for facts in names.new_animals:
            housed.setdefault(facts.label, set()).update({facts.cage} - {None})  # type: ignore[arg-type]  # None is taken out
        wanted = sorted(set().union(*housed.values()))
        known = select(Cage.code).where(Cage.project_id == self.batch.project_id, Cage.status == RecordStatus.ACTIVE)
        there = {code for (code,) in in_chunks(self.session, wanted, lambda some: known.where(Cage.code.in_(some)))}
        made = wanted if self.allowed & {"animals", "cages"} else []
        names.cages = there | {code for code in made if self._usable(names, code)}
        named = Counter(cage for cages in housed.values() for cage in cages)
        names.new_cages = {code: named[code] for code in wanted if code in names.cages - there}
        for code in wanted:
            if stays is not None and code not in names.cages and code not in made:
                self._find(
                    names,
                    Severity.ERROR,
                    "cage-unknown",
                    f'There is no cage "{code}" in this project.',
                    stays,
                    stays.cages,
                    code,
                    expected="a cage of this project",
                    remedy="Correct the file, or let the import create the cages it names.",
                    option="--create cages",
                )

    def _usable(self, names: Names, code: str) -> bool:
        stays = self.reading.stays
        try:
            clean_identifier(code, what="cage")
        except DomainError as problem:
            if stays is not None and code in stays.cages:
                more = {"expected": problem.expected, "remedy": problem.remedy or "Shorten it in the file."}
                more["source"] = problem.source
                self._find(names, Severity.ERROR, "name-unusable", str(problem), stays, stays.cages, code, **more)
            return False
        return True


def _remembered(session: Session, batch: ImportBatch, importer: str) -> dict[str, str]:
    """Give what people answered about compounds and words of death in earlier files of this format, the latest answer last."""
    earlier: Iterable[dict[str, str]] = session.scalars(
        select(ImportBatch.choices)
        .where(
            ImportBatch.project_id == batch.project_id,
            ImportBatch.importer == importer,
            ImportBatch.state == BatchState.COMMITTED,
            ImportBatch.id != batch.id,
        )
        .order_by(ImportBatch.id.desc())
        .limit(REMEMBERED)
    ).all()
    found: dict[str, str] = {}
    for choices in earlier:
        for key, answer in choices.items():
            if key.startswith(("agent:", "fate:")):
                found.setdefault(key, answer)
    return found
