"""What programs of digital pathology counted, as records: regions with the cells that a marker stained, asked and weighed alike.

QuPath and HALO say which cells a channel or class of theirs took as stained, and how strongly. Which marker that was, and whose
cells, is known to the laboratory alone: asked for each channel, with what the file says of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from importers.base import ColumnUse, Finding, Option, Records, SetAside, Severity
from importers.columns import in_words, squash
from importers.questions import ANSWER_IT, Asked
from importers.sample_names import pattern_of
from importers.sheets import Sheet
from lims.domain.genes import GENES
from lims.domain.stains import clean_marker, h_score, is_known
from lims.domain.tissue_terms import Compartment

NONE = "none"
"""The answer that leaves a channel out."""
LEVELS = ("negative", "weak", "moderate", "strong", "positive")
GRADED = frozenset({"negative", "weak", "moderate", "strong"})
MOST_CHANNELS = 24
MOST_REGIONS = 2_000
DIFFERENT = 0.5
"""Scores of a file that differ from those of its counts by less are the same, rounded."""

_PLUS = re.compile(r"(?P<marker>[A-Za-z0-9][\w/-]*)\+(?:\s|$)")
_COUNTERSTAIN = re.compile(r"dapi|hoechst|h(?:a?e)?matoxylin|autofluorescence|\baf\b", re.IGNORECASE)
_SPECIMEN = "{specimen}"


@dataclass(frozen=True, slots=True)
class Channel:
    """Something that a program takes as stained. key: within the file; title: as the file says; cells: how many it is said of.

    sure: whether its name is what the laboratory called the stain, so that it may be proposed.
    """

    key: str
    title: str
    cells: int
    sure: bool = True


@dataclass(slots=True)
class Region:
    """A region of an image, counted. row: the sheet's row that stands for it. counts: channel → level → cells.

    stated: channel → what the file says itself, `percent` and `h_score`, where it gives no counts or gives them too.
    """

    image: str
    name: str
    row: int
    cells: int | None
    software: str
    area_mm2: float | None = None
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    stated: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, channel: str, level: str, cells: int) -> None:
        """Count cells of a level."""
        levels = self.counts.setdefault(channel, {})
        levels[level] = levels.get(level, 0) + cells


def stain_records(
    asked: Asked, sheet: Sheet, regions: Sequence[Region], channels: Sequence[Channel], columns: Mapping[str, int]
) -> tuple[Records, ...]:
    """Ask what the channels are and which specimens the images are of; make a record for each region and marker."""
    if not regions:
        return ()
    if len(regions) > MOST_REGIONS or len(channels) > MOST_CHANNELS:
        asked.findings.append(_too_many(sheet, len(regions), len(channels)))
        return ()
    markers = _markers(asked, sheet, channels)
    specimens = _specimens(asked, sheet, [one.image for one in regions])
    if markers is None or specimens is None:
        return ()
    if not markers:
        asked.findings.append(_all_left_out(sheet))
        return ()
    lines = [
        _line(region, marker, key)
        for key, marker in markers.items()
        for region in regions
        if key in {*region.counts, *region.stated}
    ]
    asked.findings += [one for region in regions for key in markers if (one := _score_differs(sheet, region, key))]
    kept = [line for line in lines if line["specimen_of"] in specimens]
    if not kept:
        return ()
    fields: dict[str, list[Any]] = {
        name: [line[name] for line in kept] for name in ("marker", "compartment", "image", "region", "software")
    }
    fields["specimen"] = [specimens[line["specimen_of"]] for line in kept]
    fields |= {
        name: [line[name] for line in kept] for name in ("cells", "positive_cells", "positive_percent", "h_score", "area_mm2")
    }
    raw = [f"{line['image']}, {line['region']}: {line['said']}" for line in kept]
    return (
        Records("stain_region", sheet.index, [line["row"] for line in kept], columns.get("image", 1), fields, dict(columns), raw),
    )


def _line(region: Region, marker: tuple[str, Compartment], key: str) -> dict[str, Any]:
    """Give what is recorded of one marker in one region: from its counts, else as the file states it."""
    levels, stated = region.counts.get(key), region.stated.get(key, {})
    positive = None if levels is None else sum(cells for level, cells in levels.items() if level != "negative")
    cells = region.cells
    score = stated.get("h_score")
    if levels is not None and cells is not None and set(levels) <= GRADED and set(levels) - {"negative"}:
        score = h_score(cells, levels.get("weak", 0), levels.get("moderate", 0), levels.get("strong", 0))
    said = (
        ", ".join(f"{number:,} {level}" for level, number in (levels or {}).items()) or f"{stated.get('percent', 0):g} % positive"
    )
    return {
        "marker": marker[0],
        "compartment": marker[1].value,
        "image": region.image,
        "region": region.name,
        "software": region.software,
        "row": region.row,
        "specimen_of": region.image,
        "said": said,
        "cells": cells,
        "positive_cells": positive,
        "h_score": score,
        "area_mm2": region.area_mm2,
        "positive_percent": stated.get("percent") if positive is None else None,
    }


def _score_differs(sheet: Sheet, region: Region, key: str) -> Finding | None:
    stated = region.stated.get(key, {}).get("h_score")
    counted = _line(region, ("", Compartment.HUMAN_TUMOUR), key)["h_score"]
    if stated is None or counted is None or abs(stated - counted) <= DIFFERENT:
        return None
    return Finding(
        *(Severity.WARNING, "score-differs"),
        f"the file states an H-score of {stated:g} for {region.name}, and its counts make {counted:.1f}; the counts are read",
        sheet=sheet.name,
        row=region.row,
        value=f"{stated:g}",
        expected="1 × % weak + 2 × % moderate + 3 × % strong of the cells of the region",
        remedy="look which classes the program counted, and answer the questions about intensities accordingly",
    )


def _too_many(sheet: Sheet, regions: int, channels: int) -> Finding:
    return Finding(
        *(Severity.ERROR, "regions-too-many", f"the file has {regions:,} regions and {channels} channels"),
        sheet=sheet.name,
        expected=f"at most {MOST_REGIONS:,} regions and {MOST_CHANNELS} channels",
        remedy="export fewer images or fewer columns at a time",
    )


def _markers(asked: Asked, sheet: Sheet, channels: Sequence[Channel]) -> dict[str, tuple[str, Compartment]] | None:
    """Ask which marker each channel is; channel → marker and compartment, without those that are left out."""
    if not channels:
        asked.findings.append(_no_channel(sheet))
        return None
    answers = {one.key: _marker(asked, sheet, one, alone=len(channels) == 1) for one in channels}
    if None in answers.values():
        return None
    told = {key: str(answer).strip() for key, answer in answers.items() if str(answer).strip().casefold() != NONE}
    host = [name for name in told.values() if name in GENES[Compartment.MOUSE_HOST] - GENES[Compartment.HUMAN_TUMOUR]]
    compartment = asked.ask(
        "compartment",
        "Whose cells do the markers stain? A mouse gene written as MGI does, such as Pecam1, is always of the host.",
        (Option("human_tumour", "the human tumour's"), Option("mouse_host", "the mouse host's")),
        proposed="human_tumour",
        evidence="Antibodies against a tumour stain human cells; vessels, microglia and astrocytes of a xenograft are the mouse's.",
        sheet=sheet.name,
    )
    if compartment is None:
        return None
    chosen = {key: Compartment.MOUSE_HOST if name in host else Compartment(compartment) for key, name in told.items()}
    markers = {key: (clean_marker(name, chosen[key]), chosen[key]) for key, name in told.items()}
    for marker, keys in groupby(sorted(markers, key=lambda key: (markers[key][0], key)), key=lambda key: markers[key]):
        titles = [one.title for key in keys for one in channels if one.key == key]
        if len(titles) > 1:
            asked.findings.append(_twice(sheet, marker[0], titles))
            return None
    return markers


def _marker(asked: Asked, sheet: Sheet, channel: Channel, *, alone: bool) -> str | None:
    proposed, why = _proposal(channel)
    return asked.ask(
        "marker" if alone else _question(channel.key),
        f"Which marker is “{channel.title}”?",
        [Option(NONE, "none: leave it out")],
        proposed=proposed,
        evidence=f"{channel.cells:,} cells. {why}".strip(),
        samples=(channel.title,),
        sheet=sheet.name,
        typed="a gene such as ERBB2, or a stain such as H&E",
    )


def _proposal(channel: Channel) -> tuple[str | None, str]:
    """Propose a marker where the channel's name says one, and none where it can be none."""
    if _COUNTERSTAIN.search(channel.title):
        return NONE, "It is a counterstain."
    if told := _PLUS.search(channel.title):
        return told["marker"], f"The name says {told['marker']} positive."
    for compartment in Compartment:
        marker = clean_marker(channel.key, compartment)
        if is_known(marker, compartment):
            return marker, f"“{channel.key}” is {marker} of the list."
    return (None, "") if channel.sure else (NONE, "It names cells, and no stain.")


def left_out(asked: Asked, key: str) -> bool:
    """Whether a person, or a proposal in use, leaves a channel out."""
    answers = {one.key: one.answer for one in asked.questions}
    return str(answers.get(_question(key), "")).strip().casefold() == NONE


def _question(key: str) -> str:
    return f"marker_{squash(key)[:40]}"


def _all_left_out(sheet: Sheet) -> Finding:
    return Finding(
        *(Severity.ERROR, "channels-left-out", "every channel of the file is left out, so that nothing is to be recorded"),
        sheet=sheet.name,
        expected="a marker for at least one channel",
        remedy="answer the questions which marker each channel is",
    )


def _no_channel(sheet: Sheet) -> Finding:
    return Finding(
        *(Severity.ERROR, "classes-missing", "nothing in the file says which cells are stained"),
        sheet=sheet.name,
        expected="classes such as Positive and Negative or 1+, 2+, 3+, or columns such as DAB Positive",
        remedy="classify the cells in the program, and export again with the classification",
    )


def _twice(sheet: Sheet, marker: str, titles: Sequence[str]) -> Finding:
    return Finding(
        *(Severity.ERROR, "marker-twice", f"{in_words([f'“{title}”' for title in titles])} are all said to be {marker}"),
        sheet=sheet.name,
        value=marker,
        expected="one channel for each marker",
        remedy=f"answer {NONE} for all but one of them",
    )


def _specimens(asked: Asked, sheet: Sheet, images: Sequence[str]) -> dict[str, str] | None:
    """Ask which specimen each image is of: one code for all, or a pattern of the image's name. Image → code."""
    different = list(dict.fromkeys(images))
    answer = asked.ask(
        "specimen",
        f"Of which specimen are the images? Its code for all of them, or how images are named, such as {_SPECIMEN}_*.",
        evidence=f"{len(different)} image{'s' if len(different) > 1 else ''}, such as “{different[0]}”.",
        samples=different[:3],
        sheet=sheet.name,
    )
    if answer is None:
        return None
    if "{" not in answer:
        return dict.fromkeys(different, answer.strip())
    try:
        pattern = pattern_of(answer.replace(_SPECIMEN, "{animal}"))
    except ValueError as problem:
        asked.findings.append(_unfitting(sheet, answer, f"the pattern “{answer}” {str(problem).replace('animal', 'specimen')}"))
        return None
    named = {image: said.animal for image in different if (said := pattern.read(_stem(image)))}
    unlike = [image for image in different if image not in named]
    if unlike:
        more = f" and {len(unlike) - 1} more" if len(unlike) > 1 else ""
        asked.findings.append(_unfitting(sheet, answer, f"“{unlike[0]}”{more} is not named as the pattern “{answer}” says"))
    return named


def _stem(image: str) -> str:
    """Give an image's name without its ending: `S1.ome.tiff` → `S1`."""
    return re.sub(r"(?:\.(?:ome|nd2|svs|tiff?|ndpi|czi|scn|vsi|mrxs|qptiff|jpe?g|png|zvi|lif))+$", "", image, flags=re.IGNORECASE)


def _unfitting(sheet: Sheet, answer: str, told: str) -> Finding:
    return Finding(
        *(Severity.ERROR, "question-specimen", told),
        sheet=sheet.name,
        value=answer,
        expected=f"a specimen's code, or a pattern such as {_SPECIMEN}_* that every image's name fits",
        remedy=ANSWER_IT,
        option="--set specimen=CODE",
    )


def table_aside(sheet: Sheet, header_row: int, last_row: int, told: str, records: Sequence[Records]) -> tuple[SetAside, ...]:
    """Account for the rows of a table of objects: the first of each region stands for all of them, where a record was made."""
    width = max(map(len, sheet.rows[:header_row]), default=0)
    bounds = (sheet.index, header_row + 1, max(last_row, header_row + 1), 1, width)
    return (SetAside(*bounds, told, row_fate=not records),)


def column_uses(
    sheet: Sheet, header_row: int, roles: Mapping[int, str], unread: Mapping[int, str], default: str
) -> tuple[ColumnUse, ...]:
    """List every column of the header row: its role, or why it was not read."""
    cells: Iterable[tuple[int, Any]] = enumerate(sheet.rows[header_row - 1], 1)
    return tuple(
        ColumnUse(sheet.index, column, str(cell).strip(), roles.get(column), "" if column in roles else unread.get(column, default))
        for column, cell in cells
    )
