"""Sorts injections: samples from calibrators, controls and blanks, and compounds that are agents from internal standards."""

from __future__ import annotations

from collections.abc import Sequence

from importers.base import Option
from importers.columns import squash
from importers.concentration_cells import Kind, Said, kind_of, looks_labelled
from importers.injections import LONGEST_KEY, SHOWN, Batch, counted
from importers.sample_names import Proposal, named_control, propose

LEAVE_OUT = "-"
"""Answer for a compound that is not recorded."""


def sort_types(batch: Batch) -> None:
    """Set aside what is no sample by its type, and what the file itself says is no sample's value."""
    known: dict[str | None, Kind | None] = {None: Kind.SAMPLE}
    for index, word in enumerate(batch.found.types):
        if word not in known:
            known[word] = kind_of(word or "") or _ask_type(batch, word or "")
        kind = known[word]
        batch.kinds.append(kind or Kind.SYSTEM)
        if kind is not Kind.SAMPLE:
            batch.aside[index] = kind.value if kind else f'of type "{word}"'
        elif batch.found.aside[index]:
            batch.aside[index] = batch.found.aside[index]


def _ask_type(batch: Batch, word: str) -> Kind | None:
    answer = batch.asked.ask(
        f"type:{word or 'blank'}"[:LONGEST_KEY],
        f"What are the injections {f'of type “{word}”' if word else 'without a type'}?",
        [Option("sample", "samples of animals"), Option("aside", "no samples: leave them out")],
        evidence=f"{counted(batch.found.types.count(word))}; the type is none of those that instruments' programs write.",
    )
    return Kind.SAMPLE if answer == "sample" else None


def sample_names(batch: Batch) -> tuple[list[str], int]:
    """Give each entry's sample name and its column, from the one that a person confirms where the file has several (0: none)."""
    filled = {header: texts for header, texts in batch.found.names.items() if any(texts)}
    different = {tuple(texts): header for header, texts in reversed(filled.items())}
    headers = [header for header in filled if header in different.values()]
    header = headers[0] if headers else ""
    if len(headers) > 1:
        header = _ask_column(batch, {header: filled[header] for header in headers}) or header
    return filled.get(header, [""] * len(batch.found)), batch.found.name_columns.get(header, 0)


def _ask_column(batch: Batch, columns: dict[str, list[str]]) -> str | None:
    """Ask which column names the samples; that whose names have the most known parts is proposed, else the usual one."""
    proposals = {header: proposal_for(batch, texts) for header, texts in columns.items()}
    best = max(columns, key=lambda header: (proposals[header].score[1], proposals[header].score[0]))
    pattern = proposals[best].pattern
    return batch.asked.ask(
        "name_column",
        "Which column names the samples?",
        [Option(header, header) for header in columns],
        proposed=best,
        evidence=f"The names under “{best}” read as {pattern}." if pattern else f"“{best}” is the usual one.",
        samples=[f"{header}: {next(filter(None, texts))}" for header, texts in columns.items()],
    )


def proposal_for(batch: Batch, names: Sequence[str]) -> Proposal:
    """Propose a pattern for the names of what is still taken for samples."""
    return propose([names[index] for index in batch.live if names[index] and not named_control(names[index])])


def sort_controls(batch: Batch, names: Sequence[str]) -> None:
    """Ask whether injections that are named like calibrators, controls or blanks are samples all the same."""
    alike = [index for index in batch.live if named_control(names[index])]
    if not alike:
        return
    told = list(dict.fromkeys(names[index] for index in alike))
    answer = batch.asked.ask(
        "controls",
        "Are these calibrators, quality controls or blanks, to be left out?",
        [Option("leave_out", "yes: leave them out"), Option("samples", "no: they are samples of animals")],
        proposed="leave_out",
        evidence=f"{len(told):,} {'name says' if len(told) == 1 else 'names say'} so, though the file has them as samples.",
        samples=told[:SHOWN],
    )
    if answer != "samples":
        batch.set_aside(alike, "named as a calibrator, quality control or blank")


def sort_empty(batch: Batch) -> None:
    """Set aside entries without a concentration."""
    batch.set_aside([index for index in batch.live if batch.amounts[index].said is Said.NOTHING], "no concentration")


def sort_compounds(batch: Batch) -> dict[str, tuple[str, str | None]]:
    """Ask of each compound which agent it is, or comes from: compound → agent, and the analyte where it is not the agent itself.

    What is named as an internal standard is proposed to be left out.
    """
    agents: dict[str, tuple[str, str | None]] = {}
    for compound in dict.fromkeys(batch.found.compounds[index] for index in batch.live):
        labelled = looks_labelled(compound)
        agent = batch.asked.ask(
            f"agent_of:{compound}"[:LONGEST_KEY] if compound else "agent",
            f"Which agent is “{compound}”, or which one does it come from?"
            if compound
            else "Which agent was measured? The file does not name the compound.",
            [Option(LEAVE_OUT, "none: leave it out")] if compound else (),
            proposed=LEAVE_OUT if labelled else compound or None,
            evidence="It is named as an internal standard." if labelled else "The file calls it so." if compound else "",
            typed="the code or the name of an agent",
        )
        if agent is not None and agent.strip() == LEAVE_OUT:
            reason = "internal standard" if labelled else f"{compound} is left out"
            batch.set_aside(batch.of_compound(compound), reason)
        elif agent is not None:
            agents[compound] = (agent.strip(), _analyte(batch, compound, agent.strip()))
    return agents


def _analyte(batch: Batch, compound: str, agent: str) -> str | None:
    """Ask what a compound is that is not called as its agent: the agent itself, or something that is made of it."""
    if not compound or squash(compound) == squash(agent):
        return None
    answer = batch.asked.ask(
        f"analyte_of:{compound}"[:LONGEST_KEY],
        f"Is “{compound}” {agent} itself, or a metabolite or payload of it?",
        [Option("analyte", f"{compound}, a metabolite or payload"), Option("agent", f"{agent} itself, by another name")],
        proposed="analyte",
        evidence="The names differ.",
    )
    return None if answer == "agent" else compound
